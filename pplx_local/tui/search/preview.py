"""The passage in its document, with the words that matched."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import work
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from pplx_local.errors import PplxLocalError
from pplx_local.tui.paint import plain
from pplx_local.tui.search.passage import Passage, drawn, head, passage_of
from pplx_local.tui.search.stretches import (
    Shown,
    around,
    document,
    extended,
    passage_alone,
    rewrapped,
    wanted,
)

if TYPE_CHECKING:
    from pplx_local.answer import Extract, Hit, Span
    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.tui.app import PplxLocal
    from pplx_local.tui.rendering.wrap import Row

_Found = TypeVar("_Found")

_LOOK_AFTER_S = 0.06
"""Who goes on to the next hit does so within this: no document is asked for."""
_NARROWEST = 8
_CHANGED = "The file has changed meanwhile: ask again to see it."


class Preview(ScrollView, can_focus=False):
    """Shows a hit's document around it; draws the rows that are seen, and no others.

    A document is read in stretches. It is rendered and wrapped on a thread.
    """

    app: PplxLocal

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"preview--head"}
    DEFAULT_CSS = """
    Preview {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 0;
        & > .preview--head { background: $surface; color: $foreground-muted; }
    }
    """

    virtual_size: reactive[Size] = reactive(Size(0, 0), repaint=False)
    """Textual's own has the whole screen laid out anew for each hit."""

    def __init__(self) -> None:
        super().__init__(id="preview")
        self._hit: Hit | None = None
        self._passage: Passage | None = None
        self._shown: Shown | None = None
        self._notice: list[Content] = []
        """What went wrong, wrapped."""
        self._aimed_at = 0
        """Where it was scrolled to for the passage; elsewhere is where a person went."""
        self._is_extending = False
        self._drawn: dict[int, Strip] = {}
        """By row."""
        self._styles: dict[str, RichStyle] = {}
        self._thread = ThreadPoolExecutor(1, "preview")

    def on_unmount(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # --- what is shown ---

    def show(self, hit: Hit | None) -> None:
        """Show a hit, or nothing; asked again and again, only the last one counts."""
        self._hit = hit
        if self.display:
            self._look(hit)

    def on_show(self) -> None:
        """Catch up: while it was hidden, nothing was asked for."""
        self._look(self._hit)

    @work(exclusive=True, group="preview", exit_on_error=False)
    async def _look(self, hit: Hit | None) -> None:
        self.workers.cancel_group(self, "preview more")
        self._is_extending = False
        self._notice = []
        if hit is None:
            self._set(None, None)
            return
        passage = await self._away(passage_of, hit)
        if self._shown and self._shown.holds(hit):
            self._set(self._shown, passage)
            return
        alone = await self._away(passage_alone, hit, self._width, self.size.height)
        self._set(alone, passage)
        await asyncio.sleep(_LOOK_AFTER_S)
        span = around(hit)
        try:
            extract = await self._ask(hit.path, span)
        except PplxLocalError as error:
            self._tell(error)
            return
        shown = await self._away(document, hit.path, extract, span, self._width)
        if shown.holds(hit):
            self._set(shown, passage)
        else:
            self._tell(_CHANGED)

    async def _ask(self, path: bytes, span: Span) -> Extract:
        call = partial(_text, path, span)
        return await self.app.link.ask("look", call)

    async def _away(self, call: Callable[..., _Found], *args: object) -> _Found:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(call, *args))

    def _tell(self, error: Exception | str) -> None:
        self._notice = plain(str(error), "$text-error").wrap(self._width)
        if self._shown:
            self._place(self._shown)
        self._redraw()

    def _set(self, shown: Shown | None, passage: Passage | None) -> None:
        """Show something else; the same passage stays where a person has scrolled it."""
        was, self._passage = self._passage, passage
        is_same = was and passage and was.char_span == passage.char_span
        if shown is self._shown and is_same:
            if was != passage:
                self._redraw()
            return
        self._place(shown)
        self._aim()

    def _place(self, shown: Shown | None) -> None:
        self._shown = shown
        n_rows = len(shown.rows) if shown else 0
        self.virtual_size = Size(self._width, n_rows + self._n_fixed)
        self._redraw()

    def _aim(self) -> None:
        """Bring the best line to a third from the top."""
        if self._shown and self._passage:
            row = self._shown.row_at((self._passage.best, True))
            self._go_to(row - (self.size.height - self._n_fixed) // 3)
            self._aimed_at = self.scroll_offset.y
            self._look_around()
        else:
            self._go_to(0)

    def _go_to(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, force=True, immediate=True)

    # --- going on ---

    def scroll_lines(self, by: int) -> None:
        """Scroll down so many rows, or up."""
        self._go_to(self.scroll_offset.y + by)

    def scroll_page(self, by: int) -> None:
        """Scroll down by so many times what is seen, or up."""
        self.scroll_lines(by * max(self.size.height - self._n_fixed - 1, 1))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what is seen now, and ask for what may be seen next."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._look_around()

    def _look_around(self) -> None:
        """Ask for the next stretch when an edge is less than a screen away."""
        shown, height = self._shown, self.size.height
        if not shown or not shown.is_whole or self._is_extending or self._notice:
            return
        top = self.scroll_offset.y
        if top + 2 * height > len(shown.rows) and wanted(shown, is_after=True):
            self._extend(shown, is_after=True)
        elif top < height and wanted(shown, is_after=False):
            self._extend(shown, is_after=False)

    @work(exclusive=True, group="preview more", exit_on_error=False)
    async def _extend(self, shown: Shown, *, is_after: bool) -> None:
        self._is_extending = True
        span = wanted(shown, is_after=is_after)
        assert span, "there is more on this side"
        try:
            extract = await self._ask(shown.path, span)
        except PplxLocalError as error:
            self._tell(error)
            return
        if extract.n_chars != shown.n_chars:
            self._tell(_CHANGED)
            return
        grown = await self._away(partial(extended, shown, extract, is_after=is_after))
        if self._shown is shown:
            self._replace(grown)
        self._is_extending = False
        self._look_around()

    def _replace(self, shown: Shown) -> None:
        """Show more or less of the same document, without moving what is seen."""
        if not self._shown or not self._shown.rows:
            return
        top = min(self.scroll_offset.y, len(self._shown.rows) - 1)
        is_aimed = top == self._aimed_at
        key = self._shown.keys[top]
        self._place(shown)
        self._go_to(shown.row_at(key))
        if is_aimed:
            self._aimed_at = self.scroll_offset.y

    def on_resize(self) -> None:
        """Wrap for another width; what is seen stays, or the passage."""
        self._drawn.clear()
        if self._shown and self._shown.width != self._width:
            self._rewrap(self._shown)
        elif self._shown and self.scroll_offset.y == self._aimed_at:
            self._aim()

    @work(exclusive=True, group="preview wrap", exit_on_error=False)
    async def _rewrap(self, shown: Shown) -> None:
        wrapped = await self._away(rewrapped, shown, self._width)
        if self._shown is not shown:
            return
        is_aimed = self.scroll_offset.y == self._aimed_at
        self._replace(wrapped)
        if is_aimed:
            self._aim()

    # --- drawing ---

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, _NARROWEST)

    def _redraw(self) -> None:
        self._drawn.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Draw in other colours."""
        self._drawn.clear()
        self._styles.clear()
        super().notify_style_update()

    @property
    def _n_fixed(self) -> int:
        """Count the rows on top that do not scroll."""
        return 1 + len(self._notice)

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        shown, top = self._shown, self.scroll_offset.y
        if 0 < y < self._n_fixed:
            return self._fixed(self._notice[y - 1], self.visual_style)
        row = y - self._n_fixed + top
        if not shown or row >= len(shown.rows):
            return Strip.blank(self._width, self._style(""))
        if y == 0:
            bottom = top + self.size.height - self._n_fixed - 1
            style = self.get_visual_style("preview--head")
            return self._fixed(head(shown, top, bottom, self._width), style)
        if row not in self._drawn:
            self._drawn[row] = self._strip(shown.rows[row], shown.digits)
        return self._drawn[row]

    def _fixed(self, content: Content, style: Style) -> Strip:
        content = content.truncate(self._width)
        return Visual.to_strips(self, content, self._width, 1, style, pad=True)[0]

    def _strip(self, row: Row, digits: int) -> Strip:
        """Draw a row without Textual's text layout, which takes a millisecond for it."""
        width = self._width
        runs = drawn(row, self._passage, digits, width)
        segments = [Segment(text, self._style(style)) for text, style in runs if text]
        return Strip(segments).adjust_cell_length(width, self._style(""))

    def _style(self, name: str) -> RichStyle:
        if name not in self._styles:
            style = self.visual_style + self._get_style(name)
            self._styles[name] = style.rich_style
        return self._styles[name]


def _text(path: bytes, span: Span, daemon: RemoteIndex) -> Extract:
    return daemon.text(Path(os.fsdecode(path)), span.start, span.end)
