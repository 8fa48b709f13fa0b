"""Words that stand in the index beside those of the text, as a query may spell them.

iPhone for iPhone15 and 16GB for GPU16GB, dont for don't, ueber for über. Only of words
with "n't" the apostrophe is left out: well is not we'll.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pplx_local.store.lexical.letters import normalize

_ANY = re.compile("[A-Za-z][0-9]|[nN]['\u2019][tT]|[äöüÄÖÜ\u0308]")
"""Most words have none of it, and are looked at once."""
_NUMBERED = re.compile(
    r"(?<![^\W_])(?:[A-Za-z]{1,24}+[0-9]{1,8}+){1,2}[A-Za-z]{0,24}+(?![^\W_])"
)
_PARTS = re.compile(r"[A-Za-z]{5,}+(?=[0-9])|[0-9]++[A-Za-z]{2,}+")
_NOT = re.compile(r"(?<![\w'\u2019])[A-Za-z]{1,24}+(?<=[nN])['\u2019][tT](?!\w)")
_UMLAUT = "äöüÄÖÜ\u0308"
_WITH_UMLAUT = re.compile(
    rf"(?<![^\W_])(?=[^\W_])[A-Za-zß]*+[{_UMLAUT}][A-Za-zß{_UMLAUT}]*+(?![^\W_])"
)
_IN_TWO_LETTERS = str.maketrans(
    dict(zip("äöüÄÖÜ", ("ae", "oe", "ue", "Ae", "Oe", "Ue"), strict=True))
)


def words_beside(text: str) -> Iterable[tuple[int, int, str]]:
    """Give them with the places that they stand for: (start, end, word)."""
    return _beside(text) if _ANY.search(text) else ()


def _beside(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _NUMBERED.finditer(text):
        for part in _PARTS.finditer(text, *found.span()):
            yield part.start(), part.end(), part.group()
    yield from respelled(text)


def respelled(text: str) -> Iterator[tuple[int, int, str]]:
    """Give those among them that are the same words."""
    for found in _NOT.finditer(text):
        yield found.start(), found.end(), found.group()[:-2] + found.group()[-1]
    if text.isascii():
        return
    for found in _WITH_UMLAUT.finditer(text):
        word = normalize(found.group()).translate(_IN_TWO_LETTERS)
        yield found.start(), found.end(), word
