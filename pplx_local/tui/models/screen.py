"""The models screen: get a checkpoint, check it, and choose what answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from pplx_local.errors import PplxLocalError
from pplx_local.tui.apart import apart
from pplx_local.tui.confirm import Confirm
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.models.child import Child
from pplx_local.tui.models.errand import ErrandView
from pplx_local.tui.models.rows import (
    HEIGHT,
    ModelRow,
    answering,
    details,
    lay_out,
    rows_of,
)
from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows
from pplx_local.wording.models import (
    cost_lines,
    needs_in_words,
)

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pplx_local.records import ModelList
    from pplx_local.tui.app import PplxLocal
    from pplx_local.tui.models.import_dialog import ImportDialog

_LANE = "models"


class ModelsScreen(Screen[None]):
    """Which checkpoints there are, and which ones answer."""

    app: PplxLocal

    AUTO_FOCUS = "#models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "Use"),
        Binding("space", "mark", "Mark for a pair"),
        Binding("p", "pull", "Pull"),
        Binding("i", "import", "Import"),
        Binding("c", "check", "Check"),
        Binding("x", "stop", "Stop"),
        Binding("r", "look", "Look again", show=False),
        Binding("escape", "leave", "Back"),
    ]
    DEFAULT_CSS = """
    ModelsScreen {
        layout: vertical;
        #answering { height: auto; padding: 0 1; background: $surface; }
        #parts { height: 1fr; layout: horizontal; }
        #models { width: 3fr; height: 1fr; }
        #about {
            width: 2fr;
            padding: 0 1;
            border-left: vkey $surface-lighten-2;
            scrollbar-size-vertical: 1;
        }
        #details { height: auto; }
    }
    ModelsScreen.-narrow #parts { layout: vertical; }
    ModelsScreen.-narrow #models { width: 100%; height: 3fr; }
    ModelsScreen.-narrow #about {
        width: 100%;
        height: 2fr;
        border-left: none;
        border-top: hkey $surface-lighten-2;
    }
    ModelsScreen.-narrow.-low #about { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: ModelList | None = None
        self._marked: list[str] = []
        """Of a pair, in the order in which they were chosen."""
        self._child: Child | None = None
        """That pulls, imports or checks now."""

    def compose(self) -> ComposeResult:
        """Lay out what answers, the list, what is known of one, and what is done."""
        yield Static(id="answering", markup=False)
        with Container(id="parts"):
            yield Rows(lay_out, _name, id="models", height=HEIGHT)
            with VerticalScroll(id="about", can_focus=False):
                yield Static(id="details", markup=False)
        yield ErrandView()
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow what the daemon says."""
        self.models.show([], "asking the daemon…")
        self.watch(self.app, "status", self._show)

    def on_screen_resume(self) -> None:
        """Somebody looks at it: models may have come meanwhile."""
        self.action_look()

    # --- parts ---

    @property
    def models(self) -> Rows[ModelRow]:
        """What can be chosen."""
        return self.query_one("#models", Rows)

    @property
    def errand(self) -> ErrandView:
        """What is being done."""
        return self.query_one(ErrandView)

    # --- showing ---

    @work(exclusive=True, group="models", exit_on_error=False)
    async def action_look(self) -> None:
        """Ask which models there are."""
        try:
            self._found = await self.app.link.ask(_LANE, lambda one: one.models())
        except PplxLocalError as error:
            self.models.show([], "no answer yet; r asks again")
            self.app.tell(error)
        self._show()

    def _show(self) -> None:
        status = self.app.status
        self.query_one("#answering", Static).update(answering(status))
        if self._found:
            self.models.show(rows_of(self._found, status, self._marked))

    @on(Rows.Chosen, "#models")
    def show_details(self) -> None:
        """Say more of the one under the cursor."""
        said = details(self.models.chosen, self.app.status)
        self.query_one("#details", Static).update(said)

    # --- choosing ---

    @on(Rows.Opened, "#models")
    def use_entered(self) -> None:
        """Use the one that was entered, or clicked twice."""
        self.action_use()

    def action_mark(self) -> None:
        """Mark one of a pair, or no longer."""
        row = self.models.chosen
        if row is None or row.model is None:
            return
        if row.name in self._marked:
            self._marked.remove(row.name)
        else:
            self._marked = [*self._marked, row.name][-2:]
        self._show()

    def action_use(self) -> None:
        """Choose what is marked, else what is under the cursor."""
        row = self.models.chosen
        if row is None:
            return
        if not self._marked and row.state == "not here":
            self.action_pull()
            return
        self._use(" + ".join(self._marked) or row.name)

    @work(exclusive=True, group="use", exit_on_error=False)
    async def _use(self, name: str) -> None:
        link = self.app.link
        try:
            found = await link.ask(_LANE, lambda one: one.estimate_model(name))
            question = Confirm(f"Use {name}?", cost_lines(found), yes="Use it")
            if not await self.app.push_screen_wait(question):
                return
            removed = await link.ask(_LANE, lambda one: one.use_model(name))
        except PplxLocalError as error:
            self.app.tell(error)
            return
        if removed:
            said = f"Removed the vectors of {' and '.join(removed)}."
            self.notify(plain(said).plain, markup=False)
        self._marked = []
        await self.app.look()
        self.action_look()

    # --- getting and checking ---

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def action_pull(self) -> None:
        """Fetch the checkpoint under the cursor, after a yes."""
        row = self.models.chosen
        model = row.model if row else None
        if model is None or self._is_busy():
            return
        if model.path or not model.repository:
            here = f"{model.name} is here already; c checks it."
            self.notify(here if model.path else model.install, markup=False)
            return
        lines = [
            needs_in_words(model),
            f"From the Hugging Face hub: {model.repository}, licence {model.license}.",
            "x stops it; it goes on where it stopped when it is fetched again.",
        ]
        if await self.app.push_screen_wait(
            Confirm(f"Fetch {model.name}?", lines, yes="Fetch")
        ):
            command = ["models", "pull", model.name, "--yes", "--progress", "json"]
            self._run(f"Fetching {model.name}", command)

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def action_import(self) -> None:
        """Take a checkpoint from a folder."""
        if self._is_busy():
            return
        dialog = await apart(_import_dialog)
        if folder := await self.app.push_screen_wait(dialog()):
            command = ["models", "import", "--progress", "json", "--", folder]
            self._run(f"Importing {folder}", command)

    def action_check(self) -> None:
        """Compare what the checkpoint computes with published figures."""
        row = self.models.chosen
        if row and row.model and not self._is_busy():
            self._run(f"Checking {row.name}", ["models", "check", row.name])

    def _is_busy(self) -> bool:
        if self._child:
            self.notify("One at a time: x stops what is under way.", markup=False)
        return self._child is not None

    def _run(self, title: str, command: list[str]) -> None:
        self.errand.begin(title)
        self._child = Child(self.app.link.home, self.app.link.flags, command)
        self._follow(self._child)

    @work(group="errand", exit_on_error=False)
    async def _follow(self, child: Child) -> None:
        try:
            code = await child.run(self.errand.tell)
        finally:
            self._child = None
        if child.is_ended:
            self.errand.end("stopped; what was fetched is kept", "$text-warning")
        elif code:
            self.errand.end("failed", "bold $text-error")
        else:
            self.errand.end("done", "bold $text-success")
        self.action_look()

    def action_stop(self) -> None:
        """Stop the pull, import or check."""
        if self._child:
            self._child.end()

    def action_leave(self) -> None:
        """Unmark, else close what was done, else go back to the search."""
        if self._marked:
            self._marked = []
            self._show()
        elif self.errand.has_class("-shown") and not self._child:
            self.errand.hide()
        else:
            self.app.switch_mode("search")


def _import_dialog() -> type[ImportDialog]:
    """Load it, which takes longer than a frame may."""
    from pplx_local.tui.models.import_dialog import ImportDialog

    return ImportDialog


def _name(row: ModelRow) -> str:
    return row.name
