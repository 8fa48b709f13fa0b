"""The daemon as a service of a person's own systemd, shut off from all it need not do."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from pplx_local.daemon.asking import Told, ask
from pplx_local.daemon.command import daemon_command, service_name
from pplx_local.errors import DaemonError

_MARK = "# Made by `pplx-local daemon install`, which writes it anew."
_UNIT = """\
{mark}

[Unit]
Description=pplx-local, private search over your own folders ({home})

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=30
UMask=0077

# Everything else goes first. The lowest turn at the disk, but not "idle": a search should
# not wait until nobody else reads. The thread that indexes lowers its own niceness.
CPUWeight=20
IOSchedulingClass=best-effort
IOSchedulingPriority=7

# No network, and no sockets but those in the file system.
RestrictAddressFamilies=AF_UNIX
NoNewPrivileges=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# Not MemoryDenyWriteExecute: what runs the models makes machine code as it goes.

# The socket's folder, which daemons of other homes share.
RuntimeDirectory=pplx-local
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
{confinement}
[Install]
WantedBy=default.target
"""
_CONFINEMENT = """
# All files can be read, for they may be indexed, and none be written but our own. Not
# PrivateTmp: it would hide documents that lie in /tmp.
PrivateUsers=yes
PrivateNetwork=yes
ProtectSystem=strict
ReadWritePaths={home} -/tmp
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
"""
_NEEDED = ("PrivateUsers=yes", "PrivateNetwork=yes", "ProtectSystem=strict")
"""What some systems keep from their users; a service that asks for it does not start."""
_UNCONFINED = (
    "This system lets its users make no namespaces, so the daemon runs without "
    "PrivateNetwork and ProtectSystem; it still can open no connection."
)
_QUOTES = frozenset("\"'\\")
_TIMEOUT_S = 30.0


def refuse_absence() -> None:
    """Raise where systemd does not run this computer.

    Raises:
        DaemonError: Always there.
    """
    if shutil.which("systemctl") is None:
        raise DaemonError(
            "There is no systemd here, so nothing would start the daemon at login. "
            "Start it by hand: pplx-local daemon start"
        )


def service_file(home: Path) -> Path:
    """Say where the unit of a home lies."""
    chosen = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    folder = chosen if chosen.is_absolute() else Path.home() / ".config"
    return folder / "systemd" / "user" / _unit_name(home)


def describe(home: Path) -> tuple[str, list[str]]:
    """Write the unit of a home, as confined as this system lets it be.

    Raises:
        DaemonError: A path has characters that no unit can hold there.
    """
    program, *arguments = daemon_command(home)
    if _QUOTES.intersection(program):
        raise DaemonError(
            f"systemd starts no program whose name has quotes or backslashes in it: "
            f"{program}. Install pplx-local in another folder, or start it by hand: "
            "pplx-local daemon start"
        )
    # The colon keeps systemd from filling in variables where a name has a "$".
    command = " ".join(map(_quoted, [f":{program}", *arguments]))
    confined = not _is_refused()
    confinement = _CONFINEMENT.format(home=_quoted(str(home))) if confined else ""
    text = _UNIT.format(
        mark=_MARK,
        home=_plain(str(home)),
        command=command,
        confinement=confinement,
    )
    return text, [] if confined else [_UNCONFINED]


def is_ours(text: str) -> bool:
    """Tell whether `describe` made this."""
    return text.startswith(_MARK)


def switch_on(home: Path) -> list[str]:
    """Start the unit now and at each login, or say how to."""
    unit = _unit_name(home)
    steps = (("daemon-reload",), ("enable", unit), ("restart", unit))
    for step in steps:
        told = _systemctl(*step)
        if not told.ok:
            return [
                f"systemctl --user {' '.join(step)} failed: {told.why}",
                *_by_hand(unit),
            ]
    return ["The daemon runs, and starts at each login."]


def _by_hand(unit: str) -> list[str]:
    return [
        "Where your own systemd can be reached, run:",
        "  systemctl --user daemon-reload",
        f"  systemctl --user enable --now {unit}",
    ]


def switch_off(home: Path) -> list[str]:
    """Stop the unit and let it start no more."""
    told = _systemctl("disable", "--now", _unit_name(home))
    if told.ok:
        return ["Stopped the daemon."]
    return [f"systemctl --user disable failed: {told.why}"]


def forget() -> None:
    """Let systemd notice that the unit is gone; without one there is none to notice."""
    _systemctl("daemon-reload")


def _unit_name(home: Path) -> str:
    return f"{service_name(home)}.service"


def _systemctl(*what: str) -> Told:
    return ask("systemctl", "--user", *what, timeout_s=_TIMEOUT_S)


def _is_refused() -> bool:
    """Tell whether systemd can be asked, and cannot confine a service of this person."""
    if not _systemctl("show-environment").ok:
        return False
    options = [f"--property={line}" for line in _NEEDED]
    trial = [sys.executable, "-I", "-c", "pass"]
    run = ["systemd-run", "--user", "--wait", "--collect", "--quiet"]
    return not ask(*run, *options, *trial, timeout_s=_TIMEOUT_S).ok


def _quoted(word: str) -> str:
    """Write a word so that systemd reads it as it is."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_plain(escaped)}"'


def _plain(text: str) -> str:
    return text.replace("%", "%%")
