"""What an index holds, as those ask who look at it without searching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pplx_local.index.extract import extract
from pplx_local.index.paths import absolute
from pplx_local.index.status import status_of
from pplx_local.index.steps import Steps
from pplx_local.index.verdict import what_became
from pplx_local.records import Extract, FileRecord, Span, State, Status


class Contents(Steps):
    """The part of an `Index` that says what is there; `Index.open` is the way in."""

    def status(self) -> Status:
        """Count files, documents, chunks, bytes and coverage."""
        return status_of(self.store, self.settings, self._spaces)

    def files(self, state: State | None = None) -> Iterator[FileRecord]:
        """List the known files by path."""
        return self.store.files(state=state)

    def why(self, path: Path) -> str:
        """Say in words what became of one path."""
        return what_became(absolute(path), self.store)

    def text(self, path: Path, wanted: Span) -> Extract:
        """Cut a stretch out of a file's text, widened to whole lines.

        Raises:
            FolderError: The file has no text in the index.
        """
        return extract(self.store, path, wanted)
