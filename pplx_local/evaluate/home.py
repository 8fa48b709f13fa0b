"""Where the index of an evaluation lies: a folder that goes away, or one that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pplx_local.config import Settings
from pplx_local.errors import ConfigError
from pplx_local.index.scratch import scratch_settings, settings_in

_NOTE = "evaluation.json"
"""Beside the index that is kept: what it holds. Written when all of it was read."""


class KeptHome:
    """A home, and what its index has to hold."""

    def __init__(
        self, settings: Settings, keep: Path | None, holds: Mapping[str, object]
    ):
        """Bind; `holds` says in JSON what the index is made of."""
        self._settings, self._keep, self._holds = settings, keep, dict(holds)

    @contextmanager
    def open(self) -> Iterator[Settings]:
        """Give the settings of the home.

        Raises:
            ConfigError: The folder holds another index, or a part of one.
        """
        if self._keep is None:
            with scratch_settings(self._settings) as scratch:
                yield scratch
            return
        _refuse_another(self._keep, self._holds)
        self._keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield settings_in(self._keep.resolve(), self._settings)

    def is_filled(self) -> bool:
        """Tell whether everything was read already; not whether it is embedded."""
        return bool(self._keep and (self._keep / _NOTE).exists())

    def set_filled(self) -> None:
        """Note that everything was read."""
        if self._keep:
            note = json.dumps(self._holds, indent=1)
            (self._keep / _NOTE).write_text(note, encoding="utf-8")


def _refuse_another(keep: Path, holds: Mapping[str, object]) -> None:
    if (keep / _NOTE).exists():
        held = _held(keep / _NOTE)
        if held != holds:
            raise ConfigError(
                f"{keep} holds the index of another evaluation: {_words(held)}. This "
                f"one is of {_words(holds)}. Take another folder for --keep, or delete "
                "that one."
            )
    elif keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigError(
            f"{keep} is not the index of an evaluation, or only a part of one. Take an "
            "empty folder for --keep, or delete that one."
        )


def _held(note: Path) -> dict[str, object]:
    try:
        held = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{note} cannot be read: {error}. Delete its folder, or take another one "
            "for --keep."
        ) from error
    return held if isinstance(held, dict) else {}


def _words(holds: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in holds.items())
