"""`Index`: the one place where store, search, documents and encoders meet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Self

import filelock

from pplx_local.config import KEYS, Settings, load_settings, write_setting
from pplx_local.index.change import estimate, let_go
from pplx_local.index.contents import Contents
from pplx_local.index.folders import add_folder, remove_folder
from pplx_local.index.lock import take_lock
from pplx_local.index.passages import passages_at
from pplx_local.index.paths import absolute
from pplx_local.index.searching import make_searcher
from pplx_local.index.serving import ProfileSpaces
from pplx_local.index.update import Update
from pplx_local.index.workers import WorkerFactory, Workers, spawn_worker
from pplx_local.models import STARTER, Profile, profile_of
from pplx_local.records import Answer, FolderRecord, Mode, ModelEstimate
from pplx_local.search import Searcher, Steps, Wanted, finished
from pplx_local.store import Store

NO_MODEL = f"no model is here. {STARTER.install}"


class Index(Contents):
    """A home folder, open for reading or as its one writer."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        lock: filelock.FileLock | None,
        workers: Workers,
        *,
        profile: Profile | None = None,
        niceness: int = 0,
        shares_workers: bool = False,
    ) -> None:
        """Use `Index.open`."""
        super().__init__(settings, store, workers, profile, niceness)
        self._lock, self._shares_workers = lock, shares_workers

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        write: bool = False,
        worker: WorkerFactory = spawn_worker,
        profile: Profile | None = None,
        workers: Workers | None = None,
        niceness: int = 0,
    ) -> Self:
        """Open the index of a home folder.

        Args:
            settings: Its `home` says where.
            write: Become the one writer; makes the database where there is none.
            worker: How encoder workers are made.
            profile: The checkpoints to use; None for those that the settings name.
            workers: Shared with other indexes: `close` leaves them running.
            niceness: Of the process that reads files.

        Raises:
            StoreBusy: Another process is the writer.
            StoreError: There is no index yet, or it cannot be opened.
        """
        lock = take_lock(settings) if write else None
        try:
            return cls(
                settings,
                Store.open(settings.database, readonly=not write),
                lock,
                workers or Workers(worker, settings),
                profile=profile,
                niceness=niceness,
                shares_workers=workers is not None,
            )
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """End the children, close the database, give the lock back."""
        self._reader.close()
        if not self._shares_workers:
            self._workers.close()
        self.store.close()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Self:
        """Nothing more is opened."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close."""
        self.close()

    # --- folders ---

    def add_folder(self, path: Path) -> FolderRecord:
        """Register a folder or a single file; one that is covered already is kept.

        Raises:
            FolderError: It is missing, unreadable, or the program's own home.
        """
        return add_folder(self.store, self.settings.home, path)

    def remove_folder(self, path: Path) -> int:
        """Forget a folder; its documents stop answering at once.

        Returns:
            How many files are forgotten.

        Raises:
            FolderError: It is not registered.
        """
        return remove_folder(self.store, path)

    # --- update ---

    def update(self, paths: Sequence[Path] | None = None) -> Update:
        """Bring the index up to date with the disk.

        Args:
            paths: Files or folders inside registered folders; None for all of them.

        Raises:
            FolderError: A path lies in no registered folder.
        """
        return Update(self, self.targets(paths))

    def encode(self) -> Update:
        """Embed what has no vectors yet; no folder is walked."""
        return Update(self, [])

    # --- models ---

    def estimate_model(self, name: str) -> ModelEstimate:
        """Estimate what `use_model` would leave for the next update to embed.

        Raises:
            ModelError: There is no such checkpoint, or it is not on this computer.
            StoreFull: There is no room for its vectors.
        """
        return estimate(self._spaces_of(name), self.settings)

    def use_model(self, name: str) -> list[str]:
        """Choose a checkpoint (or two, or "auto", "none").

        What answered goes on doing so until updates have embedded everything anew. If
        the choice can answer at once, because it did before, others are dropped now.

        Returns:
            The checkpoints whose vectors were dropped.

        Raises:
            ModelError: There is no such checkpoint, or it is not on this computer.
            StoreFull: There is no room for its vectors.
        """
        spaces = self._spaces_of(name)
        estimate(spaces, self.settings)
        write_setting(self.settings.file, "model", name)
        self.settings = replace(self.settings, model=name)
        self.profile, self._spaces = spaces.profile, spaces
        return let_go(spaces, self.store)

    def follow_settings(self) -> None:
        """Read the settings anew, and go by those that can change in the middle.

        No reading stage may be under way. The model is for `use_model` to change.

        Raises:
            ConfigError: The file cannot be read, or has a mistake.
        """
        written = load_settings(self.settings.home)
        live = {name for name, key in KEYS.items() if key.is_live} - {"model"}
        changes = {name: getattr(written, name) for name in live}
        self.settings = replace(self.settings, **changes)
        self._reader.follow(self.settings)

    def _spaces_of(self, name: str) -> ProfileSpaces:
        settings = replace(self.settings, model=name)
        return ProfileSpaces(self.store, settings, profile_of(settings))

    # --- search ---

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        folded: bool = False,
        wait: bool = True,
    ) -> Answer:
        """Answer a query with at most k hits.

        Args:
            query: In words.
            k: At most so many hits.
            mode: What is ranked by.
            explain: Say which words matched.
            folded: One hit for a file, and for all files that say the same.
            wait: For a model that is loading; else its legs say that it is.

        Raises:
            PplxLocalError: The mode needs a leg that cannot run here.
        """
        wanted = Wanted(k, mode, explain, folded)
        return finished(self.search_steps(query, wanted, wait=wait))

    def search_steps(
        self, query: str, wanted: Wanted, *, wait: bool = True
    ) -> Steps[Answer]:
        """Do so in steps, for somebody who may ask something else meanwhile."""
        spaces = self._spaces.as_of_now()
        with self._steady(spaces, wanted.mode):
            searcher = self._searcher(spaces, wanted.mode, wait=wait)
            return (yield from searcher.search_steps(query, wanted))

    def similar(
        self,
        path: Path,
        line: int | None = None,
        *,
        k: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        folded: bool = False,
        wait: bool = True,
    ) -> Answer:
        """Find passages like the one in which a line of an indexed file begins.

        Lines count from 1; None stands for the file as a whole, of which nothing is
        found then. All else is as for `search`.

        Raises:
            FolderError: The file has no text in the index, or no such line.
        """
        wanted = Wanted(k, mode, explain, folded)
        return finished(self.similar_steps(path, line, wanted, wait=wait))

    def similar_steps(
        self, path: Path, line: int | None, wanted: Wanted, *, wait: bool = True
    ) -> Steps[Answer]:
        """Do so in steps, for somebody who may ask something else meanwhile."""
        spaces = self._spaces.as_of_now()
        said = str(path) if line is None else f"{path}:{line}"
        with self._steady(spaces, wanted.mode):
            chunks = passages_at(self.store, path, line, self.settings)
            searcher = self._searcher(spaces, wanted.mode, wait=wait)
            return (yield from searcher.similar_steps(said, chunks, wanted))

    def _steady(
        self, spaces: ProfileSpaces, mode: Mode
    ) -> AbstractContextManager[None]:
        """Keep tables that an update may drop while they are searched."""
        may_go = mode != "lexical" and spaces.outdated()
        return self.store.snapshot() if may_go else nullcontext()

    def searcher(self, mode: Mode = "hybrid", *, wait: bool = True) -> Searcher:
        """Make a searcher with the spaces that the mode needs."""
        return self._searcher(self._spaces.as_of_now(), mode, wait=wait)

    def load_models(self) -> None:
        """Load what encodes questions; a search would do without what cannot be loaded.

        Raises:
            PplxLocalError: One that answers cannot run as the settings say.
        """
        serving = self._spaces.as_of_now().serving().values()
        made = [held for held in serving if held.is_made]
        for worker in [
            self._workers.get(one.checkpoint, one.model_dir) for one in made
        ]:
            worker.info()

    def _searcher(self, spaces: ProfileSpaces, mode: Mode, *, wait: bool) -> Searcher:
        no_model = self._why_no_model()
        return make_searcher(
            self.store,
            spaces,
            self._workers,
            mode,
            no_model,
            wait=wait,
            exhaustive=self.settings.exhaustive,
        )

    def _why_no_model(self) -> str:
        if self.settings.model == "none":
            return "switched off by the settings; pplx-local models use auto"
        return NO_MODEL

    # --- care ---

    def purge(self) -> tuple[int, int]:
        """Erase documents that no file needs any more, from the disk too.

        Returns:
            How many documents went, and how many bytes the database gave back.
        """
        before = sum(self.store.bytes_by_part().values())
        self.settle()
        n_documents = self.store.purge()
        return n_documents, max(0, before - sum(self.store.bytes_by_part().values()))

    def backup(self, target: Path) -> None:
        """Write a compact copy of the database to a new file."""
        self.store.backup(absolute(target))
