"""The command that a service manager runs, and the name that it goes by."""

from __future__ import annotations

import os
import re
import sys
from hashlib import blake2b
from pathlib import Path

from pplx_local.errors import DaemonError
from pplx_local.home import platform_home

_NAME = "pplx-local"
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and bytes that are no UTF-8."""


def daemon_command(home: Path) -> list[str]:
    """Give the command that runs the daemon of a home, in absolute paths.

    Raises:
        DaemonError: A path has characters that no service file can hold.
    """
    for path in (sys.executable, str(home)):
        if _UNWRITABLE.search(path):
            raise DaemonError(
                f"{path!a} has characters that a service file cannot hold. Rename "
                "it, or choose another place with --home DIR."
            )
    # -P: a folder that a service is started in must not lend us its modules.
    program = [sys.executable, "-P", "-m", "pplx_local"]
    return [*program, "--home", str(home), "daemon", "run"]


def service_name(home: Path) -> str:
    """Name the service of a home; each home but the usual one has a name of its own."""
    if home == platform_home():
        return _NAME
    return f"{_NAME}-{blake2b(os.fsencode(home), digest_size=4).hexdigest()}"
