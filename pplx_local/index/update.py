"""One update, from the walk to the last vector, as a stream of progress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pplx_local.index.findings import Findings
from pplx_local.index.targets import Target
from pplx_local.index.upkeep import let_go_of_old
from pplx_local.records import FileRecord, Progress, UpdateReport

if TYPE_CHECKING:
    from pplx_local.index.library import Index


class Update:
    """Iterate for progress; stop iterating to cancel. What was done is kept.

    Keywords come first for all files, then vectors: every file can be found early. What
    an older program made of unchanged files answers until then, and is made anew bit by
    bit, each with its vectors.
    """

    def __init__(self, index: Index, targets: Sequence[Target]) -> None:
        """Prepare; nothing happens before the iteration.

        Args:
            index: Open for writing.
            targets: What is looked at; without any, nothing is read either.
        """
        self._index, self._targets = index, targets
        self._filling = index.fill()
        self._findings = Findings()

    def __iter__(self) -> Iterator[Progress]:
        """Run the stages: scan, read, encode."""
        if self._targets:
            yield from self._index.scan(self._targets, self._findings, retry=True)
            self._index.settle()
            yield from self._read()
        yield from self._filling.run()
        yield from self._filling.switch()
        if self._targets:
            yield from self._refresh()
        let_go_of_old(self._index.store)

    @property
    def failures(self) -> list[FileRecord]:
        """Files, and folders that cannot be entered, that ended in state `failed`."""
        return self._findings.failures

    @property
    def encoder_error(self) -> str | None:
        """Why vectors are missing; None when none are."""
        return self._filling.error

    @property
    def report(self) -> UpdateReport:
        """What was done so far."""
        filling = self._filling
        return self._findings.report(filling.encoded_tokens, filling.reused_windows)

    def _read(self) -> Iterator[Progress]:
        if self._index.next_try_s() != 0:
            return
        self._filling.warm_up()
        yield from self._index.read(self._findings, tries=1)
        self._index.end_reader()  # embedding can take long

    def _refresh(self) -> Iterator[Progress]:
        while self._filling.is_complete and self._index.has_stale():
            yield from self._index.refresh(self._findings, tries=1)
            self._index.end_reader()
            yield from self._filling.run()
