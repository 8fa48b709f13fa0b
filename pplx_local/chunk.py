"""Text to chunks: consecutive passages that give the text back.

No model decides where a chunk ends, so that every checkpoint sees the same chunks.
Everything is counted on whole arrays of characters, which makes the time linear
whatever the text: one line of 5 MB costs what 100,000 short ones do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from pplx_local.records import Chunk, Span

CHUNKER_VERSION: Final = 2
"""Part of a document's pipeline: raise it when the same text gives other chunks."""

MAX_WORDS: Final = 270
"""A section or a paragraph of no more words is not cut, unless a short one goes with it.

Chosen, with the numbers below, on chunkeval and COVID-QA by what the first 1,000 tokens of
hits hold: what tells is that paragraphs stay whole; 90 to 180 words in place of those here
differ by a point.
"""

PART_WORDS: Final = 180
"""A longer paragraph is cut into parts of about so many words: 120 to 270."""

JOINED_WORDS: Final = 100
"""Short paragraphs are joined to about so many words."""

MIN_WORDS: Final = 50
"""A section or a paragraph of fewer words joins its neighbour."""

TITLE_WORDS: Final = 9
"""A paragraph of fewer words goes with the one below: it may be its title."""

MAX_CHARS: Final = 2_400
"""No chunk is longer, however few words it has."""

MAX_WORD_CHARS: Final = 20
"""A stretch of this length without a new word counts as another word: base64, a run of
spaces and a table rule fill a chunk too."""

WRAPPED_CHARS: Final = 200
"""A longer line was not wrapped, so that it is a paragraph of its own."""

# How good a place is to cut, from never (unless nothing else is there) to best.
_CLUSTER, _ANYWHERE, _WORD, _SPACE, _SENTENCE, _LINE, _PARAGRAPH, _BREAK = range(8)

# What a character is: one bit each.
_WORD_CHAR, _SINGLE, _BLANK, _NEWLINE, _MID = 1, 2, 4, 8, 16
_END, _WIDE_END, _CLOSER, _SMALL = 32, 64, 128, 256
_EXTENDS, _JOINER, _REGIONAL, _RETURN = 512, 1024, 2048, 4096
_CLASSES: Final = {
    # As in UAX #29, marks and format characters go with the word they follow.
    _WORD_CHAR: r"[\p{Alphabetic}\p{N}\p{M}\p{Cf}_]",
    # Scripts written without spaces are counted character by character.
    _SINGLE: r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}"
    r"\p{Myanmar}]--[\p{M}\p{P}\p{S}]]",
    _BLANK: r"\s",
    _NEWLINE: r"[\n\v\f\x85\u2028\u2029]",
    _MID: r"[.'\u2019\u00b7]",
    _END: r"[.!?\u2026\u061f\u0964\u3002\uff01\uff1f\uff61]",
    _WIDE_END: r"[\u3002\uff01\uff1f\uff61]",
    _CLOSER: r"""[\p{Pe}\p{Pf}"']""",
    _SMALL: r"\p{Ll}",
    _EXTENDS: r"[\p{Grapheme_Extend}\p{Mc}\p{Emoji_Modifier}\u200d\u1160-\u11ff]",
    _JOINER: r"\u200d",
    _REGIONAL: r"\p{Regional_Indicator}",
    _RETURN: r"\r",
}

_HEADING: Final = regex.compile(r"\s{0,80}+[^\n]{1,200}+\n\s{0,80}+")
"""The first line at a break, with the blank lines around it."""

_ASSIGNED: Final = 0x40000
_TAGS: Final = slice(0xE0000, 0xE1000)
"""Beyond `_ASSIGNED`, Unicode has given a meaning to these code points alone."""

Flags = NDArray[np.uint16]
Positions = NDArray[np.intp]


