"""The texts of documents: in compressed blocks, of which pieces are read.

A block of a book takes a millisecond and more to unpack, and a search asks for dozens of
pieces, lines and columns of the same few: the blocks read last stay unpacked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import zstandard

from pplx_local.records import Span
from pplx_local.store.connection import Database

_KEPT_CHARS = 4_000_000
"""Of blocks that stay unpacked: one or two bytes each in most texts."""


class Block(NamedTuple):
    """A piece of a document's text, unpacked."""

    start: int
    """In the characters of its document."""
    newlines_before: int
    text: str

    def cut(self, span: Span) -> str:
        """Cut out what it has of a span of its document."""
        first = max(span.start - self.start, 0)
        return self.text[first : max(span.end - self.start, 0)]

    def line_of(self, char: int) -> int:
        """Number the line that holds a character of its document, from 1."""
        before = self.text.count("\n", 0, max(char - self.start, 0))
        return self.newlines_before + before + 1


class Texts:
    """Reads what `DocumentWriter` has written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # To make one anew takes a third of the time of a small block.
        self._decompressor = zstandard.ZstdDecompressor()
        self._version: tuple[int, ...] | None = None
        self._kept: OrderedDict[int, str] = OrderedDict()
        """By block id, the one read last at the end."""

    def text(self, document_id: int, span: Span) -> str:
        """Cut a piece out of a document's text, from as few blocks as it needs."""
        return "".join(block.cut(span) for block in self.blocks(document_id, span))

    def line_of(self, document_id: int, char: int) -> int:
        """Number the line that holds a character, from 1."""
        block = next(self.blocks(document_id, Span(char, char + 1)), None)
        return block.line_of(char) if block else 1

    def blocks(self, document_id: int, span: Span) -> Iterator[Block]:
        """Give the blocks that meet a span.

        A place at the very end of the text lies in the last block.
        """
        rows = self._database.rows(
            "SELECT block_id, char_start, newlines_before FROM blocks"
            " WHERE document_id = :document AND char_start < :end AND char_start >= ("
            " SELECT coalesce(max(char_start), 0) FROM blocks"
            " WHERE document_id = :document AND char_start <= :start)"
            " ORDER BY char_start",
            {
                "document": document_id,
                "start": max(span.start, 0),
                "end": max(span.end, 1),
            },
        )
        for block_id, start, newlines_before in rows:
            yield Block(start, newlines_before, self.block_text(block_id))

    def block_text(self, block_id: int) -> str:
        """Give the whole text of a block."""
        self._forget_old()
        text = self._kept.pop(block_id, None)
        if text is None:
            text = self._unpacked(block_id)
            self._make_room(len(text))
        self._kept[block_id] = text
        return text

    def size_bytes(self) -> int:
        """Add up the room that the compressed texts take."""
        size: int = self._database.value(
            "SELECT coalesce(sum(length(text)), 0) FROM blocks"
        )
        return size

    def _forget_old(self) -> None:
        """Keep nothing over a write: what comes after may have the ids of what went."""
        version = self._database.version()
        if version != self._version:
            self._kept.clear()
            self._version = version

    def _make_room(self, n_chars: int) -> None:
        while self._kept and sum(map(len, self._kept.values())) + n_chars > _KEPT_CHARS:
            self._kept.popitem(last=False)

    def _unpacked(self, block_id: int) -> str:
        packed: bytes = self._database.value(
            "SELECT text FROM blocks WHERE block_id = ?", (block_id,)
        )
        text = self._decompressor.decompress(packed)
        return text.decode("utf-8", "surrogatepass")
