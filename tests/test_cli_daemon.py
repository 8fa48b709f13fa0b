"""Commands while a daemon runs: a real server with calls that are simple."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest
from typer.testing import CliRunner, Result

from pplx_local import __version__
from pplx_local.cli.app import app
from pplx_local.cli.asking import shortcomings
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.quick import search_quickly
from pplx_local.daemon import launch
from pplx_local.daemon.pausing import is_paused
from pplx_local.daemon.place import announce, socket_path, withdraw
from pplx_local.daemon.server import Server
from pplx_local.errors import DaemonError, StoreFull
from pplx_local.records import (
    Answer,
    DaemonStatus,
    FileRecord,
    FolderStatus,
    Hit,
    LegReport,
    ModelEstimate,
    Outcome,
    Progress,
    QueueStatus,
    Span,
    Status,
    UpdateReport,
    Watching,
)

SECOND_NS = 10**9


def answer(query: str = "rent", **changes) -> Answer:
    hit = Hit(
        path=b"/far/lease.txt",
        score=1.5,
        confidence=0.8,
        char_span=Span(0, 16),
        line=3,
        place=(),
        text="The rent is due.",
        scores={"lexical": 0.5},
    )
    values = {
        "query": query,
        "mode": "hybrid",
        "took_ms": 12.0,
        "profile": {"dense": None, "late": None},
        "legs": {"lexical": LegReport(True, 1.0, 1.0)},
        "nothing_close": False,
        "hits": (hit,),
    }
    return Answer(**values | changes)


def status(**changes) -> Status:
    doing = Progress("read", 120, 400, b"/far/lease.txt")
    values = {
        "home": "/far/home",
        "schema_version": 1,
        "folders": (
            FolderStatus(b"/far/notes", True, 1, {"indexed": 3}, Watching("events")),
            FolderStatus(
                b"/far/share",
                False,
                1,
                {},
                Watching("polling", "it lies on a network"),
            ),
        ),
        "states": {"indexed": 3},
        "documents": 3,
        "hidden_documents": 0,
        "chunks": 3,
        "profile": {"dense": None, "late": None},
        "coverage": {"lexical": 1.0},
        "bytes_by_part": {"database": 4096},
        "fresh_as_of_ns": time.time_ns() - 120 * SECOND_NS,
        "queue": QueueStatus(310, 2, 30),
        "daemon": DaemonStatus(
            pid=4711,
            version="0.1.0",
            started_ns=time.time_ns() - 30 * SECOND_NS,
            doing=doing,
            rate=35.0,
            seconds_left=8.0,
            waits=None,
            trouble="no room on the disk",
            paused=False,
        ),
    }
    return Status(**values | changes)


def estimate(name: str) -> ModelEstimate:
    return ModelEstimate(
        profile={"dense": name, "late": None},
        serving={"dense": "small", "late": None},
        documents=3,
        tokens=16,
        seconds=None,
        memory_bytes=10**9,
        memory_fp32_bytes=10**9,
        disk_bytes=10**6,
        free_disk_bytes=10**9,
    )


FAILED = FileRecord(b"/far/x.pdf", 1, 1, 1, 1, 1, None, "failed", "it is damaged")


class Daemon:
    """A home whose daemon is a server in this process; its calls are noted."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        (home / "config.toml").write_text('model = "none"\n')
        self.asked: list[tuple] = []
        self.bugs: list[Exception] = []
        self.lock = filelock.FileLock(home / "daemon.lock", thread_local=False)
        (home / "daemon.pid").write_text(str(os.getpid()))
        self.calls: dict[str, Callable] = {
            "hello": lambda: {"version": __version__, "pid": os.getpid()},
            "search": self.search,
            "similar": self.similar,
            "status": status,
            "add": self.add,
            "update": self.update,
            "why": lambda path: "indexed",
            "remove": lambda path: self.note("remove", path) or 2,
            "purge": lambda: self.note("purge") or (2, 5_000_000),
            "estimate_model": estimate,
            "use_model": lambda name: self.note("use", name) or ["small"],
            "pause": lambda: self.note("pause"),
            "resume": lambda: self.note("resume"),
            "stop": self.stop,
        }
        path = socket_path(home)
        self.server = Server(path, self.calls, on_bug=self.bugs.append)
        self.server.start()
        announce(home, path)

    def __call__(self, *args: object, **options: Any) -> Result:
        command = ["--home", str(self.home), *map(str, args)]
        return CliRunner().invoke(
            app, command, obj=Invocation(), catch_exceptions=False, **options
        )

    def json(self, *args: object) -> dict:
        return json.loads(self(*args, "--json").stdout)

    def note(self, *asked: object) -> None:
        self.asked.append(asked)

    def search(self, **args):
        self.note("search", args)
        return answer(args["query"])

    def similar(self, **args):
        self.note("similar", args)
        return answer("like it")

    def add(self, paths, index):
        self.note("add", paths, index)
        refused = tuple(f"There is nothing at {os.fsdecode(p)}." for p in paths[1:])
        outcome = Outcome(UpdateReport(added=2), refused=refused)
        return self.work(outcome) if index else outcome

    def update(self, paths):
        self.note("update", paths)
        return self.work(Outcome(UpdateReport(failed=1), (FAILED,)))

    @staticmethod
    def work(outcome):
        yield Progress("scan", 2, 2)
        return outcome

    def stop(self) -> None:
        """Give the lock back a little later, as a daemon that tidies up."""
        self.note("stop")
        withdraw(self.home)
        threading.Timer(0.2, self.lock.release, kwargs={"force": True}).start()


