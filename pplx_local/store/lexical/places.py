"""Where words of a query stand in a text, as the keyword search sees both."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
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
_ASCII_PIECE = re.compile(
    r"[0-9]++(?:\.[0-9]++)++|[A-Za-z]++(?=[0-9]++\.[0-9])|[A-Za-z0-9]++"
)
"""The same of a text without other letters, in a third of the time."""
_APOSTROPHES = frozenset({"'", "\u2019"})
_JOINTS = _APOSTROPHES | {"", "_", ",", "-"}
"""What stands between the parts of a compound, or the digits of a number."""
_REMEMBERED = 50_000


class _Piece(NamedTuple):
    start: int
    end: int
    token: str


def find_words(text: str, query: LexicalQuery) -> list[Span]:
    """Find where words of a query stand in a text, in order, inflected ones too.

    Words of grammar are passed over, unless the query has no others.
    """
    wanted = _by_first_token(query.terms)
    pieces = list(_pieces(text)) if wanted else []
    found = [
        Span(piece.start, pieces[index + len(tokens) - 1].end)
        for index, piece in enumerate(pieces)
        for tokens in wanted.get(piece.token, ())
        if tokens == tuple(one.token for one in pieces[index : index + len(tokens)])
    ]
    joined = [*_joined(text, pieces, wanted), *_spelled(text, wanted)]
    return _merged(sorted([*found, *joined]))


def _by_first_token(terms: Sequence[Term]) -> dict[str, list[tuple[str, ...]]]:
    telling = [term for term in terms if not is_grammar(term.text)]
    wanted: dict[str, list[tuple[str, ...]]] = {}
    for term in telling or terms:
        for tokens in list(map(_tokens, term.longer)) or [term.tokens]:
            wanted.setdefault(tokens[0], []).append(tokens)
    return wanted


def _pieces(text: str) -> Iterator[_Piece]:
    """Cut a text as the index does; a piece may have several tokens."""
    for match in (_ASCII_PIECE if text.isascii() else _PIECE).finditer(text):
        start = match.start()
        piece = match[0]
        for part in (piece,) if piece.islower() else HUMP.split(piece):
            end = start + len(part)
            for token in _tokens(part):
                yield _Piece(start, end, token)
            start = end


def _joined(
    text: str, pieces: Sequence[_Piece], wanted: dict[str, list[tuple[str, ...]]]
) -> Iterator[Span]:
    """Find words that are one in the query, and a compound in the text."""
    for one, other in itertools.pairwise(pieces):
        joint = text[one.end : other.start]
        is_short = joint in _APOSTROPHES and other.token in CONTRACTIONS  # we'll
        if joint in _JOINTS and not is_short and one.end <= other.start:
            whole = text[one.start : one.end] + text[other.start : other.end]
            tokens = _tokens(whole)
            if tokens in wanted.get("".join(tokens[:1]), ()):
                yield Span(one.start, other.end)


def _spelled(text: str, wanted: dict[str, list[tuple[str, ...]]]) -> Iterator[Span]:
    """Find C++ and the like, which the index spells, or spells otherwise as well."""
    for start, end, word in itertools.chain(signed_words(text), words_beside(text)):
        tokens = _tokens(word)
        if tokens in wanted.get(tokens[0], ()):
            yield Span(start, end)


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
