"""The models screen: every key of it, over a daemon with a catalogue of fakes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from daemon import Daemon, fake_catalogue, wait_for
from delivered import Program, tiny_checkpoint
from fakes import install_fake_checkpoint
from hub import Hub, Server, require_loopback
from interface import drive, shown, until
from textual.pilot import Pilot
from tiny import config_of

from pplx_local.tui.app import PplxLocal
from pplx_local.tui.models import child
from pplx_local.tui.models.errand import ErrandView
from pplx_local.tui.models.screen import ModelsScreen

_HERE = ("fake", "big", "dense-only", "late-only")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("models"), ["--fake-catalogue"])
    for name in _HERE[1:]:
        install_fake_checkpoint(daemon.settings.home, name)
    with daemon:
        daemon.write("tide.txt", "The tide turns at six.\n")
        daemon.add()
        yield daemon


@pytest.fixture
def daemon(shared: Daemon) -> Daemon:
    """The daemon as it was at first: `fake` answers."""
    shared.client.use_model("auto")
    wait_for(lambda: set(shared.client.status().profile.values()) == {"fake"})
    return shared


@pytest.fixture
def app(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> PplxLocal:
    """An app whose children know the daemon's catalogue."""
    command = Program(daemon.settings.home, *fake_catalogue())._command[:4]
    monkeypatch.setattr(child, "PROGRAM", command)
    return PplxLocal(daemon.settings.home)


async def opened(pilot: Pilot[Any]) -> ModelsScreen:
    """Go to the screen, and wait for the list."""
    await until(pilot, lambda: pilot.app.status)
    await pilot.press("f5")
    await until(pilot, lambda: isinstance(pilot.app.screen, ModelsScreen))
    screen = pilot.app.screen
    assert isinstance(screen, ModelsScreen)
    await until(pilot, lambda: len(screen.models.rows) > 2)
    return screen


async def chosen(pilot: Pilot[Any], name: str) -> ModelsScreen:
    """Put the cursor on a row."""
    screen = await opened(pilot)
    names = [row.name for row in screen.models.rows]
    screen.models.action_go_to(names.index(name))
    await pilot.pause()
    return screen


def profile(app: PplxLocal) -> dict[str, str | None]:
    return dict(app.status.profile) if app.status else {}


def test_a_child_runs_on_what_we_were_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = [sys.executable, "-c", "import sys; print(*sys.argv[1:])"]
    monkeypatch.setattr(child, "PROGRAM", program)
    flags = {"--backend": None, "--device": "cpu"}
    said: list[object] = []
    one = child.Child(tmp_path, flags, ["models", "check", "big"])
    assert asyncio.run(one.run(said.append)) == 0
    assert said == [f"--home {tmp_path} --device cpu models check big"]


