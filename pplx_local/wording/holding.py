"""What the index holds, by which models and how complete, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pplx_local.wording.amounts import count, share_in_words, size_in_words
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pplx_local.records import ModelChange, Role, Status

NO_MODEL = "none: keywords only"


def profile_in_words(profile: Mapping[Role, str | None]) -> str:
    """Say `dense: NAME, late: NAME`; that there is no model, where there is none."""
    named = ", ".join(f"{role}: {name}" for role, name in profile.items() if name)
    return visible(named) or NO_MODEL


def embedded_in_words(change: ModelChange) -> str:
    """Say how far the change to another model has come."""
    documents = count(change.documents, "document")
    done = [f"{role} {n:,} of {documents}" for role, n in change.embedded.items()]
    return ", ".join(done)


def coverage_in_words(status: Status) -> str:
    """Say `lexical 100 %, dense 93 %`."""
    legs = [f"{leg} {share_in_words(part)}" for leg, part in status.coverage.items()]
    return ", ".join(legs)


def sizes_in_words(status: Status) -> str:
    """Say what each part takes on the disk."""
    parts = [f"{name} {size_in_words(n)}" for name, n in status.bytes_by_part.items()]
    return ", ".join(parts)


def holdings_in_words(status: Status) -> str:
    """Say `1,400 documents (2 more forgotten, not purged yet), 9,800 passages`."""
    hidden = status.hidden_documents
    forgotten = f" ({hidden:,} more forgotten, not purged yet)" if hidden else ""
    documents = count(status.documents, "document") + forgotten
    return f"{documents}, {count(status.chunks, 'passage')}"
