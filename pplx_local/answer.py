"""What a search gives: the records that a front end needs, and no others.

A search through the daemon should take as long as its answer; all other records are in
`pplx_local.records`, from where these can be had as well. Named tuples, because
`dataclasses` alone takes a tenth of such a search to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Role = Literal["dense", "late"]
Leg = Literal["lexical", "dense", "late"]
Mode = Literal["hybrid", "lexical", "dense", "late"]
State = Literal[
    "pending", "indexed", "no_text", "empty", "skipped", "failed", "unreachable"
]


LOADING = "the model is being loaded"
"""The reason of a leg that will run before long."""


class Span(NamedTuple):
    """A half-open range; the name of the field that holds it gives the unit."""

    start: int
    end: int


class Place(NamedTuple):
    """Where a hit lies, in the words of its format."""

    kind: str
    label: str


class Match(NamedTuple):
    """A query word and the words of the passage that it matched best."""

    query_word: str
    text_start: int
    text_end: int
    similarity: float
    is_exact: bool = False
    """Whether it is the same word, inflected or not."""


class Elsewhere(NamedTuple):
    """Another passage of a hit's file that answers too."""

    line: int
    place: tuple[Place, ...]
    char_start: int
    score: float


class Copy(NamedTuple):
    """Another file that holds a hit's passage."""

    path: bytes
    is_exact: bool
    """Whether the files are the same; else the passage alone is, or nearly so."""


class Hit(NamedTuple):
    """A passage that answers a query."""

    path: bytes
    score: float
    """Of the mode that was asked for; higher is better. Not comparable between
    queries."""
    confidence: float
    """The chance that it answers, 0 to 1; nan where there is no telling."""
    char_span: Span
    line: int
    """1-based line of the document's text on which the passage starts."""
    place: tuple[Place, ...]
    """From the outermost segment inwards, of the part of the passage that holds most of
    the question's words, or else of its beginning."""
    text: str
    scores: Mapping[Leg, float]
    """Each leg's own score; a leg that did not score the passage is absent."""
    column: int = 1
    """1-based: where on that line it starts, in bytes of UTF-8, as editors count."""
    ranks: Mapping[Leg, int] = {}
    """Its rank among the candidates by each of these scores, from 1."""
    parts: Mapping[Leg, float] = {}
    """What each leg adds to a fused score: weight * normalised score. Empty where one
    leg alone ranks."""
    matches: tuple[Match, ...] = ()
    """Only with an explanation asked for."""
    words: tuple[Span, ...] = ()
    """Words of the query in `text`, inflected ones too; only with an explanation."""
    more_in_file: tuple[Elsewhere, ...] = ()
    """Only where hits are folded."""
    same: tuple[Copy, ...] = ()
    """Only where hits are folded."""
    modified_ns: int | None = None
    """When the file was last written, as of when it was read."""


class LegReport(NamedTuple):
    """What one leg did for an answer."""

    ran: bool
    coverage: float
    """Documents that the leg can find / documents that it should, 0 to 1."""
    ms: float
    reason: str | None = None
    """Why it did not run; None when it did, or when there were no words to rank by."""


class Answer(NamedTuple):
    """The hits for one query, and how they were found."""

    query: str
    mode: Mode
    took_ms: float
    profile: Mapping[Role, str | None]
    legs: Mapping[Leg, LegReport]
    nothing_close: bool
    hits: tuple[Hit, ...]
    hints: tuple[str, ...] = ()
    """What of the question was not understood, not read, or finds nothing; a sentence
    each."""


class Section(NamedTuple):
    """A named part of a document: a page, a heading and what stands below it."""

    kind: str
    label: str
    char_start: int
    char_end: int


class Extract(NamedTuple):
    """A stretch of a document's text."""

    char_start: int
    text: str
    line: int
    """1-based line of the document on which it begins."""
    n_chars: int
    """Of the document."""
    title: str | None
    """The document's own; never the file's name."""
    segments: tuple[Section, ...]
    """That it overlaps, by start, the outer one first."""


class Picture(NamedTuple):
    """A page as it looks, in grey."""

    width: int
    """In dots."""
    height: int
    dots: bytes
    """A byte each, 0 for black: rows from the top, each from the left."""
