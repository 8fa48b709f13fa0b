"""One message of mail: who wrote what to whom, its words once, and what is attached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate
from itertools import chain
from typing import NamedTuple

from pplx_local.documents.day import read_day
from pplx_local.documents.decode import decode_stream, fix
from pplx_local.documents.formats.mail.encoded_words import decode_words
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.web.html_page import read_markup
from pplx_local.errors import Unreadable, Unsupported

MAX_BYTES = 16_000_000
"""Of a message, without the bulk of what is attached; the rest is left unread."""

_WHOLE_BYTES = 1_000_000
_BULK = re.compile(rb"(?:\A|(?<=\n))(?:[A-Za-z0-9+/]{60,80}\r?\n){50,}")
_MAX_HEADER_CHARS = 16_000
_MAX_SHOWN_CHARS = 2_000
_MAX_PARTS = 1_000
_MAX_DEPTH = 30
_MAX_FORWARDED = 100
_MAX_EFFORT = 200_000_000
_TOO_DEEP = "damaged: the parts of the message lie too deep in each other"
_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_SIGNATURES = ("pgp-signature", "pkcs7-signature", "x-pkcs7-signature")
_MADE_OF = ("image", "text", "font")
_CALENDAR = "text/calendar"
_FOLD = re.compile(r"\n[ \t]")
_SAVED_BY = re.compile(r"<Saved by [\w ]{1,100}>")
"""What browsers write as the sender of a page."""

_STUB = 3
"""Plain text so many times shorter than the HTML beside it only points there."""

_PARSER_BUGS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MessageError,
    TypeError,
    ValueError,
)
"""What the standard library's parser lets out where a header is malformed enough."""


class Letter(NamedTuple):
    """A message in its reader's terms."""

    subject: str
    author: str
    day: date | None
    text: str
    """Its head, its body and the names of its attachments."""


class Kept:
    """The bytes of a message as they come, without the bulk of its attachments."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, data: bytes) -> None:
        """Take more of it: after a while, lines of base64 only where they are few."""
        whole = max(_WHOLE_BYTES - len(self.data), 0)
        self.data += data[:whole]
        self.data += _BULK.sub(b"", data[whole:])[: MAX_BYTES - len(self.data)]


class _BoundedHeaders(policy.Compat32):
    """Parses headers when they are asked for, and none longer than it should be."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_MAX_HEADER_CHARS]

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


_PARSER = BytesParser(policy=_BoundedHeaders())


def read_letters(data: bytes) -> Iterator[Letter]:
    """Read a message, then those that were forwarded with it.

    Raises:
        Unreadable: Its parts lie deeper in each other than any program puts them.
        Unsupported: The bytes are no message.
    """
    waiting = [_parsed(data)]
    for _ in range(_MAX_FORWARDED):
        if not waiting:
            return
        message = waiting.pop(0)
        parts = _Parts()
        body = parts.read(message, 0)
        yield _letter(message, body, parts.names)
        waiting += parts.forwarded


def _parsed(data: bytes) -> Message:
    # The parser asks at each line whether it ends any of the parts it lies in.
    if data.count(b"boundary=") * data.count(b"\n") > _MAX_EFFORT:
        raise Unreadable(_TOO_DEEP)
    try:
        return _PARSER.parsebytes(data)
    except RecursionError as error:
        raise Unreadable(_TOO_DEEP) from error


def _letter(message: Message, body: list[str], names: list[str]) -> Letter:
    head = {name: words for name in _HEADERS if (words := _header(message, name))}
    lines = [f"{name}: {words}" for name, words in head.items()]
    listed = [f"Attachments: {', '.join(names)}"] if names else []
    blocks = ["\n".join(lines), *body, *listed]
    return Letter(
        subject=head.get("Subject", ""),
        author=head.get("From", ""),
        day=_day(head.get("Date", "")) or _day(_received(message)),
        text=fix("\n\n".join(block for block in blocks if block)) + "\n",
    )


def _header(message: Message, name: str) -> str:
    words = _SAVED_BY.sub("", decode_words(_asked(lambda: message.get(name))))
    return words if len(words) <= _MAX_SHOWN_CHARS else words[:_MAX_SHOWN_CHARS] + "…"


def _asked(question: Callable[[], object]) -> object:
    try:
        return question()
    except _PARSER_BUGS:
        return None


def _day(stated: str) -> date | None:
    if day := read_day(stated):
        return day
    try:
        fields = parsedate(stated)
        return date(*fields[:3]) if fields else None
    except _PARSER_BUGS:
        return None


