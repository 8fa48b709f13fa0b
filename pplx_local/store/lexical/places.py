"""Where words of a query stand in a text, as the keyword search sees both."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from pplx_local.grammar import is_grammar
from pplx_local.records import Span
from pplx_local.store.lexical.beside import words_beside
from pplx_local.store.lexical.compounds import CONTRACTIONS, HUMP, signed_words
from pplx_local.store.lexical.letters import CLUSTERS, UNSPACED, normalize
from pplx_local.store.lexical.query import LexicalQuery, Term, tokens_of

_UNSPACED = UNSPACED.pattern.removesuffix("++")
_PIECE = regex.compile(
    rf"(?V1)(?:{CLUSTERS.pattern})"  # a letter of a script without spaces
    r"|\p{Nd}++(?:\.\p{Nd}++)++"  # 1.2.3
    rf"|[\p{{L}}--{_UNSPACED}]++(?=\p{{Nd}}++\.\p{{Nd}})"  # the v of v1.2.3
    rf"|[[\p{{L}}\p{{N}}\p{{M}}\p{{Co}}]--{_UNSPACED}]++"
)
_NOT_PLAIN = regex.compile(rf"(?V1)[\p{{M}}\p{{Co}}\p{{Nl}}\p{{No}}{_UNSPACED}]")
_PLAIN_PIECE = re.compile(r"\d++(?:\.\d++)++|[^\W\d_]++(?=\d++\.\d)|[^\W_]++")
"""The same of a text without such letters, marks and odd numerals, in a third of the time."""
_APOSTROPHES = frozenset({"'", "\u2019"})
_JOINTS = _APOSTROPHES | {"", "_", ",", "-"}
"""What stands between the parts of a compound, or the digits of a number."""
_REMEMBERED = 50_000
_TEXTS = 64
"""Passages that stay taken apart: some 30 kB each."""


_Piece = tuple[int, int, str]
"""Start, end and token. Plain, for a page has hundreds: naming them takes half the time."""
_Tokens = tuple[str, ...]


class _Words(NamedTuple):
    """The words of a text, by what they are found by."""

    pieces: tuple[_Piece, ...]
    places: Mapping[str, Sequence[int]]
    """By token: where among the pieces it is."""
    compounds: Mapping[_Tokens, Sequence[Span]]
    """What is several pieces here, or spelled otherwise, by the tokens of it all."""


_NO_WORDS = _Words((), {}, {})


def find_words(text: str, query: LexicalQuery) -> list[Span]:
    """Find where words of a query stand in a text, in order, inflected ones too.

    Words of grammar are passed over, unless the query has no others.
    """
    wanted = _wanted(query.terms)
    words = _words_of(text) if wanted else _NO_WORDS
    found = [
        Span(words.pieces[index][0], words.pieces[index + len(tokens) - 1][1])
        for tokens in wanted
        for index in words.places.get(tokens[0], ())
        if tokens == tuple(p[2] for p in words.pieces[index : index + len(tokens)])
    ]
    others = (words.compounds.get(tokens, ()) for tokens in wanted)
    return _merged(sorted(itertools.chain(found, *others)))


def _wanted(terms: Sequence[Term]) -> set[_Tokens]:
    telling = [term for term in terms if not is_grammar(term.text)]
    return {
        tokens
        for term in telling or terms
        for tokens in list(map(_tokens, term.longer)) or [term.tokens]
    }


@lru_cache(_TEXTS)
def _words_of(text: str) -> _Words:
    """Take a text apart: with each letter of a question mostly the same ones are found."""
    pieces = tuple(_pieces(text))
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, (_, _, token) in enumerate(pieces):
        places[token].append(index)
    compounds: defaultdict[_Tokens, list[Span]] = defaultdict(list)
    for word, span in itertools.chain(_joined(text, pieces), _spelled(text)):
        compounds[_tokens(word)].append(span)
    return _Words(pieces, places, compounds)


def _pieces(text: str) -> Iterator[_Piece]:
    """Cut a text as the index does; a piece may have several tokens."""
    is_plain = text.isascii() or not _NOT_PLAIN.search(text)
    for match in (_PLAIN_PIECE if is_plain else _PIECE).finditer(text):
        first = match.start()
        for start, end, token in _parts(match[0]):
            yield first + start, first + end, token


@lru_cache(_REMEMBERED)
def _parts(piece: str) -> tuple[_Piece, ...]:
    """Give the tokens of a piece, cut at its humps, and where in it they lie."""
    parts = (piece,) if piece.islower() else HUMP.split(piece)
    ends = list(itertools.accumulate(map(len, parts)))
    return tuple(
        (end - len(part), end, token)
        for part, end in zip(parts, ends, strict=True)
        for token in _tokens(part)
    )


def _joined(text: str, pieces: Sequence[_Piece]) -> Iterator[tuple[str, Span]]:
    """Give what may be one word in a query, and is a compound in the text."""
    for (start, end, _), (other_start, other_end, other) in itertools.pairwise(pieces):
        joint = text[end:other_start]
        if joint not in _JOINTS or end > other_start:
            continue
        if joint in _APOSTROPHES and other in CONTRACTIONS:  # we'll
            continue
        word = text[start:end] + text[other_start:other_end]
        yield word, Span(start, other_end)


def _spelled(text: str) -> Iterator[tuple[str, Span]]:
    """Give C++ and the like, which the index spells, or spells otherwise as well."""
    for start, end, word in itertools.chain(signed_words(text), words_beside(text)):
        yield word, Span(start, end)


@lru_cache(_REMEMBERED)
def _tokens(piece: str) -> tuple[str, ...]:
    return tokens_of(normalize(piece))


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Make one of those that overlap, as pairs of characters do."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(end, merged[-1].end))
        else:
            merged.append(Span(start, end))
    return merged
