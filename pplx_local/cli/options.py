"""Options that several commands share, and what completion offers for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

# Written out again because `records` costs an import of numpy, also for completion;
# mypy compares them where they are passed on.
ModeChoice = Literal["hybrid", "dense", "late", "lexical"]
StateChoice = Literal[
    "pending", "indexed", "no_text", "empty", "skipped", "failed", "unreachable"
]

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def typed_path(text: str) -> Path:
    """Take a path as it was typed; whether it can be used is for the command to say.

    Raises:
        BadParameter: It is empty, as a shell variable that is not set, which `Path`
            takes for the working folder; or it begins with `~` and an unknown name.
    """
    if not text:
        raise typer.BadParameter("it is empty")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise typer.BadParameter(f"whose home is meant by {text}?") from error


def complete_model(incomplete: str) -> list[str]:
    """Offer the names that `models use` takes."""
    from pplx_local.models import CATALOGUE

    names = ["auto", "none", *CATALOGUE]
    return [name for name in names if name.startswith(incomplete)]
