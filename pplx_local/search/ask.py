"""From a question to what the legs are asked, with what can be begun meanwhile."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import NamedTuple

from pplx_local.encoding import EncodedQuery
from pplx_local.errors import PplxLocalError
from pplx_local.records import Role
from pplx_local.search.asked import Asked, Picked
from pplx_local.search.clock import Clock
from pplx_local.search.spaces import QueryEncoder, SearchSpace
from pplx_local.search.steps import Steps
from pplx_local.store import Selection, Store, analyze_query

_PATIENCE_S = 60.0
"""With an encoder that is loaded: it answers between two batches, in fractions of a
second, unless the device or the system has it stuck."""


class Question(NamedTuple):
    """What somebody wants to know."""

    words: str
    k: int
    """How many candidates each leg is to bring."""
    within: Selection | None
    """The chunks that may answer; None for all."""


def ask(
    question: Question,
    store: Store,
    spaces: Mapping[Role, SearchSpace],
    required: Collection[str],
    clock: Clock,
) -> Steps[Asked]:
    """Have a question encoded; meanwhile pick by keywords.

    Args:
        question: In words.
        store: Holds what is searched.
        spaces: Whose encoders are asked.
        required: Roles without which there is no answer.
        clock: Counts what it takes as the time of the legs.

    Raises:
        PplxLocalError: A role that is required could not encode it.
    """
    begun, picked = _begin_encoding(question.words, spaces), None
    words = store.lexical_adapted(analyze_query(question.words))
    # What filters name is scored whatever it holds.
    is_named = question.within is not None and question.within.ids is not None
    words = replace(words, rare_only=not is_named)
    yield
    if begun:
        with clock.time("lexical"):
            found = store.lexical_candidates(words, question.k, question.within)
        picked = Picked(question.k, found)
    yield
    encoded, failed = _wait_for(begun, required, clock)
    return Asked(words, encoded, failed, within=question.within, picked=picked)


def _begin_encoding(
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


def _wait_for(
    begun: Mapping[Role, Future[EncodedQuery]], required: Collection[str], clock: Clock
) -> tuple[dict[Role, EncodedQuery], dict[Role, str]]:
    """Wait for a query that is being encoded.

    Args:
        begun: What `_begin_encoding` gave.
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
