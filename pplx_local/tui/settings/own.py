"""What the interface keeps for itself: its colours, and the questions of old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pplx_local.tui.apart import apart
from pplx_local.tui.choose import Choose
from pplx_local.tui.confirm import Confirm
from pplx_local.tui.search.query import Query
from pplx_local.wording.amounts import count

if TYPE_CHECKING:
    from pplx_local.tui.app import PplxLocal


async def choose_theme(app: PplxLocal) -> None:
    """Ask for the colours, and show each at once; they are kept."""
    before = app.theme

    def preview(name: str) -> None:
        app.theme = name

    names = sorted(app.available_themes)
    given = await app.push_screen_wait(
        Choose("theme", "Each is shown at once.", names, before, preview=preview)
    )
    app.theme = given or before
    if given:
        app.memory.theme = given
        await apart(app.memory.save)


async def forget_queries(app: PplxLocal) -> None:
    """Forget the questions that were asked, after a yes."""
    memory = app.memory
    if not memory.queries:
        return
    question = f"Forget {count(len(memory.queries), 'question')}?"
    if await app.push_screen_wait(Confirm(question, yes="Forget", is_grave=True)):
        await apart(memory.forget_queries)
        [search, *_] = app.get_screen_stack("search")
        search.query_one(Query).remember(memory.queries)
