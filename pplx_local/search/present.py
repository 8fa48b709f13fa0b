"""From candidates to what a person sees: passages with their files and places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from pplx_local.records import Copy, Elsewhere, Hit, Leg, Match, Place, Span
from pplx_local.search.asked import Asked
from pplx_local.search.explain import matches, ranks
from pplx_local.search.fold import Group, fold
from pplx_local.search.legs import Values
from pplx_local.search.living import Found, Living
from pplx_local.search.place import place_in
from pplx_local.search.ranking import Ranking
from pplx_local.search.spaces import SearchSpace
from pplx_local.search.steps import Steps
from pplx_local.store import ChunkRef, Store, find_words

_TEXTS_KEPT = 256
_LONGEST_LINE = 10_000
"""Characters; on a longer one columns are counted from so far back."""


class _Where(NamedTuple):
    """Where a passage begins, and where in it the answer is."""

    start: int
    line: int
    place: tuple[Place, ...]


class Presenter:
    """Makes the hits of one query."""

    def __init__(
        self,
        store: Store,
        ranking: Ranking,
        scores: Values,
        weights: Mapping[Leg, float],
        asked: Asked,
        late: SearchSpace | None,
        is_gone: Callable[[bytes], bool],
    ) -> None:
        """Bind a ranking (N candidates) and the scores (N,) that order it.

        Args:
            store: Where the texts are.
            ranking: The candidates.
            scores: Of the mode; -inf for what it does not find.
            weights: Of the legs that the scores add up; empty where one leg ranks.
            asked: What they answer.
            late: For explanations; None without a late leg.
            is_gone: Whether a file has been deleted since it was indexed.
        """
        self._store, self._ranking, self._scores = store, ranking, scores
        self._weights, self._parts = weights, ranking.parts(weights)
        self._asked, self._late = asked, late
        self._living = Living(store, is_gone)
        self._text = lru_cache(_TEXTS_KEPT)(store.text)

    @property
    def n_documents(self) -> int:
        """How many documents were looked at."""
        return self._living.n_documents

    def hits(self, k: int, *, explain: bool, folded: bool) -> Steps[tuple[Hit, ...]]:
        """Make at most k hits, the best first.

        Args:
            k: At most so many.
            explain: Say which words matched.
            folded: One hit for a file, and for all files that say the same; else one
                for each passage in each file.
        """
        found = self._living.best_first(self._ranking.ids, self._scores)
        hits = []
        with self._store.snapshot():
            if folded:
                groups = fold(found, k, self._text_of)
            else:
                groups = [Group(one) for one in islice(_each_path(found), k)]
            for hit in self._hits(groups, explain=explain):
                hits.append(hit)
                yield
        return tuple(hits)

    def _hits(self, groups: Sequence[Group], *, explain: bool) -> Iterator[Hit]:
        texts = [self._text_of(group.best) for group in groups]
        if not explain:
            for group, text in zip(groups, texts, strict=True):
                yield self._hit(group, text, (), ())
            return
        matched = self._begin_matches([group.best.ref for group in groups], texts)
        words = [tuple(find_words(text, self._asked.words)) for text in texts]
        for found in zip(groups, texts, matched(), words, strict=True):
            yield self._hit(*found)

    def _hit(
        self,
        group: Group,
        text: str,
        matched: tuple[Match, ...],
        words: tuple[Span, ...],
    ) -> Hit:
        best = group.best
        where = self._where(best)
        return Hit(
            path=best.paths[0],
            score=round(best.score, 4),
            confidence=self._confidence(best.candidate),
            char_span=best.ref.char_span,
            line=where.line,
            place=where.place,
            text=text,
            scores=self._leg_scores(best.candidate),
            column=self._column(best.ref.document_id, where.start),
            ranks=ranks(self._ranking.raw, best.candidate),
            parts=self._leg_parts(best.candidate),
            matches=matched,
            words=words,
            more_in_file=tuple(map(self._elsewhere, group.more)),
            same=tuple(_copies(group)),
            modified_ns=self._modified_ns(best.paths[0]),
        )

    def _modified_ns(self, path: bytes) -> int | None:
        file = self._store.file(path)
        return file.mtime_ns if file else None

    def _text_of(self, found: Found) -> str:
        return self._text(found.ref.document_id, found.ref.char_span)

    def _where(self, found: Found) -> _Where:
        """Find the first character that is no blank, and the part that answers."""
        text, document_id = self._text_of(found), found.ref.document_id
        blank = len(text) - len(text.lstrip())
        start = found.ref.char_span.start + (blank if blank < len(text) else 0)
        line = self._store.line_of(document_id, start)
        segments = self._store.segments(document_id, found.ref.char_span)
        place = place_in(segments, start, lambda: self._words_in(found))
        return _Where(start, line, place)

    def _words_in(self, found: Found) -> list[tuple[int, str]]:
        text, first = self._text_of(found), found.ref.char_span.start
        return [
            (first + start, text[start:end].casefold())
            for start, end in find_words(text, self._asked.words)
        ]

    def _column(self, document_id: int, start: int) -> int:
        before = self._store.text(document_id, Span(start - _LONGEST_LINE, start))
        return len(before.rpartition("\n")[2].encode("utf-8", "surrogatepass")) + 1

    def _elsewhere(self, found: Found) -> Elsewhere:
        where, char_start = self._where(found), found.ref.char_span.start
        return Elsewhere(where.line, where.place, char_start, round(found.score, 4))

    def _leg_scores(self, index: int) -> dict[Leg, float]:
        return {
            leg: round(float(values[index]), 4)
            for leg, values in self._ranking.raw.items()
            if np.isfinite(values[index])
        }

    def _leg_parts(self, index: int) -> dict[Leg, float]:
        return {
            leg: round(self._weights[leg] * float(values[index]), 4)
            for leg, values in self._parts.items()
        }

    def _begin_matches(
        self, refs: Sequence[ChunkRef], texts: Sequence[str]
    ) -> Callable[[], Sequence[tuple[Match, ...]]]:
        """Begin to explain passages; return what waits for it.

        Together, as each call of the encoder costs a switch there.
        """
        late, query = self._late, self._asked.encoded.get("late")
        if late is None or query is None or (tokens := query.tokens) is None:
            return lambda: [()] * len(refs)
        spans = late.encoder.token_spans(texts)
        rows = [self._store.token_vectors(late.space, [ref.chunk_id]) for ref in refs]
        return lambda: [
            matches(tokens, query.words, *passage)
            for passage in zip(rows, spans.result(), texts, strict=True)
        ]

    def _confidence(self, index: int) -> float:
        return round(float(self._ranking.confidence[index]), 4)


def _each_path(found: Iterable[Found]) -> Iterator[Found]:
    for one in found:
        for path in one.paths:
            yield one._replace(paths=(path,))


def _copies(group: Group) -> Iterator[Copy]:
    """Files with the whole document, and then those with the passage."""
    for path in group.best.paths[1:]:
        yield Copy(path, True)
    for found in group.near:
        for path in found.paths:
            yield Copy(path, False)
