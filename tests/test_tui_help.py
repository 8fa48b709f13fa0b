"""The help screen: the keys of where one is, how to ask, and what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from textual.pilot import Pilot
from textual.widgets import Static

from pplx_local.search.query import parse_query
from pplx_local.tui.app import PplxLocal
from pplx_local.tui.help import HelpScreen
from pplx_local.tui.help.texts import LEGS, QUERIES
from pplx_local.tui.paint import STYLES


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("help")) as daemon:
        daemon.write("tide.txt", "The tide turns at six.\n")
        daemon.add()
        yield daemon


@pytest.fixture
def app(daemon: Daemon) -> PplxLocal:
    return PplxLocal(daemon.settings.home)


async def page(pilot: Pilot[Any], mode: str = "f2") -> str:
    """Ask for help on a screen, and give all that the page says."""
    app = pilot.app
    assert isinstance(app, PplxLocal)
    await until(pilot, lambda: app.status)
    await pilot.press(mode, "f1")
    await until(pilot, lambda: isinstance(app.screen, HelpScreen))
    text = app.screen.query_one("#text", Static)
    await until(pilot, lambda: "Where things lie" in str(text.content))
    return str(text.content)


def test_every_key_of_the_screen_is_listed(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.status)
        bound = [b for _, b in app.screen._bindings if b.description]
        said = await page(pilot)
        for binding in bound:
            if not binding.action.startswith(("app.focus", "screen.copy_text")):
                assert binding.description in said, binding
        assert "Every action, to choose from" in said
        assert "In a line of text" in said

    drive(app, steps)


def test_the_keys_are_those_of_where_one_comes_from(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        said = await page(pilot, "f6")
        assert "Start the daemon anew" in said
        assert "Copy path:line" not in said
        assert "In a line of text" not in said

    drive(app, steps)


def test_the_query_language_the_marks_and_the_places_are_told(
    app: PplxLocal,
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        said = await page(pilot)
        for word, _ in (*QUERIES, *LEGS):
            assert word in said
        for strength in STYLES:
            assert f"\n  {strength} " in said
        for place in ("config.toml", "index.db", "logs/daemon.log", "tui.json"):
            assert str(app.link.home / place) in said.replace("\n", "")

    drive(app, steps, (250, 70))


@pytest.mark.parametrize("word", [word for word, _ in QUERIES])
def test_what_help_says_of_queries_is_understood(word: str) -> None:
    assert not parse_query(f"rent {word}").hints


@pytest.mark.parametrize("key", ["escape", "q", "f1"])
def test_it_closes(app: PplxLocal, key: str) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await page(pilot, "f5")
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))
        assert app.current_mode == "models"

    drive(app, steps)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (250, 70)])
def test_it_scrolls_to_its_end_at_any_size(
    app: PplxLocal, size: tuple[int, int]
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await page(pilot)
        assert "On this screen" in shown(app)
        await pilot.press("j", "j", "k", "down", "pagedown", "home")
        await until(pilot, lambda: "On this screen" in shown(app))
        await pilot.press("end")
        await until(
            pilot,
            lambda: "In a line of text" in shown(app) or "clipboard" in shown(app),
        )
        assert all(len(line) <= size[0] for line in shown(app).splitlines())

    drive(app, steps, size)
