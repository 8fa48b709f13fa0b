"""Calls of the encoder worker that wait for an answer, and who is blamed for a crash."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from pplx_local.encoding.wire import Message
from pplx_local.errors import EncoderCrashed, PplxLocalError

MAX_CRASHES = 3
"""On the same request; then its future fails, and the others go on."""

_IN_ORDER = ("plan", "encode")
"""Work for documents, which takes its time; all else is for a query."""


@dataclass(slots=True)
class Request:
    """A call that has not been answered yet."""

    method: str
    message: Message
    future: Future[Any] = field(default_factory=Future)
    crashes: int = 0
    waits_since: float = field(default_factory=time.monotonic)
    """By the monotonic clock, for a child that could answer."""


class Pending:
    """By number, in the order of the calls. The worker's lock guards it."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._begun: list[int] = []
        """Those that the child is inside of, the innermost last."""

    def __len__(self) -> int:
        """Count them."""
        return len(self._requests)

    def add(self, number: int, request: Request) -> None:
        """Take a call that is sent now."""
        self._requests[number] = request

    def messages(self) -> Iterator[Message]:
        """Give what a new child has to be sent."""
        return (request.message for request in self._requests.values())

    def wait_anew(self) -> None:
        """Count from now on how long each waits: only now is there one to answer."""
        for request in self._requests.values():
            request.waits_since = time.monotonic()

    def query_waits_s(self) -> float:
        """Tell how long the query that waits longest does; 0 where none does."""
        since = [r.waits_since for r in self._requests.values() if _is_query(r)]
        return time.monotonic() - min(since) if since else 0.0

    def begin(self, number: int) -> None:
        """Note that the child is inside of one now."""
        self._begun.append(number)

    def answered(self, number: int) -> Request:
        """Take out one that is done."""
        self._begun.remove(number)
        return self._requests.pop(number)

    def blame(self, cause: str) -> None:
        """Count a crash against the call that was being worked on.

        Those that it was inside of are innocent; so are those that wait, except that
        something has to be blamed where the child dies before it begins anything.
        """
        if not self._requests:
            return
        number = self._begun[-1] if self._begun else next(iter(self._requests))
        request = self._requests[number]
        request.crashes += 1
        if request.crashes == MAX_CRASHES:
            del self._requests[number]
            request.future.set_exception(
                EncoderCrashed(
                    f"The encoder ended {MAX_CRASHES} times on the same text ({cause})."
                )
            )

    def restart(self) -> None:
        """Forget what a child that has gone was inside of."""
        self._begun.clear()

    def fail(self, error: PplxLocalError) -> None:
        """Fail everyone who waits."""
        requests = list(self._requests.values())
        self._requests.clear()
        for request in requests:
            if not request.future.done():
                request.future.set_exception(error)


def _is_query(request: Request) -> bool:
    return request.method not in _IN_ORDER
