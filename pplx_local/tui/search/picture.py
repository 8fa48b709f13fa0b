"""The page that a hit is on, as it looks."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from pplx_local.errors import PplxLocalError
from pplx_local.opener import page_of
from pplx_local.tui.easel import Easel
from pplx_local.tui.paint import plain
from pplx_local.tui.strips import strip_of

if TYPE_CHECKING:
    from pplx_local.answer import Hit, Picture
    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.tui.app import PplxLocal

_LOOK_AFTER_S = 0.15
"""Who goes on to the next hit does so within this: no page is drawn."""

_Page = tuple[bytes, int]


class PagePicture(Widget, can_focus=False):
    """Takes the place of the text of a page as soon as the page is drawn."""

    app: PplxLocal

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"picture--head"}
    DEFAULT_CSS = """
    PagePicture {
        display: none;
        & > .picture--head { background: $surface; color: $foreground-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="picture")
        self._page: _Page | None = None
        self._picture: Picture | None = None
        self._strips: list[Strip] = []
        self._thread = ThreadPoolExecutor(1, "picture")

    def on_unmount(self) -> None:
        """Let the terminal forget the page."""
        if isinstance(self.app.easel, Easel):
            self._thread.submit(self.app.easel.clear)
        self._thread.shutdown(wait=False)

    def show(self, hit: Hit | None) -> None:
        """Show the page of a hit; what has none is left to the text."""
        memory = self.app.memory
        is_wanted = memory.has_pictures and memory.has_preview
        page = _page_of(hit) if hit and is_wanted else None
        if page != self._page:
            self.screen.remove_class("-picture")
            self._page, self._picture = page, None
            self._look(page)

    @work(exclusive=True, group="picture", exit_on_error=False)
    async def _look(self, page: _Page | None) -> None:
        easel = self.app.easel
        if page is None or not isinstance(easel, Easel):
            return
        await asyncio.sleep(_LOOK_AFTER_S)
        try:
            picture = await self.app.link.ask("picture", partial(_drawn, page))
        except PplxLocalError as error:
            self.app.tell(error)
            return
        self._picture = picture
        self.screen.add_class("-picture")
        await self._place(easel, picture)

    def on_resize(self) -> None:
        """Draw it for the room that there is."""
        if self._picture and isinstance(self.app.easel, Easel):
            self._draw(self.app.easel, self._picture)

    @work(exclusive=True, group="picture draw", exit_on_error=False)
    async def _draw(self, easel: Easel, picture: Picture) -> None:
        await self._place(easel, picture)

    async def _place(self, easel: Easel, picture: Picture) -> None:
        width, height = self.size
        if height < 2 or not width:  # there is no room yet
            return
        loop = asyncio.get_running_loop()
        draw = partial(easel.draw, picture, width, height - 1)
        strips = await loop.run_in_executor(self._thread, draw)
        if picture is self._picture:
            self._strips = strips
            self.screen.set_class(bool(strips), "-picture")
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Give the cells of one line; the terminal fills them in."""
        if y == 0:
            style = self.get_visual_style("picture--head")
            return strip_of(self, self._head(), self.size.width, style)
        strip = self._strips[y - 1] if y <= len(self._strips) else Strip([])
        return strip.adjust_cell_length(self.size.width, self.rich_style)

    def _head(self) -> Content:
        if self._page is None:
            return Content("")
        path, number = self._page
        name = os.fsdecode(path.rpartition(b"/")[2])
        return plain(name, "bold") + plain(f"  page {number}")


def _page_of(hit: Hit) -> _Page | None:
    page = page_of(hit.place)
    return (hit.path, page) if page and hit.path.lower().endswith(b".pdf") else None


def _drawn(page: _Page, daemon: RemoteIndex) -> Picture:
    path, number = page
    return daemon.picture(Path(os.fsdecode(path)), number)
