"""When the indexer may work: the battery, the person's wish to save power, the heat.

What the system says is read in one place and judged in another, so that every rule can
be tested without the computer that it is for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import psutil

from pplx_local.daemon.asking import ask
from pplx_local.records import Conditions

Effort = Literal["all", "keywords", "nothing"]

_LOW_PERCENT = 20.0
"""Below it a laptop warns its person: what is left is theirs."""
_SYS = Path("/sys")
_ASK_TIMEOUT_S = 2.0
_TOO_HOT = ("passive", "hot", "critical")
"""Trip points at which Linux slows the processor down, or worse. A fan's ("active") is
no reason to stop."""


class Allowance(NamedTuple):
    """What the indexer may do now."""

    effort: Effort
    """"all"; "keywords": read, but do not embed; "nothing"."""
    reason: str | None
    """Why it is not all, for the person; None when it is."""


def allowance(conditions: Conditions, rules: str) -> Allowance:
    """Judge the conditions.

    Reading a saved file costs a moment, and makes it findable; embedding costs minutes
    of all cores. So what may last for hours or for good, a battery or a wish to save
    power, puts off the embedding alone. A battery that is nearly empty and heat pass,
    and put off everything.

    Args:
        conditions: As they are now.
        rules: `Settings.power`: "always" lets no condition count.
    """
    if rules == "always":
        return Allowance("all", None)
    percent = conditions.percent
    if conditions.on_battery and percent is not None and percent < _LOW_PERCENT:
        why = f"the battery is at {percent:.0f} %"
        return Allowance("nothing", f"{why}: new and changed files wait for mains")
    if conditions.hot:
        why = "the computer is hot"
        return Allowance("nothing", f"{why}: new and changed files wait until it cools")
    if conditions.on_battery:
        return _keywords("on battery", "mains")
    if conditions.low_power:
        return _keywords("in low-power mode", "its end")
    return Allowance("all", None)


def _keywords(where: str, what: str) -> Allowance:
    return Allowance("keywords", f"{where}: files are read, embedding waits for {what}")


def read_conditions(sys_folder: Path = _SYS) -> Conditions:
    """Ask the system; what it does not tell counts as fine.

    Args:
        sys_folder: Where Linux shows its devices.
    """
    on_battery, percent = _battery()
    if sys.platform == "darwin":
        low_power, hot = is_mac_saving(_pmset()), is_mac_slowed(_pmset("therm"))
    else:
        low_power, hot = _is_linux_saving(sys_folder), _is_linux_hot(sys_folder)
    return Conditions(on_battery, percent, low_power, hot)


def _battery() -> tuple[bool, float | None]:
    # psutil passes on whatever a driver makes of a broken battery.
    with suppress(Exception):
        if battery := psutil.sensors_battery():
            return battery.power_plugged is False, battery.percent
    return False, None


# --- Linux ---


def _is_linux_saving(sys_folder: Path) -> bool:
    # Desktops' "power saver" sets it; "quiet" is its name on computers without the other.
    profile = _word(sys_folder / "firmware/acpi/platform_profile")
    return profile in ("low-power", "quiet")


def _is_linux_hot(sys_folder: Path) -> bool:
    zones = (sys_folder / "class/thermal").glob("thermal_zone*")
    return any(_is_over_a_trip(zone) for zone in zones)


def _is_over_a_trip(zone: Path) -> bool:
    temperature = _number(zone / "temp")
    return temperature is not None and any(
        temperature >= limit for limit in _trips(zone)
    )


def _trips(zone: Path) -> Iterator[int]:
    """Give the temperatures in m°C that are too hot; 0 and less mean not set."""
    for kind in zone.glob("trip_point_*_type"):
        if _word(kind) in _TOO_HOT:
            limit = _number(kind.with_name(kind.name.replace("_type", "_temp")))
            if limit is not None and limit > 0:
                yield limit


def _number(path: Path) -> int | None:
    with suppress(ValueError):
        return int(_word(path))
    return None


def _word(path: Path) -> str:
    with suppress(OSError, ValueError):
        return path.read_text(encoding="ascii").strip()
    return ""


# --- macOS ---


def is_mac_saving(told: str) -> bool:
    """Read what `pmset -g` told of the low-power mode."""
    # The second is the name where there is a high-power mode too.
    return "1" in (_setting(told, "lowpowermode"), _setting(told, "powermode"))


def is_mac_slowed(told: str) -> bool:
    """Read what `pmset -g therm` told of the processor's speed, in percent."""
    limit = _setting(told, "CPU_Speed_Limit")
    return limit.isdecimal() and int(limit) < 100


def _setting(told: str, name: str) -> str:
    """Find `name value` or `name = value` in lines."""
    for line in told.splitlines():
        words = line.replace("=", " ").split()
        if len(words) > 1 and words[0] == name:
            return words[1]
    return ""


def _pmset(*what: str) -> str:
    return ask("/usr/bin/pmset", "-g", *what, timeout_s=_ASK_TIMEOUT_S).output
