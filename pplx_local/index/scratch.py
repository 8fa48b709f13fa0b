"""Homes that go away: what is measured leaves the person's own alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pplx_local.config import Settings


@contextmanager
def scratch_settings(settings: Settings) -> Iterator[Settings]:
    """Give the same settings with an empty home that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="pplx-local-") as folder:
        home = Path(folder).resolve() / "home"
        home.mkdir(mode=0o700)
        yield settings_in(home, settings)


def settings_in(home: Path, settings: Settings) -> Settings:
    """Give the same settings with another home, that is there.

    It shares nothing with the person's home but the models.
    """
    models, own = home / "models", settings.home / "models"
    if own.is_dir() and not models.exists():
        models.unlink(missing_ok=True)  # a link that leads nowhere any more
        models.symlink_to(own.resolve())
    return replace(settings, home=home)
