"""What a search needs to know of a space besides its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from pplx_local.encoding import EncodedQuery
from pplx_local.models import Checkpoint
from pplx_local.records import Scores, Span, TokenVectors
from pplx_local.search.exhaustive import Exhaustive
from pplx_local.store import Space


class QueryEncoder(Protocol):
    """What a search asks of an encoder worker."""

    def encode_query(self, text: str) -> Future[EncodedQuery]:
        """Encode a query."""
        ...

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Future[Scores]:
        """Score chunks as `reference.maxsim` does."""
        ...

    def token_spans(self, texts: Sequence[str]) -> Future[list[list[Span]]]:
        """Return where each token of each text lies in it."""
        ...


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """A space, and who can encode queries for it."""

    space: Space
    encoder: QueryEncoder
    idf_power: float = 0.0
    """Of the idf by which a query's words are weighted in MaxSim; 0 for all alike."""
    scripts: tuple[str, ...] = ()
    """Unicode scripts that its checkpoint reads; empty for all."""
    exhaustive: Exhaustive | None = None
    """What scores all of its chunks; None to go by shortlists."""

    @classmethod
    def of(
        cls,
        space: Space,
        encoder: QueryEncoder,
        checkpoint: Checkpoint,
        exhaustive: Exhaustive | None = None,
    ) -> SearchSpace:
        """Take from the checkpoint what searches have to know of it."""
        idf_power, scripts = checkpoint.idf_power, checkpoint.scripts
        return cls(space, encoder, idf_power, scripts, exhaustive)
