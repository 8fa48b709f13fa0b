"""Bytes on their way, on stderr: a bar on a terminal, a line now and then elsewhere.

For another program each is an object of JSON: bytes done, of how many, seconds left.
"""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Literal, Self

import typer

from pplx_local.cli.show import OutputClosed, say, stderr_console
from pplx_local.wording.amounts import size_in_words, time_in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_OBJECTS = 0.2

Form = Literal["auto", "json"]
ProgressForm = Annotated[
    Form,
    typer.Option(
        "--progress",
        help="How far it is, on stderr: for a person, or an object of JSON on a line "
        "for a program; it ends when nobody reads that.",
    ),
]


class Transfer:
    """Shows how many bytes of a checkpoint are there."""

    def __init__(
        self,
        what: str,
        total: int,
        kept: int = 0,
        console: Console | None = None,
        *,
        form: Form = "auto",
    ) -> None:
        """Begin.

        Args:
            what: What is done, "fetched" or "copied".
            total: Bytes.
            kept: Bytes that are there already and will be counted too.
            console: Where it is shown; None for stderr.
            form: For whom.
        """
        self._bar = _bar_on(console or stderr_console()) if form == "auto" else None
        self._form = form
        self._what, self._total, self._kept = what, total, kept
        self._done = 0
        self._start = time.monotonic()
        first_s = _SECONDS_BETWEEN_LINES if form == "auto" else 0.0
        self._next_line = self._start + first_s

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
            self._say()

    def _say(self) -> None:
        now = time.monotonic()
        if self._form == "json":
            self._next_line = now + _SECONDS_BETWEEN_OBJECTS
            self._write_object()
            return
        self._next_line = now + _SECONDS_BETWEEN_LINES
        said = f"{self._what} {size_in_words(self._done)}"
        seconds = self._seconds_left()
        left = "" if seconds is None else f", {time_in_words(seconds)} left"
        say(f"{said} of {size_in_words(self._total)}{left}")

    def _write_object(self) -> None:
        told = {"what": self._what, "done": self._done, "total": self._total}
        try:
            sys.stderr.write(json.dumps(told | {"seconds_left": self._seconds_left()}))
            sys.stderr.write("\n")
            sys.stderr.flush()
        except OSError as error:
            raise OutputClosed from error

    def _seconds_left(self) -> float | None:
        """What was there before says nothing of the pace."""
        came, left = self._done - self._kept, self._total - self._done
        if came <= 0 or left <= 0:
            return None
        return (time.monotonic() - self._start) * left / came


def _bar_on(console: Console) -> Progress | None:
    live = console.is_terminal and not console.is_dumb_terminal
    return _bar(console) if live else None


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
