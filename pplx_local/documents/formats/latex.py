"""LaTeX and BibTeX: the source as its author knows it, with letters for accents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

# No pattern crosses a line end: a line of the text is that line of the file.
_ACCENTED = re.compile(
    r"(?<!\\)(?P<open>\{)?\\(?P<mark>[`'^\"~=.]|[uvHcdkr](?=[{ ]))"
    r"(?: ?\{\\?(?P<braced>[a-zA-Z])\}| ?\\(?P<dotless>[ij])(?![a-zA-Z])(?:\{\})?"
    r"| ?(?P<letter>[a-zA-Z]))(?(open)\})"
)
_COMBINING = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
}
_LETTER = re.compile(
    r"(?<!\\)(?P<open>\{)?\\(?P<name>ss|ae|AE|oe|OE|aa|AA|o|O|l|L|dh|DH|th|TH|dj|DJ)"
    r"(?![a-zA-Z])(?(open)\}|(?:\{\}| )?)"
)
_LETTERS = {
    "ss": "ß",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "aa": "å",
    "AA": "Å",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "dh": "ð",
    "DH": "Ð",
    "th": "þ",
    "TH": "Þ",
    "dj": "đ",
    "DJ": "Đ",
}
_HYPHEN_HINT = re.compile(r"(?<=\w)\\-(?=\w)")
_UNDERSCORE = re.compile(r"(?<!\\)\\_")

_LEVELS = {
    name: level
    for level, name in enumerate(
        [
            "part",
            "chapter",
            "section",
            "subsection",
            "subsubsection",
            "paragraph",
            "frametitle",
        ],
        1,
    )
}
_TITLES = frozenset({"part", "chapter"})
"""What a file without a title of its own is called by."""

_SECTION = re.compile(
    rf"\n[ \t]{{0,40}}\\(?:(?P<name>{'|'.join(_LEVELS)})\*?"
    r"[ \t]{0,9}(?:\[[^\]\n]{0,200}\])?[ \t]{0,9}\{"
    r"|begin\{(?P<frame>frame)\}[ \t]{0,9}(?:\[[^\]\n]{0,200}\])?\{"
    r"|begin\{(?P<abstract>abstract)\})"
)
_STATED = re.compile(
    r"\n[ \t]{0,40}\\(title|author|date)[ \t]{0,9}(?:\[[^\]]{0,300}\])?\{"
)
_ASIDE = re.compile(
    r"\\(?:thanks|footnote|texorpdfstring|inst|orcid\w{0,9}|label|email|affil\w{0,9})(?=\{)"
)
_AND = re.compile(r"\\(?:and|And|AND)\b")
_COMMAND = re.compile(r"\\[a-zA-Z]{1,40}\*?|\\\\(?:\[[^\]]{0,20}\])?|(?<!\\)%[^\n]*")
_NO_BRACES = str.maketrans("", "", "{}")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_MAX_ARGUMENT_CHARS = 2_000

_ENTRY = re.compile(
    r"\n[ \t]{0,40}@(?P<type>[a-zA-Z]{1,30})\s{0,9}[{(]\s{0,9}(?P<key>[^\s,{}]{1,200}),"
)
_ENTRY_TITLE = re.compile(r"\btitle\s{0,9}=\s{0,9}(?P<opening>[{\"])", re.IGNORECASE)
_ENTRY_CHARS = 5_000


class Latex(Text):
    """The source line by line, with sections and slides as places."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._outline = Outline("heading")

    def pieces(self) -> Iterator[str]:
        """Decode the file, and write its accented letters as what they are."""
        rest = ""
        for piece in super().pieces():
            lines, end, rest = (rest + piece).rpartition("\n")
            yield _spelled(lines + end)
        yield _spelled(rest)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find the sections of a block."""
        lines = "\n" + text
        if char_start == 0:
            self._read_head(lines)
        for found in _SECTION.finditer(lines):
            start, name = char_start + found.start(), found["name"] or "frametitle"
            if found["abstract"]:
                self._outline.add(start, _LEVELS["section"], "Abstract")
            else:
                words = _plain(_argument(lines, found.end()))
                self._outline.add(start, _LEVELS[name], words)
                if name in _TITLES and self._about.title is None:
                    self._about.title = label(words) or None
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give title, author, day and sections."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _read_head(self, lines: str) -> None:
        stated = {
            found[1]: _argument(lines, found.end()) for found in _STATED.finditer(lines)
        }
        self._about.title = label(_plain(stated.get("title", ""))) or None
        self._about.day = read_day(_plain(stated.get("date", "")))
        author = _plain(_AND.sub(", ", stated.get("author", "")))
        if author:
            self._about.metadata["author"] = label(author)


class Bibtex(Latex):
    """A list of literature, each entry a place with its key and title."""

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find the entries of a block."""
        lines = "\n" + text
        for found in _ENTRY.finditer(lines):
            words = _entry_title(lines, found.end())
            named = f"{found['key']}: {words}" if words else found["key"]
            self._outline.add(char_start + found.start(), 1, named)
        return self._outline.starts(char_start, char_start + len(text))


def _entry_title(lines: str, start: int) -> str:
    """Read the title of the entry that begins here; empty if it has none."""
    end = lines.find("\n@", start, start + _ENTRY_CHARS)
    found = _ENTRY_TITLE.search(lines, start, end if end >= 0 else start + _ENTRY_CHARS)
    if found is None:
        return ""
    if found["opening"] == "{":
        return _plain(_argument(lines, found.end()))
    quote = lines.find('"', found.end(), found.end() + _MAX_ARGUMENT_CHARS)
    return _plain(lines[found.end() : quote]) if quote >= 0 else ""


def _spelled(source: str) -> str:
    if "\\" not in source:
        return source
    source = _ACCENTED.sub(_accented, source)
    source = _LETTER.sub(lambda found: _LETTERS[found["name"]], source)
    return _UNDERSCORE.sub("_", _HYPHEN_HINT.sub("", source))


def _accented(found: re.Match[str]) -> str:
    letter = found["braced"] or found["dotless"] or found["letter"]
    made = normalize("NFC", letter + _COMBINING[found["mark"]])
    return made if len(made) == 1 else found[0]


def _argument(source: str, start: int) -> str:
    """Give what stands between the brace before `start` and the one that closes it."""
    depth = 1
    for brace in _BRACE.finditer(source, start, start + _MAX_ARGUMENT_CHARS):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return source[start : brace.start()]
    return ""


def _plain(argument: str) -> str:
    """Take the words out of an argument, without asides and commands."""
    while aside := _ASIDE.search(argument):
        end = aside.end() + 1 + len(_argument(argument, aside.end() + 1)) + 1
        argument = argument[: aside.start()] + argument[end:]
    words = _COMMAND.sub(" ", argument).replace("~", " ")
    return " ".join(words.translate(_NO_BRACES).split())
