"""A folder that was chosen, with what adding it would mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui.fitting import at_home
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import count, size_in_words
from pplx_local.wording.stages import amount, stage_in_words
from pplx_local.wording.survey import cost_in_words, files_to_index
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pplx_local.records import KindCount, Progress, Survey
    from pplx_local.tui.app import PplxLocal

_WIDEST_KIND = 30


class ChosenFolder(Static, can_focus=True):
    """Surveys its folder as soon as it is shown, until it is taken away."""

    app: PplxLocal

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "app.focus_next", "Next", show=False),
        Binding("up,k", "app.focus_previous", "Before", show=False),
    ]
    DEFAULT_CSS = """
    ChosenFolder {
        height: auto;
        margin: 0 0 1 0;
        padding: 0 1;
        border-left: outer $foreground 20%;
        &:focus { border-left: outer $primary; background: $primary 12%; }
    }
    """

    class Surveyed(Message):
        """It is known what adding the folder would mean."""

    def __init__(self, path: Path) -> None:
        """Begin.

        Args:
            path: Absolute; a single file will do.
        """
        super().__init__(markup=False)
        self.path = path
        self.survey: Survey | None = None
        """None until it is known."""
        self._lane = f"survey {id(self)}"

    def on_mount(self) -> None:
        """Look what is there."""
        self._say(plain("looking through", "italic $foreground-muted"))
        self._look()

    def on_unmount(self) -> None:
        """Look no further."""
        self.app.link.abandon(self._lane)

    @work(exit_on_error=False)
    async def _look(self) -> None:
        try:
            done = await self.app.link.follow(
                self._lane, lambda daemon: daemon.survey(self.path), self._tell
            )
        except PplxLocalError as error:
            self._say(plain(str(error), "$text-error"))
            return
        self.survey = done.found
        self._say(*_lines(done.found))
        self.app.link.abandon(self._lane)
        self.post_message(self.Surveyed())

    def _tell(self, progress: Progress) -> None:
        said = f"{stage_in_words(progress)}: {amount(progress)}"
        self._say(plain(said, "italic $foreground-muted"))

    def _say(self, *lines: Content) -> None:
        name = plain(at_home(os.fsencode(self.path)), "bold")
        self.update(Content("\n").join([name, *lines]))


def _lines(survey: Survey) -> Iterator[Content]:
    read = [kind for kind in survey.kinds if not kind.skipped]
    skipped = [kind for kind in survey.kinds if kind.skipped]
    yield plain(f"{files_to_index(survey)} to read")
    yield plain(cost_in_words(survey))
    yield from _kind_lines(read, "")
    if skipped:
        yield plain("not read:", "$text-warning")
        yield from _kind_lines(skipped, "$foreground-muted")


def _kind_lines(kinds: Sequence[KindCount], style: str) -> Iterator[Content]:
    names = [visible(kind.kind) for kind in kinds]
    width = min(max(map(cell_len, names), default=0), _WIDEST_KIND)
    for kind, name in zip(kinds, names, strict=True):
        n_files, size = count(kind.files, "file"), size_in_words(kind.size_bytes)
        head = plain(f"  {name}", style).pad_right(max(0, width - cell_len(name)))
        yield head + plain(f"  {n_files}, {size}", "$foreground-muted")
