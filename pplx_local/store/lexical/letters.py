"""One spelling for many, and spaces for the scripts that are written without."""

from __future__ import annotations

import re
import unicodedata

# Scripts written without spaces, where each letter with its marks is a token.
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u17b4-\u17d3"
)
UNSPACED = re.compile(f"[{_LETTERS}]++")
CLUSTERS = re.compile(f"[{_LETTERS}][{_MARKS}]*+")
# Vowel points that are mostly left out in writing, the Arabic elongation, and the hyphen
# that only shows at the end of a line.
_POINTS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u0640\u064b-\u065f\u0670\u00ad]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What FTS5, which takes accents off Latin letters alone, would tell apart: the forms of
# alef, yeh without dots, teh marbuta and the Russian yo are written either way.
_FOLD = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "SS",
        **dict(zip("øØłŁđĐı\u2019", "oOlLdDi'", strict=True)),
        **dict(zip("\u0451\u0401", "\u0435\u0415", strict=True)),
        **dict.fromkeys("\u0622\u0623\u0625\u0671", "\u0627"),
        **dict(zip("\u0649\u0629", "\u064a\u0647", strict=True)),
        **{
            letter: unicodedata.normalize("NFD", letter)[0]
            for letter in map(chr, [*range(0x370, 0x400), *range(0x1F00, 0x2000)])
        },
    }
)


def normalize(text: str) -> str:
    """Fold compatibility forms, ligatures, points and letters that FTS5 leaves alone."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _SURROGATE.sub(" ", text))
    return _POINTS.sub("", text.translate(_FOLD))


def spaced(text: str) -> str:
    """Put spaces around each letter of the scripts that have none."""
    if text.isascii():
        return text
    return UNSPACED.sub(
        lambda run: f" {' '.join(CLUSTERS.findall(run.group()))} ", text
    )
