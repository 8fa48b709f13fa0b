"""Bytes on their way, shown on a terminal and in a log."""

from __future__ import annotations

import contextlib
import io
import json
import os
from types import SimpleNamespace

import pytest
from rich.console import Console

from pplx_local.cli import transfer
from pplx_local.cli.show import OutputClosed
from pplx_local.cli.transfer import Transfer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A time that a test moves."""
    now = [100.0]
    monkeypatch.setattr(transfer, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_log_gets_a_line_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Transfer("fetched", 10_000_000) as shown:
        shown.advance(1_000_000)
        assert capsys.readouterr().err == ""
        clock[0] += 6
        shown.advance(1_000_000)
        assert capsys.readouterr().err == "fetched 2.0 MB of 10 MB, 24 s left\n"
        shown.advance(8_000_000)
    assert capsys.readouterr().err == "fetched 10 MB of 10 MB\n"


def test_what_was_there_before_is_no_pace(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Transfer("fetched", 10_000_000, kept=6_000_000) as shown:
        clock[0] += 6
        shown.advance(6_000_000)
        assert capsys.readouterr().err == "fetched 6.0 MB of 10 MB\n"
        clock[0] += 6
        shown.advance(1_000_000)
        assert capsys.readouterr().err == "fetched 7.0 MB of 10 MB, 36 s left\n"


def test_nothing_is_said_when_nothing_came(capsys: pytest.CaptureFixture[str]) -> None:
    with Transfer("fetched", 10):
        pass
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, legacy_windows=False)
    with Transfer("copied", 2_000_000, kept=500_000, console=console) as shown:
        shown.advance(500_000)
        shown.advance(1_500_000)
    assert "copied" in screen.getvalue()
    assert "2.0/2.0 MB" in screen.getvalue()


def test_a_program_gets_objects(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Transfer("fetched", 10_000, kept=2_000, form="json") as shown:
        shown.advance(2_000)
        clock[0] += 0.1
        shown.advance(1_000)  # too soon after the last one
        clock[0] += 1.9
        shown.advance(1_000)
        shown.advance(6_000)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["done"], one["total"]) for one in told] == [
        (2_000, 10_000),
        (4_000, 10_000),
        (10_000, 10_000),
    ]
    assert [one["seconds_left"] for one in told] == [None, 6.0, None]
    assert told[0]["what"] == "fetched"


def test_it_ends_when_the_program_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        monkeypatch.setattr("sys.stderr", nobody)
        with pytest.raises(OutputClosed):
            Transfer("fetched", 10, form="json").advance(1)
        monkeypatch.undo()
        with contextlib.suppress(BrokenPipeError):
            nobody.close()
