"""Exact phrases: where in the stored text they stand, and which chunks that touches.

The keyword index names the chunks where words stand in this order, and those that begin
with the end of the phrase, for it may have begun in the chunk before. The text decides.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Span
from pplx_local.store.connection import Database, ids_json
from pplx_local.store.documents import Documents
from pplx_local.store.lexical import analyze_phrase, tokens_of

Ids = NDArray[np.int64]

MOST_CHECKED = 20_000
"""Candidates whose text is read; a phrase that stands in more chunks is so common that
the keyword index has to be believed."""

_LONG = 24
"""Words from which on only parts of a phrase are looked up."""
_PART = 8
_MOST_PARTS = 8
_MARGIN_CHARS = 100
_READ_CHARS = 200_000
"""Texts that lie so close together are read at once."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_LETTER = re.compile(rf"[^\W{_UNSPACED}]")
_NO_WORD_BEFORE = f"(?<!{_LETTER.pattern})"
_NO_WORD_AFTER = f"(?!{_LETTER.pattern})"
_APOSTROPHES = "['\u2019]"

_NOTHING: Ids = np.empty(0, dtype=np.int64)


class _Chunk(NamedTuple):
    chunk_id: int
    document_id: int
    start: int
    end: int


class Phrases:
    """Finds words and phrases among the visible chunks."""

    def __init__(self, database: Database, documents: Documents) -> None:
        self._database, self._documents = database, documents

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
        if len(candidates) > MOST_CHECKED:
            return self._matching(_quoted(pieces))
        touched: set[int] = set()
        for chunks in self._stretches(candidates):
            touched.update(self._touched(chunks, phrase, len(pieces)))
        return np.array(sorted(touched), dtype=np.int64)

    def _matching(self, query: str) -> Ids:
        rows = self._database.rows(
            "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rowid", (query,)
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _stretches(self, candidates: Ids) -> Iterator[list[_Chunk]]:
        """Give chunks that lie close together in a document, in order."""
        rows = self._database.rows(
            "SELECT chunk_id, document_id, char_start, char_end FROM chunks"
            " WHERE chunk_id IN (SELECT value FROM json_each(?)) ORDER BY chunk_id",
            (ids_json(candidates),),
        )
        stretch: list[_Chunk] = []
        for chunk in itertools.starmap(_Chunk, rows):
            if stretch and not _is_close(stretch[0], chunk):
                yield stretch
                stretch = []
            stretch.append(chunk)
        if stretch:
            yield stretch

    def _touched(
        self, chunks: Sequence[_Chunk], phrase: str, n_pieces: int
    ) -> Iterator[int]:
        """Give the chunks on which a phrase lies, near to some of a document."""
        first, last = chunks[0], chunks[-1]
        margin = 2 * len(phrase) + _MARGIN_CHARS
        start = max(first.start - margin, 0)
        text = self._documents.text(first.document_id, Span(start, last.end + margin))
        found = [match.span() for match in pattern(phrase).finditer(text)]
        if not found:
            return
        # A chunk has a word at the least.
        near = self._database.rows(
            "SELECT chunk_id, char_start, char_end FROM chunks WHERE document_id = ?"
            " AND chunk_id BETWEEN ? AND ?",
            (first.document_id, first.chunk_id - n_pieces, last.chunk_id + n_pieces),
        )
        for chunk_id, chunk_start, chunk_end in near:
            if any(start + a < chunk_end and start + b > chunk_start for a, b in found):
                yield chunk_id


def _is_close(first: _Chunk, chunk: _Chunk) -> bool:
    return (
        chunk.document_id == first.document_id
        and chunk.end - first.start <= _READ_CHARS
    )


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
