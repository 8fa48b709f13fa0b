"""Where in its document a passage answers: short slides and rows share a passage."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from pplx_local.records import Place, Segment, Span


def place_in(
    segments: Sequence[Segment],
    start: int,
    find: Callable[[], Sequence[tuple[int, str]]],
) -> tuple[Place, ...]:
    """Name the parts of a document that a passage answers in, the outermost first.

    Args:
        segments: That the passage has characters of, by start, the outer one first.
        start: Where in the document the passage begins.
        find: Gives where in the document words of the question stand in it, with the
            words; asked only where parts begin inside of it.
    """
    edges = sorted(
        {start, *(s.char_span.start for s in segments if s.char_span.start > start)}
    )
    at = edges[0] if len(edges) == 1 else _most_telling(edges, find())
    return tuple(Place(s.kind, s.label) for s in segments if _holds(s.char_span, at))


def _most_telling(edges: Sequence[int], words: Sequence[tuple[int, str]]) -> int:
    """Choose the part with the most different words of the question, the first such.

    A word counts less the more often the passage has it: all rows of a sheet say "euro".
    """
    often = Counter(word for _, word in words)
    told: defaultdict[int, set[str]] = defaultdict(set)
    for char, word in words:
        told[edges[max(bisect_right(edges, char) - 1, 0)]].add(word)
    return max(edges, key=lambda edge: sum(1 / often[word] for word in told[edge]))


def _holds(span: Span, char: int) -> bool:
    return span.start <= char < span.end
