"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from pplx_local.cli.show import stderr_console
from pplx_local.pace import Pace
from pplx_local.wording.amounts import short_count, time_in_words
from pplx_local.wording.stages import STAGES, amount
from pplx_local.wording.visible import visible, visible_path

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID, TextColumn
    from rich.table import Column

    from pplx_local.records import Progress, Stage

_DONE: dict[Stage, str] = {
    "scan": "looked through",
    "read": "read",
    "load": "loaded",
    "encode": "embedded",
    "search": "asked",
}
_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_DRAWS = 0.1
_ROOM_FOR_NAMES = 70


class _View(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, progress: Progress) -> None: ...


def follow(events: Iterable[Progress], console: Console | None = None) -> None:
    """Run a long piece of work to its end and show how far it is."""
    console = console or stderr_console()
    live = console.is_terminal and not console.is_dumb_terminal
    view: _View = Bars(console) if live else Lines(console)
    stream = iter(events)
    try:
        with view:
            for progress in stream:
                view.show(progress)
    finally:
        if isinstance(stream, Generator):  # its own tidying up comes first
            stream.close()


class _Paces:
    """The pace of each stage's present run."""

    def __init__(self) -> None:
        self._by_stage: defaultdict[Stage, Pace] = defaultdict(Pace)

    def note(self, progress: Progress, now: float) -> None:
        """Take progress into account before its pace is asked for."""
        self._by_stage[progress.stage].note(progress, now)

    def words(self, progress: Progress, now: float) -> str:
        """Say `9,800/s, 3 min left` of progress that was noted."""
        pace = self._by_stage[progress.stage]
        rate, left = pace.rate(now), pace.seconds_left(now)
        said = [f"{short_count(rate)}/s"] if rate and progress.stage == "encode" else []
        return ", ".join([*said, f"{time_in_words(left)} left"] if left else said)


class Lines:
    """Whole lines, at most one in five seconds and one when a stage ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._paces = _Paces()
        self._unsaid: tuple[Progress, float] | None = None
        self._said = ""
        self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._say_end()

    def show(self, progress: Progress) -> None:
        """Say a message at once, and the rest when it is time."""
        now = time.monotonic()
        if self._unsaid and self._unsaid[0].stage != progress.stage:
            self._say_end()
        self._paces.note(progress, now)
        if progress.message:
            self._print(progress.message)
        self._unsaid = progress, now
        if now >= self._next_line:
            self._next_line = now + _SECONDS_BETWEEN_LINES
            self._say(progress, now)

    def _say_end(self) -> None:
        if self._unsaid and self._unsaid[0].done:
            self._say(*self._unsaid)

    def _say(self, progress: Progress, now: float) -> None:
        self._unsaid = None
        parts = [amount(progress), self._paces.words(progress, now)]
        said = ", ".join(part for part in parts if part)
        line = f"{_DONE[progress.stage]} {said}".rstrip()
        if line != self._said:  # stages say their end more than once
            self._print(line)
        self._said = line

    def _print(self, text: str) -> None:
        # Not wrapped: a line in a log should stay one line.
        self._console.print(visible(text), markup=False, soft_wrap=True)


class Bars:
    """A bar for each stage, and the name of what is being worked on."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        wide = console.width >= _ROOM_FOR_NAMES
        fixed, rest = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis")
        columns = [
            TextColumn("{task.description}", markup=False, table_column=fixed),
            *([BarColumn(bar_width=20)] if wide else []),
            TextColumn("{task.fields[amount]}", markup=False, table_column=fixed),
            TextColumn("{task.fields[pace]}", markup=False, table_column=rest),
            *([_name_column(rest)] if wide else []),
        ]
        self._bars = RichProgress(*columns, console=console, refresh_per_second=5)
        self._tasks: dict[Stage, TaskID] = {}
        self._paces = _Paces()
        self._last: Progress | None = None
        self._next_draw = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._last:
            self._draw(self._last, time.monotonic(), name="")
        self._bars.stop()

    def show(self, progress: Progress) -> None:
        """Move the stage's bar; a message stays above the bars."""
        now = time.monotonic()
        if self._last and self._last.stage != progress.stage:
            self._draw(self._last, now, name="")
        self._paces.note(progress, now)
        if progress.message:
            self._bars.console.print(visible(progress.message), markup=False)
        self._last = progress
        if now >= self._next_draw:
            self._next_draw = now + _SECONDS_BETWEEN_DRAWS
            name = visible_path(progress.path) if progress.path else ""
            self._draw(progress, now, name)

    def _draw(self, progress: Progress, now: float, name: str) -> None:
        self._bars.update(
            self._task(progress.stage),
            completed=progress.done,
            total=progress.total,
            amount=amount(progress),
            pace=self._paces.words(progress, now),
            name=name,
        )

    def _task(self, stage: Stage) -> TaskID:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(
                STAGES[stage], total=None, amount="", pace="", name=""
            )
        return self._tasks[stage]


def _name_column(table_column: Column) -> TextColumn:
    from rich.progress import TextColumn

    return TextColumn(
        "{task.fields[name]}", style="dim", markup=False, table_column=table_column
    )
