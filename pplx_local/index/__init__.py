"""The library's face: folders in, answers out."""

from pplx_local.index.library import Index
from pplx_local.index.survey import survey
from pplx_local.index.update import Update
from pplx_local.index.workers import WorkerFactory, spawn_worker

__all__ = ["Index", "Update", "WorkerFactory", "spawn_worker", "survey"]
