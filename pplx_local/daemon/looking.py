"""From what the watcher noticed to what has to be read."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager

from pplx_local.daemon.errand import Errand
from pplx_local.daemon.task import Steps
from pplx_local.index import Findings, Index, Target
from pplx_local.records import FolderRecord
from pplx_local.watch import Watcher


class Looking:
    """Compares paths at once, and whole folders one after another."""

    def __init__(self, index: Index, watcher: Watcher) -> None:
        """Watch nothing yet."""
        self._index, self._watcher = index, watcher
        self._targets: list[Target] = []
        self._again: list[Target] = []
        self._folders: dict[int, FolderRecord] = {}
        """That need a whole walk, by id: the record of one changes with every walk."""
        self._choice = self._choose()

    def watch(self) -> None:
        """Watch what is registered, and nothing else."""
        folders = {folder.path for folder in self._index.store.folders()}
        watched = self._watcher.watching().keys()
        for path in watched - folders:
            self._watcher.forget(path)
        for path in sorted(folders - watched):
            self._watcher.watch(path)

    def follow_settings(self) -> None:
        """Look at everything again where a setting makes rules count or not."""
        if self._choice != self._choose():
            self._choice = self._choose()
            self._watcher.judge_anew()

    def _choose(self) -> tuple[bool, bool, int]:
        now = self._index.settings
        return now.hidden, now.ignore_files, now.max_file_bytes

    def notice(self) -> None:
        """Take from the watcher what is due."""
        paths, roots = self._watcher.due()
        folders = {folder.path: folder for folder in self._index.store.folders()}
        for root in roots:
            if root in folders:
                self._folders[folders[root].folder_id] = folders[root]
        self._targets += [
            Target(folders[root], None if path == root else path)
            for path, root in paths
            if root in folders
        ]

    def look_again(self, targets: Sequence[Target]) -> None:
        """Have paths that failed looked at next."""
        self._again += targets

    def begin_paths(self) -> Steps | None:
        """Look at the paths that were noticed, or that failed and are tried again."""
        if self._again:
            return self._look_through(self._again, retry=True)
        return self._look_through(self._targets, retry=False) if self._targets else None

    def begin_folder(self, errand: Errand | None) -> Steps | None:
        """Look at what an errand wants looked at, else at the next folder."""
        if errand and not errand.is_looked_at:
            return self._look_for(errand)
        if not self._folders:
            return None
        first = next(iter(self._folders.values()))
        return self._look([Target(first, None)], Findings(), retry=False)

    def _look_through(self, waiting: list[Target], *, retry: bool) -> Steps:
        """Look at what waits, which goes on waiting when the look is dropped."""
        n_looked_at = len(waiting)
        once = {target.root: target for target in waiting}
        yield from self._look(list(once.values()), Findings(), retry=retry)
        del waiting[:n_looked_at]

    def _look_for(self, errand: Errand) -> Steps:
        yield from self._look(errand.targets, errand.findings, retry=True)
        errand.is_looked_at = True

    def _look(
        self, targets: Sequence[Target], findings: Findings, *, retry: bool
    ) -> Steps:
        """Compare with the disk; of whole folders the watcher learns how long it took."""
        started = time.monotonic()
        whole = [target.folder for target in targets if target.under is None]
        with self._walking(whole):
            yield from self._index.scan(targets, findings, retry=retry)
            self._index.settle()
        for folder in whole:
            self._watcher.walked(folder.path, time.monotonic() - started)

    @contextmanager
    def _walking(self, folders: Sequence[FolderRecord]) -> Iterator[None]:
        """Need no other walk of these, unless this one is dropped.

        What needs one from now on does so still: it may have been passed by.
        """
        ids = [one.folder_id for one in folders if one.folder_id in self._folders]
        needed = {one: self._folders.pop(one) for one in ids}
        try:
            yield
        except BaseException:
            self._folders = needed | self._folders
            raise

    def forget(self) -> None:
        """Leave what was noticed: other folders are registered now."""
        registered = {
            folder.folder_id: folder for folder in self._index.store.folders()
        }
        self._folders = {
            one: registered[one] for one in self._folders if one in registered
        }
        self._targets = _still_there(self._targets, registered)
        self._again = _still_there(self._again, registered)


def _still_there(targets: Sequence[Target], folders: Container[int]) -> list[Target]:
    return [target for target in targets if target.folder.folder_id in folders]
