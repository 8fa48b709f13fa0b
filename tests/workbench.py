"""An index that stays open, driven step by step."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk import Desk

from pplx_local.errors import Unreadable
from pplx_local.index import (
    Filling,
    Findings,
    Index,
    reading,
)
from pplx_local.records import (
    FileRecord,
    Progress,
    UpdateReport,
)

Steps = Generator[Progress, None, None]


class Bench(Desk):
    """An index that stays open, with its steps at hand."""

    index: Index

    def path(self, name: str) -> bytes:
        return os.fsencode(self.folder / name)

    def scan(self, *names: str, retry: bool = False) -> UpdateReport:
        """Look at paths in the folder, or at all of it."""
        findings = Findings()
        for _ in self.scanning(*names, findings=findings, retry=retry):
            self.check_whole()
        return findings.report(0, 0)

    def scanning(
        self, *names: str, findings: Findings | None = None, retry: bool = False
    ) -> Steps:
        paths = [self.folder / name for name in names] or None
        targets = self.index.targets(paths)
        return self.index.scan(targets, findings or Findings(), retry=retry)

    def read(self, *, tries: int = 3) -> list[bytes]:
        """Read what is due; give the paths whose reading was told of."""
        steps = self.index.read(Findings(), tries=tries)
        return [one.path for one in steps if one.path]

    def fill(self) -> Filling:
        filling = self.index.fill()
        for _ in filling.run():
            self.check_whole()
        return filling

    def check_whole(self) -> None:
        """Between two steps nothing is half-written."""
        assert not self.index.store._database.in_transaction

    def known(self, name: str) -> FileRecord | None:
        return self.index.store.file(self.path(name))

    def state(self, name: str) -> str:
        found = self.known(name)
        return found.state if found else "unknown"

    def waiting(self) -> int:
        return self.index.queue().waiting

    def best(self, query: str, **options: object) -> list[str]:
        hits = self.index.search(query, **options).hits  # type: ignore[arg-type]
        return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in hits]


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Let a file be refused as by a lock of another program: a retry may help."""

    def digest_file(asked: bytes) -> str:
        if asked == os.fsencode(path):
            raise Unreadable("another program has it", retry=True)
        return real(asked)

    real = reading.digest_file
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "digest_file", digest_file)
        yield
