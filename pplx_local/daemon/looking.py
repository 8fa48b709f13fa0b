"""From what the watcher noticed to what has to be read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence

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
        self._folders: deque[FolderRecord] = deque()
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
            if root in folders and folders[root] not in self._folders:
                self._folders.append(folders[root])
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
            again, self._again = self._again, []
            return self._look(again, Findings(), retry=True)
        targets, self._targets = self._targets, []
        return self._look(targets, Findings(), retry=False) if targets else None

    def begin_folder(self, errand: Errand | None) -> Steps | None:
        """Look at what an errand wants looked at, else at the next folder."""
        if errand and not errand.is_looked_at:
            return self._look_for(errand)
        if not self._folders:
            return None
        return self._look([Target(self._folders[0], None)], Findings(), retry=False)

    def _look_for(self, errand: Errand) -> Steps:
        yield from self._look(errand.targets, errand.findings, retry=True)
        errand.is_looked_at = True

    def _look(
        self, targets: Sequence[Target], findings: Findings, *, retry: bool
    ) -> Steps:
        """Compare with the disk; of whole folders the watcher learns how long it took."""
        started = time.monotonic()
        yield from self._index.scan(targets, findings, retry=retry)
        self._index.settle()
        for target in targets:
            if target.under is None:
                self._watcher.walked(target.folder.path, time.monotonic() - started)
                if target.folder in self._folders:
                    self._folders.remove(target.folder)

    def forget(self) -> None:
        """Leave what was noticed: other folders are registered now."""
        registered = {f.path: f for f in self._index.store.folders()}
        kept = {
            f.path: registered[f.path] for f in self._folders if f.path in registered
        }
        self._folders = deque(kept.values())
        self._targets = _still_there(self._targets, registered)
        self._again = _still_there(self._again, registered)


def _still_there(
    targets: Sequence[Target], registered: Mapping[bytes, FolderRecord]
) -> list[Target]:
    return [target for target in targets if target.folder in registered.values()]
