"""What the worker does with texts, whatever process it runs in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pplx_local import window
from pplx_local.backend import Backend, Encoder
from pplx_local.encoding.residence import Residence
from pplx_local.encoding.words import whole_word
from pplx_local.records import (
    DenseVectors,
    Encoded,
    Nearest,
    Scores,
    Span,
    TokenVectors,
    WindowPlan,
)
from pplx_local.window import TextTokenizer, WindowRule


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What a worker turned out to run on."""

    backend: str
    device: str
    dtype: str
    dim: int
    """D of the dense vectors."""
    pid: int
    load_s: float
    """From the start of the process until its weights were ready."""


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """A query's vectors, and the words that its rows stand for."""

    dense: DenseVectors | None
    """Of one chunk; None without a dense space, or when nothing was encoded."""
    tokens: TokenVectors | None
    """int8, one chunk of Q rows; None without a late space, or when nothing was
    encoded."""
    words: tuple[str, ...]
    """Q words of the query, "" for a row that stands for none."""
    real: NDArray[np.bool_]
    """(Q,) Rows that stand for text, not for expansion."""
    is_cut: bool = False
    """Whether only its beginning was read."""


@dataclass(frozen=True, slots=True)
class Session:
    """A tokenizer, its window rule, and weights that are loaded."""

    tokenizer: TextTokenizer
    rule: WindowRule
    backend: Backend
    encoder: Encoder
    _residence: Residence = field(init=False)

    def __post_init__(self) -> None:
        """Keep nothing yet."""
        make = partial(self.backend.resident, device=self.encoder.device)
        object.__setattr__(self, "_residence", Residence(make))

    def plan(
        self,
        texts: Sequence[str],
        owned: range | None = None,
        headings: Sequence[str] | None = None,
    ) -> list[WindowPlan]:
        """Lay the chunks of one document into windows, as `window.plan` does."""
        return window.plan(texts, self.tokenizer, self.rule, owned, headings)

    def encode(
        self,
        plans: Sequence[WindowPlan],
        *,
        between: Callable[[], None] | None = None,
    ) -> Encoded:
        """Encode plans: vectors in the order of plans and of their chunks.

        Args:
            plans: Of documents, or of one query.
            between: Called again and again meanwhile; it may call this session.
        """
        windows = [one for plan in plans for one in plan.windows]
        return self.encoder.encode(windows, between=between)

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode a query; a text without tokens has no vectors."""
        plan = window.plan_query(text, self.tokenizer, self.rule)
        none = np.empty(0, dtype=np.bool_)
        if plan is None:
            return EncodedQuery(None, None, (), none)
        spans = self.tokenizer.spans([text])[0]
        is_cut = len(spans) > window.MOST_QUERY_TOKENS
        encoded = self.encode([plan])
        if encoded.tokens is None:
            return EncodedQuery(encoded.dense, None, (), none, is_cut)
        positions = encoded.tokens.positions
        words = _words(text, spans, positions)
        return EncodedQuery(
            encoded.dense, encoded.tokens, words, positions >= 0, is_cut
        )

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Scores:
        """Score chunks as `reference.maxsim` does."""
        return self.backend.maxsim(query, docs, want_matches=want_matches)

    def keep(self, name: str, ids: Sequence[int], docs: TokenVectors) -> None:
        """Add chunks to those that are kept on the device, as `Residence.keep` does."""
        self._residence.keep(name, ids, docs)

    def let_go(self, name: str, ids: Sequence[int]) -> None:
        """Leave chunks that are kept out from now on."""
        self._residence.let_go(name, ids)

    def let_all_go(self) -> None:
        """Keep nothing any more."""
        self._residence.let_all_go()

    def best(
        self, name: str, n_chunks: int, query: TokenVectors, k: int
    ) -> Nearest | None:
        """Find the k best of the chunks that are kept, as `Residence.best` does."""
        return self._residence.best(name, n_chunks, query, k)

    def scores(
        self, name: str, query: TokenVectors, ids: Sequence[int]
    ) -> NDArray[np.float32] | None:
        """Score some of the chunks that are kept, as `Residence.scores` does."""
        return self._residence.scores(name, query, ids)

    def free_bytes(self) -> int:
        """Tell how much memory of the device nobody uses now."""
        return self.backend.free_bytes(self.encoder.device)

    def memory_bytes(self) -> int:
        """Tell the most memory that the encoder took so far."""
        return self.encoder.memory_bytes()

    def token_spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """Say where each token of each text lies, in characters."""
        return self.tokenizer.spans(texts)


def _words(
    text: str, spans: Sequence[Span], positions: NDArray[np.int32]
) -> tuple[str, ...]:
    return tuple(
        text[slice(*whole_word(text, spans[position]))] if position >= 0 else ""
        for position in positions
    )