def test_what_answers_and_what_is_here_is_told(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await opened(pilot)
        states = {row.name: row.state for row in screen.models.rows}
        assert states["fake"] == "answers"
        assert states["big"] == "here"
        assert states["far-away"] == "not here"
        assert list(states)[-2:] == ["auto", "none"]
        await until(pilot, lambda: "fake answers" in shown(app))
        assert "answers: dense and late" in shown(app)
        assert "the setting" in shown(app)

    drive(app, steps, (120, 30))


def test_a_model_is_used_after_its_cost_was_shown(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "big")
        await pilot.press("enter")
        await until(pilot, lambda: "Use big?" in shown(app))
        assert "To embed: 1 document" in shown(app)
        assert "Until then fake goes on answering." in shown(app)
        await pilot.press("n")
        await pilot.pause(0.2)
        assert profile(app)["dense"] == "fake"
        await pilot.press("enter")
        await until(pilot, lambda: "Use big?" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: profile(app)["dense"] == "big")
        await until(pilot, lambda: "big answers" in shown(app))

    drive(app, steps)


def test_enter_does_not_overtake_an_arrow(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "fake")
        app.simulate_key("down")
        app.simulate_key("enter")
        await until(pilot, lambda: "Use big?" in shown(app))

    drive(app, steps)


def test_two_models_are_marked_and_used_together(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "late-only")
        await pilot.press("space")
        await pilot.press("up", "space")
        assert {row.name for row in screen.models.rows if row.is_marked} == {
            "dense-only",
            "late-only",
        }
        await pilot.press("enter")
        await until(pilot, lambda: "Use late-only + dense-only?" in shown(app))
        await pilot.press("y")
        await until(
            pilot, lambda: profile(app) == {"dense": "dense-only", "late": "late-only"}
        )

    drive(app, steps)


def test_marks_go_away_before_the_screen_does(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "big")
        await pilot.press("space", "space")
        assert not any(row.is_marked for row in screen.models.rows)
        await pilot.press("space", "escape")
        assert not any(row.is_marked for row in screen.models.rows)
        await pilot.press("escape")
        assert app.current_mode == "search"

    drive(app, steps)


@pytest.mark.parametrize(("name", "said"), [("none", "keywords alone"), ("auto", "")])
def test_the_words_are_chosen_as_models_are(
    app: PplxLocal, name: str, said: str
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, name)
        await pilot.press("enter")
        await until(pilot, lambda: f"Use {name}?" in shown(app))
        assert said in shown(app)
        await pilot.press("y")
        wanted = None if name == "none" else "fake"
        await until(pilot, lambda: profile(app)["late"] == wanted)

    drive(app, steps)


def test_two_models_of_the_same_leg_are_refused_with_the_reason(
    app: PplxLocal,
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "fake")
        await pilot.press("space", "down", "space", "enter")
        await until(pilot, lambda: "would both serve the dense leg" in shown(app))
        assert profile(app)["dense"] == "fake"

    drive(app, steps)


def test_what_is_here_or_comes_as_a_package_is_not_fetched(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "big")
        await pilot.press("p")
        await until(pilot, lambda: "big is here already" in shown(app))
        assert not screen.query_one(ErrandView).has_class("-shown")

    drive(app, steps)


def test_a_fetch_is_asked_for_with_its_size_and_can_be_refused(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "far-away")
        await pilot.press("enter")  # what is not here has to be fetched first
        await until(pilot, lambda: "Fetch far-away?" in shown(app))
        assert "1.0 GB to fetch" in shown(app)
        assert "somebody/tiny" in shown(app)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert not screen.query_one(ErrandView).has_class("-shown")

    drive(app, steps)


def test_a_check_shows_what_is_wrong_with_a_file(
    app: PplxLocal, daemon: Daemon
) -> None:
    install_fake_checkpoint(daemon.settings.home, "broken")
    weights = daemon.settings.home / "models" / "broken" / "model.safetensors"
    weights.write_bytes(b"other")

    async def steps(pilot: Pilot[Any]) -> None:
        screen = await chosen(pilot, "broken")
        await pilot.press("c")
        await until(pilot, lambda: "Checking broken  failed" in shown(app))
        assert "is not the file that" in shown(app).replace("\n", " ")
        await pilot.press("escape")
        assert not screen.query_one(ErrandView).has_class("-shown")
        assert app.current_mode == "models"

    drive(app, steps, (140, 40))


def test_an_import_of_what_is_no_model_says_so(app: PplxLocal, tmp_path: Path) -> None:
    folder = tmp_path / "[bold]x\u202e"
    folder.mkdir()

    async def steps(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await pilot.press("i")
        await until(pilot, lambda: "Which folder holds" in shown(app))
        await pilot.press("escape")
        await pilot.press("i")
        await until(pilot, lambda: "Which folder holds" in shown(app))
        pilot.app.screen.query_one("Input").value = str(folder)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "failed" in shown(app))
        assert "[bold]x\\u202e" in shown(app).replace("\n", "")
        assert "\u202e" not in shown(app)

    drive(app, steps, (160, 40))


def test_a_child_that_runs_is_stopped_and_only_one_runs(
    app: PplxLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = "import time; print('asleep', flush=True); time.sleep(60)"
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-c", sleeper))

    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "big")
        await pilot.press("c")
        await until(pilot, lambda: "asleep" in shown(app))
        await pilot.press("c")
        await until(pilot, lambda: "One at a time" in shown(app))
        await pilot.press("x")
        await until(pilot, lambda: "stopped; what was fetched" in shown(app))

    drive(app, steps, (120, 40))


def test_progress_of_a_child_is_a_bar(
    app: PplxLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = '{"done": 3000000, "total": 12000000, "seconds_left": 240}'
    program = f"import time; print('''{told}''', flush=True); time.sleep(60)"
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-c", program))

    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "far-away")
        await pilot.press("p")
        await until(pilot, lambda: "Fetch far-away?" in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: "3.0 MB of 12 MB, 4 min left" in shown(app))
        assert "━━━━━━┄" in shown(app)
        assert not pilot.app.screen.query(ErrandView).first()._lines

    drive(app, steps)  # whose end ends the child


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (250, 70)])
def test_it_fits(app: PplxLocal, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = await opened(pilot)
        for key in ("down", "up", "end", "home", "pagedown", "r"):
            await pilot.press(key)
        assert "fake" in shown(app)
        screen.errand.begin("Fetching something")
        screen.errand.tell("line\n" * 3)
        await pilot.pause()
        assert "Fetching something" in shown(app)
        await pilot.press("i")
        await until(pilot, lambda: "Which folder" in shown(app))

    drive(app, steps, size)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """What publishes `far-away`: 43 MB that come in pieces, and are no model."""
    require_loopback()
    config = json.dumps(config_of("context")).encode()
    weights = safetensors.numpy.save({"weight": np.zeros(43_000_000, np.uint8)})
    files = {"config.json": config, "tokenizer.json": b"{}"}
    with Server(Hub(files | {"model.safetensors": weights})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield hub


def test_a_fetch_is_stopped_and_goes_on_where_it_was(
    app: PplxLocal, daemon: Daemon, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = daemon.settings.home
    published = tiny_checkpoint("context", name="far-away")
    monkeypatch.setattr(child, "PROGRAM", Program(home, published)._command[:4])
    part = home / "models" / ".far-away.part" / "model.safetensors"
    hub.stalls_after = 25_000_000

    async def fetch(pilot: Pilot[Any]) -> None:
        await pilot.press("p")
        await until(pilot, lambda: "Fetch far-away?" in shown(app))
        await pilot.press("y")

    async def steps(pilot: Pilot[Any]) -> None:
        await chosen(pilot, "far-away")
        await fetch(pilot)
        await until(pilot, lambda: "of 43 MB" in shown(app))
        await until(pilot, lambda: part.exists() and part.stat().st_size > 15_000_000)
        await pilot.press("x")
        await until(pilot, lambda: "stopped; what was fetched is kept" in shown(app))
        hub.stalls_after = None
        hub.requests.clear()
        await fetch(pilot)
        await until(pilot, lambda: "Fetching far-away  failed" in shown(app))
        assert hub.ranges(), "it went on"
        assert "fetched before" in shown(app)
        assert "do not fit their config.json" in shown(app)

    drive(app, steps, (140, 40))
