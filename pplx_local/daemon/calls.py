"""What may be asked of the daemon, each call by its name on the socket."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pplx_local import __version__
from pplx_local.config import KEYS, Value
from pplx_local.daemon.answering import Answering
from pplx_local.daemon.errand import Errand
from pplx_local.daemon.indexer import Indexer
from pplx_local.daemon.pausing import is_paused, set_paused
from pplx_local.daemon.recent import Recent
from pplx_local.daemon.report import Reporter
from pplx_local.errors import FolderError
from pplx_local.index import Index, Surveying, Target, list_models
from pplx_local.records import (
    Answer,
    Extract,
    FileEvent,
    FileRecord,
    Mode,
    ModelEstimate,
    ModelList,
    Outcome,
    Picture,
    Progress,
    Span,
    State,
    Status,
    Survey,
    Watching,
)
from pplx_local.search import Steps, Wanted


class Calls:
    """The calls of one daemon; each runs on the thread of its connection."""

    def __init__(
        self,
        indexer: Indexer,
        answering: Answering,
        reporter: Reporter,
        recent: Recent,
        watching: Callable[[], Mapping[bytes, Watching]],
        home: Path,
    ) -> None:
        self._indexer, self._answering = indexer, answering
        self._reporter, self._recent = reporter, recent
        self._watching, self._home = watching, home

    def by_name(self) -> dict[str, Callable[..., Any]]:
        """List them."""
        calls = (
            *(self.hello, self.search, self.similar, self.text, self.picture),
            *(self.status, self.files, self.why, self.retry, self.recent),
            *(self.survey, self.add, self.update, self.remove, self.purge),
            *(self.models, self.estimate_model, self.use_model, self.follow_settings),
            *(self.pause, self.resume, self.stop),
        )
        return {call.__name__: call for call in calls}

    # --- asking ---

    def hello(self) -> dict[str, Any]:
        """Say who this is."""
        return {"version": __version__, "pid": os.getpid()}

    def search(
        self,
        query: str,
        k: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        folded: bool = False,
        wait: bool = True,
    ) -> Steps[Answer]:
        """Answer a query; with `wait`, wait for a model that is still loading."""
        wanted = Wanted(k, mode, explain, folded)
        with self._answering.right_of_way(), self._answering.reader() as index:
            return (yield from index.search_steps(query, wanted, wait=wait))

    def similar(
        self,
        path: bytes,
        line: int | None = None,
        k: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        folded: bool = False,
        wait: bool = True,
    ) -> Steps[Answer]:
        """Find passages like one that is indexed."""
        wanted = Wanted(k, mode, explain, folded)
        with self._answering.right_of_way(), self._answering.reader() as index:
            steps = index.similar_steps(_as_path(path), line, wanted, wait=wait)
            return (yield from steps)

    def text(self, path: bytes, char_start: int, char_end: int) -> Extract:
        """Cut a stretch out of an indexed file's text, widened to whole lines."""
        with self._answering.right_of_way(), self._answering.reader() as index:
            return index.text(_as_path(path), Span(char_start, char_end))

    def picture(self, path: bytes, page: int) -> Picture:
        """Draw a page of an indexed PDF."""
        with self._answering.reader() as index:
            return index.picture(_as_path(path), page)

    def status(self) -> Status:
        """Say what the index holds, and what is being done about the rest."""
        with self._answering.reader() as index:
            found = index.status()
        watching = self._watching()
        folders = tuple(
            replace(folder, watching=watching.get(folder.path))
            for folder in found.folders
        )
        return replace(
            found,
            folders=folders,
            fresh_as_of_ns=self._fresh_as_of_ns(replace(found, folders=folders)),
            daemon=self._reporter.status(paused=is_paused(self._home)),
        )

    def files(
        self,
        state: State | None = None,
        folder: bytes | None = None,
        after: bytes | None = None,
        limit: int = 200,
    ) -> list[FileRecord]:
        """List a page of the files by path: those that come after one."""
        under = None if folder is None else _as_path(folder)
        with self._answering.reader() as index:
            return index.page(state, under, after=after or b"", limit=limit)

    def why(self, path: bytes) -> str:
        """Say in words what became of one path."""
        with self._answering.reader() as index:
            return index.why(_as_path(path))

    def recent(self, after: int = 0) -> list[FileEvent]:
        """List what happened to files lately, after what has this number."""
        return self._recent.after(after)

    def _fresh_as_of_ns(self, found: Status) -> int | None:
        """Say now, where every change would have been noticed and read."""
        seen = all(
            folder.reachable and folder.watching and folder.watching.how == "events"
            for folder in found.folders
        )
        is_all_read = found.queue.waiting == found.queue.stale
        is_now = seen and self._reporter.is_idle and is_all_read
        has_walked = found.fresh_as_of_ns is not None
        return time.time_ns() if is_now and has_walked else found.fresh_as_of_ns

    # --- indexing ---

    def survey(self, path: bytes) -> Generator[Progress, None, Survey]:
        """Say what adding a folder would do."""
        with self._answering.reader() as index:
            settings = index.settings
        surveying = Surveying(_as_path(path), settings)
        yield from surveying
        return surveying.found

    def add(
        self, paths: Sequence[bytes], index: bool = True
    ) -> Generator[Progress, None, Outcome]:
        """Register folders or files, and index them unless told otherwise."""
        if not index:
            return self._indexer.do(lambda one: self._register(one, paths)).outcome()
        errand = self._indexer.take(lambda one: self._register(one, paths))
        return (yield from errand.follow())

    def update(
        self, paths: Sequence[bytes] | None = None
    ) -> Generator[Progress, None, Outcome]:
        """Bring everything, or these paths, up to date."""
        wanted = None if paths is None else _as_paths(paths)
        errand = self._indexer.take(lambda index: Errand(index.targets(wanted)))
        return (yield from errand.follow())

    def retry(self, paths: Sequence[bytes] | None = None) -> int:
        """Read files that failed again; say how many. A pause keeps them waiting."""
        wanted = None if paths is None else _as_paths(paths)
        return self._indexer.do(lambda index: self._indexer.read_again(wanted))

    def remove(self, path: bytes) -> int:
        """Forget a folder; say how many files it had."""

        def work(index: Index) -> int:
            n_files = index.remove_folder(_as_path(path))
            self._indexer.follow_folders()
            return n_files

        return self._indexer.do(work)

    def purge(self) -> tuple[int, int]:
        """Erase what no file needs: how many documents, how many bytes."""
        return self._indexer.do(Index.purge)

    def _register(self, index: Index, paths: Sequence[bytes]) -> Errand:
        targets: list[Target] = []
        refused = []
        for path in _as_paths(paths):
            try:
                index.add_folder(path)
                targets += index.targets([path])
            except FolderError as error:
                refused.append(str(error))
        self._indexer.follow_folders()
        return Errand(targets, tuple(refused))

    # --- models and settings ---

    def models(self) -> ModelList:
        """List the checkpoints that there are, and which of them are here."""
        with self._answering.reader() as index:
            return list_models(index.settings)

    def follow_settings(self) -> dict[str, Value]:
        """Read the settings anew; give those that are in force from now on.

        A setting that is in force but not in the file needs a daemon started anew, or
        was given to this one on its command line.
        """

        def work(index: Index) -> dict[str, Value]:
            self._indexer.end_reading()
            index.follow_settings()
            self._indexer.follow_settings()
            return {name: getattr(index.settings, name) for name in KEYS}

        return self._indexer.do(work)

    def estimate_model(self, name: str) -> ModelEstimate:
        """Say what choosing a model would cost."""
        return self._indexer.do(lambda index: index.estimate_model(name))

    def use_model(self, name: str) -> list[str]:
        """Choose a model; it is embedded with in the background."""

        def work(index: Index) -> list[str]:
            self._indexer.follow_settings()
            removed = index.use_model(name)
            self._indexer.follow_settings()
            return removed

        return self._indexer.do(work)

    # --- the daemon itself ---

    def pause(self) -> None:
        """Leave changes for later; searches go on."""
        set_paused(self._home, True)
        self._indexer.wake()

    def resume(self) -> None:
        """Go on."""
        set_paused(self._home, False)
        self._indexer.wake()

    def stop(self) -> None:
        """End, as a service manager would have it."""
        os.kill(os.getpid(), signal.SIGTERM)


def _as_paths(paths: Sequence[bytes]) -> list[Path]:
    return list(map(_as_path, paths))


def _as_path(path: bytes) -> Path:
    text = os.fsdecode(path)
    if "\0" in text:  # no command line can hold it, but a program's request can
        raise FolderError(f"{text!r} is no path: a path has no NUL in it.")
    return Path(text)
