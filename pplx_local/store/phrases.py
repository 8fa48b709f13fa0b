"""Exact phrases: where in the stored text they stand, and which chunks that touches.

The keyword index names the chunks where words stand in this order, and those that begin
with the end of the phrase, for it may have begun in the chunk before. The text decides.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Span
from pplx_local.store.connection import Database, ids_array
from pplx_local.store.lexical import analyze_phrase, tokens_of
from pplx_local.store.texts import Texts

Ids = NDArray[np.int64]

MOST_CHECKED = 4_000
"""Candidates whose text is read. Where there are more, those that hold all of a phrase
are read alone; where these are more, the keyword index has to be believed."""

_LONG = 24
"""Words from which on only parts of a phrase are looked up."""
_PART = 8
_MOST_PARTS = 8
_MARGIN_CHARS = 100

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_LETTER = re.compile(rf"[^\W{_UNSPACED}]")
_NO_WORD_BEFORE = f"(?<!{_LETTER.pattern})"
_NO_WORD_AFTER = f"(?!{_LETTER.pattern})"
_APOSTROPHES = "['\u2019]"

_NOTHING: Ids = np.empty(0, dtype=np.int64)


class _Place(NamedTuple):
    """Where a chunk lies: all spans are into the document's text."""

    chunk_id: int
    document_id: int
    n_chars: int
    """Of the document."""
    start: int
    end: int
    block_id: int
    block_start: int
    block_end: int


