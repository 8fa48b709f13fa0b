"""Bytes on their way, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pplx_local.cli.show import say, stderr_console
from pplx_local.wording.amounts import size_in_words, time_in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_SECONDS_BETWEEN_LINES = 5.0


class Transfer:
    """Shows how many bytes of a checkpoint are there."""

    def __init__(
        self,
        what: str,
        total: int,
        kept: int = 0,
        console: Console | None = None,
    ) -> None:
        """Begin.

        Args:
            what: What is done, "fetched" or "copied".
            total: Bytes.
            kept: Bytes that are there already and will be counted too.
            console: Where it is shown; None for stderr.
        """
        console = console or stderr_console()
        live = console.is_terminal and not console.is_dumb_terminal
        self._bar = _bar(console) if live else None
        self._what, self._total, self._kept = what, total, kept
        self._done = 0
        self._start = time.monotonic()
        self._next_line = self._start + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        if self._bar:
            self._task = self._bar.add_task(
                self._what, total=self._total, completed=self._kept
            )
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
            self._bar.update(self._task, completed=max(self._done, self._kept))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            self._say()

    def _say(self) -> None:
        said = f"{self._what} {size_in_words(self._done)}"
        say(f"{said} of {size_in_words(self._total)}{self._time_left()}")

    def _time_left(self) -> str:
        """What was there before says nothing of the pace."""
        came, left = self._done - self._kept, self._total - self._done
        if came <= 0 or left <= 0:
            return ""
        seconds = time.monotonic() - self._start
        return f", {time_in_words(seconds * left / came)} left"


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
