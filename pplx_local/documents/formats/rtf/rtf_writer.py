"""Following the control words of RTF to the paragraphs that a reader would see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from pplx_local.documents.decode import fix
from pplx_local.documents.formats.rtf.rtf_words import (
    CHARSETS,
    CODE_PAGES,
    FIELDS,
    LEFT_OUT,
    MARGINS,
    NOTES,
    READ_THOUGH_OPTIONAL,
    SIGNS,
    codec_of_page,
)
from pplx_local.errors import Unreadable

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])"
    rb"|([^\\{}]+)|\\"
)
_PARAGRAPH_ENDS = {"par", "sect", "page", "row", "nestrow"}
_HEADING_STYLE = re.compile(r"\s*heading ([1-9])\b", re.IGNORECASE)
_N_LEVELS = 9
_MAX_DEPTH = 100_000
_BODY, _MARGINS, _STYLES, _FONTS = "body", "margins", "styles", "fonts"
_INFO, _CREATED = "info", "created"
_NOTHING = ""
_HEARD = frozenset({_BODY, _MARGINS, _STYLES, *NOTES, *FIELDS})
_PLACES = {
    **dict.fromkeys(LEFT_OUT, _NOTHING),
    **dict.fromkeys(MARGINS, _MARGINS),
    "stylesheet": _STYLES,
    "fonttbl": _FONTS,
    "info": _INFO,
}
_PRIVATE_SYMBOLS = range(0xF000, 0xF100)


@dataclass(slots=True)
class _Group:
    """What holds until the end of a group, and for the groups in it."""

    to: str = _BODY
    """Where its text goes: to the body, a note, a field, or to nothing."""
    font: int = -1
    replaced: int = 1
    """How many characters stand behind one of Unicode, for those who know none."""
    hidden: bool = False
    level: int | None = None
    """Of the paragraph as a heading, 0 for the highest."""

    def inner(self) -> _Group:
        """Start a group in this one."""
        # `dataclasses.replace` takes longer than all else that a brace costs.
        return _Group(self.to, self.font, self.replaced, self.hidden, self.level)


class RtfWriter:
    """Turns the file's tokens into paragraphs, in one pass and without recursion."""

    def __init__(self) -> None:
        self.n_pictures = 0
        self._group = _Group()
        self._outer: list[_Group] = []
        self._is_new = False
        """Whether a group has just begun."""
        self._is_optional = False
        """Whether it began with the mark of those that may be skipped."""
        self._said: dict[str, list[str]] = {}
        self._pending = bytearray()
        """Bytes that are not decoded yet: a character may take several."""
        self._codec = "cp1252"
        self._fonts: dict[int, str] = {}
        self._default_font = -1
        self._n_replaced = 0
        self._style = 0
        self._levels: dict[int, int | None] = {}
        """Of the styles that are headings."""
        self._created: dict[str, int] = {}
        self._rules = self._make_rules()

    def paragraphs(self, data: bytes) -> Iterator[tuple[int | None, str]]:
        """Give each paragraph with its level; None for one that is no heading."""
        place = 0
        while token := _TOKEN.match(data, place):
            place = token.end()
            word, number, code, sign, brace, text = token.groups()
            if text:
                self._take_bytes(text.translate(None, b"\r\n\0"))
            elif code:
                self._take_bytes(bytes([int(code, 16)]))
            elif word == b"bin":
                place = _after_binary(data, place, int(number or 0))
            elif word:
                name, value = word.decode(), None if number is None else int(number)
                if name in _PARAGRAPH_ENDS and self._group.to == _BODY:
                    yield self._group.level, self._paragraph() + "\n"
                else:
                    self._obey(name, value)
            elif sign:
                self._obey_sign(sign.decode("latin-1"))
            elif brace:
                self._nest(opens=brace == b"{")
                if not self._outer:
                    break
        yield self._group.level, self._paragraph() + "\n"
        yield None, "\n".join(dict.fromkeys(self.said(_MARGINS).split("\n")))

    def said(self, name: str) -> str:
        """Give what was written to a field of the document's own."""
        self._flush()
        return fix("".join(self._said.get(name, [])))

    def created(self) -> date | None:
        """Give the day on which the document says it was made."""
        try:
            return date(*(self._created[part] for part in ("yr", "mo", "dy")))
        except (KeyError, ValueError):
            return None

    def _paragraph(self) -> str:
        self._flush()
        parts = [self._said.pop(_BODY, [])]
        parts += [["\n", *self._said.pop(note)] for note in NOTES if note in self._said]
        text = "".join(part for texts in parts for part in texts)
        # Characters beyond the first 65,536 come in halves.
        return fix(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    # --- text ----------------------------------------------------------------

    def _take_bytes(self, data: bytes) -> None:
        self._is_new = self._is_optional = False
        skipped = min(self._n_replaced, len(data))
        self._n_replaced -= skipped
        if self._group.to in _HEARD and not self._group.hidden:
            self._pending += data[skipped:]

    def _flush(self) -> None:
        if self._pending:
            codec = self._fonts.get(self._group.font, self._codec)
            self._write(self._pending.decode(codec, "replace"))
            self._pending.clear()

    def _write(self, text: str) -> None:
        if self._group.to in _HEARD and not self._group.hidden:
            self._said.setdefault(self._group.to, []).append(text)

    # --- groups and words ----------------------------------------------------

    def _nest(self, *, opens: bool) -> None:
        self._flush()
        self._is_new, self._is_optional = opens, False
        self._n_replaced = 0
        if opens:
            if len(self._outer) >= _MAX_DEPTH:
                raise Unreadable("damaged: its groups lie too deep in each other")
            self._outer.append(self._group)
            self._group = self._group.inner()
        elif self._outer:
            if self._group.to == _STYLES:
                self._note_style()
            self._group = self._outer.pop()

    def _note_style(self) -> None:
        """Know a heading by the name of its style where nothing else tells it."""
        named = _HEADING_STYLE.match("".join(self._said.pop(_STYLES, [])))
        if named:
            self._levels.setdefault(self._style, int(named[1]) - 1)

    def _obey_sign(self, sign: str) -> None:
        self._flush()
        if sign == "*":
            self._is_optional = self._is_new
        elif self._n_replaced:
            self._n_replaced -= 1
        else:
            self._write(SIGNS.get(sign, ""))

    def _obey(self, name: str, value: int | None) -> None:
        self._flush()
        is_optional, self._is_new, self._is_optional = self._is_optional, False, False
        self._n_replaced = 0
        self.n_pictures += name == "pict"
        group = self._group
        if is_optional and name not in READ_THOUGH_OPTIONAL:
            group.to = _NOTHING
        elif group.to == _BODY and name in NOTES:
            group.to = name
        elif group.to == _BODY and name in _PLACES:
            group.to = _PLACES[name]
        elif group.to == _INFO and (name in FIELDS or name == "creatim"):
            group.to = name if name in FIELDS else _CREATED
        elif name in SIGNS:
            self._write(SIGNS[name])
        elif name in _PARAGRAPH_ENDS:
            self._write("\n")
        elif rule := self._rules.get(name):
            rule(value)

    def _make_rules(self) -> dict[str, Callable[[int | None], None]]:
        created = {part: self._created_rule(part) for part in ("yr", "mo", "dy")}
        pages = {word: self._page_rule(codec) for word, codec in CODE_PAGES.items()}
        return (
            created
            | pages
            | {
                "ansicpg": lambda page: self._page_rule(codec_of_page(page or 0))(None),
                "cpg": lambda page: self._set_font_codec(codec_of_page(page or 0)),
                "deff": self._set_default_font,
                "deleted": self._set_hidden,
                "f": self._set_font,
                "fcharset": lambda n: self._set_font_codec(CHARSETS.get(n or 0)),
                "outlinelevel": self._set_level,
                "pard": self._start_paragraph,
                "plain": self._start_plain,
                "s": self._set_style,
                "u": self._write_unicode,
                "uc": self._set_replaced,
                "v": self._set_hidden,
            }
        )

    # --- what single words do ------------------------------------------------

    def _created_rule(self, part: str) -> Callable[[int | None], None]:
        def rule(value: int | None) -> None:
            if self._group.to == _CREATED:
                self._created[part] = value or 0

        return rule

    def _page_rule(self, codec: str) -> Callable[[int | None], None]:
        def rule(_: int | None) -> None:
            self._codec = codec

        return rule

    def _set_default_font(self, number: int | None) -> None:
        self._default_font = self._group.font = number or 0

    def _set_font(self, number: int | None) -> None:
        self._group.font = number or 0

    def _set_font_codec(self, codec: str | None) -> None:
        if self._group.to == _FONTS and codec:
            self._fonts[self._group.font] = codec

    def _set_hidden(self, on: int | None) -> None:
        self._group.hidden = on != 0

    def _set_level(self, level: int | None) -> None:
        stated = level if level is not None and 0 <= level < _N_LEVELS else None
        if self._group.to == _STYLES:
            self._levels[self._style] = stated
        else:
            self._group.level = stated

    def _set_style(self, number: int | None) -> None:
        if self._group.to == _STYLES:
            self._style = number or 0
        else:
            self._group.level = self._levels.get(number or 0)

    def _start_paragraph(self, _: int | None) -> None:
        self._group.level = None

    def _start_plain(self, _: int | None) -> None:
        self._group.font = self._default_font
        self._group.hidden = False

    def _write_unicode(self, code: int | None) -> None:
        number = (code or 0) % 0x10000
        # Fonts of symbols put their pictures where Unicode has nothing.
        self._write("\u2022" if number in _PRIVATE_SYMBOLS else chr(number))
        self._n_replaced = self._group.replaced

    def _set_replaced(self, number: int | None) -> None:
        self._group.replaced = number if number is not None and number >= 0 else 1


def _after_binary(data: bytes, place: int, n_bytes: int) -> int:
    """Go past data of a stated length, unless the length is a lie."""
    end = place + n_bytes
    return end if place <= end <= len(data) else place
