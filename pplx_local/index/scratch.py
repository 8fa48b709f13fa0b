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
    """Give the same settings with an empty home that goes away afterwards.

    It shares nothing with the person's home but the models.
    """
    with tempfile.TemporaryDirectory(prefix="pplx-local-") as folder:
        home = Path(folder).resolve() / "home"
        home.mkdir(mode=0o700)
        models = settings.home / "models"
        if models.is_dir():
            (home / "models").symlink_to(models)
        yield replace(settings, home=home)