def chunk(
    text: str,
    *,
    breaks: Collection[int] = (),
    char_start: int = 0,
    first_ordinal: int = 0,
) -> list[Chunk]:
    """Cut a text into chunks: whole paragraphs, as long as they have up to 270 words.

    A chunk ends, in this order of preference, before a break, after a paragraph, a
    line, a sentence, a word, a character; never, if it can be helped, inside a
    grapheme cluster. Spans are consecutive, never empty and cover the text.

    Args:
        text: A block of a document.
        breaks: Offsets into `text` where a heading, page or definition starts. What
            lies between two of them is kept together or apart where lengths allow.
        char_start: Offset of `text` in its document, added to the spans.
        first_ordinal: Number of the first chunk.

    Returns:
        The chunks in order; none for an empty text.
    """
    if not text:
        return []
    ruler = _Ruler.over(text, sorted({b for b in breaks if 0 < b < len(text)}))
    ends = [end for start, stop in ruler.sections() for end in ruler.cuts(start, stop)]
    return [
        Chunk(first_ordinal + i, Span(char_start + start, char_start + end))
        for i, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Where the words of a text start, and how good each place is for a cut."""

    units: Positions
    """Offsets of the counted words, rising."""
    strengths: NDArray[np.uint8]
    """(len(text) + 1,) Of a cut before each character."""
    paragraphs: Positions
    """Offsets where a paragraph ends, rising; the last is the end of the text."""
    breaks: list[int]
    """Offsets where a section may start."""

    @classmethod
    def over(cls, text: str, breaks: list[int]) -> _Ruler:
        flags = _flags(text)
        units = _units(flags)
        strengths = _strengths(text, flags, units, breaks)
        inner = np.flatnonzero(strengths[:-1] >= _PARAGRAPH)
        paragraphs = np.append(inner, len(text))
        breaks = [b for b in breaks if strengths[b] == _BREAK]
        return cls(units, strengths, paragraphs, breaks)

    def words(self, start: int, end: int) -> int:
        first, last = np.searchsorted(self.units, (start, end))
        return int(last - first)

    def sections(self) -> Iterator[tuple[int, int]]:
        """Give the parts between breaks.

        A short one goes with the next, or, at the end, with the one before.
        """
        end = len(self.strengths) - 1
        edges = [0]
        for place in self.breaks:
            if self.words(edges[-1], place) >= MIN_WORDS:
                edges.append(place)
        if len(edges) > 1 and self.words(edges[-1], end) < MIN_WORDS:
            edges.pop()
        return zip(edges, [*edges[1:], end], strict=True)

    def cuts(self, start: int, end: int) -> Iterator[int]:
        """Give the ends of a section's chunks."""
        if self._reach(start, end) == end:
            yield end
            return
        while start < end:
            if stop := self._joined(start, end):
                yield stop
            else:
                stop = self._beyond(start, end)
                yield from self._parts(start, stop)
            start = stop

    def _reach(self, start: int, end: int) -> int:
        """Find how far a chunk may go that takes in all there is."""
        last = int(np.searchsorted(self.units, start)) + MAX_WORDS
        by_words = int(self.units[last]) if last < len(self.units) else end
        return min(by_words, start + MAX_CHARS, end)

    def _joined(self, start: int, end: int) -> int | None:
        """Find the end of whole paragraphs; None if no number of them makes a chunk."""
        reach = self._reach(start, end)
        nths = np.searchsorted(self.paragraphs, (start, reach), side="right")
        ends = self.paragraphs[slice(*nths)]
        n_words = np.searchsorted(self.units, ends) - np.searchsorted(self.units, start)
        n_left = np.searchsorted(self.units, end) - np.searchsorted(self.units, ends)
        is_title = np.diff(n_words, prepend=0) < TITLE_WORDS
        leaves_all_whole = (n_left >= MIN_WORDS) & ~is_title | (ends == end)
        fits = (n_words >= MIN_WORDS) & leaves_all_whole
        if not fits.any():
            return None
        distance = np.abs(np.log(n_words[fits] / JOINED_WORDS))
        return int(ends[fits][np.argmin(distance)])

    def _beyond(self, start: int, end: int) -> int:
        """Find the end of the paragraph that is out of reach, or of the section."""
        reach = self._reach(start, end)
        nth = np.searchsorted(self.paragraphs[:-1], reach, side="right")
        stop = min(int(self.paragraphs[nth]), end)
        return stop if self.words(stop, end) >= MIN_WORDS else end

    def _parts(self, start: int, end: int) -> Iterator[int]:
        """Give the ends of nearly equal parts."""
        while True:
            n_words = self.words(start, end)
            parts = max(round(n_words / PART_WORDS), -(-(end - start) // MAX_CHARS))
            if parts <= 1:
                yield end
                return
            start = self._cut(start, n_words / parts)
            yield start

    def _cut(self, start: int, n_words: float) -> int:
        """Find the strongest place within a third of so many words, then the nearest."""
        cap = start + MAX_CHARS
        low = min(self._after(start, n_words * 2 / 3), start + MAX_CHARS * 2 // 3)
        goal = min(self._after(start, n_words), cap)
        high = min(self._after(start, n_words * 4 / 3), cap)
        window = self.strengths[low : high + 1].astype(np.int32)
        distance = np.abs(np.arange(low, high + 1, dtype=np.int32) - goal)
        return low + int(np.argmax(window * (2 * MAX_CHARS) - distance))

    def _after(self, start: int, n_words: float) -> int:
        first = int(np.searchsorted(self.units, start))
        last = min(first + int(n_words), len(self.units) - 1)
        return max(int(self.units[last]), start + 1)


def _flags(text: str) -> Flags:
    """Look up what each character is: (len(text),)."""
    if text.isascii():
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        return _class_table(128)[codes]
    wide = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _class_table(0x110000)[wide]


@cache
def _class_table(size: int) -> Flags:
    """Build the classes of the first `size` code points."""
    table = np.zeros(size, dtype=np.uint16)
    table[_TAGS] = _EXTENDS
    characters = "".join(map(chr, range(min(size, _ASSIGNED))))
    for flag, pattern in _CLASSES.items():
        for run in regex.finditer(f"(?:{pattern})+", characters, regex.V1):
            table[run.start() : run.end()] |= flag
    return table


def _units(flags: Flags) -> Positions:
    """Find where each counted word starts."""
    single = flags & _SINGLE > 0
    word = (flags & _WORD_CHAR > 0) & ~single
    # "can't", "3.14" and "example.com" are one word each.
    word[1:-1] |= (flags[1:-1] & _MID > 0) & word[:-2] & word[2:]
    starts = single
    starts[0] |= word[0]
    starts[1:] |= word[1:] & ~word[:-1] & ~(flags[:-1] & _SINGLE > 0)
    return _fill(np.flatnonzero(starts), len(flags))


def _fill(units: Positions, n_chars: int) -> Positions:
    """Count a long stretch without a new word as several."""
    edges = np.concatenate(([0], units, [n_chars]))
    extra = np.maximum(np.diff(edges) - 1, 0) // MAX_WORD_CHARS
    if not extra.any():
        return units
    firsts = np.repeat(edges[:-1], extra)
    within = np.arange(len(firsts)) - np.repeat(np.cumsum(extra) - extra, extra) + 1
    return np.union1d(units, firsts + within * MAX_WORD_CHARS)


def _strengths(
    text: str, flags: Flags, units: Positions, breaks: list[int]
) -> NDArray[np.uint8]:
    """Say how good a cut before each character is: (len(text) + 1,)."""
    strengths = np.full(len(flags) + 1, _ANYWHERE, dtype=np.uint8)
    strengths[units] = _WORD
    blank = flags & _BLANK > 0
    # A cut comes after white space; only indentation stays with its line.
    starts = np.flatnonzero(blank[:-1] & ~blank[1:]) + 1
    strengths[starts] = _SPACE
    strengths[_sentences(flags, blank, starts)] = _SENTENCE
    lines, paragraphs = _lines(flags, starts)
    strengths[lines] = _LINE
    strengths[paragraphs] = _PARAGRAPH
    _prefer_breaks(strengths, text, breaks)
    strengths[:-1][_inside_cluster(flags)] = _CLUSTER
    return strengths


def _sentences(flags: Flags, blank: NDArray[np.bool_], starts: Positions) -> Positions:
    """Find the starts of sentences, given the starts of what follows white space."""
    ends = np.flatnonzero(~blank[:-1] & blank[1:])
    starts = starts[int(blank[0]) :]  # nothing ends before leading white space
    last = ends[: len(starts)]
    closed = (flags[last] & _CLOSER > 0) & (flags[np.maximum(last - 1, 0)] & _END > 0)
    ended = (flags[last] & _END > 0) | closed
    spaced = starts[ended & (flags[starts] & _SMALL == 0)]
    return np.concatenate((spaced, _wide_sentences(flags)))


def _wide_sentences(flags: Flags) -> Positions:
    """Find the starts of sentences after full stops that no space follows."""
    after = np.flatnonzero(flags[:-1] & _WIDE_END) + 1
    after += (flags[after] & _CLOSER) > 0
    after = after[after < len(flags)]
    goes_on = flags[after] & (_END | _CLOSER | _BLANK)
    return after[goes_on == 0]


def _lines(flags: Flags, starts: Positions) -> tuple[Positions, Positions]:
    """Find the starts of lines, and those of paragraphs.

    Paragraphs are what lies between blank lines, and lines too long to be wrapped.
    """
    newlines = np.flatnonzero(flags & _NEWLINE)
    gaps = np.searchsorted(starts, newlines)
    last = np.flatnonzero(np.diff(gaps, append=-1))
    places = newlines[last] + 1
    is_paragraph = np.diff(last, prepend=-1) > 1
    is_long = np.diff(places, prepend=0, append=len(flags)) > WRAPPED_CHARS
    is_paragraph |= is_long[:-1] | is_long[1:]
    return places, places[is_paragraph]


def _prefer_breaks(strengths: NDArray[np.uint8], text: str, breaks: list[int]) -> None:
    """Mark the breaks, and keep each heading with what follows it."""
    heading_end = 0
    for place in breaks:
        # A heading right below another stays with it; a third may start a chunk.
        is_second = place == heading_end
        if not is_second:
            strengths[place] = _BREAK
        heading = _HEADING.match(text, place)
        end = heading.end() if heading else place
        body = strengths[place + 1 : end + 1]
        np.minimum(body, _WORD, out=body)
        heading_end = 0 if is_second else end


def _inside_cluster(flags: Flags) -> NDArray[np.bool_]:
    """Find the characters that belong to the one before: (len(text),)."""
    inside = flags & _EXTENDS > 0
    inside[1:] |= flags[:-1] & _JOINER > 0
    inside[1:] |= (flags[:-1] & _RETURN > 0) & (flags[1:] & _NEWLINE > 0)
    regional = np.flatnonzero(flags & _REGIONAL)
    if len(regional):
        # Regional indicators form flags two by two, from the start of their run.
        run_starts = np.diff(regional, prepend=-2) > 1
        nth = np.arange(len(regional))
        nth -= np.maximum.accumulate(np.where(run_starts, nth, 0))
        inside[regional[nth % 2 == 1]] = True
    return inside
