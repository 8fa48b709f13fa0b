"""What an index holds, as those ask who look at it without searching."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pplx_local.index.drawing import draw
from pplx_local.index.extract import extract
from pplx_local.index.paths import absolute
from pplx_local.index.status import status_of
from pplx_local.index.steps import Steps
from pplx_local.index.verdict import what_became
from pplx_local.records import Extract, FileRecord, Picture, Span, State, Status


class Contents(Steps):
    """The part of an `Index` that says what is there; `Index.open` is the way in."""

    def status(self) -> Status:
        """Count files, documents, chunks, bytes and coverage."""
        return status_of(self.store, self.settings, self._spaces)

    def files(self, state: State | None = None) -> Iterator[FileRecord]:
        """List the known files by path."""
        return self.store.files(state=state)

    def page(
        self,
        state: State | None = None,
        folder: Path | None = None,
        *,
        after: bytes = b"",
        limit: int,
    ) -> list[FileRecord]:
        """List some of the known files by path.

        Args:
            state: Only those in one state.
            folder: Only those that lie in it.
            after: Only those that come later: the last path of the page before.
            limit: At most so many.
        """
        under = None if folder is None else os.fsencode(absolute(folder))
        return self.store.page_of_files(state, under, after, limit)

    def why(self, path: Path) -> str:
        """Say in words what became of one path."""
        return what_became(absolute(path), self.store, self.settings)

    def retry(self, paths: Sequence[Path] | None = None) -> int:
        """Have files that failed read again by the next update that comes upon them.

        Args:
            paths: Files, or folders of files; None for all of them.

        Returns:
            How many there are.

        Raises:
            FolderError: A path lies in no registered folder.
        """
        return len(self.give_another_try(paths))

    def text(self, path: Path, wanted: Span) -> Extract:
        """Cut a stretch out of a file's text, widened to whole lines.

        Raises:
            FolderError: The file has no text in the index.
        """
        return extract(self.store, path, wanted, self.settings)

    def picture(self, path: Path, page: int) -> Picture:
        """Draw a page of an indexed PDF, from 1.

        Raises:
            FolderError: The file is not in the index, or the page cannot be drawn.
        """
        return draw(self.store, path, page, self.settings)
