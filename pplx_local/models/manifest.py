"""What a checkpoint's folder was filled with, written when it was pulled or imported.

A file whose size and time are those recorded is the one that was hashed then, so that
gigabytes are not read again at each start.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pplx_local.errors import ModelError

MANIFEST: Final = "pplx-local.json"


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file as it was when it was hashed."""

    sha256: str
    """Hex digest."""
    size: int
    """Bytes."""
    mtime_ns: int

    def is_untouched(self, stat: os.stat_result) -> bool:
        """Tell whether a file can still be what was hashed."""
        return (self.size, self.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a folder's files came from, and their digests."""

    checkpoint: str
    """Name in the catalogue."""
    source: str
    """Repository, or the folder that was imported."""
    revision: str | None
    """Commit of the repository; None where it is not known."""
    when: str
    """Time of recording, ISO 8601 in UTC."""
    files: Mapping[str, RecordedFile]
    """By path in the folder."""


def record(path: Path, sha256: str) -> RecordedFile:
    """Note that a file has a digest now."""
    stat = path.stat()
    return RecordedFile(sha256, stat.st_size, stat.st_mtime_ns)


def hash_file(path: Path) -> str:
    """Compute the sha256 of a file, in hex: 16 GB take about half a minute."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(model_dir: Path) -> Manifest | None:
    """Read the manifest of a folder; None where there is none.

    Raises:
        ModelError: It cannot be read.
    """
    path = model_dir / MANIFEST
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path} is no record of a model's files: {error!r}. Take the files over "
            f"again: pplx-local models import '{model_dir}'"
        ) from error


def _parsed(values: Any) -> Manifest:
    files = {name: RecordedFile(**one) for name, one in values["files"].items()}
    manifest = Manifest(**(values | {"files": files}))
    words = (
        manifest.checkpoint,
        manifest.source,
        *(one.sha256 for one in files.values()),
    )
    if not all(isinstance(word, str) for word in words):
        raise TypeError("names and digests are words")
    return manifest


def write_manifest(model_dir: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    temporary = model_dir / f".{MANIFEST}.new"
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(model_dir / MANIFEST)
