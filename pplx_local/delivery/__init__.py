"""How checkpoints come to this machine: pulled from the hub, or imported from a folder.

Both fill a folder beside the final one and rename it when every file is right, so that
what is unfinished never looks like a checkpoint. `check` then holds what it computes to
published figures. Only `hub` speaks to a network, and only after a person's yes.
"""

from pplx_local.delivery.checking import CheckedModel, check
from pplx_local.delivery.importing import Source, examine, import_source
from pplx_local.delivery.measures import Finding
from pplx_local.delivery.pull import Offer, offer, pull

__all__ = [
    "CheckedModel",
    "Finding",
    "Offer",
    "Source",
    "check",
    "examine",
    "import_source",
    "offer",
    "pull",
]
