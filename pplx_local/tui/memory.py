"""What the interface remembers from one evening to the next: questions and layout."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_FILE = "tui.json"
_MOST_QUERIES = 200


class Memory:
    """A small file in the home; one that cannot be read or written is done without."""

    def __init__(self, home: Path) -> None:
        """Read it."""
        self.home, self._path = home, home / _FILE
        kept = read_kept(self._path)
        queries = kept.get("queries", [])
        self.queries: list[str] = [q for q in queries if isinstance(q, str)]
        """What was asked, the newest last."""
        self.theme = _text(kept.get("theme"))
        """Its name; None for the usual one."""
        self.mode = _text(kept.get("mode"))
        """What was ranked by; None for the usual."""
        self.has_preview = kept.get("has_preview") is not False
        """Whether the preview is shown."""
        self.has_pictures = kept.get("has_pictures") is True
        """Whether it shows pages as they look, where it can."""

    def note_query(self, query: str) -> None:
        """Remember a question that led somewhere."""
        if query := query.strip():
            self.queries = [one for one in self.queries if one != query]
            self.queries = [*self.queries, query][-_MOST_QUERIES:]
            self.save()

    def forget_queries(self) -> None:
        """Remember no question."""
        self.queries = []
        self.save()

    def save(self) -> None:
        """Write the file anew."""
        kept = {
            "queries": self.queries,
            "theme": self.theme,
            "mode": self.mode,
            "has_preview": self.has_preview,
            "has_pictures": self.has_pictures,
        }
        write_kept(self._path, kept)


def write_kept(path: Path, kept: Mapping[str, Any]) -> None:
    """Write what is to be remembered, whole or not at all."""
    new = path.with_suffix(".new")
    with suppress(OSError):  # a disk that is full is told elsewhere
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps(kept, ensure_ascii=True, indent=1)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)


def read_kept(path: Path) -> dict[str, Any]:
    """Read what was remembered; nothing where that cannot be."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
