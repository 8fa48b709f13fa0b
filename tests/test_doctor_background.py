"""The doctor on the background indexer: a real one, and one with any trouble there is."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from daemon import Daemon

from pplx_local import __version__
from pplx_local.config import Settings
from pplx_local.daemon.claim import claim
from pplx_local.daemon.place import announce, socket_path
from pplx_local.daemon.server import Server
from pplx_local.doctor import Check, background
from pplx_local.doctor.background import place_of_home, watches
from pplx_local.index import Index
from pplx_local.records import DaemonStatus, FolderStatus, Status, Watching
from pplx_local.watch import FileSystem

NFS = FileSystem("nfs4", is_remote=True)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a short path, as sockets need it."""
    root = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root))
    yield root
    shutil.rmtree(root)


@contextmanager
def serving(home: Path, status: Status) -> Iterator[Settings]:
    """Be a daemon that says of itself what it is told to."""
    calls = {"hello": lambda: {"version": "1"}, "status": lambda: status}
    server = Server(socket_path(home), calls, on_bug=print)
    server.start()
    announce(home, socket_path(home))
    try:
        yield Settings(home=home)
    finally:
        server.close()


def status(*folders: FolderStatus, **changes: object) -> Status:
    values = {
        "pid": os.getpid(),
        "version": __version__,
        "started_ns": time.time_ns(),
        "doing": None,
        "rate": None,
        "seconds_left": None,
        "waits": None,
        "trouble": None,
        "paused": False,
    }
    return Status(
        home="/far/home",
        schema_version=1,
        folders=folders,
        states={},
        documents=0,
        hidden_documents=0,
        chunks=0,
        profile={"dense": None, "late": None},
        coverage={},
        bytes_by_part={},
        fresh_as_of_ns=None,
        daemon=DaemonStatus(**values | changes),
    )


def checks(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in background.background(settings)}


def test_a_daemon_that_runs_is_in_order(place: Path) -> None:
    with Daemon(place) as daemon:
        daemon.write("deep/er/note.txt", "The tide turns at six.")
        daemon.add()
        found = checks(daemon.settings)
        assert {check.outcome for check in found.values()} == {"ok"}
        assert f"process {daemon.pid}, version {__version__}" in found["daemon"].detail
        assert f"{daemon.folder}, on " in found["folder"].detail
        assert found["folder"].detail.endswith(": watched")
        if sys.platform == "linux":
            assert found["watches"].detail.endswith(", 3 are by the daemon")


def test_without_a_daemon_the_way_to_start_one_is_told(place: Path) -> None:
    settings = Settings(home=place / "home", model="none")
    (place / "documents").mkdir()
    with Index.open(settings, write=True) as index:
        index.add_folder(place / "documents")
    found = checks(settings)
    assert found["daemon"].outcome == "warn"
    assert "pplx-local daemon start" in (found["daemon"].remedy or "")
    assert found["folder"].outcome == "ok"
    assert found["folder"].detail.endswith("can be watched")


@pytest.mark.parametrize(
    ("changes", "outcome", "said"),
    [
        ({"version": "0.0.1"}, "warn", "version 0.0.1"),
        ({"trouble": "no room on the disk"}, "warn", "trouble: no room on the disk"),
        ({"waits": "on battery"}, "ok", "waits: on battery"),
    ],
)
def test_what_a_daemon_says_of_itself_is_passed_on(
    place: Path, changes: dict[str, str], outcome: str, said: str
) -> None:
    with serving(place, status(**changes)) as settings:
        found = checks(settings)["daemon"]
    assert found.outcome == outcome
    assert said in found.detail
    assert (found.remedy is None) == (outcome == "ok")


