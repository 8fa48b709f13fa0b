"""A list of any length: draws the rows that are seen, and no others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pplx_local.tui.paint import plain
from pplx_local.tui.strips import strip_of

if TYPE_CHECKING:
    from textual.events import Click

_NARROWEST = 8
_KEPT_DRAWN = 1_000
_NEAR = 20
"""Rows before the end at which more are asked for."""

Row = TypeVar("Row")


class Rows(ScrollView, Generic[Row], can_focus=True):
    """Rows of equal height, one of them chosen; the choice outlives what is new."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j,ctrl+n", "move(1)", "Next", show=False),
        Binding("up,k,ctrl+p", "move(-1)", "Before", show=False),
        Binding("pagedown", "move_page(1)", "Next page", show=False),
        Binding("pageup", "move_page(-1)", "Page before", show=False),
        Binding("home,g", "go_to(0)", "First", show=False),
        Binding("end,G", "go_to_end", "Last", show=False),
        Binding("enter", "open", "Open", show=False),
    ]
    DEFAULT_CSS = """
    Rows {
        min-width: 10;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .rows--cursor { background: $primary 12%; }
        &:focus > .rows--cursor { background: $primary 30%; }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """Which row is chosen."""

    class Chosen(Message):
        """Another row is under the cursor, or none is."""

        def __init__(self, rows: Rows[Any]) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> Rows[Any]:
            """Whose it is."""
            return self.rows

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, Rows.Chosen) and message.rows is self.rows

    class Opened(Chosen):
        """A row was entered, or clicked twice."""

    class NearEnd(Chosen):
        """The last rows are seen: there may be more."""

    def __init__(
        self,
        lay_out: Callable[[Row, int], Sequence[Content]],
        key_of: Callable[[Row], Hashable],
        *,
        id: str,
        height: int = 1,
    ) -> None:
        """Begin empty.

        Args:
            lay_out: A row as `height` lines of at most so many cells.
            key_of: What a row is known by when the rows are given anew.
            id: Of the widget.
            height: Lines of each row.
        """
        super().__init__(id=id)
        self.rows: Sequence[Row] = []
        self.empty = ""
        """What is said where there are none."""
        self._lay_out, self._key_of, self._row_height = lay_out, key_of, height
        self._drawn: dict[tuple[int, int, bool], list[Strip]] = {}

    # --- what is shown ---

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[Row], empty: str = "") -> None:
        """Show rows; the cursor stays with the row that it is on."""
        before = self.chosen
        key = None if before is None else self._key_of(before)
        self.rows, self.empty = rows, empty
        self.set_reactive(Rows.cursor, self._place_of(key))
        self._redraw()
        self.post_message(self.Chosen(self))

    def _place_of(self, key: Hashable) -> int:
        last = max(0, len(self.rows) - 1)
        here = min(self.cursor, last)
        if self.rows and self._key_of(self.rows[here]) == key:
            return here
        found = (n for n, row in enumerate(self.rows) if self._key_of(row) == key)
        return next(found, here)

    # --- moving ---

    def action_move(self, by: int) -> None:
        """Go down so many rows, or up; not beyond the ends."""
        self.action_go_to(self.cursor + by)

    def action_move_page(self, by: int) -> None:
        """Go down or up by what is seen at once."""
        self.action_move(by * max(1, self.size.height // self._row_height - 1))

    def action_go_to(self, place: int) -> None:
        """Choose a row by its place, from 0."""
        if self.rows:
            self.cursor = max(0, min(place, len(self.rows) - 1))

    def action_go_to_end(self) -> None:
        """Choose the last row."""
        self.action_go_to(len(self.rows) - 1)

    def action_open(self) -> None:
        """Enter the chosen row."""
        if self.chosen is not None:
            self.post_message(self.Opened(self))

    def watch_cursor(self) -> None:
        """Bring it into view."""
        height = self._row_height
        row = Region(0, self.cursor * height, self._width, height)
        self.scroll_to_region(row, animate=False, force=True)
        self.refresh()
        self.post_message(self.Chosen(self))
        self._ask_near_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more where the end is near."""
        super().watch_scroll_y(old_value, new_value)
        self._ask_near_end()

    def _ask_near_end(self) -> None:
        seen = (self.scroll_y + self.size.height) / self._row_height
        if max(seen, self.cursor) + _NEAR >= len(self.rows):
            self.post_message(self.NearEnd(self))

    def on_click(self, event: Click) -> None:
        """Choose the row that is clicked; twice opens it."""
        place = (event.y + self.scroll_offset.y) // self._row_height
        if place < len(self.rows):
            self.action_go_to(place)
            if event.chain >= 2:
                self.action_open()

    # --- drawing ---

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, _NARROWEST)

    def on_resize(self) -> None:
        """Lay the rows out anew."""
        self._redraw()
        self.watch_cursor()

    def notify_style_update(self) -> None:
        """Draw in other colours."""
        self._drawn.clear()
        super().notify_style_update()

    def _redraw(self) -> None:
        self._drawn.clear()
        self.virtual_size = Size(self._width, self._row_height * len(self.rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        place, line = divmod(y + self.scroll_offset.y, self._row_height)
        if place < len(self.rows):
            return self._strips(place)[line]
        if not self.rows and y == 0:
            said = plain(f" {self.empty}", "$foreground-muted")
            return self._strip(said.truncate(self._width, ellipsis=True))
        return Strip.blank(self._width, self.rich_style)

    def _strips(self, place: int) -> list[Strip]:
        state = (place, self._width, place == self.cursor)
        if state not in self._drawn:
            if len(self._drawn) >= _KEPT_DRAWN:
                self._drawn.clear()
            self._drawn[state] = self._draw(self.rows[place], place == self.cursor)
        return self._drawn[state]

    def _draw(self, row: Row, has_cursor: bool) -> list[Strip]:
        bar = "▌" if has_cursor else " "
        room = self._width - 1
        lines = [
            (bar + line).truncate(self._width, ellipsis=True)
            for line in self._lay_out(row, room)
        ]
        lines += [Content(bar)] * (self._row_height - len(lines))
        return [self._strip(line, has_cursor=has_cursor) for line in lines]

    def _strip(self, line: Content, *, has_cursor: bool = False) -> Strip:
        style = self.visual_style
        if has_cursor:
            style += self.get_visual_style("rows--cursor")
        return strip_of(self, line, self._width, style)
