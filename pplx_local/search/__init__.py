"""A query in, ranked passages out: legs, union, MaxSim, fusion, explanation."""

from pplx_local.search.confidence import nothing_close
from pplx_local.search.query import Query, parse_query
from pplx_local.search.ranking import Ranking, best_first
from pplx_local.search.searcher import Searcher, Wanted
from pplx_local.search.spaces import QueryEncoder, SearchSpace
from pplx_local.search.steps import Steps, finished

__all__ = [
    "Query",
    "QueryEncoder",
    "Ranking",
    "SearchSpace",
    "Searcher",
    "Steps",
    "Wanted",
    "best_first",
    "finished",
    "nothing_close",
    "parse_query",
]
