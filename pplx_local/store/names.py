"""Names of files, titles and authors, spelled in one way so that parts are found."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from pplx_local.documents import type_of

GRAM_TABLES = ("path_grams", "title_grams", "author_grams")
_GRAM = 3
"""Letters in the units that FTS5's trigram tokenizer indexes."""
_MOST_GRAMS = 12


def fold(text: str) -> str:
    """Make capitals and ways to write an accent equal."""
    return unicodedata.normalize("NFC", text).casefold()


def fold_author(metadata: Mapping[str, str]) -> str | None:
    """Fold the author that a document states; None where it states none."""
    stated = metadata.get("author", "").encode("utf-8", "replace").decode()
    return fold(stated) if stated.strip() else None


def fold_path(path: bytes) -> str:
    """Fold a path; bytes that are no UTF-8 become U+FFFD."""
    return fold(path.decode("utf-8", "replace"))


def facts_of(path: bytes) -> tuple[str, int, str]:
    """Give what a path alone tells: its folded form, where the name begins, the type.

    The name's place is counted from 1, as SQLite does.
    """
    folded = fold_path(path)
    return folded, folded.rfind("/") + 2, type_of(path)


def grams(part: str) -> str | None:
    """Write the FTS5 query for names that may hold a folded part.

    Returns:
        None for a part that is too short for the index.
    """
    found = [part[i : i + _GRAM] for i in range(len(part) - _GRAM + 1)]
    if not found:
        return None
    # The rest is checked on the name itself: a few spread over the part will do.
    few = found[:: -(-len(found) // _MOST_GRAMS)]
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in few)
