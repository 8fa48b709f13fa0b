from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from textual.pilot import Pilot
from textual.widgets import Input

from pplx_local.records import FileRecord, FolderStatus
from pplx_local.tui.app import PplxLocal
from pplx_local.tui.confirm import Confirm
from pplx_local.tui.fitting import at_home, below, both_ends, end_of
from pplx_local.tui.folders import FoldersScreen
from pplx_local.tui.folders.files import Files
from pplx_local.tui.folders.why import Why
from pplx_local.tui.paint import plain
from pplx_local.tui.rows import Rows
from pplx_local.tui.search.screen import SearchScreen
from pplx_local.tui.states import SIGNS, counts_content
from pplx_local.tui.welcome import WelcomeScreen

SIZES = [(40, 12), (80, 24), (250, 70)]
N_NOTES = 450
"""More than two pages."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("folders"), ["--impatient"]) as daemon:
        for number in range(N_NOTES):
            daemon.write(f"notes/note-{number:03}.txt", f"Note {number} on rivers.\n")
        daemon.write("photo.jpg", "no photo")
        daemon.write("blank.md", "   \n")
        daemon.write("[bold]x[b].txt", "A hostile name for a text on markup.\n")
        daemon.write("a\x1b[31m\u202efdp.txt", "Another one.\n")
        (daemon.folder / os.fsdecode(b"caf\xe9.txt")).write_text("Coffee.\n")
        daemon.add()
        yield daemon


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose folders a test may change."""
    with Daemon(tmp_path, ["--impatient"]) as daemon:
        daemon.write("tea.md", "Green tea is steeped.\n")
        daemon.add()
        yield daemon


def rows(app: PplxLocal, name: str) -> Rows[Any]:
    return app.screen.query_one(name, Rows)


def listed(app: PplxLocal) -> list[FileRecord]:
    return list(rows(app, "#files").rows)


async def opened(pilot: Pilot[Any]) -> FoldersScreen:
    """Go to the folders, and wait for the first files."""
    app = pilot.app
    assert isinstance(app, PplxLocal)
    await until(pilot, lambda: app.status)
    await pilot.press("f3")
    await until(pilot, lambda: isinstance(app.screen, FoldersScreen))
    await until(pilot, lambda: app.screen.query(Files) and listed(app))
    screen = app.screen
    assert isinstance(screen, FoldersScreen)
    return screen


# --- fitting -----------------------------------------------------------------


def test_paths_are_shown_as_people_know_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert at_home(b"/home/ann/notes") == "~/notes"
    assert at_home(b"/home/ann") == "~"
    assert at_home(b"/home/anna/notes") == "/home/anna/notes"
    assert at_home(b"/x/caf\xe9\x1b[0m") == "/x/caf\\xe9\\x1b[0m"
    assert below(b"/home/ann/notes/a/b.md", b"/home/ann/notes") == "a/b.md"
    assert below(b"/home/ann/x.md", b"/home/ann/x.md") == "~/x.md"
    assert below(b"/etc", b"/") == "etc"


@pytest.mark.parametrize("room", range(2, 30))
def test_the_end_of_a_path_fits(room: int) -> None:
    for path in ("/a/漢字漢字漢字/x.md", "/home/ann/notes/🫖/tea-and-coffee.md"):
        cut = end_of(path, room)
        assert plain(cut).cell_length <= room
        assert cut == path or path.endswith(cut[1:])


@pytest.mark.parametrize("width", [1, 8, 20, 60])
def test_both_ends_fit(width: int) -> None:
    line = both_ends(plain("a long name " * 5), plain("12 kB"), width)
    assert line.cell_length <= width


def test_every_state_differs_without_colour() -> None:
    assert len({sign for sign, _ in SIGNS.values()}) == len(SIGNS) == 7
    said = counts_content({"indexed": 1_200, "no_text": 3, "failed": 0}).plain
    assert said == "✓ 1,200 indexed  ○ 3 no text"


# --- what is shown -----------------------------------------------------------


