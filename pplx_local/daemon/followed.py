"""Work that a client has asked the daemon for, followed to its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pplx_local.daemon.wire import Result

if TYPE_CHECKING:
    from pplx_local.records import FileRecord, Progress, Survey, UpdateReport


class Followed:
    """Work of the daemon: iterate for progress; stop iterating to leave it to itself."""

    def __init__(self, replies: Iterator[Progress | Result]) -> None:
        """Prepare; nothing is asked before the iteration."""
        from pplx_local.records import Outcome, UpdateReport

        self._replies = replies
        self._outcome = Outcome(UpdateReport())

    def __iter__(self) -> Iterator[Progress]:
        """Follow it to its end."""
        for reply in self._replies:
            if isinstance(reply, Result):
                self._outcome = reply.value
                return
            yield reply

    @property
    def report(self) -> UpdateReport:
        """What was done."""
        return self._outcome.report

    @property
    def failures(self) -> Sequence[FileRecord]:
        """Files that could not be read."""
        return self._outcome.failures

    @property
    def encoder_error(self) -> str | None:
        """Why vectors are missing; None when none are."""
        return self._outcome.encoder_error

    @property
    def refused(self) -> Sequence[str]:
        """Why paths could not be registered."""
        return self._outcome.refused


class FollowedSurvey:
    """A survey by the daemon: iterate for progress, then see `found`."""

    def __init__(self, replies: Iterator[Progress | Result]) -> None:
        """Prepare; nothing is asked before the iteration."""
        self._replies = replies
        self._found: Survey | None = None

    def __iter__(self) -> Iterator[Progress]:
        """Follow it to its end."""
        for reply in self._replies:
            if isinstance(reply, Result):
                self._found = reply.value
                return
            yield reply

    @property
    def found(self) -> Survey:
        """What there is; to be asked after the iteration."""
        assert self._found, "it was followed to its end"
        return self._found
