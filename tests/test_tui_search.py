from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Iterator
from dataclasses import replace
from math import nan
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from textual.binding import Binding
from textual.command import CommandList
from textual.events import Paste
from textual.pilot import Pilot
from textual.strip import Strip

from pplx_local.tui.app import PplxLocal
from pplx_local.tui.keys import KeyLine
from pplx_local.tui.palette import Palette
from pplx_local.tui.search.keys import KEYS
from pplx_local.tui.search.results import Results, key_of
from pplx_local.tui.search.row import body_of, head_of
from pplx_local.tui.search.screen import SearchScreen

_TEA = """# Tea

Green tea is steeped at 80 degrees for two minutes.

# Coffee

Coffee is brewed at 93 degrees.
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("search")) as daemon:
        daemon.write("tea.md", _TEA)
        for number in range(30):
            daemon.write(f"note-{number:02}.txt", f"Note {number} speaks of rivers.\n")
        daemon.write("[bold]x[/].txt", "A hostile name for a text on markup.\n")
        daemon.write("a\x1b[31m\u202efdp.txt", "Escapes\x1b[2J in a paragraph.\n")
        daemon.add()
        yield daemon


@pytest.fixture
def app(daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PplxLocal:
    """An app whose small memory is not the next test's."""
    (daemon.settings.home / "tui.json").unlink(missing_ok=True)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return PplxLocal(daemon.settings.home)


def results(app: PplxLocal) -> Results:
    return app.screen.query_one(Results)


def names(app: PplxLocal) -> list[str]:
    return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in results(app).hits]


async def ask(pilot: Pilot[Any], query: str) -> None:
    """Type, and wait for the last answer."""
    app = pilot.app
    assert isinstance(app, PplxLocal)
    for char in query:
        await pilot.press("space" if char == " " else char)
    screen = app.screen
    assert isinstance(screen, SearchScreen)

    def is_answered() -> bool:
        reply = screen._reply
        return bool(reply and reply.is_final and reply.question.query == query)

    await until(pilot, is_answered)


# --- the first frame ---------------------------------------------------------