def test_folders_and_their_files_are_shown(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        seen = shown(app)
        assert f"1 folder, {N_NOTES + 5} files" in seen
        assert "1 empty" in seen
        assert "1 skipped" in seen
        assert "looked through" in seen
        assert "watched" in seen
        assert "fresh as of" in seen

    drive(app, steps)


def test_hostile_names_are_shown_and_not_obeyed(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        seen = shown(app)
        for name in ("[bold]x[b].txt", "a\\x1b[31m\\u202efdp.txt", "caf\\xe9.txt"):
            assert name in seen
        assert "\x1b" not in seen

    drive(app, steps)


def test_files_come_a_page_at_a_time(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        assert len(listed(app)) == 200
        assert "200+ files" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is rows(app, "#files"))
        await pilot.press("end")
        await until(pilot, lambda: len(listed(app)) == 400)
        await pilot.press("end")
        await until(pilot, lambda: len(listed(app)) == N_NOTES + 5)
        assert "455 files" in shown(app)
        paths = [file.path for file in listed(app)]
        assert paths == sorted(set(paths))
        await pilot.press("home")
        assert rows(app, "#files").cursor == 0

    drive(app, steps)


def test_files_are_listed_by_state(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        seen = []
        for _ in range(4):
            before = listed(app)
            await pilot.press("s")
            await until(pilot, lambda before=before: listed(app) != before)
            seen.append(sorted({one.state for one in listed(app)}))
        assert seen[0] == ["indexed"]
        assert seen[1] == ["empty"]
        assert seen[2] == ["skipped"]
        assert len(seen[3]) > 1  # all of them again
        await pilot.press("S")
        await until(pilot, lambda: [one.state for one in listed(app)] == ["skipped"])
        assert str(listed(app)[0].reason) in shown(app)

    drive(app, steps)


def test_typing_filters_over_all_pages(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        screen = await opened(pilot)
        await pilot.press("slash", *"TE-44", "space", *"9.tx")
        await until(pilot, lambda: len(listed(app)) == 1)
        assert listed(app)[0].path.endswith(b"note-449.txt")
        await pilot.press("enter")
        assert app.focused is rows(app, "#files")
        await pilot.press("slash", "z")
        await until(pilot, lambda: "no such file here" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(listed(app)) == 200)
        assert screen.query_one(Input).value == ""

    drive(app, steps)


def test_what_is_chosen_is_told_in_full(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        about = f"{daemon.folder}: looked through"
        await until(pilot, lambda: about in shown(app).replace("\n ", ""))
        await pilot.press("tab", "slash", *"photo")
        await until(pilot, lambda: "photo.jpg: skipped: " in shown(app))
        await pilot.press("escape", "tab")
        await until(pilot, lambda: about in shown(app).replace("\n ", ""))

    drive(app, steps, (160, 40))


def test_why_answers_for_any_path(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, Why))
        box = app.screen.query_one(Input)
        assert box.value == str(daemon.folder)
        box.value = "/nowhere/x.md"
        await pilot.press("enter")
        expected = daemon.client.why(Path("/nowhere/x.md"))
        await until(pilot, lambda: expected in shown(app))
        await pilot.press("escape")
        assert isinstance(app.screen, FoldersScreen)

    drive(app, steps, (200, 30))


def test_why_of_a_hostile_name_is_answered_and_not_typed(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("tab", "slash", *"fdp", "enter")
        await until(pilot, lambda: len(listed(app)) == 1)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, Why))
        await until(pilot, lambda: "indexed" in shown(app))
        assert app.screen.query_one(Input).value == ""

    drive(app, steps)


# --- doing -------------------------------------------------------------------


def test_a_folder_is_removed_after_a_question(own: Daemon) -> None:
    app = PplxLocal(own.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "stay where they are" in shown(app)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, FoldersScreen))
        assert own.client.status().folders
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: not own.client.status().folders)
        await until(pilot, lambda: "No folder yet" in shown(app))
        await pilot.press("d", "u", "s", "w", "tab", "enter", "slash")  # no harm

    drive(app, steps)
    assert (own.folder / "tea.md").exists()


def test_indexing_is_paused_and_goes_on(own: Daemon) -> None:
    app = PplxLocal(own.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("p")
        await until(pilot, lambda: "paused" in shown(app).splitlines()[0])
        assert own.state().paused
        await pilot.press("p")
        await until(pilot, lambda: "paused" not in shown(app).splitlines()[0])
        assert not own.state().paused

    drive(app, steps)


def test_an_update_is_asked_for_and_told(own: Daemon) -> None:
    app = PplxLocal(own.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("u")
        await until(
            pilot,
            lambda: any("unchanged" in one.message for one in app._notifications),
        )

    drive(app, steps)


def test_what_is_new_is_listed_at_once(own: Daemon) -> None:
    app = PplxLocal(own.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        own.write("coffee.md", "Coffee is brewed.\n")
        await until(pilot, lambda: len(listed(app)) == 2)
        await until(pilot, lambda: "2 indexed" in shown(app))

    drive(app, steps)


def test_folders_are_added_from_here(own: Daemon, tmp_path: Path) -> None:
    app = PplxLocal(own.settings.home)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/cocoa.md").write_text("Cocoa is stirred.\n")

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.screen.query_one(Input).value = str(own.folder)
        await pilot.press("enter")
        await until(pilot, lambda: "is searched already" in shown(app))
        app.screen.query_one(Input).value = str(tmp_path / "more")
        await pilot.press("enter")
        await until(pilot, lambda: "1 file to read" in shown(app))
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "2 folders, 2 files" in shown(app))

    drive(app, steps, (200, 30))  # paths are long, and what is said would be cut


# --- keys and sizes ----------------------------------------------------------


def test_escape_goes_back_step_by_step(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("tab", "escape")
        await until(pilot, lambda: app.focused is rows(app, "#folders"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))

    drive(app, steps)


def test_the_mouse_chooses_and_enters(daemon: Daemon) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.click("#files", offset=(5, 2))
        await until(pilot, lambda: rows(app, "#files").cursor == 2)
        await pilot.click("#folders", offset=(5, 0), times=2)
        await until(pilot, lambda: app.focused is rows(app, "#files"))

    drive(app, steps)


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(daemon: Daemon, size: tuple[int, int]) -> None:
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        assert "indexed" in shown(app)
        await pilot.press("tab")
        await until(pilot, lambda: "note-000.txt" in shown(app) or "x[b]" in shown(app))
        for width, height in ((20, 6), (3, 3), size):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
        assert app.focused is rows(app, "#files")

    drive(app, steps, size)


def test_the_cursor_stays_with_its_row() -> None:
    records = [_folder(name) for name in (b"/a", b"/b", b"/c")]
    rows: Rows[FolderStatus] = Rows(lambda one, width: [], lambda one: one.path, id="x")
    rows.rows = records
    rows.set_reactive(Rows.cursor, 1)
    assert rows._place_of(b"/b") == 1
    rows.rows = records[1:]
    assert rows._place_of(b"/b") == 0
    rows.rows = records[:1]
    assert rows._place_of(b"/b") == 0


def _folder(path: bytes) -> FolderStatus:
    return FolderStatus(path, True, None, {})
