"""Text recognition for pages that are pictures: Tesseract, or Vision on a Mac."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import groupby
from statistics import median
from typing import NamedTuple

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from pplx_local.documents.formats.pdf.drawing import grey, scale_of
from pplx_local.documents.formats.pdf.lines import Line
from pplx_local.documents.formats.pdf.strings import fixed
from pplx_local.documents.recognizers import TESSERACT, recognizer

_POINTS_PER_INCH = 72
_DPI = 300
_LEAST_DPI = 100
_MAX_PIXELS = 12_000_000
"""A page of A3 in full; larger ones get fewer dots, and huge ones stay unread."""

_LIST_S = 10.0
_NO_LANGUAGE = frozenset({"osd", "equ"})
_MAX_LANGUAGES = 4
_WORD_LEVEL = "5"
_UNEVEN = 1.5


class _Word(NamedTuple):
    """A recognised word, in dots from the picture's upper left corner."""

    line: tuple[str, ...]
    left: int
    top: int
    right: int
    bottom: int
    text: str


def recognized(page: pdfium.PdfPage, seconds: float) -> list[Line]:
    """Read a page's picture; nothing where that takes too long or is too large.

    Args:
        page: One without a text layer.
        seconds: What the reading of it may take.
    """
    scale = min(_DPI / _POINTS_PER_INCH, scale_of(page, _MAX_PIXELS))
    if scale * _POINTS_PER_INCH < _LEAST_DPI:
        return []
    picture = grey(page, scale)
    if recognizer() == TESSERACT:
        return _evened(list(_by_tesseract(picture, scale, seconds)))
    return _evened(list(_by_vision(picture, scale)))


def _evened(lines: list[Line]) -> list[Line]:
    """Give lines of about the usual height just that: boxes end where the ink does."""
    usual = median(line.height for line in lines) if lines else 0.0
    return [
        line._replace(top=line.bottom + usual)
        if usual < _UNEVEN * line.height and line.height < _UNEVEN * usual
        else line
        for line in lines
    ]


def _by_tesseract(
    picture: NDArray[np.uint8], scale: float, seconds: float
) -> Iterator[Line]:
    """Send the picture through a pipe: nothing may be written to a disk here."""
    height, width = picture.shape
    dpi = round(scale * _POINTS_PER_INCH)
    try:
        done = subprocess.run(
            [
                *(TESSERACT, "stdin", "stdout", "-l", _languages(), "--dpi", str(dpi)),
                *("-c", "tessedit_create_tsv=1"),
            ],
            input=b"P5 %d %d 255\n" % (width, height) + picture.tobytes(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    rows = done.stdout.decode("utf-8", "replace").splitlines()
    words = [word for row in rows if (word := _word(row.split("\t")))]
    for _, line in groupby(words, key=lambda word: word.line):
        yield _line(list(line), scale, height)


@cache
def _languages() -> str:
    """Take those that are installed: which to have is a person's choice there."""
    done = subprocess.run(
        [TESSERACT, "--list-langs"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_LIST_S,
        check=False,
    )
    listed = done.stdout.decode("utf-8", "replace").splitlines()[1:]
    names = [name for name in listed if name and name not in _NO_LANGUAGE]
    return "+".join(names[:_MAX_LANGUAGES]) or "eng"


def _word(row: Sequence[str]) -> _Word | None:
    """Read a row: level, four numbers of the line, word, box, confidence, text."""
    if len(row) < 12 or row[0] != _WORD_LEVEL or not (text := fixed(row[11])):
        return None
    left, top, width, height = map(int, row[6:10])
    return _Word(tuple(row[1:5]), left, top, left + width, top + height, text)


def _line(words: Sequence[_Word], scale: float, height: int) -> Line:
    text = " ".join(word.text for word in words)
    is_broken = len(text) > 1 and text[-1] == "-" and text[-2].isalpha()
    return Line(
        text[:-1] if is_broken else text,
        min(word.left for word in words) / scale,
        (height - max(word.bottom for word in words)) / scale,
        max(word.right for word in words) / scale,
        (height - min(word.top for word in words)) / scale,
        is_broken,
    )


def _by_vision(picture: NDArray[np.uint8], scale: float) -> Iterator[Line]:
    """Ask the system; it gives lines, in parts of the picture from the lower left."""
    image = import_module("PIL.Image").fromarray(picture)
    height, width = picture.shape
    found = import_module("ocrmac.ocrmac").OCR(image).recognize()
    for written, _, (left, bottom, wide, high) in found:
        if text := fixed(written):
            x, y = left * width / scale, bottom * height / scale
            yield Line(text, x, y, x + wide * width / scale, y + high * height / scale)
