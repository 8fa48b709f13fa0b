"""The box that parsers run in: what it refuses, and that reading goes on inside."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
from daemon import wait_for

from pplx_local.documents import Reader, sandbox
from pplx_local.documents.messages import Broken, Finished, Ready, pack, unpack
from pplx_local.documents.sandbox import calls, landlock, seatbelt
from pplx_local.errors import NoText, Unreadable
from pplx_local.records import Chunk, Document, Segment, Span, TextBlock

ESCAPES = Path(__file__).with_name("escapes.py")
LIMITS = {"timeout_s": 30.0, "memory_bytes": 10**9, "max_file_bytes": 10**8}

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own walls")
with_landlock = pytest.mark.skipif(
    sys.platform != "linux" or landlock.version() < landlock.SCOPE_ABI,
    reason="this kernel's Landlock is missing or too old",
)
with_seccomp = pytest.mark.skipif(
    platform.machine() not in calls.ARCHITECTURES or sys.platform != "linux",
    reason="no filter for this kind of computer",
)

ALLOWED = {
    "read the open file",
    "answer",
    "open the null device",
    "start a thread",
    "wake an event loop",
}
IN_FILES = {
    *("read a file", "list a folder", "read a file through its descriptor"),
    *("write a file", "make a file", "make an empty file", "make a folder"),
    *("remove a file", "rename a file", "link a file", "make a link"),
    *("shorten a file", "read of another process"),
}
READS = {
    *("read a file", "list a folder", "read a file through its descriptor"),
    "read of another process",
}


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A person's folder, and somebody who listens in every way there is."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "private.txt").write_text("a secret!")
    (folder / "spare.txt").write_text("not needed")
    path, name = str(tmp_path / "socket"), f"pplx-local-test-{os.getpid()}"
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        for address in (path, f"\0{name}"):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        victim = stack.enter_context(psutil.Popen(["sleep", "60"]))
        stack.callback(victim.kill)
        yield {
            "folder": str(folder),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": path,
            "abstract": name,
            "victim": victim.pid,
        }


def tried(
    surroundings: dict[str, Any],
    *,
    without: tuple[str, ...] = (),
    programs: str = "",
    load: bool = False,
) -> tuple[list[object], set[str]]:
    """Lock a process in; return what holds it and what it could do all the same."""
    given = surroundings | {"without": without, "programs": programs.split()}
    given["load"] = load
    done = subprocess.run(
        [sys.executable, "-P", str(ESCAPES), json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return said["hold"], {name for name, error in said["errors"].items() if not error}


@with_landlock
@with_seccomp
def test_nothing_gets_out(surroundings: dict[str, Any]) -> None:
    hold, could = tried(surroundings, load=True)
    assert hold == [landlock.version(), True, False]
    assert could == ALLOWED | {"load all that reads"}
    folder = Path(surroundings["folder"])
    assert {path.name for path in folder.iterdir()} == {"private.txt", "spare.txt"}
    assert (folder / "private.txt").read_text() == "a secret!"


@with_landlock
def test_landlock_alone_holds_files_tcp_and_signals(
    surroundings: dict[str, Any],
) -> None:
    hold, could = tried(surroundings, without=("seccomp",))
    assert hold == [landlock.version(), False, False]
    assert could >= ALLOWED
    held = {
        *("connect by TCP", "listen to TCP", "connect to an abstract socket"),
        *("signal another process", "run a shell", "trace another process"),
    }
    assert not could & (IN_FILES | held)


@with_seccomp
def test_a_filter_alone_holds_all_but_reading(surroundings: dict[str, Any]) -> None:
    hold, could = tried(surroundings, without=("landlock",))
    assert hold == [0, True, False]
    assert could - READS == ALLOWED - {"open the null device"}


@with_landlock
@with_seccomp
def test_a_program_that_is_needed_runs_and_no_other(
    surroundings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "helper"
    helper.symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    _, could = tried(surroundings, programs="helper not-here")
    assert could == ALLOWED | {"fork"}


@linux
def test_where_there_is_no_wall_at_all_reading_goes_on(
    surroundings: dict[str, Any],
) -> None:
    hold, could = tried(surroundings, without=("landlock", "seccomp"))
    assert hold == [0, False, False]
    assert could == ALLOWED


@linux
def test_the_child_that_reads_is_locked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_PASSWORD", "open sesame")
    path = tmp_path / "a.txt"
    path.write_text("words")
    with Reader(**LIMITS) as reader:
        assert [block.text for block in reader.read(os.fsencode(path))] == ["words"]
        child = psutil.Process(reader.pid)
        status = Path(f"/proc/{reader.pid}/status").read_text()
        assert "A_PASSWORD" not in child.environ()
        wait_for(lambda: child.open_files() == [])
    assert "NoNewPrivs:\t1" in status
    if platform.machine() in calls.ARCHITECTURES:
        assert "Seccomp:\t2" in status


def test_a_file_cannot_take_more_memory_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "greedy.html"
    path.write_text("<p>words</p>" * 3_000_000)
    limit, most = 100_000_000, 0
    with Reader(**LIMITS | {"memory_bytes": limit}) as reader:
        list(reader.read(_small(tmp_path)))
        child = psutil.Process(reader.pid)
        before = child.memory_info().rss

        def watch() -> None:
            nonlocal most
            while child.is_running():
                try:
                    most = max(most, child.memory_info().rss)
                except psutil.Error:
                    return
                time.sleep(0.002)

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        with pytest.raises(Unreadable, match=r"more than 100 MB of memory"):
            list(reader.read(os.fsencode(path)))
        assert list(reader.read(_small(tmp_path)))
    watching.join(5)
    assert limit / 2 < most - before <= limit


def _small(folder: Path) -> bytes:
    path = folder / "small.html"
    path.write_text("<p>words</p>")
    return os.fsencode(path)


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"words", b"\xff", b"[" * 100_000, b'["nothing of ours"]'),
        *(b'["block",0,5,[]]', b'["block",0,"\\ud800",[]]', b'["finished",{},""]'),
        *(b'["block",0,"x",[[0,[0,9]]]]', b'["block",-5,"x",[]]'),
        *(b'["block",9223372036854775807,"x",[]]', b'["block",0,"x",[[-1,[0,1]]]]'),
    ],
)
def test_a_child_that_was_taken_over_tells_nothing_wrong(said: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        unpack(said)


def test_what_the_child_says_comes_as_it_was() -> None:
    segments = (Segment("page", "1", Span(0, 5)),)
    about = {"author": "Zoë \U0001f980"}
    day = date(2024, 2, 29)
    document = Document("text", 1, None, "de", 5, segments, about, day)
    for message in (
        TextBlock(5, "häl\U0001f980o", (Chunk(0, Span(5, 10)),)),
        Finished(document, "ab"),
        Broken("its reader crashed", by_file=False),
        Ready(sandbox.Hold(7, seccomp=True)),
    ):
        assert unpack(pack(message)) == message
    for error in (NoText("3 pages"), Unreadable("damaged", retry=True)):
        back = unpack(pack(error))
        assert isinstance(back, type(error))
        assert (str(back), back.retry) == (str(error), error.retry)


def test_on_a_mac_the_rules_name_what_is_refused() -> None:
    rules = seatbelt.profile(["/opt/python 3", 'a "b"\\c'], "/elsewhere/ann")
    assert rules.splitlines()[:4] == [
        "(version 1)",
        "(allow default)",
        "(deny network*)",
        "(deny file-write*)",
    ]
    lines = rules.splitlines()
    refused = next(line for line in lines if line.startswith("(deny file-read-data"))
    allowed = next(line for line in lines if line.startswith("(allow file-read-data"))
    assert '(subpath "/Users")' in refused
    assert '(subpath "/elsewhere/ann")' in refused
    assert '(subpath "/opt/python 3")' in allowed
    assert r'(subpath "a \"b\"\\c")' in allowed
    assert lines.index(refused) < lines.index(allowed), "the last one that fits decides"
    assert "(deny process-fork)" in lines


@pytest.mark.skipif(sys.platform != "darwin", reason="macOS alone has sandbox-exec")
def test_a_mac_refuses_what_the_rules_say(tmp_path: Path) -> None:
    attempt = (
        "import socket, pathlib\n"
        "for go in (lambda: pathlib.Path('made').touch(),\n"
        "           lambda: socket.socket().connect(('127.0.0.1', 9))):\n"
        "    try: go()\n"
        "    except PermissionError: print('refused')\n"
    )
    done = subprocess.run(
        sandbox.command([sys.executable, "-c", attempt]),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["refused", "refused"]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has it")
def test_elsewhere_a_command_stays_as_it_is() -> None:
    assert sandbox.command(["python", "-m", "x"]) == ["python", "-m", "x"]
    assert not seatbelt.holds()
