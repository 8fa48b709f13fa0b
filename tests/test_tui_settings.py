"""The settings screen: every key of it, over a real daemon and a real file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon, wait_for
from interface import drive, shown, until
from textual.pilot import Pilot
from textual.widgets import Input

from pplx_local.config import KEYS, load_settings
from pplx_local.tui.app import PplxLocal
from pplx_local.tui.choose import Choose
from pplx_local.tui.confirm import Confirm
from pplx_local.tui.prompt import Prompt
from pplx_local.tui.search.query import Query
from pplx_local.tui.settings.rows import SettingRow, details
from pplx_local.tui.settings.screen import SettingsScreen


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("settings")) as daemon:
        daemon.write("tide.txt", "The tide turns at six.\n")
        daemon.add()
        yield daemon


@pytest.fixture
def app(daemon: Daemon) -> PplxLocal:
    """An app over settings that are as by default."""
    daemon.settings.file.unlink(missing_ok=True)
    (daemon.settings.home / "tui.json").unlink(missing_ok=True)
    daemon.client.follow_settings()
    return PplxLocal(daemon.settings.home)


async def opened(pilot: Pilot[Any]) -> SettingsScreen:
    """Go to the screen, and wait for what the daemon goes by."""
    await until(pilot, lambda: pilot.app.status)
    await pilot.press("f6")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
    screen = pilot.app.screen
    assert isinstance(screen, SettingsScreen)
    await until(pilot, lambda: screen._in_force)
    return screen


async def chosen(pilot: Pilot[Any], name: str) -> SettingsScreen:
    """Put the cursor on a row."""
    screen = await opened(pilot)
    names = [row.name for row in screen.settings.rows]
    screen.settings.action_go_to(names.index(name))
    await pilot.pause()
    return screen


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Put a line in the box, and enter it."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Prompt))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


def in_file(app: PplxLocal, name: str) -> object:
    return getattr(load_settings(app.link.home), name)


def test_every_setting_is_there_with_what_it_is_for(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await opened(pilot)
        names = [row.name for row in screen.settings.rows]
        assert names == [*KEYS, "theme", "history"]
        for place, key in enumerate(KEYS.values()):
            screen.settings.action_go_to(place)
            await pilot.pause()
            assert key.about[:30] in shown(app)
        assert str(app.link.home / "config.toml") in shown(app)

    drive(app, steps, (160, 40))


def test_a_number_is_typed_and_the_daemon_follows(
    app: PplxLocal, daemon: Daemon
) -> None:
    app.link.home.joinpath("config.toml").write_text('# mine\npower = "always"\n')

    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "max_file_bytes")
        await pilot.press("enter")
        await typed(pilot, "lots")
        await until(pilot, lambda: "should be of type int" in shown(app))
        await typed(pilot, "12_345")
        await until(pilot, lambda: "max_file_bytes is 12,345 now." in shown(app))
        assert in_file(app, "max_file_bytes") == 12_345
        assert "# mine" in app.link.home.joinpath("config.toml").read_text()
        assert daemon.client.follow_settings()["max_file_bytes"] == 12_345

    drive(app, steps)


def test_a_file_that_cannot_be_changed_is_told(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "power")
        app.link.home.joinpath("config.toml").write_bytes(b"# f\xfcr mich\n")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "line 1 is not in UTF-8" in shown(app))

    drive(app, steps, (160, 40))


def test_a_word_is_chosen(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "power")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("escape")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "power is always now." in shown(app))
        assert in_file(app, "power") == "always"
        await pilot.press("d")
        await until(pilot, lambda: "power is auto now." in shown(app))
        assert in_file(app, "power") == "auto"

    drive(app, steps)


def test_another_word_than_those_listed_is_typed(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "backend")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("end", "enter")
        await typed(pilot, "abacus")
        await until(pilot, lambda: screen.settings.chosen.in_force == "auto")
        assert in_file(app, "backend") == "abacus"
        assert "The daemon that runs goes by auto" in " ".join(shown(app).split())

    drive(app, steps, (140, 30))


def test_the_daemon_of_another_is_not_ended(app: PplxLocal, daemon: Daemon) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("a")
        await until(pilot, lambda: "was started apart from here" in shown(app))
        assert daemon.client.hello()["pid"] == daemon.pid

    drive(app, steps, (140, 30))


@pytest.mark.parametrize(
    ("is_own", "how"), [(True, "a starts it anew"), (False, "pplx-local daemon stop")]
)
def test_how_a_daemon_is_started_anew_hangs_on_whose_it_is(
    is_own: bool, how: str
) -> None:
    key = KEYS["window_tokens"]
    row = SettingRow(key.name, "512", True, "8,192", key)
    assert how in details(row, is_own=is_own).plain


def test_our_own_daemon_is_started_anew(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:  # it registers a folder, and ends
        daemon.write("tide.txt", "The tide turns at six.\n")
        daemon.add()
    home = daemon.settings.home
    home.joinpath("config.toml").write_text('model = "none"\n')
    app = PplxLocal(home)

    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "window_tokens")
        first = app.status.daemon.pid
        await pilot.press("enter")
        await typed(pilot, "512")
        await until(pilot, lambda: screen.settings.chosen.in_force == "8,192")
        await pilot.press("a")
        await until(pilot, lambda: screen.settings.chosen.in_force is None)
        await until(pilot, lambda: app.status.daemon.pid != first)

    drive(app, steps)
    wait_for(lambda: not (home / "daemon.json").exists())


def test_a_theme_is_shown_while_it_is_chosen(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        before = app.theme
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("home")
        await until(pilot, lambda: app.theme != before)
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == before)
        assert app.memory.theme is None
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("home", "enter")
        await until(pilot, lambda: app.memory.theme == app.theme != before)
        await until(pilot, (app.link.home / "tui.json").exists)

    drive(app, steps)


def test_the_questions_are_forgotten_after_a_yes_only(app: PplxLocal) -> None:
    app.memory.note_query("where is the [bold]rent[/]")

    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "history")
        assert "1 question" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: "Forget 1 question?" in shown(app))
        await pilot.press("enter")  # which is on the answer that does no harm
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert app.memory.queries
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("left", "enter")
        await until(pilot, lambda: not app.memory.queries)
        assert "rent" not in (app.link.home / "tui.json").read_text()
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "search")
        await pilot.press("alt+up")
        assert app.screen.query_one(Query).value == ""

    drive(app, steps)


def test_the_model_is_for_its_own_screen(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "model")
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "models")

    drive(app, steps)


def test_a_file_with_a_mistake_is_told_with_the_reason(app: PplxLocal) -> None:
    file = app.link.home / "config.toml"

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        file.write_text('"[bold]\\u001b[31m" = 1\n')
        await pilot.press("r")
        await until(pilot, lambda: "has the unknown key" in shown(app))
        assert "\x1b" not in shown(app)
        file.unlink()
        await pilot.press("r")
        await until(pilot, lambda: "has the unknown key" not in shown(app))

    drive(app, steps, (200, 30))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (250, 70)])
def test_it_fits(app: PplxLocal, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        for key in ("down", "up", "end", "home", "pagedown"):
            await pilot.press(key)
        await chosen(pilot, "window_tokens")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        assert "8_192" in shown(app)
        await pilot.press("escape", "t")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert "textual-dark" in shown(app)
        await pilot.press("escape")

    drive(app, steps, size)
