from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from textual.pilot import Pilot
from textual.widgets import Input

from pplx_local.tui.app import PplxLocal
from pplx_local.tui.search.screen import SearchScreen
from pplx_local.tui.welcome import WelcomeScreen
from pplx_local.tui.welcome.disk import chosen, completions, folders_in, typed_path
from pplx_local.tui.welcome.tree import FolderTree

SIZES = [(40, 12), (80, 24), (250, 70)]
HOSTILE = ("[bold]x", "a\x1b[31m", "b\u202efdp")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, ["--impatient"]) as daemon:
        yield daemon


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's folders, and a person whose home they are."""
    for name in ("notes/deep", "novels", ".hidden", *HOSTILE):
        (tmp_path / "disk" / name).mkdir(parents=True)
    (tmp_path / "disk/notes/tea.md").write_text("Green tea is steeped.\n")
    (tmp_path / "disk/notes/photo.jpg").write_bytes(b"\xff\xd8\xff")
    monkeypatch.setenv("HOME", str(tmp_path / "disk"))
    return tmp_path / "disk"


@pytest.fixture
def app(daemon: Daemon, disk: Path) -> PplxLocal:
    return PplxLocal(daemon.settings.home)


def screen(app: PplxLocal) -> WelcomeScreen:
    assert isinstance(app.screen, WelcomeScreen)
    return app.screen


async def greeted(pilot: Pilot[Any]) -> WelcomeScreen:
    app = pilot.app
    assert isinstance(app, PplxLocal)
    await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
    await until(pilot, lambda: isinstance(app.focused, Input) and "▸" in shown(app))
    return screen(app)


