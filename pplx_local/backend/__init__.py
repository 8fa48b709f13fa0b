"""The seam to the array frameworks: a contract, and what every backend shares.

A backend takes token ids and gives numpy. Text stays on this side, tensors on theirs.
`layout` and `weights` are imported by backends alone.
"""

from pplx_local.backend.protocols import (
    Backend,
    Encoder,
    Resident,
    open_backend,
    registered_backends,
)

__all__ = [
    "Backend",
    "Encoder",
    "Resident",
    "open_backend",
    "registered_backends",
]
