"""Bytes on their way, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pplx_local.cli.show import say, stderr_console
from pplx_local.cli.words import size_in_words, time_in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_SECONDS_BETWEEN_LINES = 5.0


class Transfer:
    """Shows how many bytes of a checkpoint are there."""

    def __init__(self, what: str, total: int, console: Console | None = None) -> None:
        """Say what happens, "fetched" or "copied", and of how many bytes."""
        console = console or stderr_console()
        live = console.is_terminal and not console.is_dumb_terminal
        self._bar = _bar(console) if live else None
        self._what, self._total = what, total
        self._done = self._before = 0
        self._start = time.monotonic()
        self._next_line = self._start + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        if self._bar:
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif self._done:
            self._say()

    def advance(self, n_bytes: int) -> None:
        """Count bytes; fewer than none where some have to come again."""
        self._done += n_bytes
        if self._bar:
            self._bar.update(self._task, completed=self._done)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            self._say()

    def _say(self) -> None:
        said = f"{self._what} {size_in_words(self._done)}"
        seconds = time.monotonic() - self._start
        rate, left = self._done / seconds, self._total - self._done
        pace = f", {time_in_words(left / rate)} left" if rate and left else ""
        say(f"{said} of {size_in_words(self._total)}{pace}")


def _bar(console: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=5,
    )