@pytest.fixture
def home(monkeypatch):
    """A short path: that of a socket may have no more than 100 bytes."""
    root = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root))
    yield root / "home"
    shutil.rmtree(root)


@pytest.fixture
def daemon(home):
    daemon = Daemon(home)
    yield daemon
    daemon.server.close()
    assert not daemon.bugs


# --- search ---


def test_a_search_is_answered_by_the_daemon(daemon):
    result = daemon("search", "rent", "due", "-k", "3", "--mode", "lexical")
    assert result.exit_code == 0
    assert result.stdout == "/far/lease.txt:3: The rent is due.\n"
    asked = {"k": 3, "mode": "lexical", "explain": True, "folded": True, "wait": True}
    assert daemon.asked == [("search", asked | {"query": "rent due"})]


@pytest.mark.parametrize(
    "args",
    [
        ("rent", "due"),
        ("rent", "-k", "3", "--mode", "dense", "--explain"),
        ("rent", "--json"),
        ("rent", "--jsonl"),
        ("--format", "vimgrep", "rent"),
        ("rent", "--all"),
    ],
)
def test_the_quick_way_says_what_the_long_way_says(daemon, capsys, args):
    long = daemon("search", *args)
    assert search_quickly(["--home", str(daemon.home), "search", *args]) == 0
    quick = capsys.readouterr()
    assert (quick.out, quick.err) == (long.stdout, long.stderr)
    assert daemon.asked[0] == daemon.asked[1]


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("search",),
        ("search", " "),
        ("search", "--help"),
        ("search", "x", "--mode", "fuzzy"),
        ("search", "x", "--mode"),
        ("search", "x", "-k", "0"),
        ("search", "x", "-k", "²"),
        ("search", "x", "-k", "9" * 5_000),
        ("search", "x", "-k", "10001"),
        ("search", "x", "--json", "--jsonl"),
        ("search", "--", "-x"),
        ("-v", "search", "x"),
        ("status",),
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(daemon, monkeypatch, args):
    monkeypatch.setenv("PPLX_LOCAL_HOME", str(daemon.home))
    assert search_quickly(args) is None
    assert not daemon.asked


