"""Starting a daemon from a front end, and waiting for it to answer or to end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from pplx_local.daemon.claim import claimed_by
from pplx_local.daemon.client import connect
from pplx_local.errors import DaemonError

if TYPE_CHECKING:
    from pplx_local.daemon.client import RemoteIndex

_PROGRAM = ("-m", "pplx_local")
_START_S = 10.0
_END_S = 30.0
_POLL_S = 0.02
_LAST_LINES = 3


class Launched(NamedTuple):
    """A daemon that answers."""

    daemon: RemoteIndex
    process: subprocess.Popen[bytes]
    """The one that was started; not the one that answers, where two began at once."""


def launch(
    home: Path, flags: Mapping[str, str | None] | None = None, *, as_child: bool = False
) -> Launched:
    """Start the daemon of a home, and wait until it answers.

    Args:
        home: Its settings should have been read, so that mistakes are told before.
        flags: Said before the command, such as `{"--device": "cpu"}`; None is not said.
        as_child: It ends when `process.stdin` is closed, by us or by our end. Else it
            outlives us, in a session of its own.

    Raises:
        DaemonError: It ended at once, or does not answer yet.
    """
    with tempfile.TemporaryFile() as complaints:
        process = _spawn(home, flags or {}, complaints, as_child)
        try:
            daemon = _answering(process, home)
            if daemon is None:
                raise _failure(process, home, complaints)
        except BaseException:
            let_go(process)
            raise
    if not as_child:
        let_go(process)
    return Launched(daemon, process)


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Leave a daemon to itself: one that is our child ends in its own time, in order.

    Popen is told that it has ended, as it warns of those that go on unnoticed.
    """
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    process.returncode = process.poll() or 0


def _failure(
    process: subprocess.Popen[bytes], home: Path, complaints: IO[bytes]
) -> DaemonError:
    pid = claimed_by(home) if process.poll() is not None else process.pid
    if pid is not None:
        return DaemonError(
            f"{silence(home, pid)}See how it is: pplx-local daemon status"
        )
    complaints.seek(0)
    why = complaints.read().decode(errors="replace").strip() or _last_lines(home)
    return DaemonError(f"The daemon ended at once. {why}")


def as_args(flags: Mapping[str, str | None]) -> list[str]:
    """Write flags such as `{"--device": "cpu"}` for a command line; None is not said."""
    return [part for name, value in flags.items() if value for part in (name, value)]


def _spawn(
    home: Path, flags: Mapping[str, str | None], complaints: IO[bytes], as_child: bool
) -> subprocess.Popen[bytes]:
    parent = ["--with-parent"] if as_child else []
    command = [*as_args(flags), "daemon", "run", *parent]
    return subprocess.Popen(
        [sys.executable, "-P", *_PROGRAM, "--home", str(home), *command],
        stdin=subprocess.PIPE if as_child else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
        cwd="/",  # any other folder could not be unmounted while it runs
        start_new_session=True,
    )


def _answering(process: subprocess.Popen[bytes], home: Path) -> RemoteIndex | None:
    """Wait for an answer: from this process, or from one that was started beside it."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        daemon = connect(home)
        if daemon or (ended and claimed_by(home) is None):
            return daemon
        time.sleep(_POLL_S)
    return None


def silence(home: Path, pid: int) -> str:
    """Say of a daemon that it does not answer, and why."""
    said = _last_lines(home)
    return f"The daemon (process {pid}) runs but does not answer yet. {said}"


def _last_lines(home: Path) -> str:
    log = home / "logs" / "daemon.log"
    with suppress(OSError), log.open(encoding="utf-8", errors="replace") as lines:
        said = " / ".join(line.strip() for line in deque(lines, _LAST_LINES))
        return f"Its log says last: {said} "
    return ""


def wait_for_end(home: Path, pid: int) -> None:
    """Wait until a daemon has let go of its home.

    Raises:
        DaemonError: It takes too long.
    """
    deadline = time.monotonic() + _END_S
    while claimed_by(home) == pid:
        if time.monotonic() > deadline:
            raise DaemonError(
                f"The daemon (process {pid}) was asked to end and has not for "
                f"{_END_S:.0f} seconds. Wait, or end it: kill {pid}"
            )
        time.sleep(_POLL_S)
