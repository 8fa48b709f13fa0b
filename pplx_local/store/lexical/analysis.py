"""What becomes of text before FTS5 sees it.

FTS5 cuts at everything that is no letter, digit or mark. What that would miss is
added here: scripts without spaces get spaces, compounds such as getUserName or O'Brien
are cut where they stay in place and joined at the end of the text, where other spellings
follow too.
"""

from __future__ import annotations

import re

from pplx_local.store.lexical.beside import words_beside
from pplx_local.store.lexical.compounds import THOUSANDS, VERSION, cut_compounds
from pplx_local.store.lexical.letters import normalize, spaced

_PLAIN = re.compile(r"[(\['\"]?(?:[A-Z]?[a-z]++|[A-Z]++|\d++)[.,;:)\]\"?!]*+")
_REMEMBERED_CHARS = 1_000_000


class _Words(dict[str, str]):
    """Remembers what becomes of words: few words make up most of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.joined: dict[str, str] = {}
        self.n_chars = 0

    def __missing__(self, word: str) -> str:
        text, joined = (word, []) if _PLAIN.fullmatch(word) else _analyze_word(word)
        self.n_chars += len(word)
        self[word] = text
        if joined:
            self.joined[word] = " ".join(joined)
        return text

    def trim(self) -> None:
        """Forget everything when it has become too much."""
        if self.n_chars > _REMEMBERED_CHARS:
            self.clear()
            self.joined.clear()
            self.n_chars = 0


_words = _Words()


def analyze_text(text: str) -> str:
    """Prepare a chunk's text for FTS5: (text cut up) and then (compounds joined)."""
    _words.trim()
    words = text.split()
    cut = " ".join([_words[word] for word in words])
    if _words.joined.keys().isdisjoint(words):
        return cut
    joined = [_words.joined[word] for word in words if word in _words.joined]
    return f"{cut} {' '.join(joined)}"


def analyze_phrase(text: str) -> list[str]:
    """Cut words up as they stand in the index one after the other."""
    return " ".join([_analyze_word(word)[0] for word in text.split()]).split()


def _analyze_word(word: str) -> tuple[str, list[str]]:
    word = THOUSANDS.sub("", spaced(normalize(word)))
    text, joined = cut_compounds(word)
    for _, _, other in words_beside(word):
        joined.append(other)
    return VERSION.sub(r" \g<0> ", text), joined
