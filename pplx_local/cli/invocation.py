"""What was said before the command, and what every command starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pplx_local.config import Settings
    from pplx_local.index import Index, WorkerFactory


@dataclass
class Invocation:
    """One run of the program."""

    home: Path | None = None
    """None for the default."""
    backend: str | None = None
    """None for the one that the settings name."""
    device: str | None = None
    """None for the one that the settings name."""
    verbose: bool = False
    worker: WorkerFactory | None = None
    """Makes the encoder worker; None for the real one."""

    def settings(self) -> Settings:
        """Read the settings of the home folder."""
        from pplx_local.config import load_settings

        return load_settings(self.home, backend=self.backend, device=self.device)

    def open(self, *, write: bool = False) -> Index:
        """Open the index."""
        from pplx_local.index import Index

        return Index.open(self.settings(), write=write, worker=self.workers())

    def workers(self) -> WorkerFactory:
        """Say how encoder workers are made."""
        from pplx_local.index import spawn_worker

        return self.worker or spawn_worker

    @classmethod
    def of(cls, ctx: typer.Context) -> Invocation:
        """Return what the command was called with."""
        return ctx.ensure_object(cls)
