"""Mail: a message in a file of its own, or a mailbox with thousands of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.mail.message import Kept, Letter, read_letters
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.errors import DocumentError

_EMLX = re.compile(rb"\s{0,9}(\d{1,12})\s{0,9}\n")
"""Apple Mail writes the length of the message in front, and settings behind it."""

# The literal line end in front makes the search several times faster than "^".
_FROM_LINE = re.compile(rb"\nFrom [^\n]{1,300}(?=\n)")
_DATED = re.compile(rb"\d\d:\d\d.*\d{4}")
_HEADER = re.compile(rb"[A-Za-z][\w-]{0,60}:")
_BLANK_LINES = (b"\n\n", b"\n\r\n")
_QUOTED_FROM = re.compile(rb"^>(>{0,20}From )", re.MULTILINE)
_AHEAD_BYTES = 500
"""Of what follows a line, to tell whether a message starts with it."""
_BEHIND_BYTES = 3


class Mail:
    """A message: its head and words, and the messages that were forwarded with it."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("message")
        self._about = About()

    def pieces(self) -> Iterator[str]:
        """Read the message."""
        kept = Kept()
        for data in iter(self._source.read, b""):
            kept.add(data)
        letters = list(read_letters(_unwrapped(bytes(kept.data))))
        self._note(letters[0])
        yield letters[0].text
        n_chars = len(letters[0].text)
        for letter in letters[1:]:
            self._outline.add(n_chars + 1, 1, _name(letter) or "forwarded")
            yield "\n" + letter.text
            n_chars += 1 + len(letter.text)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the starts of forwarded messages."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give subject, sender and day."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _note(self, letter: Letter) -> None:
        self._about.title = label(letter.subject) or None
        self._about.day = letter.day
        if letter.author:
            self._about.metadata["author"] = letter.author


class Mailbox:
    """A file of messages (mbox), read one by one however many there are."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("message")
        self._n_messages = 0

    def pieces(self) -> Iterator[str]:
        """Read the messages as they come."""
        n_chars = 0
        for data in filter(bytes.strip, _messages(iter(self._source.read, b""))):
            self._n_messages += 1
            for level, letter in enumerate(_letters(data)):
                name = _name(letter) or f"message {self._n_messages}"
                self._outline.add(n_chars, min(level, 1), name)
                yield letter.text + "\n"
                n_chars += len(letter.text) + 1

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the starts of messages."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give the messages."""
        segments = self._outline.segments(n_chars)
        return About(segments=segments, metadata={"messages": str(self._n_messages)})


def _name(letter: Letter) -> str:
    """Call a message by its subject, else by its sender; its day tells replies apart."""
    named = [letter.subject or letter.author, letter.day and letter.day.isoformat()]
    return ", ".join(part for part in named if part)


def _unwrapped(data: bytes) -> bytes:
    if found := _EMLX.match(data):
        return data[found.end() : found.end() + int(found[1])]
    return data


def _letters(data: bytes) -> list[Letter]:
    """Read one message of many: a hostile one does not cost the others."""
    try:
        return list(read_letters(_QUOTED_FROM.sub(rb"\1", data)))
    except DocumentError:
        head = data.partition(b"\n\n")[0]
        return list(read_letters(head.replace(b"multipart/", b"text/")))


def _messages(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a mailbox where messages start."""
    kept, rest, start = Kept(), b"\n\n", 2
    while True:
        piece = next(pieces, b"")
        rest += piece
        end = _settled(rest) if piece else len(rest)
        for found in _FROM_LINE.finditer(rest, start - 1, end):
            if _starts_message(rest, found):
                kept.add(rest[start : found.start() + 1])
                yield bytes(kept.data)
                kept, start = Kept(), found.start() + 1
        kept.add(rest[start:end])
        if not piece:
            break
        rest, start = rest[end - _BEHIND_BYTES :], _BEHIND_BYTES
    yield bytes(kept.data)


def _settled(data: bytes) -> int:
    """Give the end of the lines of which enough is seen of what follows them."""
    seen = max(len(data) - _AHEAD_BYTES, _BEHIND_BYTES)
    return data.rfind(b"\n", _BEHIND_BYTES, seen) + 1 or seen


def _starts_message(data: bytes, line: re.Match[bytes]) -> bool:
    """Tell a separator from a line of a letter that starts with "From "."""
    start = line.start() + 1
    after_blank = data.endswith(_BLANK_LINES, 0, start)
    dated = _DATED.search(line[0]) is not None
    headed = _HEADER.match(data, line.end() + 1) is not None
    return after_blank + dated + headed >= 2
