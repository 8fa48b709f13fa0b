"""Made-up prose: words as unevenly frequent as in any language (Zipf's law)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_VOCABULARY = 100_000
_LETTERS = np.array(list("bdfgklmnprstvz"))
_VOWELS = np.array(list("aeiou"))


class Prose:
    """The same texts for the same seed."""

    def __init__(self, seed: int) -> None:
        """Make up a vocabulary."""
        self._random = np.random.default_rng(seed)
        self._words = _words(self._random)
        share = 1 / (np.arange(_VOCABULARY) + 2.7)
        self._share = share / share.sum()

    def texts(self, n_texts: int, n_words: int) -> list[str]:
        """Write texts of so many words each."""
        drawn = self._random.choice(_VOCABULARY, (n_texts, n_words), p=self._share)
        return [" ".join(row) for row in self._words[drawn]]


def _words(random: np.random.Generator) -> NDArray[np.str_]:
    """Make up words of two to four syllables; some come twice."""
    n_syllables = random.integers(2, 5, _VOCABULARY)
    pairs = random.integers(0, (len(_LETTERS), len(_VOWELS)), (_VOCABULARY, 4, 2))
    syllables = np.char.add(_LETTERS[pairs[..., 0]], _VOWELS[pairs[..., 1]])
    made = ["".join(row[:n]) for row, n in zip(syllables, n_syllables, strict=True)]
    return np.array(made)
