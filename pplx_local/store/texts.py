"""The texts of documents: in compressed blocks, of which pieces are read.

A block of a book takes a millisecond and more to unpack, and a search asks for dozens of
pieces, lines and columns of the same few: the blocks read last stay unpacked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

import zstandard

from pplx_local.records import Span
from pplx_local.store.connection import Database, Row

_KEPT_CHARS = 4_000_000
"""Of blocks that stay unpacked: one or two bytes each in most texts."""
_DOCUMENTS_KEPT = 1_000


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
        self._n_kept = 0
        """Characters of them."""
        self._blocks: dict[int, list[Row]] = {}
        """Where those of a document lie, which is asked four times for each hit."""

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
        blocks = self._blocks_of(document_id)
        first = bisect_right(blocks, max(span.start, 0), key=itemgetter(0)) - 1
        last = bisect_right(blocks, max(span.end, 1) - 1, key=itemgetter(0))
        for start, block_id, newlines_before in blocks[first:last]:
            yield Block(start, newlines_before, self.block_text(block_id))

    def _blocks_of(self, document_id: int) -> list[Row]:
        """List (start, block id, newlines before) of a document's blocks."""
        self._forget_old()
        if document_id not in self._blocks:
            if len(self._blocks) >= _DOCUMENTS_KEPT:
                self._blocks.clear()
            self._blocks[document_id] = self._database.rows(
                "SELECT char_start, block_id, newlines_before FROM blocks"
                " WHERE document_id = ? ORDER BY char_start",
                (document_id,),
            )
        return self._blocks[document_id]

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
            self._n_kept = 0
            self._blocks.clear()
            self._version = version

    def _make_room(self, n_chars: int) -> None:
        self._n_kept += n_chars
        while self._kept and self._n_kept > _KEPT_CHARS:
            _, oldest = self._kept.popitem(last=False)
            self._n_kept -= len(oldest)

    def _unpacked(self, block_id: int) -> str:
        packed: bytes = self._database.value(
            "SELECT text FROM blocks WHERE block_id = ?", (block_id,)
        )
        text = self._decompressor.decompress(packed)
        return text.decode("utf-8", "surrogatepass")
