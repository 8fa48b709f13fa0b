"""The daemon as a job of a person's own launchd."""

from __future__ import annotations

import os
import plistlib
import sys
from pathlib import Path
from xml.parsers.expat import ExpatError

from pplx_local.daemon.asking import Told, ask
from pplx_local.daemon.command import daemon_command, service_name

_TIMEOUT_S = 30.0


def refuse_absence() -> None:
    """Do nothing: there is no macOS without it."""


def service_file(home: Path) -> Path:
    """Say where the job of a home lies."""
    return Path.home() / "Library" / "LaunchAgents" / f"{service_name(home)}.plist"


def describe(home: Path) -> tuple[str, list[str]]:
    """Write the job of a home.

    Raises:
        DaemonError: A path has characters that no job can hold.
    """
    job = {
        "Label": service_name(home),
        "ProgramArguments": daemon_command(home),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        # "Background" would have the models run on efficiency cores alone, and so would
        # "Adaptive" for a job without XPC. Our own niceness lets everything else go first.
        "ProcessType": "Standard",
        "LowPriorityBackgroundIO": True,
        "Umask": 0o077,
        "StandardErrorPath": str(home / "logs" / "launchd.log"),
    }
    remark = (
        "Should macOS keep folders from it: System Settings > Privacy & Security > Full "
        f"Disk Access, and add {sys.executable}"
    )
    return plistlib.dumps(job).decode(), [remark]


def is_ours(text: str) -> bool:
    """Tell whether `describe` made this."""
    try:
        job = plistlib.loads(text.encode())
        command = job["ProgramArguments"]
        return "pplx_local" in command and command[-2:] == ["daemon", "run"]
    except (ValueError, LookupError, TypeError, AttributeError, ExpatError):
        return False


def switch_on(home: Path) -> list[str]:
    """Start the job now and at each login, or say how to."""
    _launchctl("bootout", f"{_domain()}/{service_name(home)}")  # an older version of it
    command = ["bootstrap", _domain(), str(service_file(home))]
    told = _launchctl(*command)
    if told.ok:
        return ["The daemon runs, and starts at each login."]
    return [
        f"launchctl bootstrap failed: {told.why}",
        "It starts at the next login, or now from a terminal on the desktop:",
        f"  launchctl bootstrap {_domain()} '{service_file(home)}'",
    ]


def switch_off(home: Path) -> list[str]:
    """Stop the job; without its file it starts no more."""
    told = _launchctl("bootout", f"{_domain()}/{service_name(home)}")
    return ["Stopped the daemon."] if told.ok else ["The daemon did not run."]


def forget() -> None:
    """Do nothing: launchd reads the folder at each login."""


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _launchctl(*what: str) -> Told:
    return ask("/bin/launchctl", *what, timeout_s=_TIMEOUT_S)
