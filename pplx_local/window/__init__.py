"""Chunks and a tokenizer to token windows: what one forward pass reads and owns.

No text is ever cut off. A chunk that is longer than a checkpoint's limit is read in
pieces; a document that is longer is read in windows that overlap.
"""

from pplx_local.window.plans import MOST_QUERY_TOKENS, batches, plan, plan_query
from pplx_local.window.rule import Ids, TextTokenizer, WindowRule

__all__ = [
    "MOST_QUERY_TOKENS",
    "Ids",
    "TextTokenizer",
    "WindowRule",
    "batches",
    "plan",
    "plan_query",
]
