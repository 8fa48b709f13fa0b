"""Words made of words: getUserName, snake_case, O'Brien, e-mail, 1.2.3."""

from __future__ import annotations

import itertools
import re

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
VERSION = re.compile(r"\d++(?:\.\d++)+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
# Possessive and anchored at word starts, so that no text takes quadratic time.
_COMPOUND = re.compile(
    r"\b(?=[A-Za-z0-9]{0,64}?(?:[a-z][A-Z]|[A-Z]{2}[a-z]{2}))\w++"  # camelCase
    r"|\b_*+[^\W_]++(?:_++[^\W_]++)++"  # snake_case
    r"|(?<![\w'-])[^\W_]++['-][^\W_]++(?![\w'-])"  # O'Brien, e-mail
)
_PARTS = re.compile(r"[^\W_]++")
_CONTRACTIONS = frozenset({"s", "t", "re", "ve", "ll", "d", "m"})
_MAX_COMPOUND = 64


def cut_compounds(text: str) -> tuple[str, list[str]]:
    """Cut camelCase where it stands, and join the parts of every compound.

    Joined are the whole and each two neighbours, so that getUserName is found by
    "username". They are kept apart from the text, where they would break phrases.
    """
    joined: list[str] = []

    def cut(match: re.Match[str]) -> str:
        whole = match.group()
        if len(whole) > _MAX_COMPOUND:
            return whole
        humps = HUMP.sub(" ", whole)
        parts = _PARTS.findall(humps)
        if len(parts) < 2 or ("_" not in whole and parts[-1] in _CONTRACTIONS):
            return humps
        if len(parts) > 2:
            joined.append("".join(parts))
        joined.extend(map("".join, itertools.pairwise(parts)))
        return humps

    return _COMPOUND.sub(cut, text), joined
