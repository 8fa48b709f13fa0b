"""Search quality on collections with relevance judgments, measured by the product.

A collection is a folder: `docs/`, `queries.jsonl` ({"id", "text"}), `qrels.tsv` (query,
file name, grade) and, for passages, `passages.jsonl` ({"id", "doc", "start", "end"}) with
`qrels_passages.tsv`. It is indexed in a temporary home by the code that indexes folders.
"""

from pplx_local.evaluate.evaluation import Evaluation

__all__ = ["Evaluation"]
