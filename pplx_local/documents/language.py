"""The language of a text, where it is long and clear enough to tell."""

from __future__ import annotations

import re
from functools import cache

import gcld3

SAMPLE_CHARS = 10_000
"""Of a text's beginning, that its language is told by."""

_READ_BYTES = 2_000
"""So much of it is looked at, in pieces from all over the sample."""
_LEAST_LETTERS = 100
_LEAST_DENSE = 20
"""Of Chinese, Japanese or Korean, of which each says more."""
_LEAST_PROBABILITY = 0.8

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile("[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]")
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NO_WORD = re.compile(r"[@_/\\=<>{}|#]|\w[.:(]\w")
"""Addresses, paths and bits of code look like rare languages."""
_OTHER_CODES = {"iw": "he", "fil": "tl", "nb": "no", "nn": "no"}
_OTHER_SCRIPTS = re.compile(
    "am|ar|be|bg|bn|el|fa|gu|he|hi|hy|ja|ka|kk|km|kn|ko|ky|lo|mk|ml|mn|mr|my|ne|pa|ps"
    "|ru|sd|si|sr|ta|te|tg|th|uk|ur|yi|zh"
)
"""Languages that are not written in Latin letters."""


def language_of(text: str) -> str | None:
    """Tell the language of a text: an ISO 639 code, or None where it is not clear."""
    words = text[:SAMPLE_CHARS].removeprefix("\ufeff").split()
    sample = " ".join([word for word in words if not _NO_WORD.search(word)])
    n_letters = len(_LETTER.findall(sample))
    if n_letters < _LEAST_LETTERS and len(_DENSE.findall(sample)) < _LEAST_DENSE:
        return None
    found = _identifier().FindLanguage(text=sample)
    if not found.is_reliable or found.probability < _LEAST_PROBABILITY:
        return None
    code = found.language.partition("-")[0]  # "zh-Latn"
    code = _OTHER_CODES.get(code, code)
    is_latin = len(_LATIN.findall(sample)) > n_letters / 2
    return None if is_latin == bool(_OTHER_SCRIPTS.fullmatch(code)) else code


@cache
def _identifier() -> gcld3.NNetLanguageIdentifier:
    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=_READ_BYTES)
