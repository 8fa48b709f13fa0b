"""Where words of a query stand in a text, as the keyword search sees both."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

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


_Piece = tuple[int, int, str]
"""Start, end and token. Plain, for a page has hundreds: naming them takes half the time."""


def find_words(text: str, query: LexicalQuery) -> list[Span]:
    """Find where words of a query stand in a text, in order, inflected ones too.

    Words of grammar are passed over, unless the query has no others.
    """
    wanted = _by_first_token(query.terms)
    pieces = list(_pieces(text)) if wanted else []
    found = [
        Span(start, pieces[index + len(tokens) - 1][1])
        for index, (start, _, token) in enumerate(pieces)
        if token in wanted
        for tokens in wanted[token]
        if tokens == tuple(token for _, _, token in pieces[index : index + len(tokens)])
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


def _joined(
    text: str, pieces: Sequence[_Piece], wanted: dict[str, list[tuple[str, ...]]]
) -> Iterator[Span]:
    """Find words that are one in the query, and a compound in the text."""
    for (start, end, _), (other_start, other_end, other) in itertools.pairwise(pieces):
        joint = text[end:other_start]
        if joint not in _JOINTS or end > other_start:
            continue
        if joint in _APOSTROPHES and other in CONTRACTIONS:  # we'll
            continue
        tokens = _tokens(text[start:end] + text[other_start:other_end])
        if tokens in wanted.get("".join(tokens[:1]), ()):
            yield Span(start, other_end)


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
