"""`Index`: the one place where store, search, documents and encoders meet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import filelock

from pplx_local.config import Settings, write_setting
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import FolderError, PplxLocalError
from pplx_local.index.lock import take_lock
from pplx_local.index.paths import (
    absolute,
    followed,
    lies_in,
    not_registered,
    readable,
)
from pplx_local.index.scan import why_unreachable
from pplx_local.index.update import EncodingJob, Target, Update, apart
from pplx_local.index.verdict import what_became
from pplx_local.models import (
    STARTER,
    Checkpoint,
    Profile,
    find,
    resolve,
    space_spec,
)
from pplx_local.records import (
    Answer,
    FileRecord,
    FolderRecord,
    FolderStatus,
    Leg,
    Mode,
    Role,
    State,
    Status,
)
from pplx_local.search import Searcher, SearchSpace
from pplx_local.store import Space, Store

NO_MODEL = f"no model is here. {STARTER.install}"
WorkerFactory = Callable[[Checkpoint, Path, Settings], EncoderWorker]
KEYWORDS_ALONE: dict[Leg, float] = {"dense": 1.0, "late": 2.0, "lexical": 12.0}
"""Weights when there is no checkpoint to say its own; only their order matters."""


def spawn_worker(
    checkpoint: Checkpoint, model_dir: Path, settings: Settings
) -> EncoderWorker:
    """Make the worker that the settings ask for; it is not started yet."""
    return EncoderWorker(
        checkpoint,
        model_dir,
        backend=settings.backend,
        device=None if settings.device == "auto" else settings.device,
        dtype=None if settings.dtype == "auto" else settings.dtype,
        max_batch_tokens=settings.max_batch_tokens,
    )


class Index:
    """A home folder, open for reading or as its one writer."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        lock: filelock.FileLock | None,
        worker: WorkerFactory,
        profile: Profile | None = None,
    ) -> None:
        """Use `Index.open`."""
        self.settings = settings
        self.profile = profile or resolve(settings.model, settings.home)
        self.store = store
        """For evaluation and benchmarks; everyone else asks the index."""
        self._lock = lock
        self._worker_factory = worker
        self._workers: dict[str, EncoderWorker] = {}

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        write: bool = False,
        worker: WorkerFactory = spawn_worker,
        profile: Profile | None = None,
    ) -> Self:
        """Open the index of a home folder.

        Args:
            settings: Its `home` says where.
            write: Become the one writer; makes the database where there is none.
            worker: How encoder workers are made.
            profile: The checkpoints to use; None for those that the settings name.

        Raises:
            StoreBusy: Another process is the writer.
            StoreError: There is no index yet, or it cannot be opened.
        """
        lock = take_lock(settings) if write else None
        try:
            store = Store.open(settings.database, readonly=not write)
            return cls(settings, store, lock, worker, profile)
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """End the workers, close the database, give the lock back."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
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
        path = readable(path)
        if path.is_relative_to(self.settings.home.resolve()):
            raise FolderError(f"{path} is where pplx-local keeps its own files.")
        covering = self._covering(path)
        if covering:
            return covering
        device = path.stat().st_dev
        return self.store.add_folder(os.fsencode(path), device, time.time_ns())

    def remove_folder(self, path: Path) -> int:
        """Forget a folder; its documents stop answering at once.

        Returns:
            How many files are forgotten.

        Raises:
            FolderError: It is not registered.
        """
        wanted = os.fsencode(absolute(path))
        folders = {folder.path: folder for folder in self.store.folders()}
        folder = folders.get(wanted) or folders.get(os.fsencode(followed(path)))
        if folder is None:
            raise FolderError(not_registered(path, list(folders)))
        n_files = self.store.remove_folder(folder.folder_id)
        self.store.settle_documents(time.time_ns())
        return n_files

    def _covering(self, path: Path) -> FolderRecord | None:
        raw = os.fsencode(path)
        folders = self.store.folders()
        return next((f for f in folders if lies_in(raw, f.path)), None)

    # --- update ---

    def update(self, paths: Sequence[Path] | None = None) -> Update:
        """Bring the index up to date with the disk.

        Args:
            paths: Files or folders inside registered folders; None for all of them.

        Raises:
            FolderError: A path lies in no registered folder.
            FingerprintMismatch: The vectors were made by another checkpoint.
        """
        targets = (
            [Target(folder, None) for folder in self.store.folders()]
            if paths is None
            else [self._target(path) for path in paths]
        )
        return Update(self.store, self.settings, apart(targets), self._encoding_jobs())

    def encode(self) -> Update:
        """Embed what has no vectors yet; no folder is walked."""
        return Update(self.store, self.settings, [], self._encoding_jobs())

    def _target(self, path: Path) -> Target:
        # A link inside a registered folder may lead to another one.
        ways = followed(path), absolute(path)
        found = [(way, folder) for way in ways if (folder := self._covering(way))]
        if not found:
            known = [folder.path for folder in self.store.folders()]
            raise FolderError(not_registered(absolute(path), known))
        path, folder = found[0]
        while not os.path.lexists(path) and os.fsencode(path) != folder.path:
            path = path.parent  # it was deleted: its folder knows
        under = os.fsencode(path)
        return Target(folder, None if under == folder.path else under)

    def _encoding_jobs(self) -> list[EncodingJob]:
        by_checkpoint: dict[str, list[Space]] = {}
        checkpoints = self._checkpoints()
        for role, (checkpoint, model_dir) in checkpoints.items():
            space = self.store.open_space(space_spec(checkpoint, role, model_dir))
            assert space is not None, "created when it is missing"
            by_checkpoint.setdefault(checkpoint.name, []).append(space)
        found = {
            checkpoint.name: (checkpoint, model_dir)
            for checkpoint, model_dir in checkpoints.values()
        }
        return [
            EncodingJob(tuple(spaces), lambda name=name: self._worker(*found[name]))  # type: ignore[misc]
            for name, spaces in by_checkpoint.items()
        ]

    # --- models ---

    def _checkpoints(self) -> dict[Role, tuple[Checkpoint, Path]]:
        """Checkpoints of the profile that are on the disk, by role."""
        wanted: dict[Role, Checkpoint | None] = {
            "dense": self.profile.dense,
            "late": self.profile.late,
        }
        here: dict[Role, tuple[Checkpoint, Path]] = {}
        for role, checkpoint in wanted.items():
            model_dir = find(checkpoint, self.settings.home) if checkpoint else None
            if checkpoint and model_dir:
                here[role] = (checkpoint, model_dir)
        return here

    def _worker(self, checkpoint: Checkpoint, model_dir: Path) -> EncoderWorker:
        if checkpoint.name not in self._workers:
            worker = self._worker_factory(checkpoint, model_dir, self.settings)
            worker.start()
            self._workers[checkpoint.name] = worker
        return self._workers[checkpoint.name]

    def use_model(self, name: str) -> None:
        """Choose a checkpoint (or "auto", "none") and drop vectors that it cannot read.

        The next update embeds what is missing.

        Raises:
            ModelError: There is no such checkpoint.
        """
        self.profile = resolve(name, self.settings.home)
        write_setting(self.settings.file, "model", name)
        for role, (checkpoint, model_dir) in self._checkpoints().items():
            spec = space_spec(checkpoint, role, model_dir)
            for space in self.store.spaces():
                same_name = (space.spec.role, space.spec.checkpoint) == (
                    role,
                    spec.checkpoint,
                )
                if same_name and space.spec.fingerprint != spec.fingerprint:
                    self.store.drop_space(space)

    # --- search ---

    def search(
        self, query: str, *, k: int = 10, mode: Mode = "hybrid", explain: bool = False
    ) -> Answer:
        """Answer a query with at most k passages.

        Raises:
            PplxLocalError: The mode needs a leg that cannot run here.
            FingerprintMismatch: The vectors were made by another checkpoint.
        """
        searcher = self.searcher(mode)
        return searcher.search(query, k=k, mode=mode, explain=explain)

    def searcher(self, mode: Mode = "hybrid") -> Searcher:
        """Make a searcher with the spaces that the mode needs."""
        spaces: dict[Role, SearchSpace] = {}
        missing: dict[Role, str] = {}
        if mode != "lexical":
            spaces, missing = self._search_spaces()
        checkpoint = self.profile.late or self.profile.dense
        return Searcher(
            self.store,
            spaces,
            weights=checkpoint.weights if checkpoint else KEYWORDS_ALONE,
            curve=checkpoint.confidence if checkpoint else None,
            missing=missing,
            is_gone=self._is_gone,
        )

    def _search_spaces(self) -> tuple[dict[Role, SearchSpace], dict[Role, str]]:
        spaces: dict[Role, SearchSpace] = {}
        missing: dict[Role, str] = dict.fromkeys(
            ("dense", "late"), self._why_no_model()
        )
        for role, (checkpoint, model_dir) in self._checkpoints().items():
            spec = space_spec(checkpoint, role, model_dir)
            space = self.store.open_space(spec, create=False)
            if space is None:
                missing[role] = "nothing is embedded yet: run pplx-local update"
                continue
            worker = self._worker(checkpoint, model_dir)
            try:
                worker.info()
                spaces[role] = SearchSpace(space, worker)
                del missing[role]
            except PplxLocalError as error:
                missing[role] = str(error)
        return spaces, missing

    def _why_no_model(self) -> str:
        if self.settings.model == "none":
            return "switched off by the settings; pplx-local models use auto"
        return NO_MODEL

    def _is_gone(self, path: bytes) -> bool:
        """Tell a deleted file from one whose volume is away."""
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            folder = next(
                (f for f in self.store.folders() if lies_in(path, f.path)), None
            )
            return folder is None or why_unreachable(folder, has_files=True) is None
        except OSError:
            return False
        return False

    # --- what is there ---

    def status(self) -> Status:
        """Count files, documents, chunks, bytes and coverage."""
        folders = self.store.folders()
        walks = [folder.scanned_ns for folder in folders]
        return Status(
            home=str(self.settings.home),
            schema_version=self.store.schema_version,
            folders=tuple(map(self._folder_status, folders)),
            states=self.store.count_states(),
            documents=self.store.count_documents(),
            hidden_documents=self.store.count_documents(hidden=True),
            chunks=self.store.count_chunks(),
            profile={
                "dense": self.profile.dense.name if self.profile.dense else None,
                "late": self.profile.late.name if self.profile.late else None,
            },
            coverage=self._coverage(),
            bytes_by_part=self.store.bytes_by_part(),
            fresh_as_of_ns=min(filter(None, walks)) if all(walks) and walks else None,
        )

    def _folder_status(self, folder: FolderRecord) -> FolderStatus:
        states = self.store.count_states(folder.folder_id)
        return FolderStatus(
            path=folder.path,
            reachable=why_unreachable(folder, has_files=bool(states)) is None,
            scanned_ns=folder.scanned_ns,
            states=states,
        )

    def _coverage(self) -> dict[Leg, float]:
        coverage: dict[Leg, float] = {"lexical": 1.0, "dense": 0.0, "late": 0.0}
        for role, (checkpoint, model_dir) in self._checkpoints().items():
            spec = space_spec(checkpoint, role, model_dir)
            for space in self.store.spaces():
                if space.spec.fingerprint == spec.fingerprint:
                    coverage[role] = self.store.coverage(space)
        return coverage

    def files(self, state: State | None = None) -> Iterator[FileRecord]:
        """List the known files by path."""
        return self.store.files(state=state)

    def why(self, path: Path) -> str:
        """Say in words what became of one path."""
        return what_became(absolute(path), self.store)

    # --- care ---

    def purge(self) -> tuple[int, int]:
        """Erase documents that no file needs any more, from the disk too.

        Returns:
            How many documents went, and how many bytes the database gave back.
        """
        before = sum(self.store.bytes_by_part().values())
        self.store.settle_documents(time.time_ns())
        n_documents = self.store.purge()
        return n_documents, max(0, before - sum(self.store.bytes_by_part().values()))

    def backup(self, target: Path) -> None:
        """Write a compact copy of the database to a new file."""
        self.store.backup(absolute(target))