async def type_in(pilot: Pilot[Any], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text
    pilot.app.screen.query_one(Input).cursor_position = len(text)
    await pilot.pause()


# --- the disk ----------------------------------------------------------------


def test_folders_are_listed_by_name_and_hidden_ones_when_asked_for(disk: Path) -> None:
    names = folders_in(disk, hidden=False).names
    assert names == ("[bold]x", "a\x1b[31m", "b\u202efdp", "notes", "novels")
    assert ".hidden" in folders_in(disk, hidden=True).names
    assert folders_in(disk / "notes", hidden=False).names == ("deep",)


def test_of_very_many_folders_the_first_are_listed(tmp_path: Path) -> None:
    for number in range(1_010):
        (tmp_path / f"{number:04}").mkdir()
    found = folders_in(tmp_path, hidden=False)
    assert (len(found.names), found.n_more) == (1_000, 10)


def test_a_path_is_completed_whatever_its_case(disk: Path) -> None:
    assert completions(f"{disk}/NO") == [f"{disk}/notes/", f"{disk}/novels/"]
    assert completions("~") == ["~/"]
    assert completions("~/not") == ["~/notes/"]
    assert completions("~/.h") == ["~/.hidden/"]
    assert completions("") == completions("~/nowhere/x") == []


def test_names_that_a_terminal_would_obey_are_not_typed(disk: Path) -> None:
    assert completions("~/a") == completions("~/b") == []
    assert completions("~/[") == ["~/[bold]x/"]


def test_what_is_typed_is_a_path_or_a_reason(disk: Path) -> None:
    assert typed_path(" ~/notes/ ") == disk / "notes"
    assert chosen("~/notes") == (disk / "notes", None)
    assert "no folder" in str(chosen("~/nowhere")[1])
    assert chosen("~/\0")[1] is not None


# --- the screen --------------------------------------------------------------


def test_the_first_run_asks_for_folders_and_starts(app: PplxLocal, disk: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        welcome = await greeted(pilot)
        assert "Which folders" in shown(app)
        for char in "notes":
            await pilot.press(char)
        assert welcome.query_one(Input).value == "notes"
        await type_in(pilot, "~/notes")
        await pilot.press("enter")
        await until(pilot, lambda: "1 file to read" in shown(app))
        assert "Markdown" in shown(app)
        assert "not read:" in shown(app)
        assert "fake" in shown(app)
        assert welcome.query_one(Input).value == ""
        await pilot.press("enter")  # with nothing typed, it starts
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        await until(pilot, lambda: app.status and app.status.states.get("indexed"))

    drive(app, steps)


def test_tab_completes_and_enter_takes_what_is_offered(
    app: PplxLocal, disk: Path
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        welcome = await greeted(pilot)
        await type_in(pilot, "~/no")
        await until(pilot, lambda: "~/novels" in shown(app))
        await pilot.press("down", "tab")
        assert welcome.query_one(Input).value == "~/novels/"
        await type_in(pilot, "~/not")
        await until(pilot, lambda: "~/novels" not in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: welcome.query_one(Input).value == "~/notes/")
        await pilot.press("enter")
        await until(pilot, lambda: welcome.chosen)
        assert welcome.chosen[0].path == disk / "notes"

    drive(app, steps)


def test_tab_without_an_offer_goes_on(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await greeted(pilot)
        await pilot.press("tab")
        assert isinstance(app.focused, FolderTree)

    drive(app, steps)


def test_folders_are_picked_in_the_tree(app: PplxLocal, disk: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        welcome = await greeted(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "novels" in shown(app))
        tree = welcome.query_one(FolderTree)
        assert [str(node.label) for node in tree.root.children] == ["~", "/"]
        await pilot.press("home", "down", "down", "down", "down", "space")
        await until(pilot, lambda: welcome.chosen)
        assert welcome.chosen[0].path == disk / "notes"
        assert "● notes" in shown(app)
        await pilot.press("right")
        await until(pilot, lambda: "deep" in shown(app))
        await pilot.press("left", "space")
        await until(pilot, lambda: not welcome.chosen)
        await pilot.press("ctrl+t")
        assert isinstance(app.focused, Input)

    drive(app, steps)


def test_hidden_folders_are_shown_when_asked_for(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await greeted(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "novels" in shown(app))
        assert ".hidden" not in shown(app)
        await pilot.press("full_stop")
        await until(pilot, lambda: ".hidden" in shown(app))

    drive(app, steps)


def test_hostile_names_are_shown_and_not_obeyed(app: PplxLocal, disk: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        welcome = await greeted(pilot)
        await until(pilot, lambda: "novels" in shown(app))
        for seen in ("[bold]x", "a\\x1b[31m", "b\\u202efdp"):
            assert seen in shown(app)
        await pilot.press("ctrl+t", "home", "down", "space", "down", "space")
        await until(pilot, lambda: len(welcome.chosen) == 2)
        await until(pilot, lambda: shown(app).count("0 files to read") >= 2)
        assert "~/a\\x1b[31m" in shown(app)

    drive(app, steps)


def test_what_cannot_be_chosen_is_said(app: PplxLocal, disk: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        welcome = await greeted(pilot)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "Choose a folder first" in shown(app))
        await type_in(pilot, "~/nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "there is no folder" in shown(app))
        await type_in(pilot, "~/notes")
        await pilot.press("enter")
        await until(pilot, lambda: welcome.chosen)
        await type_in(pilot, "~/notes/deep")
        await pilot.press("enter")
        await until(pilot, lambda: "is chosen already" in shown(app))
        await type_in(pilot, "")
        await pilot.press("backspace")
        await until(pilot, lambda: len(welcome.chosen) == 1)  # the box's own key
        welcome.chosen[0].focus()
        await pilot.press("delete")
        await until(pilot, lambda: not welcome.chosen)

    drive(app, steps, (200, 30))  # paths are long, and what is said would be cut


def test_what_the_daemon_refuses_is_said(app: PplxLocal, daemon: Daemon) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await greeted(pilot)
        await type_in(pilot, str(daemon.settings.home))
        await pilot.press("enter")
        await until(pilot, lambda: screen(app).chosen)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: app._notifications)
        await until(
            pilot, lambda: any(one.severity == "error" for one in app._notifications)
        )

    drive(app, steps)


def test_escape_leaves_it_for_later(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await greeted(pilot)
        await pilot.press("escape")
        assert isinstance(app.screen, SearchScreen)
        await app.look()
        await pilot.pause()
        assert isinstance(app.screen, SearchScreen)  # once is enough

    drive(app, steps)


def test_a_home_with_folders_is_not_asked(app: PplxLocal, daemon: Daemon) -> None:
    daemon.add()

    async def steps(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.status)
        await pilot.pause(0.1)
        assert isinstance(app.screen, SearchScreen)

    drive(app, steps)


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(app: PplxLocal, disk: Path, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        welcome = await greeted(pilot)
        await until(pilot, lambda: "novels" in shown(app))
        await type_in(pilot, "~/notes")
        await pilot.press("enter")
        await until(pilot, lambda: "1 file to read" in shown(app))
        assert "~/notes" in shown(app)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "● notes" in shown(app))
        await pilot.resize_terminal(20, 6)
        await pilot.resize_terminal(*size)
        assert welcome.is_current

    drive(app, steps, size)


def test_where_the_daemon_has_ended_another_one_surveys(
    app: PplxLocal, daemon: Daemon
) -> None:
    """The survey fails where the daemon does; the next one has another."""

    async def steps(pilot: Pilot[Any]) -> None:
        await greeted(pilot)
        daemon.stop()
        await type_in(pilot, "~/notes")
        await pilot.press("enter")
        await until(pilot, lambda: "1 file to read" in shown(app))

    drive(app, steps)
