"""A daemon that a front end has started for itself leaves with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from daemon import Daemon, wait_for
from typer.testing import CliRunner

from pplx_local.cli.app import app
from pplx_local.daemon.claim import claimed_by
from pplx_local.daemon.client import connect
from pplx_local.daemon.place import socket_path
from pplx_local.index import Index
from pplx_local.store.connection import Database

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
time.sleep(600)
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path, ["--with-parent"])


def start_parent(daemon: Daemon) -> subprocess.Popen[bytes]:
    """Start a process that starts the daemon and holds its stdin."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", _PARENT, *daemon.command]
    return subprocess.Popen(command, env=environment)


def n_documents(daemon: Daemon) -> int:
    client = connect(daemon.settings.home)
    assert client
    with client:
        return client.status().documents


def integrity(daemon: Daemon) -> str:
    database = Database(daemon.settings.database, readonly=True)
    try:
        return str(database.value("PRAGMA integrity_check"))
    finally:
        database.close()


def test_it_ends_in_good_order_when_its_parent_is_killed(daemon: Daemon) -> None:
    for n in range(300):
        daemon.write(f"{n}.txt", f"The water pump number {n} leaks. " * 20)
    parent = start_parent(daemon)
    try:
        wait_for(daemon.reach)
        with daemon.client as client:
            next(iter(client.add([daemon.folder])))
        wait_for(lambda: n_documents(daemon))
        family = psutil.Process(parent.pid).children(recursive=True)
    finally:
        parent.kill()
        parent.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    assert len(family) > 1  # it was reading, in a process apart
    assert not socket_path(daemon.settings.home).exists()
    log = (daemon.settings.home / "logs" / "daemon.log").read_text("utf-8")
    assert log.endswith("ended\n")
    assert integrity(daemon) == "ok"


def test_it_ends_while_it_waits_for_another_writer(daemon: Daemon) -> None:
    with Index.open(daemon.settings, write=True):
        process = daemon.spawn(stdin=subprocess.PIPE)
        wait_for(lambda: claimed_by(daemon.settings.home) == process.pid)
        process.communicate(timeout=10)
        assert process.returncode == 0
    assert claimed_by(daemon.settings.home) is None


def test_what_comes_in_by_stdin_does_not_end_it(daemon: Daemon) -> None:
    process = daemon.spawn(stdin=subprocess.PIPE)
    assert process.stdin
    wait_for(daemon.reach)
    process.stdin.write(b"hello\n")
    process.stdin.flush()
    assert daemon.client.status().daemon
    process.stdin.close()
    assert process.wait(10) == 0
    daemon.client.close()


def test_without_the_option_the_end_of_stdin_is_nothing(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:  # whose stdin has ended
        assert daemon.client.status().daemon


def test_the_option_is_for_programs_and_not_in_the_help() -> None:
    shown = CliRunner().invoke(app, ["daemon", "run", "--help"]).output
    assert "--with-parent" not in shown


def test_who_starts_one_is_told_that_it_will_not_stay(daemon: Daemon) -> None:
    """A person who asks for it in the background would be left without one."""
    daemon.write("pump.txt", "The water pump leaks.\n")
    parent = start_parent(daemon)
    home = daemon.settings.home
    try:
        wait_for(daemon.reach)
        daemon.client.close()
        for command in (["start"], ["status"]):
            result = CliRunner().invoke(app, ["--home", str(home), "daemon", *command])
            assert result.exit_code == 0, result.stderr
            assert "ends with the window that started it" in result.output
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: claimed_by(home) is None)
