"""The search screen: a question on top, hits below it, and the passage in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from textual import on, work
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Input, Static

from pplx_local.answer import Mode
from pplx_local.errors import PplxLocalError
from pplx_local.tui.easel import why_none
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.paint import plain
from pplx_local.tui.search.asking import Question, Reply, replies
from pplx_local.tui.search.keys import KEYS
from pplx_local.tui.search.layout import LAYOUT
from pplx_local.tui.search.query import Query
from pplx_local.tui.search.results import Results

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pplx_local.answer import Hit
    from pplx_local.opener import Wish
    from pplx_local.records import Status
    from pplx_local.tui import hands
    from pplx_local.tui.app import PplxLocal
    from pplx_local.tui.first_frame import FirstFrame
    from pplx_local.tui.search.picture import PagePicture
    from pplx_local.tui.search.preview import Preview

_FEW, _MORE = 10, 60
"""Hits that are asked for at first, and where somebody goes through them all."""
_MODES = get_args(Mode)


class SearchScreen(Screen[None]):
    """What is open all day."""

    app: PplxLocal

    AUTO_FOCUS = "#query"
    BINDINGS = KEYS
    DEFAULT_CSS = LAYOUT

    def __init__(self) -> None:
        super().__init__()
        self._reply: Reply | None = None
        self._asked: Question | None = None
        self._preview: Preview | None = None
        """None until the first frame is drawn."""
        self._picture: PagePicture | None = None
        """The same."""
        # Held, not looked up: an answer may come while the screen is taken apart.
        self.results = Results()
        self._summary = Static(id="summary", markup=False)
        self._doing = Static(id="doing", markup=False)

    def compose(self) -> ComposeResult:
        """Lay out the question, the hits, the preview and what is said of them."""
        with Container(id="ask"):
            yield Static(">", id="prompt", markup=False)
            yield Query(self.app.memory.queries)
            yield self._doing
            yield Static(id="mode", markup=False)
        with Container(id="found"):
            yield self.results
        yield self._summary
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the layout of the last time."""
        self.set_class(not self.app.memory.has_preview, "-no-preview")
        self._show_mode()
        # The app's: what the screen draws while it is mounted is not shown yet.
        self.app.call_after_refresh(self._complete)

    async def _complete(self) -> None:
        """Add what the first frame does without: its modules take a while to load."""
        from pplx_local.tui.search.picture import PagePicture
        from pplx_local.tui.search.preview import Preview

        if not self.is_running:  # somebody has left already
            return
        preview, picture = Preview(), PagePicture()
        await self.query_one("#found").mount(preview, picture)
        self._preview, self._picture = preview, picture
        self._show_chosen(self.results.chosen)
        self.watch(self.app, "status", self._show_doing)

    def keep_first_frame(self, first: FirstFrame) -> None:
        """Keep what is on the screen for the next time, unless somebody types already."""
        is_seen = self.is_current and not self.app.is_headless
        if is_seen and not self.query_input.value:
            lines = self._compositor.render_strips()
            drawn = [line.render(self.app.console) for line in lines]
            first.keep(drawn, self.size)

    # --- parts ---

    @property
    def query_input(self) -> Query:
        """Where the question is typed."""
        return self.query_one(Query)

    @property
    def mode(self) -> Mode:
        """What is ranked by."""
        kept = self.app.memory.mode
        return cast("Mode", kept) if kept in _MODES else "hybrid"

    def has_answered(self, query: str, *, finally_: bool = False) -> bool:
        """Tell whether hits of a question are shown, or the last ones."""
        reply = self._reply
        if reply is None or reply.question.query != query.strip():
            return False
        return reply.is_final or not finally_

    # --- asking ---

    @on(Input.Changed, "#query")
    def ask_anew(self) -> None:
        """Ask what stands in the box now."""
        self.results.begin()
        self._ask(_FEW)

    @on(Results.NearEnd)
    def ask_for_more(self) -> None:
        """Ask for more hits, once."""
        reply = self._reply
        if reply and len(reply.answer.hits) == reply.question.k == _FEW:
            self._ask(_MORE)

    def _ask(self, k: int) -> None:
        query = self.query_input.value.strip()
        self._asked = Question(query, self.mode, k, is_more=k == _MORE)
        if query:
            self._follow(self._asked)
            return
        self.workers.cancel_group(self, "question")
        self._reply = None
        self.results.show([])
        self._say()

    @work(exclusive=True, group="question")
    async def _follow(self, question: Question) -> None:
        try:
            async for reply in replies(self.app.link, question):
                self._show(reply)
        except PplxLocalError as error:
            self._reply = None
            self._summary.update(plain(str(error), "$text-error"))

    def _show(self, reply: Reply) -> None:
        if self._asked != reply.question:  # the box has changed meanwhile
            return
        self._reply = reply
        self.results.show(reply.answer.hits)
        self._say()

    def _say(self) -> None:
        from pplx_local.tui.search.summary import summary

        said = summary(self._reply, len(self.results.marked)) if self._reply else ""
        self._summary.update(said, layout=False)

    def _show_doing(self, status: Status | None) -> None:
        """Say what the daemon does: hits may be missing until it is done."""
        from pplx_local.tui.search.summary import doing

        said = plain(doing(status) if status else "")
        if said.plain != str(self._doing.content):  # else all is laid out anew
            self._doing.update(said)

    def _show_mode(self) -> None:
        self.query_one("#mode", Static).update(plain(self.mode))

    @on(Results.Chosen)
    def preview_chosen(self, event: Results.Chosen) -> None:
        """Show the hit in its file."""
        self._show_chosen(event.hit)

    def _show_chosen(self, hit: Hit | None) -> None:
        if self._preview and self._picture:
            self._picture.show(hit)
            self._preview.show(hit)

    # --- actions ---

    def action_move(self, by: int) -> None:
        """Go to another hit."""
        self.results.move(by)

    def action_move_page(self, by: int) -> None:
        """Go on by what is seen."""
        self.results.move_page(by)

    def action_mark(self) -> None:
        """Mark the hit, and go on to the next."""
        self.results.toggle_mark()
        self.results.move(1)
        self._say()

    @on(Results.Opened)
    def open_clicked(self) -> None:
        """Open what was clicked twice."""
        self.action_open()

    @property
    def _meant(self) -> list[Hit]:
        """The marked hits, or else the one under the cursor."""
        chosen = self.results.chosen
        return list(self.results.marked.values()) or ([chosen] if chosen else [])

    def action_open(self) -> None:
        """Open at the line or page, in what suits the type."""
        self._use("open")

    def action_edit(self) -> None:
        """Open in the person's editor, at the line."""
        self._use("edit")

    def action_reveal(self) -> None:
        """Show in the file manager."""
        self._use("reveal")

    @work(group="hands")
    async def _use(self, wish: Wish) -> None:
        from pplx_local.tui import hands

        self._remember()
        await hands.show(self.app, self._meant, wish)

    def action_copy_path(self) -> None:
        """Copy the path."""
        self._copy("path")

    def action_copy_place(self) -> None:
        """Copy `path:line`."""
        self._copy("place")

    def action_copy_text(self) -> None:
        """Copy the passage."""
        self._copy("passage")

    @work(group="hands")
    async def _copy(self, part: hands.Part) -> None:
        from pplx_local.tui import hands

        if self._meant:
            self._remember()
            await hands.copy(self.app, self._meant, part)

    def _remember(self) -> None:
        """Keep a question that led somewhere."""
        self.app.memory.note_query(self.query_input.value)
        self.query_input.remember(self.app.memory.queries)

    def action_cycle_mode(self) -> None:
        """Rank by the next kind of leg."""
        self.app.memory.mode = _MODES[(_MODES.index(self.mode) + 1) % len(_MODES)]
        self.app.memory.save()
        self._show_mode()
        self.ask_anew()

    def action_toggle_preview(self) -> None:
        """Show the preview, or leave its room to the hits."""
        memory = self.app.memory
        memory.has_preview = not memory.has_preview
        memory.save()
        self.set_class(not memory.has_preview, "-no-preview")
        self._show_chosen(self.results.chosen)

    def action_toggle_picture(self) -> None:
        """Show pages of PDFs as they look, or their text."""
        memory = self.app.memory
        memory.has_pictures = not memory.has_pictures
        memory.save()
        if memory.has_pictures and (reason := why_none(self.app.easel)):
            self.app.remark(reason)
        self._show_chosen(self.results.chosen)

    def action_scroll(self, by: int) -> None:
        """Scroll the preview by lines."""
        if self._preview:
            self._preview.scroll_lines(by)

    def action_scroll_page(self, by: int) -> None:
        """Scroll the preview by what is seen."""
        if self._preview:
            self._preview.scroll_page(by)

    def action_recall(self, by: int) -> None:
        """Ask an older question again."""
        self.query_input.recall(by)

    def action_leave(self) -> None:
        """Unmark, else clear the question, else quit."""
        if self.results.marked:
            self.results.unmark_all()
            self._say()
        elif self.query_input.value:
            self.query_input.value = ""
        else:
            self.app.exit()
