"""The front ends' end of the socket: an index that another process keeps.

It loads neither the store nor anything of a model: a search through the daemon should
take as long as its answer.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pplx_local.daemon.dial import dial, silent
from pplx_local.daemon.followed import Followed, FollowedSurvey
from pplx_local.daemon.line import Line
from pplx_local.daemon.place import PROTOCOL, Announcement, announced
from pplx_local.daemon.wire import ANEW
from pplx_local.errors import DaemonError, FolderError

if TYPE_CHECKING:
    from pplx_local.answer import Answer, Extract, Mode, Picture
    from pplx_local.records import (
        FileEvent,
        FileRecord,
        ModelEstimate,
        ModelList,
        State,
        Status,
    )


def connect(home: Path) -> RemoteIndex | None:
    """Reach the daemon of a home; None where none runs.

    Raises:
        DaemonError: One is there, but does not answer, is of another version or is not
            ours.
    """
    said = announced(home)
    if said is None:
        return None
    if said.protocol != PROTOCOL:
        connection = dial(said)
        if connection is None:
            return None
        connection.close()
        raise DaemonError(
            f"The daemon (process {said.pid}) is of version {said.version}, which this "
            f"program does not understand. Start it anew: {ANEW}"
        )
    return _greeted(said)


def stop(home: Path) -> int | None:
    """Have the daemon of a home, of whatever version, end; also one that only waits.

    Returns:
        Its process, which is still ending; None where none runs.

    Raises:
        DaemonError: It does not answer, or is not ours.
    """
    said = announced(home)
    daemon = _greeted(said) if said else None
    if daemon is None:
        return _end_unreachable(home)
    with daemon, suppress(DaemonError):  # it may be gone before it has replied
        daemon.stop()
    return daemon.pid


def _end_unreachable(home: Path) -> int | None:
    """End one that does not listen, since it waits for another program to end."""
    from pplx_local.daemon.claim import claimed_by  # a search does without its imports

    pid = claimed_by(home)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    return pid


def _greeted(said: Announcement) -> RemoteIndex | None:
    connection = dial(said)
    if connection is None:
        return None
    daemon = RemoteIndex(connection, said)
    try:
        daemon.hello()
    except TimeoutError as error:
        daemon.close()
        raise silent(said) from error
    except BaseException:
        daemon.close()
        raise
    connection.settimeout(None)
    return daemon


class RemoteIndex(Line):
    """What an `Index` does, done by the daemon."""

    # --- asking ---

    def hello(self) -> Mapping[str, Any]:
        """Ask who answers."""
        return self.ask("hello")

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
        """Answer a query; with `wait`, also where the model has to be loaded for it."""
        wish = {"k": k, "mode": mode, "explain": explain, "folded": folded}
        return self.ask("search", query=query, wait=wait, **wish)

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
        """Find passages like the one at a line of a file, or like all of it."""
        wish = {"k": k, "mode": mode, "explain": explain, "folded": folded}
        return self.ask("similar", path=_raw(path), line=line, wait=wait, **wish)

    def text(self, path: Path, char_start: int, char_end: int) -> Extract:
        """Cut a stretch out of an indexed file's text, widened to whole lines.

        Raises:
            FolderError: The file has no text in the index.
        """
        return self.ask(
            "text", path=_raw(path), char_start=char_start, char_end=char_end
        )

    def picture(self, path: Path, page: int) -> Picture:
        """Draw a page of an indexed PDF, from 1.

        Raises:
            FolderError: The file is not in the index, or the page cannot be drawn.
        """
        return self.ask("picture", path=_raw(path), page=page)

    def status(self) -> Status:
        """Count files, documents, chunks, bytes and coverage."""
        return self.ask("status")

    def files(
        self,
        state: State | None = None,
        folder: Path | None = None,
        *,
        after: bytes | None = None,
        limit: int = 200,
    ) -> list[FileRecord]:
        """List a page of the known files by path.

        Args:
            state: Only those in one state.
            folder: Only those that lie in it.
            after: The last path of the page before; None for the first page.
            limit: At most so many, from 1 to 1,000.
        """
        under = None if folder is None else _raw(folder)
        return self.ask("files", state=state, folder=under, after=after, limit=limit)

    def why(self, path: Path) -> str:
        """Say in words what became of one path."""
        return self.ask("why", path=_raw(path))

    def recent(self, after: int = 0) -> list[FileEvent]:
        """List what happened to files lately, the oldest first.

        Args:
            after: The number of the last one that was seen.
        """
        return self.ask("recent", after=after)

    # --- indexing ---

    def survey(self, path: Path) -> FollowedSurvey:
        """Say what adding a folder would do; `hang_up` stops it."""
        return FollowedSurvey(self.replies("survey", path=_raw(path)))

    def add_folder(self, path: Path) -> None:
        """Register a folder or a single file; it is not indexed now.

        Raises:
            FolderError: It cannot be registered.
        """
        outcome = self.ask("add", paths=[_raw(path)], index=False)
        for message in outcome.refused:
            raise FolderError(message)

    def add(self, paths: Sequence[Path]) -> Followed:
        """Register folders or files, and index them."""
        sent = list(map(_raw, paths))
        return Followed(self.replies("add", paths=sent, index=True))

    def update(self, paths: Sequence[Path] | None = None) -> Followed:
        """Bring the index up to date with the disk."""
        sent = None if paths is None else list(map(_raw, paths))
        return Followed(self.replies("update", paths=sent))

    def retry(self, paths: Sequence[Path] | None = None) -> int:
        """Have files that failed read again, all or these; return how many there are.

        Raises:
            FolderError: A path lies in no registered folder.
        """
        sent = None if paths is None else list(map(_raw, paths))
        return self.ask("retry", paths=sent)

    def remove_folder(self, path: Path) -> int:
        """Forget a folder; return how many files it had."""
        return self.ask("remove", path=_raw(path))

    def purge(self) -> tuple[int, int]:
        """Erase what no file needs; return how many documents and bytes went."""
        return self.ask("purge")

    # --- models and settings ---

    def models(self) -> ModelList:
        """List the checkpoints that there are, and which of them are here."""
        return self.ask("models")

    def follow_settings(self) -> Mapping[str, str | bool | int | float]:
        """Have the settings read anew; give those that are in force from now on."""
        return self.ask("follow_settings")

    def estimate_model(self, name: str) -> ModelEstimate:
        """Estimate what `use_model` would leave to embed."""
        return self.ask("estimate_model", name=name)

    def use_model(self, name: str) -> list[str]:
        """Choose a model; return those whose vectors were dropped."""
        return self.ask("use_model", name=name)

    # --- the daemon itself ---

    def pause(self) -> None:
        """Have changes left for later."""
        self.ask("pause")

    def resume(self) -> None:
        """Have it go on."""
        self.ask("resume")

    def stop(self) -> None:
        """Have it end."""
        self.ask("stop")


def _raw(path: Path) -> bytes:
    """The daemon has another working folder."""
    return bytes(path.absolute())
