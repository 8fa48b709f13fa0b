"""Pages as pictures in the interface, on a terminal that draws by kitty's protocol."""

from __future__ import annotations

import base64
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest
from daemon import Daemon
from interface import drive, shown, until
from test_documents_formats import pdf
from textual.pilot import Pilot

from pplx_local.answer import Picture
from pplx_local.tui import easel
from pplx_local.tui.app import PplxLocal
from pplx_local.tui.easel import Easel
from pplx_local.tui.search.picture import PagePicture
from pplx_local.tui.search.preview import Preview

PLACEHOLDER = chr(0x10EEEE)
"""What a terminal replaces by a part of a picture."""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written past the app."""
    pytest.importorskip("textual_image.widget")
    written = io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", written)
    return written


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("pages")) as daemon:
        (daemon.folder / "pump.pdf").write_bytes(
            pdf("The pump runs.", "The belt turns.")
        )
        daemon.write("pump.txt", "A pump in a text.\n")
        daemon.add()
        yield daemon


def sent(terminal: io.StringIO) -> bytes:
    """Put together the last picture that the terminal got."""
    parts = re.findall(
        r"\x1b_Gi=(\d+),m=[01],f=100,q=2;([^\x1b]*)", terminal.getvalue()
    )
    last = parts[-1][0]
    return base64.b64decode("".join(data for number, data in parts if number == last))


def test_a_picture_becomes_cells_that_the_terminal_fills(terminal: io.StringIO) -> None:
    from PIL import Image

    board = Easel()
    strips = board.draw(Picture(200, 100, bytes(20_000)), 30, 20)
    assert {strip.cell_length for strip in strips} == {30}
    assert all(strip.text.count(PLACEHOLDER) == 30 for strip in strips)
    assert len(strips) < 20, "as wide as it is, it is not so high"
    image = Image.open(io.BytesIO(sent(terminal)))
    assert image.getextrema() == (0, 0)
    assert not board.draw(Picture(5_000, 2, bytes(10_000)), 30, 20), "a mere line"
    assert (
        max(s.cell_length for s in board.draw(Picture(9, 9, bytes(81)), 900, 900)) < 300
    )
    board.clear()
    assert "\x1b_Ga=d" in terminal.getvalue(), "the terminal may forget it"


def test_the_page_of_a_hit_is_shown_in_place_of_its_text(
    daemon: Daemon, terminal: io.StringIO
) -> None:
    app = PplxLocal(daemon.settings.home, easel=Easel())

    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press(*"belt")
        await until(pilot, lambda: "The belt turns" in shown(app))
        picture, preview = (
            app.screen.query_one(PagePicture),
            app.screen.query_one(Preview),
        )
        assert preview.display
        assert not picture.display
        await pilot.press("alt+p")
        await until(pilot, lambda: PLACEHOLDER in shown(app))
        assert "pump.pdf  page 2" in shown(app)
        assert not preview.display
        n_sent = len(terminal.getvalue())
        for size in ((60, 30), (40, 12), (250, 70)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await until(pilot, lambda: len(terminal.getvalue()) > n_sent)
        await until(pilot, lambda: PLACEHOLDER in shown(app))
        await pilot.press("ctrl+u", *"text")
        await until(pilot, lambda: "A pump in a text" in shown(app))
        assert preview.display
        await pilot.press("ctrl+u", *"belt")
        await until(pilot, lambda: PLACEHOLDER in shown(app))
        await pilot.press("alt+p")
        await until(pilot, lambda: preview.display and not picture.display)

    drive(app, steps)
    assert not app.memory.has_pictures


@pytest.mark.parametrize("is_installed", [True, False])
def test_where_there_are_no_pictures_it_says_what_is_needed(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    monkeypatch.setattr(easel, "is_installed", lambda: is_installed)
    app = PplxLocal(daemon.settings.home)

    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press(*"belt")
        await until(pilot, lambda: "The belt turns" in shown(app))
        await pilot.press("alt+p")
        said = "from the next start on" if is_installed else "pip install"
        await until(pilot, lambda: said in shown(app))
        assert "The belt turns" in shown(app)
        await pilot.press("alt+p")

    drive(app, steps, size=(140, 30))


@pytest.mark.parametrize(
    ("is_kitty", "colors", "said"),
    [
        (True, "truecolor", b"Easel object"),
        (True, "", b"COLORTERM"),
        (False, "truecolor", b"shows no pictures"),
    ],
)
def test_the_terminal_is_asked(is_kitty: bool, colors: str, said: bytes) -> None:
    pytest.importorskip("textual_image")
    program = "from pplx_local.tui.easel import set_up; print(set_up(), flush=True)"
    environment = os.environ | {"TERM": "xterm-kitty", "COLORTERM": colors}
    environment.pop("NO_COLOR", None)
    ours, theirs = pty.openpty()
    if is_kitty:  # the other does not even know how large it is
        shape = struct.pack("HHHH", 24, 80, 800, 480)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, shape)
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    with child:
        os.close(theirs)
        seen = b""
        while said not in seen:
            seen += os.read(ours, 4096)
            asked = re.search(rb"\x1b_Gi=(\d+)[^\x1b]*\x1b\\", seen)
            if is_kitty and asked:
                os.write(ours, b"\x1b_Gi=" + asked[1] + b";OK\x1b\\")
                seen = seen.replace(asked[0], b"")
    os.close(ours)
