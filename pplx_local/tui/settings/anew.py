"""The end of a daemon whose settings have changed; who asks next starts another."""

from __future__ import annotations

from pathlib import Path

from pplx_local.daemon.client import stop
from pplx_local.daemon.launch import wait_for_end


def end_daemon(home: Path) -> None:
    """End it and wait for the end; what was done is kept.

    Raises:
        DaemonError: It does not answer, is not ours, or takes too long.
    """
    if pid := stop(home):
        wait_for_end(home, pid)
