"""Search quality on collections with relevance judgments, measured by the product.

A collection is a folder: `docs/`, `queries.jsonl` ({"id", "text"}), `qrels.tsv` (query,
file name, grade) and, for passages, `passages.jsonl` ({"id", "doc", "start", "end"}) with
`qrels_passages.tsv`. It is indexed in a home of its own by the code that indexes folders.
"""

from pplx_local.evaluate.evaluation import Evaluation
from pplx_local.evaluate.options import Options

__all__ = ["Evaluation", "Options"]
