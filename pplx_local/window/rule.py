"""How a checkpoint wants its input laid out, and the tokenizer that it is read by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import Span

Ids = NDArray[np.int32]


class TextTokenizer(Protocol):
    """A tokenizer that adds nothing of its own and cuts nothing off."""

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Tokenise each text by itself: one (T,) int32 each.

        What looks like a special token is ordinary text.
        """
        ...

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """Give the characters that each token of each text stands for."""
        ...


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How a checkpoint wants its input laid out."""

    kind: Literal["single", "context"]
    """"single": a chunk is a window. "context": a document's chunks are read together,
    joined by `separator_id`."""
    limit: int
    """Tokens in a window at most, those that we add counted."""
    prefix_ids: tuple[int, ...] = ()
    suffix_ids: tuple[int, ...] = ()
    prefix_position: int = 0
    """How many tokens of the text come before the prefix."""
    pool_specials: bool = False
    """Whether the dense vector averages prefix, suffix and expansion too."""
    keep_tokens: bool = True
    """Whether token vectors are wanted at all."""
    keep_specials: bool = False
    """Whether prefix, suffix and expansion give token vectors too; only together with
    `pool_specials`, because what is kept lies in a pool span."""
    skip_ids: frozenset[int] = frozenset()
    """Tokens of a document that are read and give no token vector: punctuation."""
    separator_id: int | None = None
    overlap: float = 0.25
    """Share of a context window's limit that the next one may read again."""
    query_prefix_ids: tuple[int, ...] | None = None
    """None for the same as a document's."""
    heading_tokens: int = 0
    """Tokens of title and headings at most that are read in front of a chunk, where each
    is read by itself."""
    query_length: int = 0
    """A shorter query is filled up to so many tokens with `expansion_id`."""
    expansion_id: int | None = None

    def __post_init__(self) -> None:
        if self.limit <= len(self.prefix_ids) + len(self.suffix_ids):
            raise ValueError("the limit leaves no room for text")
        if self.kind == "context":
            if self.separator_id is None:
                raise ValueError("a context window needs a separator")
            if self.prefix_ids or self.suffix_ids or self.pool_specials:
                raise ValueError("a context window has no special tokens of its own")
            if not 0 <= self.overlap < 1:
                raise ValueError("the overlap leaves no room for a window's own chunks")
        if self.keep_specials and not self.pool_specials:
            raise ValueError("kept tokens lie in a pool span")

    @property
    def shared(self) -> int:
        """Tokens that neighbouring windows share at most; single chunks share none."""
        return int(self.limit * self.overlap) if self.kind == "context" else 0
