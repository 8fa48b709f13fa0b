"""What the control words of RTF stand for, as far as a text needs them."""

from __future__ import annotations

import codecs
from types import MappingProxyType


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


LEFT_OUT = _words(
    "colortbl fldinst ftncn ftnsep ftnsepc listoverridetable listtable nonesttables"
    " nonshppict objdata pict pntxta pntxtb revtbl rxe shprslt sp tc tcn template"
    " themedata txe xe"
)
"""Groups that hold nothing that a reader of the document would see."""

READ_THOUGH_OPTIONAL = _words("annotation nesttableprops shpinst shppict shptxt")
"""Groups that a program may skip by their mark, and that hold text."""

MARGINS = _words("footer footerf footerl footerr header headerf headerl headerr")
"""Groups whose text stands on many pages."""

NOTES = _words("annotation footnote")
"""Groups whose text goes behind the paragraph that they lie in."""

FIELDS = ("title", "author", "subject", "keywords")
"""What the document says about itself."""

SIGNS = MappingProxyType(
    {
        "tab": "\t",
        "cell": "\t",
        "nestcell": "\t",
        "line": "\n",
        "emdash": "\u2014",
        "endash": "\u2013",
        "emspace": " ",
        "enspace": " ",
        "qmspace": " ",
        "bullet": "\u2022",
        "lquote": "\u2018",
        "rquote": "\u2019",
        "ldblquote": "\u201c",
        "rdblquote": "\u201d",
        "~": " ",
        "_": "-",
        "{": "{",
        "}": "}",
        "\\": "\\",
        "\r": "\n",
        "\n": "\n",
    }
)
"""Characters with words of their own. Line ends inside of a paragraph stay."""

CODE_PAGES = MappingProxyType(
    {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
)

CHARSETS = MappingProxyType(
    {
        0: "cp1252",
        77: "mac_roman",
        78: "cp932",
        79: "cp949",
        80: "gb18030",
        81: "big5",
        84: "cp1255",
        85: "mac_greek",
        86: "mac_turkish",
        87: "mac_cyrillic",
        88: "mac_latin2",
        128: "cp932",
        129: "cp949",
        130: "johab",
        134: "gb18030",
        136: "big5",
        161: "cp1253",
        162: "cp1254",
        163: "cp1258",
        177: "cp1255",
        178: "cp1256",
        186: "cp1257",
        204: "cp1251",
        222: "cp874",
        238: "cp1250",
        254: "cp437",
        255: "cp850",
    }
)
"""Of fonts, by the numbers that Windows gives them."""

_OTHER_PAGES = MappingProxyType({10_000: "mac_roman", 65_001: "utf-8"})


def codec_of_page(number: int) -> str:
    """Name the codec of a Windows code page; that of Western Europe for one unknown."""
    name = _OTHER_PAGES.get(number, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
