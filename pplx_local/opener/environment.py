"""What there is to open things with: the system, its variables and its programs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDERS_OF_APPS = ("/Applications", "~/Applications")
_APPS = ("Skim",)


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything but the file that decides how it is opened."""

    system: str
    """"darwin" is macOS; all else is taken for Linux."""
    variables: Mapping[str, str]
    find: Callable[[str], str | None]
    """Gives the path of a program; None where there is none."""
    apps: frozenset[str] = frozenset()
    """Applications of macOS that are no programs on the path."""

    @classmethod
    def here(cls) -> Environment:
        """Describe this process."""
        apps = _installed_apps() if sys.platform == "darwin" else frozenset()
        return cls(sys.platform, os.environ, shutil.which, apps)

    @property
    def is_mac(self) -> bool:
        """Whether it is macOS."""
        return self.system == "darwin"

    @property
    def is_remote(self) -> bool:
        """Whether the person sits at another computer."""
        return self._has_any("SSH_CONNECTION", "SSH_TTY")

    @property
    def is_wsl(self) -> bool:
        """Whether the desktop is that of Windows, and reached through its programs."""
        return self._has_any("WSL_DISTRO_NAME") and not self.is_remote

    @property
    def shows_windows(self) -> bool:
        """Whether the windows of programs of this system appear before the person.

        Over ssh macOS opens them on a screen that nobody may look at.
        """
        if self.is_mac:
            return not self.is_remote
        return self._has_any("DISPLAY", "WAYLAND_DISPLAY")

    @property
    def shows_editors(self) -> bool:
        """Whether an editor with windows can be reached.

        A terminal inside of VS Code or its kin reaches the editor around it, also where
        that runs at the other end of ssh.
        """
        inside = self.variables.get("TERM_PROGRAM") == "vscode"
        return self.shows_windows or self.is_wsl or inside

    def first(self, *programs: str) -> str | None:
        """Choose the first of some programs that is here."""
        return next((name for name in programs if self.find(name)), None)

    def _has_any(self, *names: str) -> bool:
        return any(map(self.variables.get, names))


def _installed_apps() -> frozenset[str]:
    return frozenset(
        app
        for app in _APPS
        for folder in _FOLDERS_OF_APPS
        if (Path(folder).expanduser() / f"{app}.app").is_dir()
    )
