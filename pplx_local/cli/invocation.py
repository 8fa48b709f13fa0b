"""What was said before the command, and what every command starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pplx_local.errors import DaemonError, PplxLocalError

if TYPE_CHECKING:
    import typer

    from pplx_local.config import Settings
    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.index import Index, WorkerFactory


class Invocation:
    """One run of the program; no dataclass, which takes long to load for a search."""

    def __init__(
        self,
        home: Path | None = None,
        command: str | None = None,
        worker: WorkerFactory | None = None,
    ) -> None:
        """Begin without flags.

        Args:
            home: None for the default.
            command: Its name; a group of commands has one for all.
            worker: Makes the encoder worker; None for the real one.
        """
        self.home, self.command, self.worker = home, command, worker
        self.backend: str | None = None
        """None for the one that the settings name."""
        self.device: str | None = None
        """None for the one that the settings name."""
        self.verbose = False
        self.goes_on = False
        """Whether the daemon goes on with the command's work when it is stopped."""

    def settings(self) -> Settings:
        """Read the settings of the home folder."""
        from pplx_local.config import load_settings

        return load_settings(self.home, backend=self.backend, device=self.device)

    def library(self, *, write: bool = False) -> Index | RemoteIndex:
        """Reach the index: through the daemon where one runs, else in this process.

        Raises:
            DaemonError: The daemon cannot be asked, or would write otherwise than the
                command line says.
        """
        own_model = self.backend or self.device
        daemon = None if own_model and not write else self.daemon()
        if daemon is None:
            return self.open(write=write)
        self.refuse_others(daemon)
        self.goes_on = write
        return daemon

    def library_to_ask(self) -> Index | RemoteIndex:
        """Reach the index for questions.

        Raises:
            PplxLocalError: As `library`; or what the command line says should run the
                model cannot.
        """
        if not (self.backend or self.device):
            return self.library()
        index = self.open()
        try:
            index.load_models()
        except PplxLocalError:
            index.close()
            raise
        return index

    def refuse_others(self, daemon: RemoteIndex) -> None:
        """Leave a daemon that runs otherwise than the command line says.

        Raises:
            DaemonError: It is one.
        """
        if self.backend or self.device:
            from pplx_local.wording.working import own_settings

            daemon.close()
            raise DaemonError(own_settings(daemon.pid))

    def daemon(self) -> RemoteIndex | None:
        """Reach the daemon of the home folder; None where none runs."""
        from pplx_local.daemon.client import connect

        return connect(self.home_folder())

    def flags(self) -> dict[str, str | None]:
        """Give what was said before the command, for a daemon that is started."""
        return {"--backend": self.backend, "--device": self.device}

    def home_folder(self) -> Path:
        """Say where it is, without reading its settings."""
        if self.home:
            return self.home
        from pplx_local.home import default_home

        return default_home()

    def open(self, *, write: bool = False) -> Index:
        """Open the index in this process."""
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
