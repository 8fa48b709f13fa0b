"""The steps of an update, for one who takes them in turn with other work."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.index.fill import Filling
from pplx_local.index.findings import Findings
from pplx_local.index.happening import Tell, tell_nobody
from pplx_local.index.kept_reader import KeptReader
from pplx_local.index.look import rules_of
from pplx_local.index.retry import give_another_try
from pplx_local.index.scan import Scan
from pplx_local.index.serving import ProfileSpaces
from pplx_local.index.targets import Target, targets_of
from pplx_local.index.upkeep import let_go_of_old, let_go_of_surplus
from pplx_local.index.workers import Workers
from pplx_local.models import Profile, profile_of
from pplx_local.records import Progress, QueueStatus, Role
from pplx_local.store import Backlog, Store
from pplx_local.watch import Rules

REFRESHED_CHARS = 1_000_000
"""Text that is read anew at once: it has no vectors until it is embedded, and a model
may have to be loaded for it."""

_Steps = Generator[Progress, None, None]


class Steps:
    """What an open index can do for an update.

    Each generator does a little at every step, and between two of them the database is
    whole: others may be stepped then, or it may be left for good.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        workers: Workers,
        profile: Profile | None,
        niceness: int,
    ) -> None:
        """Bind what the steps need; nothing is started."""
        self.settings = settings
        self.profile = profile or profile_of(settings)
        """What the settings ask for; while it is being embedded, another may answer."""
        self.store = store
        """For evaluation and benchmarks; everyone else asks the index."""
        self._workers = workers
        self.tell: Tell = tell_nobody
        """Told what becomes of single files, once it is in the database."""
        self._reader = KeptReader(settings, niceness)
        self._spaces = ProfileSpaces(store, settings, self.profile)

    def targets(self, paths: Sequence[Path] | None) -> list[Target]:
        """Find what paths stand for; None stands for all registered folders.

        Raises:
            FolderError: A path lies in no registered folder.
        """
        return targets_of(paths, self.store.folders())

    def give_another_try(self, paths: Sequence[Path] | None) -> list[Target]:
        """Let a scan with `retry` take files that failed for good for new ones.

        Returns:
            Where they are.

        Raises:
            FolderError: A path lies in no registered folder.
        """
        return give_another_try(self.store, self.targets(paths))

    def scan(
        self, targets: Sequence[Target], findings: Findings, *, retry: bool
    ) -> _Steps:
        """Compare targets with the disk; what has to be read is queued.

        With `retry`, unchanged files that could not be read get another chance.
        """
        return Scan(
            self.store,
            targets,
            findings,
            self.settings,
            spaces=self._spaces.of_use(),
            retry=retry,
            tell=self.tell,
        ).run()

    def rules_of(self, folder: bytes) -> Rules:
        """Give the rules of a registered folder, by the settings as they are now."""
        return rules_of(folder, self.settings)

    def read(self, findings: Findings, *, tries: int) -> _Steps:
        """Read what is due; a file may fail `tries` times before it is given up."""
        return self._read(findings, tries=tries, stale=False)

    def refresh(self, findings: Findings, *, tries: int) -> _Steps:
        """Read some stale files, at least one, and before them what else is due.

        They are to be embedded before more are read: until then keywords alone find
        them.
        """
        n_stale, n_chars = self.queue().stale, self.backlog().chars
        try:
            with closing(self._read(findings, tries=tries, stale=True)) as steps:
                for progress in steps:
                    yield progress
                    if progress.waits:
                        continue
                    if self.backlog().chars - n_chars >= REFRESHED_CHARS:
                        break
        finally:
            findings.n_refreshed += max(0, n_stale - self.queue().stale)
        self.settle()

    def _read(self, findings: Findings, *, tries: int, stale: bool) -> _Steps:
        return self._reader.run(
            self.store, findings, tries=tries, stale=stale, tell=self.tell
        )

    def fill(self) -> Filling:
        """Prepare to embed what has no vectors."""
        return self._filling(self._spaces.make_wanted())

    def backlog(self) -> Backlog:
        """Count what `fill` would embed: documents and characters."""
        return self._filling(self._spaces.mismatched()).backlog()

    def queue(self) -> QueueStatus:
        """Count what waits to be read."""
        return self.store.queue()

    def next_try_s(self) -> float | None:
        """Give the seconds until `read` has work, 0 for now; None when none waits."""
        return self.store.next_try_s(time.time_ns())

    def has_stale(self) -> bool:
        """Tell whether stale files are to be read."""
        return self.store.has_stale(time.time_ns())

    def settle(self) -> None:
        """Hide documents that no file needs, show those that one needs again."""
        self.store.settle_documents(time.time_ns())
        let_go_of_surplus(self.store)

    def tidy(self) -> None:
        """Do what keeps the database small and quick; little when little happened."""
        self.settle()
        let_go_of_old(self.store)
        self.store.tidy()

    def end_reader(self) -> None:
        """End the reader's process until something has to be read again."""
        self._reader.close()

    def rest(self, after_s: float) -> None:
        """End the reader and the encoders that have been idle for so long."""
        self._reader.rest(after_s)
        self._workers.end_idle(after_s)

    def _filling(self, mismatched: Mapping[Role, str]) -> Filling:
        home = self.settings.home
        return Filling(self.store, self._spaces, self._workers, home, mismatched)
