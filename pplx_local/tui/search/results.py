"""The hits: a list that never moves under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pplx_local.tui.strips import strip_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual.content import Content
    from textual.events import Click

    from pplx_local.answer import Hit
    from pplx_local.wording.excerpt import Excerpt

HEIGHT = 3
"""Lines of a hit."""
_NARROWEST = 8
_REMEMBERED = 128

Key = tuple[bytes, int]
"""What a hit is known by from one answer to the next: its file, and where it begins."""


def key_of(hit: Hit) -> Key:
    """Name a hit."""
    return hit.path, hit.char_span.start


class Results(ScrollView, can_focus=False):
    """Draws the rows that are seen, and no others."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"results--cursor"}
    DEFAULT_CSS = """
    Results {
        min-width: 10;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        &.-stale { text-opacity: 70%; }
        & > .results--cursor { background: $primary 25%; }
    }
    """

    virtual_size: reactive[Size] = reactive(Size(0, 0), repaint=False)
    """Textual's own has the whole screen laid out and drawn anew for each answer."""
    cursor: reactive[int] = reactive(0, repaint=False, init=False)
    """Which hit is chosen."""

    class Chosen(Message):
        """Another hit is under the cursor, or none is."""

        def __init__(self, hit: Hit | None) -> None:
            super().__init__()
            self.hit = hit

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, Results.Chosen)

    class Opened(Message):
        """A hit was clicked twice."""

    class NearEnd(Message):
        """The cursor came to the last hit: there may be more."""

    def __init__(self) -> None:
        super().__init__(id="results")
        self.hits: list[Hit] = []
        self.marked: dict[Key, Hit] = {}
        """Those that were chosen, in that order."""
        self._was_moved = False
        """Whether the person has chosen a hit since the question changed."""
        self._drawn: dict[tuple[int, int, bool, bool], list[Strip]] = {}
        self._bodies: dict[Hashable, tuple[Excerpt, list[Strip]]] = {}
        """What hits say, by what that hangs on: over the answers to many letters."""

    # --- what is shown ---

    @property
    def chosen(self) -> Hit | None:
        """The hit under the cursor."""
        return self.hits[self.cursor] if self.cursor < len(self.hits) else None

    def begin(self) -> None:
        """Expect the answers to another question: its best hit is the one to see."""
        self._was_moved = False

    def show(self, hits: Sequence[Hit]) -> None:
        """Show hits in their order, but leave the one that was chosen where it is."""
        before = self._lines()
        held = self.chosen if self._was_moved else None
        self.hits = _held_in_place(list(hits), held, self.cursor)
        cursor = self.cursor if held else 0
        self.set_reactive(Results.cursor, min(cursor, max(0, len(self.hits) - 1)))
        self._drawn.clear()
        self._measure()
        if not held:
            self.scroll_to(y=0, animate=False)
        self._redraw(before)
        self.post_message(self.Chosen(self.chosen))

    def _measure(self) -> None:
        """Say how much there is to scroll; a scrollbar that comes or goes takes a layout."""
        self.virtual_size = Size(self._width, HEIGHT * len(self.hits))
        if self.show_vertical_scrollbar != (
            self.virtual_size.height > self.size.height
        ):
            self.refresh(layout=True)
        elif self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = self.virtual_size.height
        self.scroll_to(y=self.scroll_y, animate=False)  # not below the new end

    # --- moving ---

    def move(self, by: int) -> None:
        """Go down so many hits, or up; not beyond the ends."""
        self.go_to(self.cursor + by)

    def move_page(self, by: int) -> None:
        """Go down or up by what is seen at once."""
        self.move(by * max(1, self.size.height // HEIGHT - 1))

    def go_to(self, place: int) -> None:
        """Choose a hit by its place, from 0."""
        self._was_moved = True
        if not self.hits:
            return
        self.cursor = max(0, min(place, len(self.hits) - 1))
        if self.cursor == len(self.hits) - 1:
            self.post_message(self.NearEnd())

    def watch_cursor(self) -> None:
        """Bring it into view."""
        row = Region(0, self.cursor * HEIGHT, self._width, HEIGHT)
        self.scroll_to_region(row, animate=False, force=True)
        self.refresh()
        self.post_message(self.Chosen(self.chosen))

    def toggle_mark(self) -> None:
        """Mark the chosen hit, or no longer."""
        hit = self.chosen
        if hit is None:
            return
        if self.marked.pop(key_of(hit), None) is None:
            self.marked[key_of(hit)] = hit
        self.refresh()

    def unmark_all(self) -> None:
        """Mark none."""
        self.marked.clear()
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Choose the hit that is clicked; twice opens it."""
        place = (event.y + self.scroll_offset.y) // HEIGHT
        if place < len(self.hits):
            self.go_to(place)
            if event.chain >= 2:
                self.post_message(self.Opened())

    # --- drawing ---

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, _NARROWEST)

    def on_resize(self) -> None:
        """Lay the rows out anew."""
        self._drawn.clear()
        self._measure()
        self.watch_cursor()

    def notify_style_update(self) -> None:
        """Draw in other colours."""
        self._drawn.clear()
        self._bodies.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        place, line = divmod(y + self.scroll_offset.y, HEIGHT)
        if place >= len(self.hits):
            return Strip.blank(self._width, self.rich_style)
        return self._strips(place)[line]

    def _lines(self) -> list[Strip]:
        return [self.render_line(y) for y in range(self.size.height)]

    def _redraw(self, before: Sequence[Strip]) -> None:
        """Draw what has changed: with each letter of a question most lines stay."""
        for y, (old, new) in enumerate(zip(before, self._lines(), strict=True)):
            if old != new:
                self.refresh_line(self.scroll_offset.y + y)

    def _strips(self, place: int) -> list[Strip]:
        hit = self.hits[place]
        has_cursor, is_marked = place == self.cursor, key_of(hit) in self.marked
        state = (place, self._width, has_cursor, is_marked)
        if state not in self._drawn:
            self._drawn[state] = self._draw(hit, has_cursor, is_marked)
        return self._drawn[state]

    def _draw(self, hit: Hit, has_cursor: bool, is_marked: bool) -> list[Strip]:
        from pplx_local.tui.search.row import body_of, head_of, told

        width = self._width - 1
        key = told(hit), width, has_cursor
        if key not in self._bodies:
            part, lines = body_of(hit, width, HEIGHT - 1)
            if len(self._bodies) >= _REMEMBERED:
                self._bodies.clear()
            self._bodies[key] = part, [self._strip(line, has_cursor) for line in lines]
        part, body = self._bodies[key]
        head = head_of(hit, part, width, is_marked=is_marked)
        return [self._strip(head, has_cursor), *body]

    def _strip(self, line: Content, has_cursor: bool) -> Strip:
        style = self.visual_style
        if has_cursor:
            style += self.get_visual_style("results--cursor")
        return strip_of(self, ("▌" if has_cursor else " ") + line, self._width, style)


def _held_in_place(hits: list[Hit], held: Hit | None, place: int) -> list[Hit]:
    """Put a hit back where it was, whatever its rank is now."""
    if held is None:
        return hits
    others = [hit for hit in hits if key_of(hit) != key_of(held)]
    now = next((hit for hit in hits if key_of(hit) == key_of(held)), held)
    return [*others[:place], now, *others[place:]]
