"""Words made of words: getUserName, snake_case, O'Brien, e-mail, AT&T, 1.2.3, C++."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
VERSION = re.compile(r"\d++(?:\.\d++)+")
HUMP = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[0-9])(?=[A-Z][a-z])"
)
# Possessive and anchored at word starts, so that no text takes quadratic time.
_COMPOUND = re.compile(
    r"\b(?=[A-Za-z0-9]{0,64}?(?:[a-z][A-Z]|[A-Z]{2}[a-z]{2}|[0-9][A-Z][a-z]))\w++"
    r"|\b_*+[^\W_]++(?:_++[^\W_]++)++"  # snake_case
    r"|(?<![\w'&-])[^\W_]++['&-][^\W_]++(?![\w'&-])"  # O'Brien, e-mail, AT&T
    r"|(?<![\w-])\d++(?:-\d++){2,8}(?![\w-])"  # 978-3-16-148410-0
    r"|(?<![\w.])[A-Z](?:\.[A-Z]){2,9}(?!\w)"  # U.S.A.
)
_SIGNED = re.compile(
    r"(?<![\w+#.])([A-Za-z][A-Za-z0-9]{0,15})(\+\+|#)(?![\w+#])"  # C++, C#
    r"|\.NET\b|(?<![\w.])\.net\b"
)
_SIGNS = ("++", "#", ".NET", ".net")
_PARTS = re.compile(r"[^\W_]++")
CONTRACTIONS = frozenset({"s", "t", "re", "ve", "ll", "d", "m"})
_MAX_COMPOUND = 64


def cut_compounds(text: str) -> tuple[str, list[str]]:
    """Cut camelCase where it stands, and join the parts of every compound.

    Joined are the whole and, of identifiers, each two neighbours, so that getUserName is
    found by "username"; C++ becomes a word too. They are kept apart from the text, where
    they would break phrases.
    """
    joined: list[str] = [_spelled(found) for found in _SIGNED.finditer(text)]

    def cut(match: re.Match[str]) -> str:
        whole = match.group()
        if len(whole) > _MAX_COMPOUND:
            return whole
        humps = HUMP.sub(" ", whole)
        parts = _PARTS.findall(humps)
        if len(parts) < 2 or ("'" in whole and parts[-1] in CONTRACTIONS):
            return humps
        joined.append("".join(parts))
        if len(parts) > 2 and ("_" in whole or humps != whole):
            joined.extend(map("".join, itertools.pairwise(parts)))
        return humps

    return _COMPOUND.sub(cut, text), joined


def spell_signs(text: str) -> str:
    """Put the word for C++, C#, .NET and the like in their place."""
    return _SIGNED.sub(lambda found: f" {_spelled(found)} ", text)


def signed_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Give where they stand in a text: (start, end, the word for it)."""
    if not any(map(text.__contains__, _SIGNS)):  # most have none, which is told at once
        return
    for found in _SIGNED.finditer(text):
        yield found.start(), found.end(), _spelled(found)


def _spelled(found: re.Match[str]) -> str:
    name, sign = found[1], found[2]
    if name is None:
        return "dotnet"
    return name.lower() + ("sharp" if sign == "#" else "plusplus")