def test_similar_and_questions_from_stdin_are_answered_by_the_daemon(
    daemon, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    wish = {"k": 3, "mode": "dense", "explain": True, "folded": False, "wait": True}
    daemon("similar", "note.txt:7", "-k", "3", "--mode", "dense", "--all")
    assert daemon.asked.pop() == (
        "similar", wish | {"path": bytes(tmp_path / "note.txt"), "line": 7}
    )  # fmt: skip
    result = daemon("search", "--queries", "-", input=b"rent\ndue\n")
    assert result.stdout.splitlines()[::3] == ["> rent", "> due"]
    assert [args["query"] for _, args in daemon.asked] == ["rent", "due"]


def test_the_quick_way_needs_a_daemon(home):
    assert search_quickly(["--home", str(home), "search", "x"]) is None
    assert search_quickly(["--home", "", "search", "x"]) is None
    assert search_quickly(["--home", "~nobody-of-that-name", "search", "x"]) is None


def test_the_quick_way_has_the_exit_codes_and_messages_of_all_commands(
    daemon, capsys, monkeypatch
):
    monkeypatch.setenv("PPLX_LOCAL_HOME", str(daemon.home))
    daemon.calls["search"] = lambda **args: answer(hits=())
    assert search_quickly(["search", "x"]) == 1

    def full(**args):
        raise StoreFull("No room.")

    daemon.calls["search"] = full
    with pytest.raises(SystemExit, match="2"):
        search_quickly(["search", "x"])
    assert capsys.readouterr().err.endswith("pplx-local: No room.\n")


def test_a_search_with_a_device_of_its_own_runs_in_this_process(daemon):
    result = daemon("--device", "cpu", "search", "x")
    assert result.exit_code == 2  # there is no index here
    assert "pplx-local add" in result.stderr
    assert not daemon.asked


def test_what_is_not_embedded_yet_the_daemon_goes_on_with(daemon):
    legs = {"dense": LegReport(True, 0.5, 1.0)}
    daemon.calls["search"] = lambda **args: answer(legs=legs)
    said = daemon("search", "x").stderr
    assert "pplx-local status tells how far" in said
    assert "pplx-local update" not in said
    assert "pplx-local update" in shortcomings(answer(legs=legs))[0]


# --- commands that write ---


def test_add_is_followed_and_says_what_was_refused(daemon, tmp_path):
    result = daemon("add", tmp_path, "/missing", "--json")
    assert result.exit_code == 2
    assert "2 added" in result.stderr
    assert "pplx-local: There is nothing at /missing." in result.stderr
    assert json.loads(result.stdout)["report"]["added"] == 2
    assert daemon.asked == [("add", [bytes(tmp_path), b"/missing"], True)]


def test_add_without_indexing_registers_only(daemon, tmp_path):
    daemon.calls["add"] = lambda paths, index: (
        daemon.note(paths, index) or Outcome(UpdateReport())
    )
    result = daemon("add", tmp_path, "--no-index")
    assert result.exit_code == 0
    assert "Registered" in result.stderr
    assert daemon.asked == [([bytes(tmp_path)], False)]


def test_update_says_what_failed(daemon):
    result = daemon("update")
    assert result.exit_code == 3
    assert "failed: /far/x.pdf: it is damaged" in result.stderr
    assert daemon.asked == [("update", None)]


def test_paths_are_those_of_the_shell_not_of_the_daemon(daemon, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    daemon("update", "notes")
    daemon("remove", "notes")
    here = bytes(tmp_path / "notes")
    assert daemon.asked == [("update", [here]), ("remove", here)]


def test_remove_and_purge_say_what_went(daemon):
    assert "2 files" in daemon("remove", "/far/notes").stderr
    assert daemon.json("purge") == {"documents": 2, "bytes": 5_000_000}


def test_a_model_is_embedded_by_the_daemon(daemon):
    result = daemon("models", "use", "big")
    assert result.exit_code == 0
    assert "The daemon embeds it now; pplx-local status" in result.stderr
    assert "pplx-local update" not in result.stderr
    assert "Removed the vectors of small." in result.stderr


@pytest.mark.parametrize(
    "command", ["update", "purge", "models use big", "daemon start"]
)
def test_who_writes_has_its_own_settings(daemon, command):
    result = daemon("--backend", "torch", *command.split())
    assert result.exit_code == 2
    assert "has its own settings" in result.stderr
    assert not daemon.asked


def test_ctrl_c_leaves_the_daemon_at_work(daemon):
    left = threading.Event()

    def endless(paths):
        try:
            for done in range(10**9):
                yield Progress("read", done, None)
        finally:
            left.set()

    begun = threading.Event()
    daemon.calls["update"] = lambda paths: begun.set() or endless(paths)
    process = subprocess.Popen(
        [sys.executable, "-m", "pplx_local", "--home", str(daemon.home), "update"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert begun.wait(30)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.endswith("The daemon goes on; pplx-local status tells how far.\n")
    assert left.wait(10)
    assert daemon("search", "rent").exit_code == 0


# --- status ---


def test_the_status_says_what_the_daemon_does(daemon):
    shown = daemon("status").stdout
    assert "Fresh   as of 20" in shown
    assert ", 2 min ago" in shown
    assert "Queue   280 files to read, 2 of them for another try, 30 files to" in shown
    assert "Daemon  process 4711, version 0.1.0, for 30 s" in shown
    assert "reading 120 of 400 files, 35/s, 8 s left" in shown
    assert "trouble: no room on the disk" in shown
    assert "/far/notes, looked through" in shown
    assert ", watched\n" in shown
    assert "away now, looked at now and then: it lies on a network" in shown


def test_the_status_as_json_has_it_all(daemon):
    found = daemon.json("status")
    assert found["queue"] == {"waiting": 310, "retrying": 2, "stale": 30}
    assert found["daemon"]["doing"]["path"] == "/far/lease.txt"
    assert found["folders"][1]["watching"]["how"] == "polling"
    assert found["fresh_as_of_ns"]


@pytest.mark.parametrize(
    ("waits", "paused", "said"),
    [
        (None, False, "nothing to do"),
        (None, True, "paused; to go on: pplx-local resume"),
        ("on battery", False, "waits: on battery"),
    ],
)
def test_the_status_says_why_nothing_is_done(daemon, waits, paused, said):
    idle = DaemonStatus(1, "0.1.0", 1, None, None, None, waits, None, paused)
    daemon.calls["status"] = lambda: status(daemon=idle, queue=QueueStatus(0))
    for command in (("status",), ("daemon", "status")):
        shown = daemon(*command).stdout
        assert said in shown
        assert "Queue   empty" in shown


def test_the_daemons_status_alone(daemon):
    result = daemon("daemon", "status")
    assert result.exit_code == 0
    assert "reading 120 of 400 files" in result.stdout
    assert "Folder  /far/notes, watched" in result.stdout
    found = daemon.json("daemon", "status")
    assert found["daemon"]["pid"] == 4711
    assert found["folders"][0] == {
        "path": "/far/notes",
        "watching": {"how": "events", "reason": None},
    }


# --- without a daemon ---


@pytest.fixture
def alone(home):
    home.mkdir()
    (home / "config.toml").write_text('model = "none"\n')

    def run(*args: object) -> Result:
        command = ["--home", str(home), *map(str, args)]
        return CliRunner().invoke(app, command, catch_exceptions=False)

    return run


def test_without_a_daemon_the_status_says_how_to_start_one(alone, tmp_path):
    alone("add", tmp_path)
    shown = alone("status").stdout
    assert "No daemon runs; to start it: pplx-local daemon start" in shown
    assert "Fresh   as of" in shown
    assert json.loads(alone("status", "--json").stdout)["daemon"] is None


def test_without_a_daemon_its_status_is_exit_code_1(alone):
    result = alone("daemon", "status")
    assert result.exit_code == 1
    assert "pplx-local daemon start" in result.stdout
    result = alone("daemon", "status", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["daemon"] is None


def test_without_a_daemon_stop_has_nothing_to_do(alone):
    result = alone("daemon", "stop")
    assert result.exit_code == 0
    assert "No daemon runs." in result.stderr


def test_without_a_daemon_a_pause_waits_for_one(alone, home):
    assert alone("pause").exit_code == 0
    assert is_paused(home)
    assert alone("resume").exit_code == 0
    assert not is_paused(home)


# --- start, stop, pause ---


def test_start_where_one_runs_says_so(daemon):
    result = daemon("daemon", "start")
    assert result.exit_code == 0
    assert f"runs already, process {os.getpid()}" in result.stderr


def test_stop_waits_until_it_has_let_go_of_its_home(daemon):
    daemon.lock.acquire()
    result = daemon("daemon", "stop")
    assert result.exit_code == 0
    assert not daemon.lock.is_locked
    assert "What was done is kept" in result.stderr
    assert daemon.asked == [("stop",)]


def test_a_daemon_that_does_not_end_is_named(daemon, monkeypatch):
    monkeypatch.setattr(launch, "_END_S", 0.1)
    daemon.calls["stop"] = lambda: None
    with daemon.lock:
        result = daemon("daemon", "stop")
    assert result.exit_code == 2
    assert f"kill {os.getpid()}" in result.stderr


def test_pause_and_resume_go_through_the_daemon(daemon):
    assert daemon("pause").exit_code == 0
    assert daemon("resume").exit_code == 0
    assert daemon.asked == [("pause",), ("resume",)]


def test_a_daemon_that_cannot_start_says_why(alone, home):
    (home / "config.toml").write_text("model = 7\n")
    result = alone("daemon", "start")
    assert result.exit_code == 2
    assert "should be of type str" in result.stderr


def test_a_daemon_that_ends_at_once_says_why(alone, home, monkeypatch):
    program = "import sys; sys.exit('pplx-local: The disk is full.')"
    monkeypatch.setattr(launch, "_PROGRAM", ["-c", program])
    result = alone("daemon", "start")
    assert result.exit_code == 2
    assert "ended at once. pplx-local: The disk is full." in result.stderr
    (home / "logs").mkdir()
    (home / "logs" / "daemon.log").write_text("one\ntwo\n")
    monkeypatch.setattr(launch, "_PROGRAM", ["-c", ""])
    assert "Its log says last: one / two" in alone("daemon", "start").stderr


STANDS_IN = """
import os, sys, threading, time
from pathlib import Path
from pplx_local.daemon.place import announce, socket_path, withdraw
from pplx_local.daemon.server import Server

home, ended = Path(sys.argv[2]), threading.Event()
calls = {"hello": lambda: {"version": "1", "pid": os.getpid()}, "stop": ended.set}
server = Server(socket_path(home), calls, on_bug=print)
server.start()
announce(home, socket_path(home))
ended.wait(60)
withdraw(home)
server.close()
"""


def test_what_is_started_goes_on_in_a_session_of_its_own(alone, home, monkeypatch):
    monkeypatch.setattr(launch, "_PROGRAM", ["-c", STANDS_IN])
    result = alone("daemon", "start")
    assert result.exit_code == 0, result.stderr
    pid = int(result.stderr.rstrip(".\n").split()[-1])
    assert os.getsid(pid) == pid
    assert sys.platform != "linux" or Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    assert f"runs already, process {pid}" in alone("daemon", "start").stderr
    assert alone("daemon", "stop").exit_code == 0
    assert os.waitpid(pid, 0)[1] == 0
    assert "No daemon runs." in alone("daemon", "stop").stderr


def test_a_daemon_that_does_not_answer_yet_is_left_at_it(alone, home, monkeypatch):
    monkeypatch.setattr(launch, "_START_S", 0.2)
    monkeypatch.setattr(launch, "_PROGRAM", ["-c", "import time; time.sleep(60)"])
    result = alone("daemon", "start")
    assert result.exit_code == 2
    assert "runs but does not answer yet" in result.stderr
    pid = int(result.stderr.split("(process ")[1].split(")")[0])
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_child_that_does_not_answer_yet_ends_by_itself(home, monkeypatch):
    """And is no oversight, of which Popen would warn."""
    monkeypatch.setattr(launch, "_START_S", 0.2)
    program = "import sys, time; sys.stdin.read(); time.sleep(1)"  # not before we look
    monkeypatch.setattr(launch, "_PROGRAM", ["-c", program])
    with pytest.raises(DaemonError, match="does not answer yet") as raised:
        launch.launch(home, as_child=True)
    pid = int(str(raised.value).split("(process ")[1].split(")")[0])
    del raised
    gc.collect()
    assert os.waitpid(pid, 0)[1] == 0


def test_a_daemon_that_another_start_was_quicker_with_is_taken(home, monkeypatch):
    """The one that was started here finds the lock taken, and ends."""
    reach = Invocation.daemon
    daemon = None

    def first_nobody(self):
        nonlocal daemon
        found = reach(self) if daemon else None
        daemon = daemon or Daemon(home)
        return found

    monkeypatch.setattr(Invocation, "daemon", first_nobody)
    monkeypatch.setattr(launch, "_PROGRAM", ["-c", ""])
    result = CliRunner().invoke(app, ["--home", str(home), "daemon", "start"])
    assert result.exit_code == 0
    assert f"process {os.getpid()}" in result.stderr
    daemon.server.close()