def test_the_first_frame_is_the_first_thing_drawn_and_waits_for_no_preview(
    app: PplxLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[tuple[bool, bool]] = []

    def note(app: PplxLocal, screen: SearchScreen, drawn: object) -> None:
        """Note of what is drawn whether it is shown, and whether it is complete."""
        if drawn:
            frames.append((not app._batch_count, bool(screen.query("#preview"))))

    async def steps(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.screen.query("#preview"))
        assert "Search in your folders" in shown(app)

    monkeypatch.setattr(PplxLocal, "_display", note)
    drive(app, steps)
    assert frames[0] == (True, False)


# --- asking ------------------------------------------------------------------


def test_what_is_typed_is_found_and_marked(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "steeped minutes")
        assert names(app)[0] == "tea.md"
        assert "tea.md:3" in shown(app)
        assert "found in" in shown(app)

    drive(app, steps)


def test_neither_a_key_nor_the_clock_lays_the_screen_out_anew(app: PplxLocal) -> None:
    """Which takes as long as the keywords, on the core that the daemon wants."""

    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        layouts: list[object] = []
        app.screen.screen_layout_refresh_signal.subscribe(app.screen, layouts.append)
        for more in ("space", "n", "o", "t", "e", "s"):
            await pilot.press(more)
            await pilot.pause(0.1)
        assert app.status
        app.status = replace(app.status, documents=1_000)
        await pilot.pause(0.3)
        assert layouts == []

    drive(app, steps)


def test_lines_that_stay_are_not_drawn_and_all_others_are(app: PplxLocal) -> None:
    def seen() -> list[Strip]:
        return results(app).render_lines(results(app).size.region)

    async def steps(pilot: Pilot[Any]) -> None:
        for query in (
            "note 1",
            "note 12",
            "note 12 rivers",
            "tea",
            "te",
            "zzz",
            "note",
        ):
            app.search_screen.query_input.value = ""
            await ask(pilot, query)
            await pilot.pause()
            drawn = seen()
            results(app).refresh()
            assert seen() == drawn, query

    drive(app, steps)


def test_letters_and_a_question_mark_are_text_at_once(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("q", "question_mark", "j", "slash")
        screen = app.screen
        assert isinstance(screen, SearchScreen)
        assert screen.query_input.value == "q?j/"

    drive(app, steps)


def test_nothing_found_is_said(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+r")  # keywords alone: by sense something is always near
        await ask(pilot, "zzyzx")
        assert "nothing found" in shown(app)

    drive(app, steps)


def test_a_misspelt_filter_gets_its_hint(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "tpye:md tea")
        assert "type:" in shown(app)

    drive(app, steps, size=(160, 30))


def test_a_question_that_is_deleted_leaves_no_hits(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "tea")
        await pilot.press("escape")
        assert not results(app).hits
        assert "found" not in shown(app).splitlines()[-2]

    drive(app, steps)


def test_a_score_is_called_one_as_the_help_says(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "steeped")
        hit = results(app).hits[0]
        for confidence, said in ((0.83, " 83%"), (nan, "score 4.20")):
            one = hit._replace(confidence=confidence, score=4.2)
            part, _ = body_of(one, 60, 1)
            head = head_of(one, part, 60, is_marked=False).plain
            assert head.endswith(f" {said}")

    drive(app, steps)


def test_modes_go_round(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        seen = []
        for _ in range(5):
            seen.append(shown(app).splitlines()[0].split()[-1])
            await pilot.press("ctrl+r")
        assert seen == ["hybrid", "lexical", "dense", "late", "hybrid"]

    drive(app, steps)


def test_the_mode_is_still_there_the_next_time(daemon: Daemon, app: PplxLocal) -> None:
    async def change(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+r")

    async def look(pilot: Pilot[Any]) -> None:
        assert shown(again).splitlines()[0].endswith(" lexical")

    drive(app, change)
    again = PplxLocal(daemon.settings.home)
    drive(again, look)


# --- going through hits ------------------------------------------------------


def test_arrows_and_ctrl_n_and_p_move(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.press("down", "ctrl+n", "down", "up", "ctrl+p")
        assert results(app).cursor == 1
        await pilot.press("up", "up", "up")
        assert results(app).cursor == 0
        await pilot.press("pagedown")
        assert results(app).cursor > 1
        await pilot.press("pageup")
        assert results(app).cursor == 0

    drive(app, steps)


def test_the_last_hit_brings_more(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        assert len(results(app).hits) == 10
        for _ in range(9):
            await pilot.press("down")
        chosen = results(app).chosen
        await until(pilot, lambda: len(results(app).hits) > 10)
        assert results(app).cursor == 9
        assert chosen
        assert results(app).chosen == chosen

    drive(app, steps)


def test_better_answers_do_not_move_what_was_chosen(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.press("down", "down", "down")
        found = results(app)
        chosen = found.chosen
        assert chosen
        found.show(list(reversed(found.hits)))
        assert found.cursor == 3
        assert found.chosen == chosen
        assert len({key_of(hit) for hit in found.hits}) == len(found.hits)

    drive(app, steps)


def test_the_best_hit_is_chosen_until_somebody_moves(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        found = results(app)
        best = found.hits[-1]
        found.show(list(reversed(found.hits)))
        assert found.cursor == 0
        assert found.chosen == best

    drive(app, steps)


def test_a_click_chooses(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.click(Results, offset=(5, 7))
        assert results(app).cursor == 2

    drive(app, steps)


def test_tab_marks_several(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.press("tab", "tab")
        assert len(results(app).marked) == 2
        assert "2 hits marked" in shown(app)
        assert shown(app).count("●") == 2
        await pilot.press("escape")
        assert not results(app).marked

    drive(app, steps)


# --- what is done with them --------------------------------------------------


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that write down what they are given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("subl", "xclip", "xdg-open"):
        program = folder / name
        said = tmp_path / f"{name}.said"
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" > "{said}.new"\n'
            f'[ "{name}" = xclip ] && cat > "{said}.new"\n'
            f'mv "{said}.new" "{said}"\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("VISUAL", "subl")
    return tmp_path


def said(programs: Path, name: str) -> str:
    path = programs / f"{name}.said"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize(
    ("key", "call"), [("enter", "opener.plan"), ("ctrl+y", "opener.copy")]
)
def test_a_disk_or_a_program_that_never_answers_keeps_nobody_from_leaving(
    app: PplxLocal,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    call: str,
) -> None:
    asked, answered = Event(), Event()
    too_late = Timer(10, answered.set)

    def wait(*_: object) -> None:
        asked.set()
        answered.wait(30)

    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "steeped minutes")
        monkeypatch.setattr(f"pplx_local.{call}", wait)
        await pilot.press(key)
        await until(pilot, asked.is_set)
        too_late.start()

    drive(app, steps)
    assert not answered.is_set()
    too_late.cancel()
    answered.set()


@pytest.mark.parametrize("key", ["enter", "ctrl+e"])
def test_a_hit_is_opened_at_its_line(app: PplxLocal, programs: Path, key: str) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "steeped minutes")
        await pilot.press(key)
        await until(pilot, lambda: said(programs, "subl"))

    drive(app, steps)
    assert "tea.md:3" in said(programs, "subl")


@pytest.mark.parametrize(
    ("key", "copied"),
    [("ctrl+y", "tea.md"), ("alt+y", "tea.md:3"), ("alt+t", "Green tea is steeped")],
)
def test_parts_of_a_hit_are_copied(
    app: PplxLocal, programs: Path, key: str, copied: str
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "steeped minutes")
        await pilot.press(key)
        await until(pilot, lambda: said(programs, "xclip"))
        await until(pilot, lambda: "Copied 1" in shown(app))

    drive(app, steps)
    assert copied in said(programs, "xclip")


def test_a_name_that_no_clipboard_holds_is_not_copied_as_another(
    daemon: Daemon, app: PplxLocal
) -> None:
    raw = os.fsdecode(b"heron-\xff.txt")
    daemon.write(raw, "A heron stood there.\n")

    async def steps(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: daemon.paths("heron"))
        await ask(pilot, "heron")
        await pilot.press("ctrl+y")
        await until(pilot, lambda: "The name is not UTF-8" in shown(app))
        assert not app.clipboard

    drive(app, steps)


def test_all_lines_of_what_is_pasted_are_asked(app: PplxLocal) -> None:
    """As they are in a sentence of a mail, or of a page."""

    async def steps(pilot: Pilot[Any]) -> None:
        screen = app.screen
        assert isinstance(screen, SearchScreen)
        await ask(pilot, "tea")
        app.post_message(Paste(" is steeped\n  at 80\r\n\ndegrees\n"))
        await until(
            pilot, lambda: screen.query_input.value == "tea is steeped at 80 degrees"
        )

    drive(app, steps)


def test_marked_hits_are_copied_together(app: PplxLocal, programs: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.press("tab", "tab", "ctrl+y")
        await until(pilot, lambda: said(programs, "xclip"))

    drive(app, steps)
    assert len(said(programs, "xclip").split("\n")) == 2


def test_what_cannot_be_opened_is_told(
    daemon: Daemon, app: PplxLocal, programs: Path
) -> None:
    gone = daemon.write("gone.txt", "A quagga was here.\n")

    async def steps(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: daemon.paths("quagga"))
        await ask(pilot, "quagga")
        results(app)  # shown from what was found, though the file goes now
        gone.unlink()
        await pilot.press("enter")
        await until(pilot, lambda: "gone.txt" in shown(app) and "update" in shown(app))

    drive(app, steps)


def test_a_question_that_led_somewhere_comes_back(
    daemon: Daemon, app: PplxLocal, programs: Path
) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        await ask(pilot, "steeped minutes")
        await pilot.press("ctrl+y")
        await until(pilot, lambda: said(programs, "xclip"))

    async def recall(pilot: Pilot[Any]) -> None:
        screen = again.screen
        assert isinstance(screen, SearchScreen)
        await pilot.press("c", "alt+up")
        assert screen.query_input.value == "steeped minutes"
        await pilot.press("alt+down")
        assert screen.query_input.value == "c"

    drive(app, look)
    again = PplxLocal(daemon.settings.home)
    drive(again, recall)


# --- the screen --------------------------------------------------------------


@pytest.mark.parametrize("key", ["ctrl+slash", "ctrl+underscore"])
def test_the_preview_can_be_left_away(app: PplxLocal, key: str) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.screen.query("#preview"))
        assert app.screen.query_one("#preview").display
        await pilot.press(key)
        assert not app.screen.query_one("#preview").display
        await pilot.press(key)
        assert app.screen.query_one("#preview").display

    drive(app, steps)


def test_escape_clears_and_then_quits(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "tea")
        await pilot.press("escape")
        assert app.is_running
        await pilot.press("escape")
        await until(pilot, lambda: not app._running or app._exit)

    drive(app, steps)


def test_what_files_say_is_shown_and_not_obeyed(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "markup hostile")
        assert "[bold]x[/].txt" in shown(app)
        await pilot.press("escape")
        await ask(pilot, "escapes paragraph")
        assert r"a\x1b[31m\u202efdp.txt" in shown(app)
        assert r"\x1b[2J" in shown(app)
        assert "\x1b" not in shown(app)
        assert "\u202e" not in shown(app)

    drive(app, steps, size=(180, 40))


@pytest.mark.parametrize(
    "size", [(40, 12), (60, 16), (80, 24), (120, 30), (250, 70), (30, 8), (12, 4)]
)
def test_every_size_works(app: PplxLocal, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.press("down", "tab", "pagedown", "pageup")
        for width, height in (size, (40, 12), (250, 70), size):
            await pilot.resize_terminal(width, height)
            await pilot.press("down", "shift+down")
        assert shown(app)

    drive(app, steps, size)


def test_the_palette_lists_every_key(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        screen = app.screen
        listed = {command.title for command in app.get_system_commands(screen)}
        ours = [*KEYS, *(binding for _, binding in app._bindings)]
        described = {
            binding.description
            for binding in ours
            if isinstance(binding, Binding) and binding.action != "command_palette"
        }
        assert described <= listed
        await pilot.press("ctrl+k")
        # Of the list itself: the keys are named on the screen behind it as well.
        await until(pilot, lambda: described <= offered(app))

    drive(app, steps, size=(100, 60))


def offered(app: PplxLocal) -> set[str]:
    """Give the names of the commands in the palette that is open."""
    commands = app.screen.query_one(CommandList).options
    return {str(command.prompt).splitlines()[0] for command in commands}


def test_the_palette_does_not_stay_behind_on_another_screen(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+k", "f3", "ctrl+k", "f2", "ctrl+k", "f2")
        assert app.screen is app.search_screen
        await ask(pilot, "rivers")
        assert results(app).hits

    drive(app, steps)


def test_paging_through_a_palette_that_is_not_laid_out_does_nothing(
    app: PplxLocal,
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+k")
        palette = app.screen
        assert isinstance(palette, Palette)
        commands = palette.query_one(CommandList)
        await until(pilot, lambda: commands.option_count)
        commands.styles.display = "none"
        await pilot.pause()
        commands._clear_caches()
        palette._action_command_list("page_up")
        await pilot.press("escape")
        assert app.screen is app.search_screen

    drive(app, steps)


def test_a_palette_that_is_closed_leaves_nothing_of_what_it_drew(
    app: PplxLocal,
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        # What is made while it is open may hold on to it, so all else comes before.
        await until(pilot, lambda: app.status and app.screen.query("#preview"))
        await pilot.press("ctrl+k")
        await until(pilot, lambda: app.screen.query_one(CommandList).option_count)
        assert shown(app)
        kept = weakref.ref(app.screen.query_one(CommandList)._styles_cache)
        await pilot.press("escape")

        def is_gone() -> bool:
            gc.collect()
            return kept() is None

        await until(pilot, is_gone)

    drive(app, steps)


def test_a_click_on_a_key_presses_it(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        await pilot.click(KeyLine, offset=(3, 0))
        assert len(results(app).marked) == 1, "the first key is tab"

    drive(app, steps)


def test_an_answer_that_comes_while_one_leaves_is_no_bug(app: PplxLocal) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await ask(pilot, "rivers")
        screen = app.search_screen
        reply = screen._reply
        assert reply
        await screen.remove_children()
        screen._show(reply)

    drive(app, steps)
