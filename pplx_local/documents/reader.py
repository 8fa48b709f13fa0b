"""The parent's side of reading.

One child reads file after file, and is replaced when one of them breaks it.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Self

from pplx_local.documents.kinds import kind_of, pipeline_of
from pplx_local.documents.limits import Limits
from pplx_local.documents.messages import NONSENSE, Broken, Finished, Message
from pplx_local.documents.process import ReaderProcess
from pplx_local.documents.sandbox import Hold
from pplx_local.documents.source import open_regular
from pplx_local.errors import DocumentError, ReaderKilled, Unreadable, Unsupported
from pplx_local.records import Document, Picture, TextBlock

_FILES_PER_CHILD = 1_000
"""After so many files a fresh child takes over: parsers leak."""

_MAX_AHEAD = 4
_MANY_CHARS = 4_000_000
"""What is kept of a file while its end is waited for."""


class Reading:
    """One file being read: iterate over its blocks, then take the document."""

    path: bytes
    digest: str
    """BLAKE2b-256 in hex of the bytes that were read; empty before the end."""

    def __init__(self, path: bytes, messages: Iterator[Message]) -> None:
        self.path = path
        self.digest = ""
        self._messages = messages
        self._document: Document | None = None

    def __iter__(self) -> Iterator[TextBlock]:
        """Give the blocks in order.

        Raises:
            DocumentError: The file yields no document, whatever came before; its
                state and reason are the file's.
        """
        n_chars = 0
        for message in self._messages:
            match message:
                case TextBlock(char_start, text) if char_start == n_chars:
                    n_chars += len(text)
                    if text:  # else the child only says that it is still at it
                        yield message
                case Finished(document, digest) if document.n_chars == n_chars:
                    self._document, self.digest = document, digest
                case DocumentError():
                    raise message
                case _:
                    raise ReaderKilled(NONSENSE)

    @property
    def document(self) -> Document:
        """What was found out, once all blocks are taken."""
        if self._document is None:
            raise RuntimeError("take all blocks of a reading before its document")
        return self._document


class _Asked(NamedTuple):
    """A file whose end was not taken yet."""

    path: bytes
    descriptor: int | None
    """Open until then: some systems lose one that is closed while on its way."""
    refusal: DocumentError | None = None
    """Why the child was not asked at all."""

    @property
    def name(self) -> bytes:
        """All that the child is told of where it is."""
        return self.path.rsplit(b"/", 1)[-1]


class Reader:
    """Reads files in a spawned child that has limits and can open nothing itself.

    The child works ahead of the blocks that are taken, but only as far as the pipe
    between them holds.

    Args:
        timeout_s: A file whose child is silent for longer has failed.
        memory_bytes: What the child may take for one file.
        max_file_bytes: Longer files are skipped.
        niceness: How far the child lets others go first, 0 to 19.
        ocr: Whether pages that are pictures are read too.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        memory_bytes: int,
        max_file_bytes: int,
        niceness: int = 0,
        ocr: bool = False,
    ) -> None:
        self._limits = Limits(timeout_s, memory_bytes, max_file_bytes, niceness, ocr)
        self._child: ReaderProcess | None = None
        self._asked: deque[_Asked] = deque()
        self._heard: deque[Message] = deque()
        """Of the first of them, and not taken yet."""
        self._taking: bytes | None = None
        """The path whose messages are being taken; the first of those asked for."""
        self._turn = 0
        self._n_files = 0

    @property
    def pid(self) -> int | None:
        """Process id of the child; None while there is none."""
        return self._child.pid if self._child else None

    def pipeline_of(self, path: bytes) -> str:
        """Name everything that decides which document this reader makes of a file."""
        return pipeline_of(path, ocr=self._limits.ocr)

    def start(self) -> None:
        """Start the child without waiting for it."""
        if self._child is None:
            self._child = ReaderProcess(self._limits)
            self._n_files = 0

    def hold(self) -> Hold:
        """Say what the child has locked itself in with, once it is ready.

        Raises:
            Unreadable: It could not be started.
        """
        self.start()
        assert self._child, "just started"
        greeting = self._child.greet()
        if isinstance(greeting, Broken):
            raise _error(greeting)
        return greeting.hold

    def prefetch(self, path: bytes) -> None:
        """Let the child go on with this file, which has to be read next."""
        if len(self._asked) < _MAX_AHEAD:
            self._ask(path)

    def read(self, path: bytes) -> Reading:
        """Start to read a file; an earlier reading that was left half-way ends."""
        if self._taking or (self._asked and self._asked[0].path != path):
            self._stop()
        if not self._asked:
            self._ask(path)
        self._taking = path
        self._turn += 1
        return Reading(path, self._messages(self._turn))

    def has_read(self, path: bytes, wait_s: float) -> bool:
        """Tell whether `read` of a file that was asked for will not have to wait long.

        Args:
            path: Of the file that has to be read next.
            wait_s: What the child is given until then.
        """
        if not self._asked or self._asked[0].path != path or self._asked[0].refusal:
            return True
        assert self._child, "it was asked"
        until = time.monotonic() + wait_s
        while not self._has_heard_enough():
            message = self._child.poll(max(until - time.monotonic(), 0))
            if message:
                self._heard.append(message)
            elif time.monotonic() >= until:
                return False
        return True

    def _has_heard_enough(self) -> bool:
        if not self._heard:
            return False
        blocks = [one for one in self._heard if isinstance(one, TextBlock)]
        is_end = len(blocks) < len(self._heard)
        return is_end or sum(len(block.text) for block in blocks) >= _MANY_CHARS

    def draw(self, path: bytes, page: int) -> Picture:
        """Draw a page of a PDF in a child of its own; nothing may be being read.

        Raises:
            DocumentError: It cannot be drawn.
        """
        descriptor = _opened(path, self._limits)
        try:
            self.start()
            assert self._child, "just started"
            self._child.send(path.rsplit(b"/", 1)[-1], descriptor, page)
            message = self._child.receive()
        finally:
            os.close(descriptor)
            self._stop()
        match message:
            case Picture():
                return message
            case DocumentError():
                raise message
        raise _error(message) if isinstance(message, Broken) else ReaderKilled(NONSENSE)

    def close(self) -> None:
        """End the child, and with it a reading that is not at its end."""
        self._stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _messages(self, turn: int) -> Iterator[Message]:
        ended = False
        while not ended:
            if turn != self._turn or not self._asked:
                raise RuntimeError("this reading ended when the next one started")
            message = self._next()
            ended = not isinstance(message, TextBlock)
            if ended:
                _close(self._asked.popleft())
                self._taking = None
                self._n_files += 1
            if isinstance(message, Broken):
                self._replace_child()
                yield _error(message)
            else:
                if ended and self._n_files >= _FILES_PER_CHILD:
                    self._replace_child()
                yield message

    def _next(self) -> Message:
        if refusal := self._asked[0].refusal:
            return refusal
        if self._heard:
            return self._heard.popleft()
        assert self._child, "it was asked"
        return self._child.receive()

    def _ask(self, path: bytes) -> None:
        if self._child and not self._asked and self._child.has_ended():
            self._stop()
        try:
            asked = _Asked(path, _opened(path, self._limits))
        except DocumentError as error:
            self._asked.append(_Asked(path, None, error))
            return
        self.start()
        self._asked.append(asked)
        if self._child and asked.descriptor is not None:
            self._child.send(asked.name, asked.descriptor)

    def _replace_child(self) -> None:
        """Go on with a fresh child, and the files that the last one still had."""
        ahead = [one.path for one in self._asked]
        self._stop()
        for path in ahead:
            self._ask(path)

    def _stop(self) -> None:
        if self._child:
            self._child.kill()
        self._child = None
        self._taking = None
        self._heard.clear()
        while self._asked:
            _close(self._asked.popleft())


def _opened(path: bytes, limits: Limits) -> int:
    """Open a file that may be read.

    Raises:
        DocumentError: It may not, or cannot.
    """
    if reason := kind_of(path).reason:
        raise Unsupported(reason)
    descriptor = open_regular(path)
    if os.fstat(descriptor).st_size > limits.max_file_bytes:
        os.close(descriptor)
        raise Unsupported(limits.size_reason)
    return descriptor


def _close(asked: _Asked) -> None:
    if asked.descriptor is not None:
        os.close(asked.descriptor)


def _error(broken: Broken) -> Unreadable:
    if broken.by_file:
        return ReaderKilled(broken.reason)
    return Unreadable(broken.reason, retry=True)
