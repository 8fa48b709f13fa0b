"""What the reader's child sends, as JSON.

It handles hostile files and may be taken over by one: nothing that it says runs in the
parent, and what is not of the right types, or leads outside of its text, is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from pplx_local import errors
from pplx_local.documents.sandbox import Hold
from pplx_local.errors import DocumentError, Unreadable
from pplx_local.records import Chunk, Document, Picture, Span, TextBlock

NONSENSE = "its reader answered nonsense"
_MANY = 1 << 53
_ERRORS = {
    kind.__name__: kind
    for kind in (errors.EmptyDocument, errors.NoText, errors.Unsupported)
}


class Ready(NamedTuple):
    """The child has started."""

    hold: Hold = Hold()
    """What it has locked itself in with."""


class Finished(NamedTuple):
    """The end of a file that was read."""

    document: Document
    digest: str
    """Of its bytes, BLAKE2b-256 in hex."""


class Broken(NamedTuple):
    """The child has ended, or is about to."""

    reason: str
    by_file: bool = True
    """Whether it was in the middle of a file, which may be why."""


Message = Ready | TextBlock | Finished | Picture | DocumentError | Broken


class _Ready(msgspec.Struct, array_like=True, tag="ready"):
    hold: Hold


class _Block(msgspec.Struct, array_like=True, tag="block"):
    char_start: int
    text: str
    chunks: tuple[Chunk, ...]


class _Finished(msgspec.Struct, array_like=True, tag="finished"):
    document: Document
    digest: str


class _Picture(msgspec.Struct, array_like=True, tag="picture"):
    width: int
    height: int
    dots: bytes


class _Error(msgspec.Struct, array_like=True, tag="error"):
    name: str
    reason: str
    retry: bool


class _Broken(msgspec.Struct, array_like=True, tag="broken"):
    reason: str
    by_file: bool


_Sent = _Ready | _Block | _Finished | _Picture | _Error | _Broken
_decode = msgspec.json.Decoder(_Sent).decode


def pack(message: Message) -> bytes:
    """Make bytes of a message."""
    return msgspec.json.encode(_plain(message))


def _plain(message: Message) -> _Sent:
    match message:
        case TextBlock(char_start, text, chunks):
            return _Block(char_start, text, chunks)
        case Finished(document, digest):
            return _Finished(document, digest)
        case Picture():
            return _Picture(*message)
        case DocumentError():
            return _Error(type(message).__name__, str(message), message.retry)
        case Broken(reason, by_file):
            return _Broken(reason, by_file)
        case Ready(hold):
            return _Ready(hold)


def unpack(data: bytes) -> Message:
    """Make a message of bytes.

    Raises:
        ValueError: They are none.
    """
    try:
        sent = _decode(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    match sent:
        case _Block(char_start, text, chunks):
            whole = Span(char_start, char_start + len(text))
            _demand_inside(whole, (chunk.char_span for chunk in chunks))
            _demand_small(whole.end, *(chunk.ordinal for chunk in chunks))
            return TextBlock(char_start, text, chunks)
        case _Finished(document, digest):
            whole = Span(0, document.n_chars)
            _demand_inside(whole, (one.char_span for one in document.segments))
            _demand_small(whole.end, document.parser_version)
            return Finished(document, digest)
        case _Picture(width, height, dots):
            _demand_small(width, height)
            if width * height != len(dots):
                raise ValueError("a picture of another size")
            return Picture(width, height, dots)
        case _Error(name, reason, retry):
            kind = _ERRORS.get(name)
            return kind(reason) if kind else Unreadable(reason, retry=retry)
        case _Broken(reason, by_file):
            return Broken(reason, by_file)
    return Ready(sent.hold)


def _demand_inside(whole: Span, spans: Iterable[Span]) -> None:
    if not all(whole.start <= start <= end <= whole.end for start, end in spans):
        raise ValueError("a place outside of the text")


def _demand_small(*numbers: int) -> None:
    if not all(0 <= number < _MANY for number in numbers):
        raise ValueError("a number that counts nothing")
