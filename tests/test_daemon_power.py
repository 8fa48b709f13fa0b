"""What the indexer may do on battery, in low-power mode, and when it is hot."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from pplx_local.daemon.power import (
    allowance,
    is_mac_saving,
    is_mac_slowed,
    read_conditions,
)
from pplx_local.priority import NICENESS, lower_thread
from pplx_local.records import Conditions

MAINS = Conditions(on_battery=False, percent=None, low_power=False, hot=False)


def on(
    *,
    battery: float | None = None,
    charging: float | None = None,
    low_power: bool = False,
    hot: bool = False,
) -> Conditions:
    percent = charging if battery is None else battery
    return Conditions(battery is not None, percent, low_power, hot)


# --- the rules ---


@pytest.mark.parametrize(
    ("conditions", "effort", "said"),
    [
        (MAINS, "all", None),
        (on(charging=4), "all", None),
        (on(battery=80), "keywords", "on battery: files are read"),
        (on(battery=20), "keywords", "on battery"),
        (on(battery=19.4), "nothing", "the battery is at 19 %"),
        (on(low_power=True), "keywords", "in low-power mode: files are read"),
        (on(battery=80, low_power=True), "keywords", "on battery"),
        (on(battery=5, low_power=True), "nothing", "the battery is at 5 %"),
        (on(hot=True), "nothing", "the computer is hot"),
        (on(battery=80, hot=True), "nothing", "the computer is hot"),
        (on(charging=4, low_power=True, hot=True), "nothing", "the computer is hot"),
    ],
)
def test_each_condition_has_its_effort_and_its_reason(conditions, effort, said):
    allowed = allowance(conditions, "auto")
    assert allowed.effort == effort
    if said is None:
        assert allowed.reason is None
    else:
        assert allowed.reason.startswith(said)


def test_a_battery_of_unknown_charge_is_not_taken_for_an_empty_one():
    unknown = Conditions(on_battery=True, percent=None, low_power=False, hot=False)
    assert allowance(unknown, "auto").effort == "keywords"


def test_the_person_may_override_them_all():
    worst = Conditions(on_battery=True, percent=1, low_power=True, hot=True)
    assert allowance(worst, "always") == ("all", None)


# --- what the system says ---


class Battery:
    def __init__(self, percent: float, plugged: bool | None) -> None:
        self.percent, self.power_plugged = percent, plugged


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (None, (False, None)),
        (Battery(55, False), (True, 55)),
        (Battery(55, True), (False, 55)),
        (Battery(55, None), (False, 55)),
    ],
)
def test_a_battery_counts_only_where_it_is_known_to_be_in_use(
    battery, expected, monkeypatch
):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    found = read_conditions()
    assert (found.on_battery, found.percent) == expected


@pytest.mark.parametrize("error", [ValueError("abc"), OSError(5, "gone"), KeyError()])
def test_a_battery_whose_driver_talks_nonsense_is_none(error, monkeypatch):
    def broken() -> None:
        raise error

    monkeypatch.setattr(psutil, "sensors_battery", broken, raising=False)
    assert not read_conditions().on_battery


linux_only = pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS has no /sys; pmset tells there"
)


def write_sys(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


@linux_only
@pytest.mark.parametrize(
    ("profile", "saves"),
    [
        ("low-power", True),
        ("quiet", True),
        ("balanced", False),
        ("performance", False),
        ("\xff", False),
    ],
)
def test_linux_tells_that_power_is_saved(profile, saves, tmp_path):
    write_sys(tmp_path, firmware__acpi__platform_profile=profile)
    assert read_conditions(tmp_path).low_power is saves


@linux_only
@pytest.mark.parametrize(
    ("temperature", "kind", "limit", "hot"),
    [
        ("95000", "passive", "95000", True),
        ("94999", "passive", "95000", False),
        ("99000", "critical", "98000", True),
        ("99000", "hot", "98000", True),
        ("60000", "active", "50000", False),
        ("40000", "passive", "0", False),
        ("40000", "passive", "-274000", False),
        ("much", "passive", "50000", False),
        ("60000", "passive", "", False),
    ],
)
def test_linux_is_hot_where_it_slows_the_processor(
    temperature, kind, limit, hot, tmp_path
):
    write_sys(
        tmp_path / "class/thermal/thermal_zone3",
        temp=temperature,
        trip_point_0_type="active",
        trip_point_0_temp="1000",
        trip_point_1_type=kind,
        trip_point_1_temp=limit,
    )
    assert read_conditions(tmp_path).hot is hot


@linux_only
def test_a_computer_that_tells_nothing_is_fine(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    assert read_conditions(tmp_path / "missing") == MAINS


@pytest.mark.parametrize(
    ("told", "saves"),
    [
        ("Currently in use:\n standby     1\n lowpowermode         1\n", True),
        ("Currently in use:\n standby     1\n lowpowermode         0\n", False),
        (" powermode            1\n", True),
        (" powermode            2\n", False),
        ("", False),
    ],
)
def test_pmset_tells_that_power_is_saved(told, saves):
    assert is_mac_saving(told) is saves


@pytest.mark.parametrize(
    ("told", "slowed"),
    [
        ("CPU_Scheduler_Limit \t= 100\nCPU_Speed_Limit \t= 70\n", True),
        ("CPU_Scheduler_Limit \t= 70\nCPU_Speed_Limit \t= 100\n", False),
        ("Note: No thermal warning level has been recorded\n", False),
        ("CPU_Speed_Limit\n", False),
    ],
)
def test_pmset_tells_that_the_processor_is_slowed(told, slowed):
    assert is_mac_slowed(told) is slowed


# --- priority ---


@linux_only
def test_one_thread_gives_way_and_the_others_do_not():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    seen: list[int] = []

    def give_way() -> None:
        lower_thread()
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=give_way)
    thread.start()
    thread.join()
    assert seen == [max(before, NICENESS)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_who_gives_way_already_keeps_doing_so():
    code = (
        "import os; os.nice(15)\n"
        "from pplx_local.priority import lower_thread; lower_thread()\n"
        "print(os.getpriority(os.PRIO_PROCESS, 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) >= 15
