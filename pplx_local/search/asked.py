"""What the legs are asked: words, and their vectors."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from pplx_local.encoding import EncodedQuery
from pplx_local.errors import PplxLocalError
from pplx_local.records import Role
from pplx_local.search.clock import Clock
from pplx_local.search.spaces import QueryEncoder, SearchSpace
from pplx_local.store import NO_FILTERS, Filters, LexicalQuery, Selection

_PATIENCE_S = 60.0
"""With an encoder that is loaded: it answers between two batches, in fractions of a
second, unless the device or the system has it stuck."""


class Asked(NamedTuple):
    """One question, ready for the legs."""

    words: LexicalQuery
    encoded: Mapping[Role, EncodedQuery] = {}
    """By role; without those that could not."""
    failed: Mapping[Role, str] = {}
    """Why they could not."""
    filters: Filters = NO_FILTERS
    """Asked of files, documents and passages besides."""
    within: Selection | None = None
    """The chunks that may answer; None for all."""
    is_question: bool = True
    """Else a passage, of which no curve tells how far its like is an answer."""


def begin_encoding(
    text: str, spaces: Mapping[Role, SearchSpace]
) -> dict[Role, Future[EncodedQuery]]:
    """Begin to encode a query, once for each encoder; nothing of a blank one."""
    begun: dict[int, Future[EncodedQuery]] = {}
    for space in spaces.values() if text.strip() else ():
        key = id(space.encoder)
        begun[key] = begun.get(key) or _begun(space.encoder, text)
    return {role: begun[id(space.encoder)] for role, space in spaces.items() if begun}


def _begun(encoder: QueryEncoder, text: str) -> Future[EncodedQuery]:
    try:
        return encoder.encode_query(text)
    except PplxLocalError as error:
        failed: Future[EncodedQuery] = Future()
        failed.set_exception(error)
        return failed


def wait_for(
    begun: Mapping[Role, Future[EncodedQuery]], required: Collection[str], clock: Clock
) -> tuple[dict[Role, EncodedQuery], dict[Role, str]]:
    """Wait for a query that is being encoded.

    Args:
        begun: What `begin_encoding` gave.
        required: Roles without which there is no answer.
        clock: Counts it as the time of the legs.

    Returns:
        What was encoded, by role, and the reasons of those roles that could not.

    Raises:
        PplxLocalError: A role that is required could not.
    """
    encoded: dict[Role, EncodedQuery] = {}
    failed: dict[Role, str] = {}
    deadline = time.monotonic() + _PATIENCE_S
    for role, future in begun.items():
        with clock.time(role):
            try:
                encoded[role] = _encoded(future, deadline)
            except PplxLocalError as error:  # the other legs still answer
                if role in required:
                    raise
                failed[role] = str(error)
    return encoded, failed


def _encoded(asked: Future[EncodedQuery], deadline: float) -> EncodedQuery:
    try:
        return asked.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError as error:
        raise PplxLocalError(
            f"The model has not answered for {_PATIENCE_S:.0f} seconds. Its process is "
            "ended and started anew; ask again in a minute."
        ) from error
