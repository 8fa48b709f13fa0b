"""What the reader's child sends, as JSON.

It handles hostile files, so nothing that it says may run in the parent.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

from pplx_local import errors
from pplx_local.documents.sandbox import Hold
from pplx_local.errors import DocumentError, Unreadable
from pplx_local.records import Chunk, Document, Segment, Span, TextBlock


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


Message = Ready | TextBlock | Finished | DocumentError | Broken

_ERRORS = {
    kind.__name__: kind
    for kind in (errors.EmptyDocument, errors.NoText, errors.Unsupported, Unreadable)
}


def pack(message: Message) -> bytes:
    """Make bytes of a message."""
    return json.dumps(_plain(message), ensure_ascii=False).encode()


def _plain(message: Message) -> list[object]:
    match message:
        case TextBlock(char_start, text, chunks):
            return ["block", char_start, text, chunks]
        case Finished(document, digest):
            return ["finished", digest, _fields(document)]
        case DocumentError():
            return ["error", type(message).__name__, str(message), message.retry]
        case Broken(reason, by_file):
            return ["broken", reason, by_file]
        case Ready(hold):
            return ["ready", *hold]


def _fields(document: Document) -> dict[str, object]:
    fields = {name: getattr(document, name) for name in Document.__slots__}
    return fields | {"day": document.day and document.day.isoformat()}


def unpack(data: bytes) -> Message:
    """Make a message of bytes."""
    kind, *rest = json.loads(data)
    match kind:
        case "block":
            return _block(*rest)
        case "finished":
            digest, fields = rest
            return Finished(_document(fields), digest)
        case "error":
            return _error(*rest)
        case "broken":
            return Broken(*rest)
    return Ready(Hold(*rest))


def _block(char_start: int, text: str, chunks: list[Any]) -> TextBlock:
    made = tuple(Chunk(ordinal, Span(*span)) for ordinal, span in chunks)
    return TextBlock(char_start, text, made)


def _document(fields: dict[str, Any]) -> Document:
    segments = fields.pop("segments")
    made = tuple(Segment(kind, words, Span(*span)) for kind, words, span in segments)
    day = fields.pop("day")
    return Document(**fields, segments=made, day=day and date.fromisoformat(day))


def _error(name: str, reason: str, retry: bool) -> DocumentError:
    if name == Unreadable.__name__:
        return Unreadable(reason, retry=retry)
    return _ERRORS[name](reason)
