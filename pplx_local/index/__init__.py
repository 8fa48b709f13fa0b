"""The library's face: folders in, answers out."""

from pplx_local.index.fill import Filling
from pplx_local.index.findings import Findings
from pplx_local.index.happening import Happening
from pplx_local.index.library import Index
from pplx_local.index.offered import list_models
from pplx_local.index.survey import Surveying
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
    "Happening",
    "Index",
    "Surveying",
    "Target",
    "Update",
    "WorkerFactory",
    "Workers",
    "list_models",
    "spawn_polite_worker",
    "spawn_worker",
]
