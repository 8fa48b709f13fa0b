"""The library's face: folders in, answers out."""

from pplx_local.index.library import Index, WorkerFactory, spawn_worker
from pplx_local.index.survey import survey
from pplx_local.index.update import Update

__all__ = ["Index", "Update", "WorkerFactory", "spawn_worker", "survey"]
