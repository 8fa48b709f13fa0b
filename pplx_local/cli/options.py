"""Options that several commands share, and what completion offers for them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

# Written out again because `records` costs an import of numpy, also for completion;
# mypy compares them where they are passed on.
ModeChoice = Literal["hybrid", "dense", "late", "lexical"]
StateChoice = Literal[
    "pending", "indexed", "no_text", "empty", "skipped", "failed", "unreachable"
]

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def complete_model(incomplete: str) -> list[str]:
    """Offer the names that `models use` takes."""
    from pplx_local.models import CATALOGUE

    names = ["auto", "none", *CATALOGUE]
    return [name for name in names if name.startswith(incomplete)]
