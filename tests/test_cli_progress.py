"""Progress on stderr, with and without a terminal, and numbers in words."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pplx_local.cli import progress as progress_module
from pplx_local.cli.progress import Bars, Lines, follow
from pplx_local.records import Progress
from pplx_local.wording.amounts import (
    count,
    share_in_words,
    short_count,
    size_in_words,
    time_in_words,
)
from pplx_local.wording.stages import amount


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress_module.time, "monotonic", clock.monotonic)
    return clock


def test_lines_come_every_five_seconds_and_at_the_end(clock):
    out = io.StringIO()
    with Lines(Console(file=out, width=40)) as lines:
        for done in range(121):
            clock.now += 0.1
            lines.show(Progress("read", done, 400, b"/x/y"))
        for done in range(0, 2_000_000, 100_000):
            clock.now += 1
            lines.show(Progress("encode", done, 4_000_000))
    said = out.getvalue().splitlines()
    assert "read 120 of 400 files, 28 s left" in said
    assert said[-1] == "embedded 1.9M of 4.0M tokens, 100,000/s, 21 s left"
    assert len(said) == len(set(said)) == 8


@pytest.mark.parametrize("view", [Lines, Bars])
def test_the_pace_of_a_second_model_is_its_own(clock, view):
    out = io.StringIO()
    console = Console(file=out, force_terminal=view is Bars, width=200, no_color=True)
    with view(console) as shown:
        for speed in (100_000, 1_000):
            shown.show(Progress("load", 0, None))
            for second in range(21):
                clock.now += 1
                shown.show(Progress("encode", second * speed, 100 * speed))
    assert "20,000 of 100,000 tokens" in out.getvalue()
    assert " 1,000/s, 80 s left" in out.getvalue()


def test_a_message_is_said_at_once_and_escaped():
    out = io.StringIO()
    with Lines(Console(file=out, width=40)) as lines:
        lines.show(Progress("read", 0, 1, message="[b]bad\x1b"))
        assert out.getvalue() == "[b]bad\\x1b\n"


@pytest.mark.parametrize("width", [20, 40, 79, 200])
def test_bars_fit_the_terminal(width):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, no_color=True)
    with Bars(console) as bars:
        bars.show(Progress("scan", 0, None, b"/x/" + b"long" * 99))
        bars.show(Progress("read", 5, 10, b"/x/\x1b[2J.txt", message="careful"))
        bars.show(Progress("load", 0, None))
        bars.show(Progress("encode", 10_000, 2_000_000))
    plain = Console(file=io.StringIO(), width=width)
    shown = out.getvalue()
    assert "\x1b[2J" not in shown
    assert "careful" in shown
    assert all(plain.measure(line).maximum <= width + 40 for line in shown.split("\r"))


def test_the_stream_is_closed_when_showing_it_is_interrupted():
    closed = []

    def events():
        try:
            yield Progress("read", 0, 1)
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        follow(events(), Console(file=io.StringIO()))
    assert closed


def test_amounts():
    assert amount(Progress("scan", 1, None)) == "1 file"
    assert amount(Progress("read", 120, 400)) == "120 of 400 files"
    assert amount(Progress("search", 5, 225)) == "5 of 225 queries"
    assert amount(Progress("encode", 1_234_567, None)) == "1.2M tokens"


# --- numbers in words ---


def test_numbers_in_words():
    assert count(1, "file") == "1 file"
    assert count(1204, "file") == "1,204 files"
    assert short_count(9800) == "9,800"
    assert size_in_words(0) == "0 bytes"
    assert size_in_words(3_400_000) == "3.4 MB"
    assert [time_in_words(s) for s in (0.2, 4, 99, 180, 7800)] == [
        "under 1 s", "4 s", "99 s", "3 min", "2 h 10 min",
    ]  # fmt: skip


def test_only_what_is_complete_is_a_hundred_percent():
    assert share_in_words(0.99999) == "99 %"
    assert share_in_words(1.0) == "100 %"
    assert share_in_words(0.0) == "0 %"