def test_a_daemon_that_does_not_answer_hides_no_other_check(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pplx_local.daemon.dial._HELLO_TIMEOUT_S", 0.2)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(socket_path(place)))
        deaf.listen()
        announce(place, socket_path(place))
        found = checks(Settings(home=place))
    assert found["daemon"].outcome == "fail"
    assert f"kill {os.getpid()}" in found["daemon"].detail
    assert found["file system"].outcome == "ok"


def test_a_daemon_that_still_waits_to_be_the_writer_is_told_of(place: Path) -> None:
    lock = claim(place)
    assert lock
    found = checks(Settings(home=place))["daemon"]
    lock.release()
    assert found.outcome == "warn"
    assert f"process {os.getpid()} runs" in found.detail
    assert str(place / "logs" / "daemon.log") in (found.remedy or "")


def test_how_the_daemon_watches_each_folder(place: Path) -> None:
    folders = [
        FolderStatus(b"/far/a", True, 1, {}, Watching("events")),
        FolderStatus(b"/far/b", True, 1, {}, Watching("polling", "it lies on nfs4")),
        FolderStatus(b"/far/c", False, 1, {}, Watching("polling", "not there")),
    ]
    with serving(place, status(*folders)) as settings:
        found = [one for one in background.background(settings) if one.name == "folder"]
    assert [one.outcome for one in found] == ["ok", "warn", "warn"]
    assert "it lies on nfs4" in found[1].detail
    assert "pplx-local remove" in (found[2].remedy or "")


def test_a_home_on_a_network_fails_and_a_folder_there_is_polled(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=place / "home", model="none")
    with Index.open(settings, write=True) as index:
        index.add_folder(place)
    monkeypatch.setattr(background, "file_system_of", lambda path: NFS)
    found = checks(settings)
    assert found["file system"].outcome == "fail"
    assert "nfs4" in found["file system"].detail
    assert "--home" in (found["file system"].remedy or "")
    assert found["folder"].outcome == "warn"
    assert "now and then" in found["folder"].detail


def test_a_home_is_judged_by_where_its_link_leads(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "link").symlink_to(place / "share")
    monkeypatch.setattr(
        background,
        "file_system_of",
        lambda path: NFS if path == place / "share" else FileSystem("ext4", False),
    )
    assert place_of_home(place / "link").outcome == "fail"
    assert place_of_home(place).outcome == "ok"


# --- the kernel's limit ---


def made_proc(root: Path, allowed: str, *held: int) -> Path:
    """What Linux would tell, of a process 7 that holds so many watches."""
    (root / "sys/fs/inotify").mkdir(parents=True)
    (root / "sys/fs/inotify/max_user_watches").write_text(allowed)
    (root / "7/fdinfo").mkdir(parents=True)
    for number, n_watches in enumerate(held):
        lines = "".join(f"inotify wd:{one} ino:1\n" for one in range(n_watches))
        (root / f"7/fdinfo/{number}").write_text(f"pos: 0\n{lines}")
    return root


def test_watches_are_counted_over_all_descriptors(tmp_path: Path) -> None:
    found = watches(7, made_proc(tmp_path, "10000\n", 5, 0, 2000))
    assert found.outcome == "ok"
    assert "10,000 folders" in found.detail
    assert "2,005 are by the daemon" in found.detail


def test_nearly_as_many_watches_as_there_are(tmp_path: Path) -> None:
    found = watches(7, made_proc(tmp_path, "1000\n", 801))
    assert found.outcome == "warn"
    assert found.remedy is not None
    assert "sudo sysctl fs.inotify.max_user_watches=524288" in found.remedy


def test_a_limit_that_is_reached_already_high_is_doubled(tmp_path: Path) -> None:
    found = watches(7, made_proc(tmp_path, "600000\n", 500_000))
    assert "max_user_watches=1200000" in (found.remedy or "")


@pytest.mark.parametrize("pid", [None, 8])
def test_no_process_holds_no_watches(tmp_path: Path, pid: int | None) -> None:
    found = watches(pid, made_proc(tmp_path, "1000\n", 900))
    assert found.outcome == "ok"
    assert "daemon" not in found.detail


def test_a_kernel_without_inotify(tmp_path: Path) -> None:
    assert watches(None, tmp_path).outcome == "warn"
