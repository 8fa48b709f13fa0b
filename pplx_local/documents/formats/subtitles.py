"""Subtitles: what is said, a cue on a line, with the minutes of the film as places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import NamedTuple

from pplx_local.documents.decode import decode_stream, fix
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,:]\d{1,3}"
_CUE = re.compile(rf"\s{{0,20}}{_TIME}\s{{0,20}}(?:-->|,)\s{{0,20}}[\d:.,]{{5,20}}")
_DIALOGUE = re.compile(rf"Dialogue:[^,]{{0,40}},\s?{_TIME},(?:[^,]{{0,200}},){{7}}(.*)")
_FRAMES = re.compile(r"\{(\d{1,9})\}\{\d{0,9}\}(.*)")
_RATE = re.compile(r"[1-9]\d(?:\.\d{1,6})?")
_NO_CUE = re.compile(
    r"WEBVTT\b|NOTE\b|STYLE\b|REGION\b|\[(?:Script Info|INFORMATION)\]"
)
_SCRIPT = re.compile(r"\ufeff?\s{0,20}\[Script Info\]", re.IGNORECASE)
_SCRIPT_TITLE = re.compile(r"Title:\s?(.{1,300})")
_SPEAKER = re.compile(r"<v(?:\.[^\s>]{0,100})?\s([^>]{1,100})>")
_MARKUP = re.compile(
    r"</?[a-zA-Z0-9][^<>]{0,200}>|\{\\[^{}]{0,200}\}|\{[a-zA-Z]:[^{}]{0,50}\}"
)
_LINE_ENDS = re.compile(r"\\[Nnh]|\||\[br\]")
_USUAL_RATE = 25.0
"""Pictures a second, where a file counts pictures and does not say how fast."""

_PLACE_S = 60


class _Cue(NamedTuple):
    start_s: float | None
    """None for words without a time, which go on with the cue before."""
    lines: list[str]


class Subtitles:
    """Cues of SubRip, WebVTT, SubViewer, MicroDVD and SubStation files."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("time")
        self._about = About()
        self._rate = _USUAL_RATE
        self._place_s: float | None = None

    def pieces(self) -> Iterator[str]:
        """Read the cues; a line that rolls up the picture is given once."""
        n_chars = 0
        last = ""
        for cue in self._cues(_lines(decode_stream(iter(self._source.read, b"")))):
            said = [line for line in map(_words, cue.lines) if line and line != last]
            if not said:
                continue
            last = said[-1]
            if cue.start_s is not None:
                self._note_time(n_chars, cue.start_s)
            yield (text := " ".join(said) + "\n")
            n_chars += len(text)

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the starts of minutes."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give the minutes."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _note_time(self, char_start: int, start_s: float) -> None:
        last = self._place_s
        if last is None or not last <= start_s < last + _PLACE_S:
            minutes, seconds = divmod(int(start_s), 60)
            clock = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
            self._outline.add(char_start, 1, clock)
            self._place_s = start_s

    def _cues(self, lines: Iterable[str]) -> Iterator[_Cue]:
        block: list[str] = []
        is_script = False
        for line in lines:
            is_script = is_script or _SCRIPT.match(line) is not None
            if found := _DIALOGUE.match(line):
                yield _Cue(_seconds(found), [found[4]])
            elif is_script:
                self._note_title(line)
            elif found := _FRAMES.match(line):
                yield from self._frames(found)
            elif line.strip():
                block.append(line)
            else:
                yield from _split(block)
                block = []
        yield from _split(block)

    def _note_title(self, line: str) -> None:
        if found := _SCRIPT_TITLE.match(line):
            self._about.title = label(found[1]) or None

    def _frames(self, line: re.Match[str]) -> Iterator[_Cue]:
        """Turn pictures into seconds; the first line may say how many make one."""
        if int(line[1]) <= 1 and _RATE.fullmatch(line[2].strip()):
            self._rate = float(line[2])
        else:
            yield _Cue(int(line[1]) / self._rate, [line[2]])


def _split(block: list[str]) -> Iterator[_Cue]:
    """Give the cues of a run of lines: mostly one, with its number or name in front."""
    if not block or _NO_CUE.match(block[0].lstrip("\ufeff")):
        return
    cue = _Cue(None, [])
    for i, line in enumerate(block):
        if found := _CUE.match(line):
            if cue.lines and (i == 1 or cue.lines[-1].strip().isdigit()):
                cue.lines.pop()
            yield cue
            cue = _Cue(_seconds(found), [])
        else:
            cue.lines.append(line)
    yield cue


def _seconds(time: re.Match[str]) -> float:
    return int(time[1] or 0) * 3600 + int(time[2]) * 60 + int(time[3])


def _words(line: str) -> str:
    spoken = _SPEAKER.sub(r"\1: ", line)
    plain = _LINE_ENDS.sub(" ", _MARKUP.sub("", spoken))
    return " ".join(fix(unescape(plain)).replace("\ufeff", "").split())


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    yield rest
