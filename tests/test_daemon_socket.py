"""The daemon's socket: a real server with calls that are simple, real clients."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pplx_local.daemon import connections, dial
from pplx_local.daemon.client import RemoteIndex, connect, stop
from pplx_local.daemon.connections import MOST_CONNECTIONS
from pplx_local.daemon.pausing import is_paused, set_paused
from pplx_local.daemon.place import announce, announced, socket_path, withdraw
from pplx_local.daemon.presence import Presence
from pplx_local.daemon.replying import result_line
from pplx_local.daemon.server import Server
from pplx_local.daemon.wire import LONGEST_LINE_BYTES, parse_reply
from pplx_local.errors import DaemonEnded, DaemonError, FolderError, StoreFull
from pplx_local.records import (
    Answer,
    Copy,
    Elsewhere,
    Hit,
    LegReport,
    Match,
    Outcome,
    Place,
    Progress,
    Span,
    UpdateReport,
)

HIT = Hit(
    path=b"/far/\xff.txt",
    score=-math.inf,
    confidence=0.5,
    char_span=Span(3, 9),
    line=2,
    place=(Place("page", "3"), Place("heading", "Rent")),
    text="The \u202e lease\x1b \u2028 \U0001f980",
    scores={"lexical": 0.25},
    ranks={"lexical": 1},
    parts={"lexical": 0.5},
    matches=(Match("rent", 0, 3, 0.75),),
    words=(Span(4, 9),),
    more_in_file=(Elsewhere(7, (Place("page", "4"),), 90, 0.125),),
    same=(Copy(b"/far/\xfe.txt", True),),
)
ANSWER = Answer(
    query="rent",
    mode="hybrid",
    took_ms=1.5,
    profile={"dense": None, "late": "small"},
    legs={
        "lexical": LegReport(True, 1.0, 0.5),
        "dense": LegReport(False, 0.0, 0.0, "none"),
    },
    nothing_close=False,
    hits=(HIT,),
)


class Daemon:
    """A server in this process, announced in a home of its own."""

    def __init__(self, root: Path, **calls: Callable) -> None:
        self.home = root / "home"
        self.home.mkdir(exist_ok=True)
        self.bugs: list[Exception] = []
        self.path = socket_path(self.home)
        calls = {"hello": lambda: {"version": "1", "pid": os.getpid()}} | calls
        self.server = Server(self.path, calls, on_bug=self.bugs.append)
        self.server.start()
        announce(self.home, self.path)

    def connect(self) -> RemoteIndex:
        daemon = connect(self.home)
        assert daemon is not None
        return daemon

    def speak(self, sent: bytes) -> list[dict]:
        """Send bytes as they are, hang up, and read what comes back."""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(self.path))
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)
            return [json.loads(line) for line in raw.makefile("rb")]


@pytest.fixture
def root(monkeypatch):
    """A short path: that of a socket may have no more than 100 bytes."""
    root = Path(tempfile.mkdtemp(dir="/tmp"))
    runtime = root / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    yield root
    shutil.rmtree(root)


@pytest.fixture
def daemon(root):
    started: list[Daemon] = []

    def start(**calls: Callable) -> Daemon:
        started.append(Daemon(root, **calls))
        return started[-1]

    yield start
    for one in started:
        one.server.close()


def request(call: str = "hello", **changes: object) -> bytes:
    message = {"v": 1, "id": 1, "call": call, "args": {}} | changes
    return json.dumps(message).encode() + b"\n"


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


# --- where it lies ---


def test_the_socket_and_its_folder_are_the_owners_alone(daemon, root):
    one = daemon()
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(one.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((one.home / "daemon.json").stat().st_mode) == 0o600
    assert one.path.parent == root / "run" / "pplx-local"


def test_each_home_has_its_own_socket_by_whatever_name_it_is_called(root):
    (root / "home").mkdir()
    (root / "link").symlink_to(root / "home")
    assert socket_path(root / "home") == socket_path(root / "link")
    assert socket_path(root / "home") != socket_path(root / "other")
    deep = root.joinpath(*["a long name" * 20] * 10)
    assert len(os.fsencode(socket_path(deep))) <= 100


def test_without_a_runtime_folder_one_is_made_in_the_temporary_one(root, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(tempfile, "tempdir", str(root))
    folder = root / f"pplx-local-{os.getuid()}"
    assert socket_path(root / "home").parent == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("wrong", ["open to others", "a link", "no folder"])
def test_a_folder_that_others_may_have_made_is_refused(root, wrong):
    folder = root / "run" / "pplx-local"
    if wrong == "open to others":
        folder.mkdir()
        folder.chmod(0o755)
    elif wrong == "a link":
        (root / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(root / "elsewhere")
    else:
        folder.touch()
    with pytest.raises(DaemonError, match="XDG_RUNTIME_DIR"):
        socket_path(root / "home")


def test_a_runtime_folder_that_is_not_there_is_refused(root, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root / "missing"))
    with pytest.raises(DaemonError, match="missing"):
        socket_path(root / "home")


def test_a_runtime_folder_with_too_long_a_name_is_refused(root, monkeypatch):
    far = root / ("x" * 100)
    far.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(far))
    with pytest.raises(DaemonError, match="too long a name"):
        socket_path(root / "home")


def test_what_is_announced_is_read_and_withdrawn(root):
    assert announced(root) is None
    said = announce(root, root / "x.sock")
    assert said.pid == os.getpid()
    assert announced(root) == said
    withdraw(root)
    withdraw(root)
    assert announced(root) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"pid": 1}', '{"pid":"1","socket":1}']
)
def test_a_broken_announcement_is_none(root, text):
    (root / "daemon.json").write_text(text)
    assert announced(root) is None
    assert connect(root) is None


def test_a_client_with_another_runtime_folder_finds_the_daemon(
    daemon, root, monkeypatch
):
    one = daemon()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with one.connect() as index:
        assert index.pid == os.getpid()


def test_a_pause_lasts(root):
    home = root / "new" / "home"
    assert not is_paused(home)
    set_paused(home, True)
    set_paused(home, True)
    assert is_paused(home)
    set_paused(home, False)
    set_paused(home, False)
    assert not is_paused(home)


# --- nobody there, or somebody else ---


def test_without_a_daemon_there_is_none(root):
    assert connect(root) is None
    assert stop(root) is None


def test_a_socket_left_behind_is_nobody_and_is_replaced(daemon, root):
    with socket.socket(socket.AF_UNIX) as left_behind:
        (root / "home").mkdir()
        path = socket_path(root / "home")
        left_behind.bind(str(path))
    announce(root / "home", path)
    assert connect(root / "home") is None
    assert path.exists()  # a client removes nothing
    with daemon().connect() as index:
        assert index.pid == os.getpid()


def test_what_killed_daemons_left_is_removed_and_what_is_used_is_not(daemon, root):
    used, home = daemon(), root / "other"
    home.mkdir()
    left, young = (used.path.with_name(f"{name}.sock") for name in ("left", "young"))
    for path in (left, young):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    for path in (left, used.path):
        os.utime(path, (1, 1))
    server = Server(socket_path(home), {}, on_bug=print)
    presence = Presence(home, server, logging.getLogger("test"))
    assert not left.exists()
    assert young.exists()  # its daemon may be about to listen
    used.connect().close()
    presence.end()
    server.close()


def test_a_server_that_was_closed_is_nobody(daemon):
    one = daemon()
    one.server.close()
    assert not one.path.exists()
    assert connect(one.home) is None


def test_a_daemon_of_another_protocol_can_only_be_stopped(daemon):
    stopped = []
    one = daemon(stop=lambda: stopped.append(True))
    said = json.loads((one.home / "daemon.json").read_text())
    (one.home / "daemon.json").write_text(json.dumps(said | {"protocol": 2}))
    with pytest.raises(DaemonError, match="pplx-local daemon stop"):
        connect(one.home)
    with pytest.raises(DaemonError, match="speaks version 1"):
        stop(one.home)  # asked in the version that was announced
    (one.home / "daemon.json").write_text(json.dumps(said))
    assert stop(one.home) == os.getpid()
    assert stopped


def test_a_daemon_that_says_nothing_is_not_waited_for(root, monkeypatch):
    monkeypatch.setattr(dial, "_HELLO_TIMEOUT_S", 0.2)
    with socket.socket(socket.AF_UNIX) as mute:
        path = socket_path(root)
        mute.bind(str(path))
        mute.listen()
        announce(root, path)
        with pytest.raises(DaemonError, match=f"kill {os.getpid()}"):
            connect(root)


def test_a_daemon_of_somebody_else_is_not_asked(daemon, monkeypatch):
    one = daemon()
    monkeypatch.setattr(dial, "is_own", lambda connection: False)
    with pytest.raises(DaemonError, match="belongs to somebody else"):
        connect(one.home)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can ask as somebody else")
def test_a_client_of_somebody_else_is_not_answered(daemon, root):
    one = daemon()
    for folder in (root, root / "run", one.path.parent):
        folder.chmod(0o755)
    one.path.chmod(0o666)
    program = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
        "s.connect(sys.argv[1]); print(len(s.recv(9)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(one.path)], capture_output=True, text=True
    )
    if "Invalid argument" in done.stderr:
        pytest.skip("this user namespace has no other user")
    assert done.stdout == "0\n", done.stderr
    with one.connect() as index:
        assert index.pid == os.getpid()


# --- calls ---


def test_an_answer_comes_back_as_it_was(daemon):
    asked = []
    one = daemon(search=lambda **args: asked.append(args) or ANSWER)
    with one.connect() as index:
        wish = {"k": 3, "mode": "late", "explain": True, "folded": True}
        assert index.search("rent", **wish) == ANSWER
    assert asked == [{"query": "rent", "wait": True} | wish]


def test_numbers_that_are_numpys_or_not_finite_survive():
    hit = HIT._replace(confidence=math.nan)
    sent = ANSWER._replace(
        hits=(hit,), took_ms=np.float32(2.5), nothing_close=np.bool_(True)
    )
    got = parse_reply(result_line(1, sent), "search").value
    assert got.took_ms == 2.5
    assert got.nothing_close is True
    assert math.isnan(got.hits[0].confidence)
    assert got.hits[0].score == -math.inf


def test_paths_travel_whole_whatever_their_bytes(daemon, root, monkeypatch):
    asked = []
    one = daemon(remove=lambda path: asked.append(path) or 3)
    monkeypatch.chdir(root)
    with one.connect() as index:
        assert index.remove_folder(Path(os.fsdecode(b"\xff/../x"))) == 3
    assert asked == [bytes(root) + b"/\xff/../x"]


def test_one_connection_carries_many_requests_and_errors_do_not_end_it(daemon):
    def use_model(name):
        raise StoreFull(f"No room for {name}.")

    one = daemon(purge=lambda: (2, 300), use_model=use_model, pause=lambda: None)
    with one.connect() as index:
        assert index.purge() == (2, 300)
        with pytest.raises(StoreFull, match=r"^No room for big\.$"):
            index.use_model("big")
        with pytest.raises(DaemonError, match="does not know how to resume"):
            index.resume()
        index.pause()
        assert index.purge() == (2, 300)


def test_a_bug_is_reported_by_its_class_alone(daemon):
    def status():
        raise ValueError("words of a document")

    one = daemon(status=status, purge=lambda: object())
    with one.connect() as index:
        with pytest.raises(DaemonError, match="ValueError") as caught:
            index.status()
        assert "words" not in str(caught.value)
        with pytest.raises(DaemonError, match="AttributeError"):
            index.purge()  # it gives what no JSON can carry
    assert [type(bug) for bug in one.bugs] == [ValueError, AttributeError]


def test_a_folder_that_is_refused_is_an_error(daemon):
    def add(paths, index):
        assert index is False
        refused = tuple(f"There is nothing at {os.fsdecode(path)}." for path in paths)
        return Outcome(UpdateReport(), refused=refused)

    with (
        daemon(add=add).connect() as index,
        pytest.raises(FolderError, match=r"nothing at /x\."),
    ):
        index.add_folder(Path("/x"))


def test_two_clients_are_answered_at_the_same_time(daemon):
    met = threading.Barrier(2, timeout=10)

    def pause():
        met.wait()

    one = daemon(pause=pause)
    with one.connect() as first, one.connect() as second:
        waiting = threading.Thread(target=first.pause)
        waiting.start()
        second.pause()  # returns only when both calls run
        waiting.join(10)


def test_more_clients_than_there_is_room_for_are_told_so(daemon):
    one = daemon()
    inside = [one.connect() for _ in range(MOST_CONNECTIONS)]
    with pytest.raises(DaemonError, match="Try again later"):
        connect(one.home)
    for index in inside:
        index.close()
    wait_for(lambda: not len(one.server.connections))
    one.connect().close()


def test_a_client_that_has_long_been_idle_makes_room_for_another(daemon, monkeypatch):
    begun, may_end = threading.Event(), threading.Event()

    def pause():
        begun.set()
        may_end.wait(30)

    one = daemon(pause=pause)
    busy, idle, *others = [one.connect() for _ in range(MOST_CONNECTIONS)]
    asking = threading.Thread(target=busy.pause)
    asking.start()
    assert begun.wait(10)
    for index in others:
        index.hello()
    monkeypatch.setattr(connections, "_MAKES_ROOM_AFTER_S", 0.0)
    with one.connect() as late:
        late.hello()
        with pytest.raises(DaemonError):
            idle.hello()
        others[0].hello()
    may_end.set()  # the one that was being answered still is
    asking.join(10)
    assert not asking.is_alive()
    assert not one.bugs
    for index in (busy, idle, *others):
        index.close()


def test_a_daemon_that_ends_in_the_middle_says_that_all_is_kept(daemon):
    one = daemon()
    with one.connect() as index:
        one.server.close()
        with pytest.raises(DaemonError, match="run the same command again"):
            index.status()


def test_a_call_that_runs_may_still_reply_when_the_server_closes(daemon):
    begun, closing = threading.Event(), threading.Event()

    def purge():
        begun.set()
        closing.wait(10)
        time.sleep(0.1)
        return 1, 2

    one = daemon(purge=purge)
    got = []
    with one.connect() as index:
        asking = threading.Thread(target=lambda: got.append(index.purge()))
        asking.start()
        begun.wait(10)
        closing.set()
        one.server.close()
        asking.join(10)
    assert got == [(1, 2)]


# --- streams ---


def steps(number: int, ended: list[str], outcome: Outcome):
    try:
        for done in range(number):
            yield Progress("read", done, number, b"/x/\xff")
        ended.append("done")
        return outcome
    except GeneratorExit:
        ended.append("left")
        raise


def test_work_is_followed_to_its_outcome(daemon):
    outcome = Outcome(UpdateReport(added=3), refused=("There is nothing at /y.",))
    ended: list[str] = []
    one = daemon(add=lambda paths, index: steps(3, ended, outcome))
    with one.connect() as index:
        work = index.add([Path("/x"), Path("/y")])
        assert [progress.done for progress in work] == [0, 1, 2]
        assert work.report.added == 3
        assert work.refused == ("There is nothing at /y.",)
        assert (list(work.failures), work.encoder_error) == ([], None)
    assert ended == ["done"]


def test_a_search_whose_client_leaves_is_let_go(daemon):
    """It tells nothing that could fail to be sent: between its steps it is looked for."""
    left, began = threading.Event(), threading.Event()

    def search(**args):
        try:
            while True:
                began.set()
                time.sleep(0.01)
                yield
        finally:
            left.set()

    with daemon(search=search).connect() as client:
        asking = threading.Thread(target=_asks_until_it_ends, args=(client,))
        asking.start()
        assert began.wait(5)
        assert not left.wait(0.2), "it is waited for"
        client.hang_up()
        assert left.wait(5)
        asking.join(5)


def _asks_until_it_ends(client: RemoteIndex) -> None:
    with pytest.raises(DaemonEnded):
        client.search("rent")


def test_who_only_says_no_more_still_gets_an_answer(daemon):
    """As a program does that pipes a request into the socket."""

    def search(**args):
        for _ in range(20):
            time.sleep(0.01)
            yield
        return ANSWER

    args = {"query": "rent", "k": 3, "mode": "hybrid", "explain": False}
    sent = request("search", args=args | {"folded": False, "wait": True})
    [reply] = daemon(search=search).speak(sent)
    assert ANSWER.query in json.dumps(reply["result"])


def test_work_whose_client_leaves_is_let_go(daemon):
    ended: list[str] = []
    endless = 10**9
    one = daemon(update=lambda paths: steps(endless, ended, Outcome(UpdateReport())))
    with one.connect() as index:
        next(iter(index.update()))
    wait_for(lambda: ended)
    assert ended == ["left"]
    assert not one.bugs
    one.connect().close()


def test_an_error_in_the_middle_of_work_reaches_the_client(daemon):
    def update(paths):
        yield Progress("scan", 1, None)
        raise StoreFull("The disk is full.")

    with daemon(update=update).connect() as index:
        stream = iter(index.update([Path("/x")]))
        assert next(stream).stage == "scan"
        with pytest.raises(StoreFull):
            next(stream)


# --- what is no request ---

ASKED = {
    "query": "x",
    "k": 1,
    "mode": "lexical",
    "explain": False,
    "folded": True,
    "wait": True,
}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"hello\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b"[1]\n", "no JSON object"),
        (b"{}\n", "whole number as its id"),
        (request(id="x"), "whole number as its id"),
        (request(id=True), "whole number as its id"),
        (request(v=2), "speaks version 1"),
        (request("format_disk"), "no such call"),
        (request("__class__"), "no such call"),
        (request(call=["hello"]), "no such call"),
        (request(args={"x": 1}), "arguments are none"),
        (request(args=None), "arguments are none"),
        (request("search", args={"query": "x"}), "query, k, mode"),
        (request("remove", args={"path": "not base64"}), "An argument is wrong"),
        (request("search", args=ASKED | {"k": -1}), "An argument is wrong"),
        (request("search", args=ASKED | {"k": 10**20}), "An argument is wrong"),
        (request("use_model", args={"name": 7}), "An argument is wrong"),
    ],
)
def test_what_is_no_request_is_told_so_and_the_next_one_answered(daemon, sent, said):
    one = daemon()
    wrong, right = one.speak(sent + request())
    assert wrong["error"]["type"] == "DaemonError"
    assert said in wrong["error"]["message"]
    assert right["result"]["pid"] == os.getpid()
    assert not one.bugs


def test_a_request_that_is_too_long_is_passed_over(daemon):
    one = daemon()
    wrong, right = one.speak(b"x" * (LONGEST_LINE_BYTES + 100) + b"\n" + request())
    assert "longer than 16,000,000 bytes" in wrong["error"]["message"]
    assert right["result"]["pid"] == os.getpid()


def test_a_client_may_leave_in_the_middle_of_a_request(daemon):
    one = daemon()
    assert one.speak(request()[:-1]) == []
    assert one.speak(b"") == []
    one.connect().close()


def test_an_answer_that_is_not_understood_says_what_to_do():
    for line in (b"x\n", b"{}\n", b'{"result": 7}\n', b'{"error": {"type": 1}}\n'):
        with pytest.raises(DaemonError, match="daemon stop"):
            parse_reply(line, "search")


def test_an_error_of_a_newer_daemon_is_an_error_of_the_daemon():
    line = b'{"error": {"type": "NotYetKnown", "message": "Do this."}}'
    with pytest.raises(DaemonError, match="Do this"):
        parse_reply(line, "search")
