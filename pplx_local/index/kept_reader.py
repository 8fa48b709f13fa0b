"""The reader's child, kept from one reading stage to the next while it is of use."""

from __future__ import annotations

import time
from collections.abc import Generator

from pplx_local.config import Settings
from pplx_local.documents import Reader
from pplx_local.index.findings import Findings
from pplx_local.index.happening import Tell
from pplx_local.index.reading import ReadingStage
from pplx_local.records import Progress
from pplx_local.store import Store


class KeptReader:
    """Starts a child when something has to be read; ends it after some idleness."""

    def __init__(self, settings: Settings, niceness: int) -> None:
        """Start nothing."""
        self._niceness = niceness
        self._reader = self._made(settings)
        self._n_stages = 0
        self._used = time.monotonic()

    def _made(self, settings: Settings) -> Reader:
        return Reader(
            timeout_s=settings.read_timeout_s,
            memory_bytes=settings.read_memory_bytes,
            max_file_bytes=settings.max_file_bytes,
            niceness=self._niceness,
            ocr=settings.ocr,
        )

    def follow(self, settings: Settings) -> None:
        """Go by other limits; no stage may be under way."""
        self.close()
        self._reader = self._made(settings)

    def run(
        self, store: Store, findings: Findings, *, tries: int, stale: bool, tell: Tell
    ) -> Generator[Progress, None, None]:
        """Run a reading stage."""
        self._n_stages += 1
        try:
            stage = ReadingStage(
                store, self._reader, findings, tries=tries, stale=stale, tell=tell
            )
            yield from stage.run()
        finally:
            self._n_stages -= 1
            self._used = time.monotonic()

    def rest(self, after_s: float) -> None:
        """End the child if no stage is under way and none was for so long."""
        if not self._n_stages and time.monotonic() - self._used >= after_s:
            self.close()

    def close(self) -> None:
        """End the child; the next stage starts another one."""
        self._reader.close()
