"""The preview: the passage in its document, from an indexed file to the screen."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from textual import events
from textual.pilot import Pilot

from pplx_local.answer import Hit, Span
from pplx_local.tui.app import PplxLocal
from pplx_local.tui.search.preview import Preview
from pplx_local.tui.search.results import Results

SAMPLE = Path(__file__).parents[1] / "assets" / "sample"
N_LINES = 1_400
LOG = "".join(
    f"entry {n}: the {'starfish' if n == 800 else 'engine'} was seen\n"
    for n in range(1, N_LINES + 1)
)
NOTES = """# Repairs

The **water pump** runs, and [a belt](http://example.org) turns it.

```python
def pump(water):
    return water
```
"""
HOSTILE = "[bold]x[/]\x1b[31m\u202e"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("preview")) as daemon:
        shutil.copy(SAMPLE / "work" / "tidal-turbines.pdf", daemon.folder)
        daemon.write("log.txt", LOG)
        daemon.write("notes.md", NOTES)
        words = (f"word{n}" if n != 8_000 else "narwhal" for n in range(14_000))
        daemon.write("one line.txt", " ".join(words))
        daemon.write(f"{HOSTILE}.txt", f"walrus {HOSTILE} 海象 👩\u200d🔬 e\u0301nd\n")
        daemon.add()
        yield daemon


class Desk:
    """An app, its preview, and what it asked for."""

    def __init__(self, daemon: Daemon, pilot: Pilot[Any], app: PplxLocal) -> None:
        self.daemon = daemon
        self.pilot = pilot
        self.app = app
        self.preview = app.screen.query_one(Preview)
        self.asked = 0
        self._ask = app.link.ask
        app.link.ask = self._count  # type: ignore[method-assign,assignment]

    async def _count(self, lane: str, call: Callable[[Any], Any]) -> Any:
        self.asked += lane == "look"
        return await self._ask(lane, call)

    def hit(self, query: str) -> Hit:
        answer = self.daemon.client.search(
            query, mode="lexical", explain=True, folded=True
        )
        return answer.hits[0]

    async def see(self, hit: Hit) -> None:
        """Show a hit, and wait for its document."""
        self.app.screen.query_one(Results).show([hit])
        await until(self.pilot, lambda: self.holds(hit))

    def holds(self, hit: Hit) -> bool:
        found = self.preview._shown
        return found is not None and found.holds(hit)

    @property
    def lines(self) -> list[str]:
        """What the preview shows, without its head."""
        height = self.preview.size.height
        strips = [self.preview.render_line(y) for y in range(height)]
        return [strip.text.rstrip() for strip in strips][1:]

    @property
    def head(self) -> str:
        return self.preview.render_line(0).text

    def row_of(self, words: str) -> int:
        return next(y for y, line in enumerate(self.lines) if words in line)


Steps = Callable[[Desk], Any]


def at_the_desk(
    daemon: Daemon, steps: Steps, size: tuple[int, int] = (120, 30)
) -> None:
    app = PplxLocal(daemon.settings.home)

    async def run(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.search_screen._preview is not None)
        await pilot.pause()
        await steps(Desk(daemon, pilot, app))

    drive(app, run, size)


def attributes(desk: Desk, words: str) -> set[str]:
    """Name how words in the preview are set off, colours aside."""
    strip = desk.preview.render_line(desk.row_of(words) + 1)
    segment = next(one for one in strip if words in one.text)
    style = segment.style
    assert style
    return {one for one in ("bold", "italic", "underline") if getattr(style, one)}


def test_the_passage_is_shown_in_its_document(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("starfish"))
        line = desk.lines[desk.row_of("starfish")]
        assert line.split() == [
            *("800▌", "entry", "800:", "the", "starfish", "was", "seen")
        ]
        assert attributes(desk, "starfish") == {"bold", "underline"}
        assert attributes(desk, "entry 801") == set()
        assert desk.head.startswith("log.txt")
        assert abs(int(desk.head.split()[-2]) - 100 * 815 / N_LINES) < 3
        third = (desk.preview.size.height - 1) // 3
        assert abs(desk.row_of("starfish") - third) <= 1

    at_the_desk(daemon, steps)


def test_the_bar_shows_how_far_the_passage_reaches(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        hit = desk.hit("starfish")
        await desk.see(hit)
        text = hit.text.strip().splitlines()
        desk.preview._go_to(hit.line - 5 - desk.preview._shown.rows[0].line.number)
        await desk.pilot.pause()
        marked = [line for line in desk.lines if "▌" in line]
        first = desk.row_of(f"{text[0]}")
        assert "▌" not in desk.lines[first - 1]
        assert marked[0] == desk.lines[first]

    at_the_desk(daemon, steps)


def test_the_own_words_of_a_hit_come_before_its_document(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        hit = desk.hit("starfish")
        desk.preview.show(hit)
        await until(desk.pilot, lambda: "starfish" in "".join(desk.lines))
        assert desk.asked == 0
        before = desk.row_of("starfish")
        await until(desk.pilot, lambda: desk.holds(hit))
        assert desk.row_of("starfish") == before

    at_the_desk(daemon, steps)


def test_who_goes_through_hits_quickly_asks_for_the_last(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        hits = [desk.hit(word) for word in ("starfish", "narwhal", "pump")]
        for hit in hits * 20:
            desk.preview.show(hit)
        await until(desk.pilot, lambda: desk.holds(hits[-1]))
        assert desk.asked <= 2
        assert "notes.md" in desk.head

    at_the_desk(daemon, steps)


def test_scrolling_reads_on_without_a_gap_and_without_a_jump(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("starfish"))
        preview, last = desk.preview, 0
        for direction, end in ((1, N_LINES), (-1, 1)):
            while f" entry {end}: " not in "\n".join(desk.lines):
                top = int(desk.lines[0].split()[0].strip("▌"))
                preview.scroll_page(direction)
                await desk.pilot.pause(0.01)
                await until(desk.pilot, lambda: not preview._is_extending)
                numbers = [int(line.split()[2].strip(":")) for line in desk.lines]
                assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
                assert 0 < (numbers[0] - top) * direction <= len(numbers)
                last = max(last, len(preview._shown.stretches))
            if direction == 1:
                assert desk.head.rstrip().endswith("100 %")
        assert last == 5

    at_the_desk(daemon, steps, (120, 60))


def test_a_long_line_scrolls_like_any_other(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("narwhal"))
        assert attributes(desk, "narwhal") == {"bold", "underline"}
        seen: list[str] = []
        for _ in range(16):
            words = " ".join(line.lstrip(" ▌1") for line in desk.lines).split()
            seen += [word for word in words if word not in seen[-2_000:]]
            desk.preview.scroll_page(1)
            await desk.pilot.pause(0.01)
            await until(desk.pilot, lambda: not desk.preview._is_extending)
        start = int(seen[0].removeprefix("word"))
        assert len(seen) > 1_500
        assert seen[8_000 - start] == "narwhal"
        seen[8_000 - start] = "word8000"
        assert seen == [f"word{n}" for n in range(start, start + len(seen))]

    at_the_desk(daemon, steps)


def test_pages_are_parted_by_rules_and_have_no_line_numbers(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("porpoises hydrophones"))
        assert "page 4" in desk.head
        rule = next(line for line in desk.lines if "── page 4 ──" in line)
        assert rule.endswith("──")
        assert not desk.preview._shown.digits

    at_the_desk(daemon, steps)


def test_markdown_is_rendered_and_marked_where_the_words_are(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("pump belt"))
        text = "\n".join(desk.lines)
        assert "The water pump runs, and a belt turns it." in text
        assert "1▌ Repairs" in text
        assert attributes(desk, "belt") == {"bold", "underline"}
        assert attributes(desk, "water") == {"bold"}

    at_the_desk(daemon, steps)


def test_other_marks_leave_the_text_where_a_person_scrolled_it(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        hit = desk.hit("starfish")
        await desk.see(hit)
        desk.preview.scroll_lines(3)
        await desk.pilot.pause()
        lines, asked = desk.lines, desk.asked
        start = hit.text.index("engine")
        await desk.see(hit._replace(words=(Span(start, start + 6),)))
        await desk.pilot.pause(0.1)
        assert (desk.lines, desk.asked) == (lines, asked)

    at_the_desk(daemon, steps)


def test_another_passage_that_is_at_hand_is_not_asked_for(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        hit = desk.hit("starfish")
        await desk.see(hit)
        await until(desk.pilot, lambda: not desk.preview._is_extending)
        asked = desk.asked
        start = LOG.index("entry 840")
        span = Span(start, LOG.index("entry 841"))
        next_one = Hit(
            *(hit.path, 1.0, 0.5, span, 840, ()), LOG[span.start : span.end], {}
        )
        desk.preview.show(next_one)
        await until(desk.pilot, lambda: "840▌" in "\n".join(desk.lines))
        assert desk.asked == asked

    at_the_desk(daemon, steps)


def test_the_preview_asks_for_nothing_while_it_is_hidden(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.pilot.press("ctrl+underscore")
        hit = desk.hit("starfish")
        desk.app.screen.query_one(Results).show([hit])
        await desk.pilot.pause(0.2)
        assert desk.asked == 0
        await desk.pilot.press("ctrl+underscore")
        await until(desk.pilot, lambda: desk.holds(hit))

    at_the_desk(daemon, steps)


def test_nothing_is_shown_for_no_hit(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("starfish"))
        desk.preview.show(None)
        await until(desk.pilot, lambda: not "".join(desk.lines))
        assert not desk.head.strip()

    at_the_desk(daemon, steps)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (250, 70), (20, 5)])
def test_hostile_names_and_texts_at_any_size(
    daemon: Daemon, size: tuple[int, int]
) -> None:
    async def steps(desk: Desk) -> None:
        desk.app.memory.has_preview = True
        hit = desk.hit("walrus")
        desk.preview.show(hit)
        if desk.preview.display:
            await until(desk.pilot, lambda: desk.holds(hit))
            assert r"\x1b[31m" in "".join("".join(desk.lines).split())
            assert "walrus" in "\n".join(desk.lines)
        for char in "\x1b\u202e":
            assert char not in shown(desk.app)
        for query in ("narwhal", "pump"):
            desk.preview.show(desk.hit(query))
            await desk.pilot.pause(0.1)

    at_the_desk(daemon, steps, size)


def test_another_size_keeps_the_passage_in_sight(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("starfish"))
        for size in ((60, 30), (200, 60), (91, 20), (40, 30)):
            await desk.pilot.resize_terminal(*size)
            width = desk.preview._width
            await until(desk.pilot, lambda w=width: desk.preview._shown.width == w)
            await desk.pilot.pause()
            assert "starfish" in "\n".join(desk.lines), size

    at_the_desk(daemon, steps)


def test_keys_and_wheel_scroll(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("starfish"))
        await until(desk.pilot, lambda: not desk.preview._is_extending)
        top = desk.preview.scroll_offset.y
        page = desk.preview.size.height - 2
        ways = {"shift+down": 1, "alt+pagedown": page, "shift+up": -1}
        for key, by in (*ways.items(), ("alt+pageup", -page)):
            await desk.pilot.press(key)
            await desk.pilot.pause()
            assert desk.preview.scroll_offset.y - top == by, key
            top += by
        place = desk.preview.region
        wheel = {"delta_x": 0, "delta_y": 1, "button": 0, "screen_x": None}
        keys = {"shift": False, "meta": False, "ctrl": False, "screen_y": None}
        desk.app.post_message(
            events.MouseScrollDown(None, place.x + 3, place.y + 3, **wheel, **keys)
        )
        await until(desk.pilot, lambda: desk.preview.scroll_offset.y > top)

    at_the_desk(daemon, steps)


def test_a_question_shows_its_best_hit(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.pilot.press(*"starfish")
        await until(desk.pilot, lambda: "entry 801" in "\n".join(desk.lines))
        assert "entry 800: the starfish" in shown(desk.app)

    at_the_desk(daemon, steps)


def test_what_is_no_longer_indexed_is_said(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        note = daemon.write("note.txt", "A note on the tide tables.\n")
        daemon.add()

        async def steps(desk: Desk) -> None:
            hit = desk.hit("tide")
            note.unlink()
            daemon.follow("update", [daemon.folder])
            desk.preview.show(hit)
            await until(desk.pilot, lambda: "There is no text" in desk.lines[0])
            assert "note.txt" in "".join(desk.lines[:4])
            assert "A note on the tide tables." in "\n".join(desk.lines)

        at_the_desk(daemon, steps)


def test_a_file_that_changed_meanwhile_is_said_to_have(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.write("note.txt", "A note on the tide tables.\n")
        daemon.add()

        async def steps(desk: Desk) -> None:
            hit = desk.hit("tide")
            daemon.write("note.txt", "First something new.\nA note on the tide.\n")
            daemon.follow("update", [daemon.folder])
            desk.preview.show(hit)
            await until(desk.pilot, lambda: "has changed" in desk.lines[0])
            assert "A note on the tide tables." in "\n".join(desk.lines)

        at_the_desk(daemon, steps)


def test_what_runs_on_the_event_loop_is_short(daemon: Daemon) -> None:
    async def steps(desk: Desk) -> None:
        await desk.see(desk.hit("pump"))
        took = []
        for _ in range(5):
            desk.preview._drawn.clear()
            began = time.perf_counter()
            assert desk.lines
            took.append(time.perf_counter() - began)
        assert min(took) < 0.05

    at_the_desk(daemon, steps, (250, 70))


def test_what_colours_code_is_loaded_when_code_is_seen() -> None:
    program = (
        "import sys, pplx_local.tui.search.screen\n"
        "print({'pygments', 'regex', 'pplx_local.documents'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"
