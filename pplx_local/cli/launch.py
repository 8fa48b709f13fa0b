"""Starting a daemon that outlives the command, and waiting for the end of one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pplx_local.errors import DaemonError

if TYPE_CHECKING:
    from pplx_local.cli.invocation import Invocation
    from pplx_local.daemon.client import RemoteIndex

_PROGRAM = ("-m", "pplx_local")
_START_S = 10.0
_END_S = 30.0
_POLL_S = 0.05
_LAST_LINES = 3


def launch(invocation: Invocation) -> RemoteIndex:
    """Start the daemon in a session of its own, and wait until it answers.

    Raises:
        DaemonError: It ended at once, or does not answer yet.
    """
    home = invocation.settings().home  # settings that are wrong should be told here
    with tempfile.TemporaryFile() as complaints:
        process = _spawn(invocation, home, complaints)
        try:
            daemon = _answering(invocation, process, home)
            if daemon is None:
                raise _failure(process, home, complaints)
            return daemon
        finally:
            # That it goes on without us is no oversight, of which Popen would warn.
            process.returncode = process.poll() or 0


def _failure(
    process: subprocess.Popen[bytes], home: Path, complaints: IO[bytes]
) -> DaemonError:
    from pplx_local.daemon.claim import claimed_by

    pid = claimed_by(home) if process.poll() is not None else process.pid
    if pid is not None:
        return DaemonError(
            f"{silence(home, pid)}See how it is: pplx-local daemon status"
        )
    complaints.seek(0)
    why = complaints.read().decode(errors="replace").strip() or _last_lines(home)
    return DaemonError(f"The daemon ended at once. {why}")


def _spawn(
    invocation: Invocation, home: Path, complaints: IO[bytes]
) -> subprocess.Popen[bytes]:
    flags = {"--backend": invocation.backend, "--device": invocation.device}
    given = [part for name, value in flags.items() if value for part in (name, value)]
    options = ["--home", str(home), *given]
    return subprocess.Popen(
        [sys.executable, "-P", *_PROGRAM, *options, "daemon", "run"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
        cwd="/",  # any other folder could not be unmounted while it runs
        start_new_session=True,
    )


def _answering(
    invocation: Invocation, process: subprocess.Popen[bytes], home: Path
) -> RemoteIndex | None:
    """Wait for an answer: from this process, or from one that was started beside it."""
    from pplx_local.daemon.claim import claimed_by

    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        daemon = invocation.daemon()
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
    from pplx_local.daemon.claim import claimed_by

    deadline = time.monotonic() + _END_S
    while claimed_by(home) == pid:
        if time.monotonic() > deadline:
            raise DaemonError(
                f"The daemon (process {pid}) was asked to end and has not for "
                f"{_END_S:.0f} seconds. Wait, or end it: kill {pid}"
            )
        time.sleep(_POLL_S)