class Phrases:
    """Finds words and phrases among the visible chunks."""

    def __init__(self, database: Database, texts: Texts) -> None:
        self._database, self._texts = database, texts

    def with_word(self, word: str) -> Ids:
        """List the chunks that hold a word, inflected or not."""
        pieces = _indexed(word)
        return self._matching(_quoted(pieces)) if pieces else _NOTHING

    def holding(self, phrase: str) -> Ids:
        """List the chunks that hold a phrase, or a part of it that others go on with.

        Capitals and the kind and number of blanks do not matter. At its ends no word
        goes on.
        """
        pieces = _indexed(phrase)
        if not pieces:
            return _NOTHING
        candidates = self._matching(_query(pieces))
        if len(candidates) > MOST_CHECKED:  # most begin with its end alone
            candidates = self._matching(_quoted(pieces))
        if len(candidates) > MOST_CHECKED:
            return candidates
        return self._checked(candidates, phrase, len(pieces))

    def _checked(self, candidates: Ids, phrase: str, n_pieces: int) -> Ids:
        """List the chunks that a phrase touches where it stands in candidates."""
        wanted = pattern(phrase)
        margin = 2 * len(phrase) + _MARGIN_CHARS
        touched: set[int] = set()
        for place, block_text in self._with_texts(self._places(candidates)):
            for span in self._occurrences(place, block_text, wanted, margin):
                touched.update(self._touched(place, span, n_pieces))
        return np.array(sorted(touched), dtype=np.int64)

    def _matching(self, query: str) -> Ids:
        rows = self._database.rows(
            "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rowid", (query,)
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _places(self, candidates: Ids) -> Iterator[_Place]:
        """Say where chunks lie, those of one block one after the other."""
        rows = self._database.rows(
            "SELECT c.chunk_id, c.document_id, d.n_chars, c.char_start, c.char_end,"
            " b.block_id, b.char_start, b.char_start + b.n_chars"
            " FROM chunks c JOIN documents d USING (document_id)"
            " JOIN blocks b ON b.document_id = c.document_id AND b.char_start = ("
            " SELECT max(char_start) FROM blocks WHERE document_id = c.document_id"
            " AND char_start <= c.char_start)"
            " WHERE c.chunk_id IN carray(?) ORDER BY c.chunk_id",
            (ids_array(candidates),),
        )
        return itertools.starmap(_Place, rows)

    def _with_texts(self, places: Iterator[_Place]) -> Iterator[tuple[_Place, str]]:
        """Give each place with the text of its block, which is asked for once."""
        for block_id, of_block in itertools.groupby(places, lambda one: one.block_id):
            text = self._texts.block_text(block_id)
            for place in of_block:
                yield place, text

    def _occurrences(
        self, place: _Place, block_text: str, wanted: re.Pattern[str], margin: int
    ) -> Iterator[Span]:
        """Find a phrase in a chunk and around it."""
        start = max(place.start - margin, 0)
        end = min(place.end + margin, place.n_chars)
        text = self._text(place, block_text, Span(start, end))
        for match in wanted.finditer(text):
            found = Span(start + match.start(), start + match.end())
            if found.start < place.end and found.end > place.start:
                yield found

    def _text(self, place: _Place, block_text: str, span: Span) -> str:
        if span.start < place.block_start or span.end > place.block_end:
            return self._texts.text(place.document_id, span)
        first = place.block_start
        return block_text[span.start - first : span.end - first]

    def _touched(self, place: _Place, span: Span, n_pieces: int) -> Iterable[int]:
        """Give the chunks on which an occurrence lies."""
        if place.start <= span.start and span.end <= place.end:
            return [place.chunk_id]
        rows = self._database.rows(
            "SELECT chunk_id FROM chunks WHERE document_id = ?"
            " AND chunk_id BETWEEN ? AND ? AND char_start < ? AND char_end > ?",
            (
                place.document_id,
                place.chunk_id - n_pieces,  # a chunk has a word at the least
                place.chunk_id + n_pieces,
                span.end,
                span.start,
            ),
        )
        return [chunk_id for (chunk_id,) in rows]


# --- what the index is asked ---------------------------------------------------


def _indexed(text: str) -> list[str]:
    """Cut a text into what the index holds as one or several tokens."""
    return [piece for piece in analyze_phrase(text) if tokens_of(piece)]


def _query(pieces: Sequence[str]) -> str:
    """Ask for the chunks that may hold a phrase, or the end of one."""
    if len(pieces) < _LONG:
        ends = [f"^{_quoted(pieces[start:])}" for start in range(1, len(pieces))]
        return " OR ".join([_quoted(pieces), *ends])
    # A border between two chunks breaks one part; the others lie in one chunk each.
    starts = range(0, len(pieces) - _PART + 1, _PART)
    parts = [_quoted(pieces[start : start + _PART]) for start in starts]
    return " OR ".join(parts[:_MOST_PARTS])


def _quoted(pieces: Sequence[str]) -> str:
    return '"' + " ".join(pieces).replace('"', " ") + '"'


# --- what the text has to hold -------------------------------------------------


def pattern(phrase: str) -> re.Pattern[str]:
    """Make the pattern that decides whether a text holds a phrase."""
    spellings = {
        _spelled(unicodedata.normalize(form, phrase)) for form in ("NFC", "NFD")
    }
    before = _NO_WORD_BEFORE if _LETTER.match(phrase) else ""
    after = _NO_WORD_AFTER if _LETTER.match(phrase[-1:]) else ""
    any_spelling = "|".join(sorted(spellings))
    return re.compile(f"{before}(?:{any_spelling}){after}", re.IGNORECASE)


def _spelled(phrase: str) -> str:
    """Let blanks be any, and between letters of scripts without them, none."""
    parts = [_APOSTROPHES if sign in "'\u2019" else re.escape(sign) for sign in phrase]
    for i, sign in enumerate(phrase):
        if sign == " ":
            around = phrase[i - 1 : i] + phrase[i + 1 : i + 2]
            parts[i] = r"\s*" if len(_UNSPACED_LETTER.findall(around)) == 2 else r"\s+"
        elif all(map(_UNSPACED_LETTER.match, (sign, phrase[i + 1 : i + 2]))):
            parts[i] += r"\s*"
    return "".join(parts)
