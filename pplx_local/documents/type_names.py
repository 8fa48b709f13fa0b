"""What a person calls types of files: "pdf", "Python", "code", "image"."""

from __future__ import annotations

import re
from collections import defaultdict
from difflib import get_close_matches
from functools import cache

from pplx_local.documents.kinds import known_types

_EXTENSION = re.compile(r"\.?([\w+#-]{1,16})")
_SYNONYMS = {
    "email": "mail",
    "excel": "spreadsheet",
    "plain": "plain text",
    "powerpoint": "slides",
    "word": "word processing",
}
_SHORT = 4
"""Shorter names are likely meant for each other when their letters are the same."""


def types_named(name: str) -> tuple[frozenset[str], bool] | None:
    """Say which types a name stands for, as `type_of` gives them.

    Args:
        name: A kind, a family such as "code" or "text", or an extension; with a dot in
            front it is an extension in any case.

    Returns:
        The types, and whether all but these are meant; None for a name of none.
    """
    name = name.lower()
    if name == "text":  # files of which nothing is known are read as text too
        others = {type_ for type_, kind in known_types() if kind.family != "text"}
        return frozenset(others), True
    named = _by_name().get(_SYNONYMS.get(name, name))
    if named:
        return named, False
    extension = _EXTENSION.fullmatch(name)
    if extension and (name.startswith(".") or type_like(name) is None):
        return frozenset({extension[1]}), False
    return None


def type_like(name: str) -> str | None:
    """Find the type that a mistyped name is meant for."""
    name, names = name.lower(), [*_by_name(), *_SYNONYMS, "text"]
    if len(name) <= _SHORT:
        return next((one for one in names if sorted(one) == sorted(name)), None)
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.8)), None)


@cache
def _by_name() -> dict[str, frozenset[str]]:
    named = defaultdict(set)
    for type_, kind in known_types():
        named[type_].add(type_)
        named[kind.label.lower()].add(type_)
        named[kind.family].add(type_)
    del named["unsupported"], named["text"]
    return {name: frozenset(types) for name, types in named.items()}
