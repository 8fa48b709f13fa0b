"""Letting the system start the daemon at login, and no longer."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pplx_local.config import Settings
from pplx_local.daemon import launchd, systemd
from pplx_local.errors import DaemonError


class Manager(Protocol):
    """What starts services at login: `systemd` and `launchd` are modules of this kind."""

    def refuse_absence(self) -> None:
        """Raise a DaemonError where it does not run this computer."""

    def service_file(self, home: Path) -> Path:
        """Say where it reads about the daemon of a home."""

    def describe(self, home: Path) -> tuple[str, list[str]]:
        """Make what is written there, and what the person should know of it."""

    def is_ours(self, text: str) -> bool:
        """Tell whether `describe` made this."""

    def switch_on(self, home: Path) -> list[str]:
        """Start the service now and at each login; say what was done."""

    def switch_off(self, home: Path) -> list[str]:
        """Stop the service; say what was done."""

    def forget(self) -> None:
        """Let it notice that the file is gone."""


def install(settings: Settings) -> list[str]:
    """Let the system start the daemon now and at each login.

    Returns:
        Lines for the person: what was done, and what is left to do.

    Raises:
        DaemonError: Nothing here starts services, a file of somebody else is in the
            way, or the file cannot be written.
    """
    manager = _manager()
    manager.refuse_absence()
    home = settings.home
    path = manager.service_file(home)
    _refuse_foreign(path, manager)
    text, remarks = manager.describe(home)
    _make_home(home)
    _write(path, text)
    return [f"Wrote {path}.", *remarks, *manager.switch_on(home)]


def uninstall(settings: Settings) -> list[str]:
    """Stop the daemon and let nothing start it any more; the index stays.

    Returns:
        Lines for the person.

    Raises:
        DaemonError: A file of somebody else is there, or ours cannot be removed.
    """
    manager = _manager()
    path = manager.service_file(settings.home)
    if not os.path.lexists(path):
        return [f"Nothing to remove: there is no {path}."]
    _refuse_foreign(path, manager)
    lines = manager.switch_off(settings.home)
    _remove(path)
    manager.forget()
    return [*lines, f"Removed {path}; the index and its settings stay."]


def _manager() -> Manager:
    return launchd if sys.platform == "darwin" else systemd


def _refuse_foreign(path: Path, manager: Manager) -> None:
    if not os.path.lexists(path):
        return
    try:
        ours = manager.is_ours(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise DaemonError(f"Cannot read {path}: {error.strerror}.") from error
    if not ours:
        raise DaemonError(
            f"{path} was not made by pplx-local, and is left alone. Move it away, and "
            "run this again."
        )


def _make_home(home: Path) -> None:
    """Make what the service may write to: it cannot make that itself."""
    try:
        (home / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DaemonError(
            f"Cannot make {home}: {error.strerror}. Choose another place with "
            "--home DIR."
        ) from error


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise DaemonError(f"Cannot write {path}: {error.strerror}.") from error


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise DaemonError(f"Cannot remove {path}: {error.strerror}.") from error
