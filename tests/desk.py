"""A home and a folder of documents, driven by hand through the library."""

from __future__ import annotations

import os
from pathlib import Path

from fakes import FakeWorker, fake_checkpoint, install_fake_checkpoint

from pplx_local.config import Settings
from pplx_local.index import Index, Surveying
from pplx_local.models import Profile
from pplx_local.records import Answer, FileRecord, State, Survey, UpdateReport


class Desk:
    """A home and a folder of documents, driven by hand."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(home=root / "home")
        install_fake_checkpoint(self.settings.home)
        self.folder = root / "documents"
        self.folder.mkdir()
        self.worker: FakeWorker | None = None

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def open(self, *, write: bool = False, model: bool = True) -> Index:
        fake = fake_checkpoint()
        profile = Profile(fake, fake) if model else Profile(None, None)
        return Index.open(
            self.settings, write=write, worker=self._make_worker, profile=profile
        )

    def _make_worker(self, *args: object) -> FakeWorker:
        self.worker = FakeWorker(fake_checkpoint())
        return self.worker

    def update(self, *, model: bool = True) -> UpdateReport:
        with self.open(write=True, model=model) as index:
            index.add_folder(self.folder)
            update = index.update()
            for _ in update:
                pass
            return update.report

    def update_only(self) -> UpdateReport:
        """Update without adding the folder, which may be away."""
        with self.open(write=True) as index:
            update = index.update()
            list(update)
            return update.report

    def search(self, query: str, **options: object) -> Answer:
        with self.open() as index:
            return index.search(query, **options)  # type: ignore[arg-type]

    def paths(self, query: str, **options: object) -> list[str]:
        answer = self.search(query, **options)
        return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in answer.hits]

    def states(self) -> dict[str, State]:
        with self.open() as index:
            return {os.fsdecode(f.path): f.state for f in index.files()}

    def file(self, name: str) -> FileRecord:
        with self.open() as index:
            wanted = os.fsencode(self.folder / name)
            return next(file for file in index.files() if file.path == wanted)


def survey(path: Path, settings: Settings) -> Survey:
    """Follow a survey to its end."""
    surveying = Surveying(path, settings)
    list(surveying)
    return surveying.found
