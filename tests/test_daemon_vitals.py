"""Memory and power, as the daemon tells them to who looks on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
from daemon import Daemon
from typer.testing import CliRunner

from pplx_local.cli.app import app
from pplx_local.daemon.signatures import as_result, plain
from pplx_local.daemon.vitals import Kept, Vitals, memory_bytes
from pplx_local.records import Conditions, DaemonStatus
from pplx_local.wording.working import daemon_lines, power_in_words

MAINS = Conditions(on_battery=False, percent=None, low_power=False, hot=False)
_HOLDS = "import time; held = bytearray(b'x') * 200_000_000; print(flush=True); time.sleep(60)"


def test_the_memory_of_children_counts() -> None:
    own = psutil.Process().memory_info().rss
    child = subprocess.Popen([sys.executable, "-c", _HOLDS], stdout=subprocess.PIPE)
    with child:
        assert child.stdout
        child.stdout.readline()
        assert memory_bytes() > own + 150_000_000
        child.kill()
    assert memory_bytes() < own + 150_000_000


def test_a_measurement_is_kept_for_a_while() -> None:
    measured: list[int] = []

    def measure() -> int:
        measured.append(1)
        return len(measured)

    kept = Kept(measure, for_s=0.05)
    assert [kept() for _ in range(5)] == [1] * 5
    time.sleep(0.06)
    assert kept() == 2


def test_vitals_are_cheap_to_ask_often() -> None:
    vitals = Vitals()
    began, n = time.monotonic(), 1_000
    for _ in range(n):
        assert vitals.memory_bytes() > 0
        assert isinstance(vitals.power(), Conditions)
    assert (time.monotonic() - began) / n < 0.001


def test_a_daemon_tells_both(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        told = daemon.state()
        here = psutil.Process(daemon.pid).memory_info().rss
        assert told.memory_bytes
        assert told.memory_bytes > here / 2
        assert isinstance(told.power, Conditions)
        given = ["--home", str(daemon.settings.home), "daemon", "status"]
        shown = CliRunner().invoke(app, given).stdout
        assert "Memory" in shown
        assert "Power" in shown


def status() -> DaemonStatus:
    nothing = (None,) * 5
    return DaemonStatus(1, "0.1.0", time.time_ns(), *nothing, False, 5_000_000, MAINS)


def sent_by_a_daemon(**daemon: object) -> dict[str, object]:
    """What comes over the socket for `status`."""
    counts = dict.fromkeys(("documents", "hidden_documents", "chunks"), 0)
    kept = {name: {} for name in ("states", "profile", "coverage", "bytes_by_part")}
    about = {"home": "/h", "schema_version": 6, "folders": [], "fresh_as_of_ns": None}
    return {**about, **counts, **kept, "daemon": daemon}


def test_what_an_older_daemon_does_not_tell_is_not_shown() -> None:
    said = plain(status())
    del said["memory_bytes"], said["power"]
    taken = as_result("status", sent_by_a_daemon(**said)).daemon
    assert taken.memory_bytes is taken.power is None
    assert not {"Memory", "Power"} & {line.split()[0] for line in daemon_lines(taken)}


def test_an_older_client_passes_over_what_it_does_not_know() -> None:
    said = plain(status()) | {"colour": "green"}
    taken = as_result("status", sent_by_a_daemon(**said)).daemon
    assert taken.memory_bytes == 5_000_000


def test_power_in_words() -> None:
    assert power_in_words(MAINS) == "mains"
    worst = Conditions(on_battery=True, percent=62.6, low_power=True, hot=True)
    assert (
        power_in_words(worst)
        == "battery, charged to 63 %, saving power, slowed down by heat"
    )
