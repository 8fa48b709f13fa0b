"""The process in which files are parsed: locked in, and gone when one of them kills it.

It gets open files and answers with messages, in order: blocks as they are made, then
the document, or the error that the file ends with.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from types import TracebackType

from pplx_local.chunk import chunk
from pplx_local.documents.blocks import WORKING, cut
from pplx_local.documents.channel import received_files
from pplx_local.documents.formats import Format, format_of
from pplx_local.documents.kinds import PARSER_VERSIONS, Kind, kind_of
from pplx_local.documents.language import SAMPLE_CHARS, language_of
from pplx_local.documents.limits import Limits
from pplx_local.documents.messages import Broken, Finished, Message, Ready, pack
from pplx_local.documents.recognizers import TESSERACT
from pplx_local.documents.sandbox import lock_in
from pplx_local.documents.source import Source
from pplx_local.errors import DocumentError, EmptyDocument, Unreadable, Unsupported
from pplx_local.records import Document, Picture, TextBlock

_MAX_GROWTH = 100
"""Characters of text per byte of file; a bomb has more."""

_SMALL_TEXT_CHARS = 10_000_000
"""A text of this length may come from a file of any size."""


def read(source: Source, kind: Kind) -> Iterator[TextBlock | Finished]:
    """Read one file.

    Raises:
        DocumentError: The file yields no document.
    """
    reader = format_of(kind, source)
    limit = max(_SMALL_TEXT_CHARS, _MAX_GROWTH * source.size)
    n_chars = n_chunks = 0
    blank = True
    sample = ""
    for text in cut(reader.pieces()):
        if text == WORKING:
            yield TextBlock(n_chars, "", ())
            continue
        sample = sample or text[:SAMPLE_CHARS]
        breaks = reader.breaks(n_chars, text)
        chunks = chunk(text, breaks=breaks, char_start=n_chars, first_ordinal=n_chunks)
        yield TextBlock(n_chars, text, tuple(chunks))
        n_chars += len(text)
        n_chunks += len(chunks)
        blank = blank and text.isspace()
        if n_chars > limit:
            raise Unreadable("holds far more text than a file of its size should")
    digest = source.finish()
    if blank:
        raise EmptyDocument("nothing but white space" if n_chars else "empty")
    yield Finished(_document(reader, kind, n_chars, sample), digest)


def draw(source: Source, kind: Kind, page: int) -> Picture:
    """Draw a page of a file.

    Raises:
        DocumentError: It has no such page, or none that can be drawn.
    """
    if kind.family != "pdf":
        raise Unsupported("only pages of PDFs can be drawn")
    from pplx_local.documents.formats.pdf.drawing import drawn

    return drawn(source.read_all(), page)


def _wanted(source: Source, kind: Kind, page: int) -> Iterator[Message]:
    if page:
        yield draw(source, kind, page)
    else:
        yield from read(source, kind)


def _document(reader: Format, kind: Kind, n_chars: int, sample: str) -> Document:
    about = reader.about(n_chars)
    is_prose = kind.family != "code"
    return Document(
        parser=kind.family,
        parser_version=PARSER_VERSIONS[kind.family],
        title=about.title,
        language=about.language or (language_of(sample) if is_prose else None),
        n_chars=n_chars,
        segments=tuple(about.segments),
        metadata=about.metadata,
        day=about.day,
    )


def serve(descriptor: int, limits: Limits) -> None:
    """Read the files that are asked for until the parent closes the connection."""
    channel = socket.socket(fileno=os.dup(descriptor))
    connection = Connection(descriptor)

    def send(message: Message) -> None:
        connection.send_bytes(pack(message))
        limits.renew_cpu()

    def report_bug(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        place = traceback.extract_tb(trace)[-1]
        where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
        send(Broken(f"its reader crashed ({kind.__name__} in {where})"))

    sys.excepthook = report_bug
    limits.apply()
    send(Ready(lock_in([TESSERACT] if limits.ocr else ())))
    for name, file, page in received_files(channel):
        kind = limits.applied_to(kind_of(name))
        try:
            with Source(file) as source:
                for message in _wanted(source, kind, page):
                    send(message)
        except DocumentError as error:
            send(error)
        except MemoryError:
            send(Unreadable(limits.memory_reason))


def main() -> None:
    """Start from the command line that `Reader` makes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, *numbers = sys.argv[1:]
    try:
        serve(int(descriptor), Limits.parse(numbers))
    except (BrokenPipeError, ConnectionResetError):
        return


if __name__ == "__main__":
    main()