def _received(message: Message) -> str:
    """Take the day at the end of the first line that a server added, if one did."""
    told = _header(message, "Received").rpartition(";")[2].strip()
    return told or (message.get_unixfrom() or "")[5:].partition(" ")[2].strip()


class _Parts:
    """What the parts of one message hold, those of forwarded messages excepted."""

    def __init__(self) -> None:
        self.names: list[str] = []
        """Of attached files."""
        self.forwarded: list[Message] = []
        self._n_parts = 0

    def read(self, part: Message, depth: int) -> list[str]:
        """Give the texts in a part, in order."""
        self._n_parts += 1
        if depth > _MAX_DEPTH:
            raise Unreadable(_TOO_DEEP)
        if self._n_parts > _MAX_PARTS:
            return []
        kind = part.get_content_type()
        if not part.is_multipart():
            return self._leaf(part, kind, is_first=self._n_parts == 1)
        children: list[Message] = part.get_payload()  # type: ignore[assignment]
        if kind == "message/rfc822":
            self.forwarded += _unpacked(part, children)
            return []
        if kind == "message/delivery-status":
            return ["\n\n".join(_fields(child) for child in children[:_MAX_PARTS])]
        if kind == "multipart/alternative":
            return self._alternative(children, depth + 1)
        if kind == "multipart/related":  # a page, then what it is made of
            self.names += _names(children[1:_MAX_PARTS])
            children = children[:1]
        return list(chain(*(self.read(child, depth + 1) for child in children)))

    def _alternative(self, forms: list[Message], depth: int) -> list[str]:
        """Of the same words in several forms take the plain, unless it is a stub."""
        calendars = [form for form in forms if form.get_content_type() == _CALENDAR]
        told = [self.read(form, depth) for form in forms if form not in calendars]
        texts = [text for text in told if text]
        if not texts:
            return list(chain(*(self.read(form, depth) for form in calendars)))
        longest = max(texts, key=_n_chars)
        return texts[0] if _STUB * _n_chars(texts[0]) >= _n_chars(longest) else longest

    def _leaf(self, part: Message, kind: str, *, is_first: bool) -> list[str]:
        is_text = kind.startswith(("text/", "multipart/", "message/"))
        named = _asked(part.get_filename) is not None or _is_attached(part)
        if not is_text or (named and not is_first):
            self.names += _names([part])
            return []
        try:
            text = _text(part, kind)
        except Unsupported:
            if is_first and not part.keys():
                raise  # no mail at all, but a file of another kind by this name
            return []
        return [text] if text else []


def _names(parts: list[Message]) -> list[str]:
    """Call attached files by name, without what only decorates a text."""
    kept = [part for part in parts if not _is_decoration(part)]
    names = [decode_words(_asked(part.get_filename)) for part in kept]
    return [
        name or f"unnamed ({part.get_content_type()})"
        for name, part in zip(names, kept, strict=True)
    ]


def _unpacked(part: Message, children: list[Message]) -> list[Message]:
    """Decode a forwarded message, which some programs encode against the rules."""
    way = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    packed = children[0].get_payload() if children else None
    if way not in ("base64", "quoted-printable") or not isinstance(packed, str):
        return children
    children[0]["Content-Transfer-Encoding"] = way
    data = _asked(lambda: children[0].get_payload(decode=True))
    return [_parsed(data)] if isinstance(data, bytes) else []


def _fields(block: Message) -> str:
    names = list(dict.fromkeys(block.keys()))[:_MAX_PARTS]
    return "\n".join(f"{name}: {_header(block, name)}" for name in names)


def _n_chars(texts: list[str]) -> int:
    return sum(map(len, texts))


def _is_attached(part: Message) -> bool:
    return _asked(part.get_content_disposition) == "attachment"


def _is_decoration(part: Message) -> bool:
    """Tell signatures and what an HTML text is made of from attached files."""
    main, _, kind = part.get_content_type().partition("/")
    if kind in _SIGNATURES:
        return True
    inside = "Content-ID" in part or "Content-Location" in part
    return inside and main in _MADE_OF and not _is_attached(part)


def _text(part: Message, kind: str) -> str:
    payload = _asked(lambda: part.get_payload(decode=True))
    charset = _asked(part.get_content_charset)
    if not isinstance(payload, bytes):
        return ""
    declared = charset if isinstance(charset, str) else None
    text = "".join(decode_stream([payload], declared=declared))
    if kind == _CALENDAR:
        text = _FOLD.sub("", text)
    if kind == "text/html":
        return read_markup(text, Outline("heading")).strip()
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
