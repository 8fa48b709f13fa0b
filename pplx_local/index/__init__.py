"""The library's face: folders in, answers out."""

from pplx_local.index.fill import Filling
from pplx_local.index.findings import Findings
from pplx_local.index.library import Index
from pplx_local.index.survey import survey
from pplx_local.index.targets import Target
from pplx_local.index.update import Update
from pplx_local.index.workers import (
    WorkerFactory,
    Workers,
    spawn_polite_worker,
    spawn_worker,
)

__all__ = [
    "Filling",
    "Findings",
    "Index",
    "Target",
    "Update",
    "WorkerFactory",
    "Workers",
    "spawn_polite_worker",
    "spawn_worker",
    "survey",
]
