"""English words that say nothing about a passage.

Those of other languages are taken for words like any other, which looks busy and hides
nothing.
"""

from __future__ import annotations

import re

_GRAMMAR = re.compile(
    "a|about|am|an|and|are|as|at|be|been|but|by|can|could|did|do|does|for|from|had|has|"
    "have|how|i|if|in|into|is|it|its|me|my|no|not|of|on|or|our|she|so|such|than|that|"
    "the|their|them|then|there|these|they|this|to|was|we|were|what|when|where|which|"
    "who|why|will|with|would|you|your",
    re.IGNORECASE,
)


def is_grammar(word: str) -> bool:
    """Tell whether a word is one of them."""
    return _GRAMMAR.fullmatch(word) is not None
