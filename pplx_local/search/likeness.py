"""What the legs are asked where a passage is the question.

Nothing is encoded: the passage's own vectors are asked with. Its rarest words are the
keywords, and their token vectors the late query: all of them together would take a
hundred times as long as a question, and what is common to all passages tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from pplx_local.encoding import EncodedQuery
from pplx_local.encoding.words import whole_word
from pplx_local.grammar import is_grammar
from pplx_local.records import BitsRule, DenseVectors, Role, Span, TokenVectors
from pplx_local.reference import quantize_dense
from pplx_local.search.asked import Asked
from pplx_local.search.legs import Ids
from pplx_local.search.spaces import SearchSpace
from pplx_local.store import (
    LexicalQuery,
    Selection,
    Space,
    Store,
    Term,
    analyze_query,
)

RAREST = 32
"""Words that are asked for."""
READ = 16
"""Passages of a file that words are taken from: evenly over its whole length."""

_WORDS_AT_ONCE = 24
_NO_ROWS = np.empty(0, dtype=np.bool_)
_NOT_EMBEDDED = "what it should be like is not embedded yet"


class Passage(NamedTuple):
    """A chunk with its text."""

    chunk_id: int
    text: str


def like(
    store: Store, spaces: Mapping[Role, SearchSpace], chunk_ids: Sequence[int]
) -> Asked:
    """Ask for what is like some chunks of a document, all of them together."""
    step = -(-len(chunk_ids) // READ)
    refs = store.chunk_refs(chunk_ids[::step])
    passages = [
        Passage(ref.chunk_id, store.text(ref.document_id, ref.char_span))
        for ref in refs
    ]
    words = replace(_rarest(store, passages), rare_only=True)
    encoded: dict[Role, EncodedQuery] = {}
    if "dense" in spaces:
        vectors = _mean(store, spaces["dense"].space, chunk_ids)
        if vectors:
            encoded["dense"] = EncodedQuery(vectors, None, (), _NO_ROWS)
    if "late" in spaces:
        late = _rows(store, spaces["late"], passages, words)
        if late:
            encoded["late"] = late
    failed = dict.fromkeys(spaces.keys() - encoded.keys(), _NOT_EMBEDDED)
    others = _all_but(store, np.array(chunk_ids, dtype=np.int64))
    return Asked(words, encoded, failed, within=others, is_question=False)


def _all_but(store: Store, chunk_ids: Ids) -> Selection:
    n_chunks = max(store.count_chunks(), 1)
    share = 1 - len(chunk_ids) / n_chunks
    return Selection(None, lambda ids: ~np.isin(ids, chunk_ids), share)


# --- words -------------------------------------------------------------------


def _rarest(store: Store, passages: Sequence[Passage]) -> LexicalQuery:
    """Choose the rarest words that say something.

    Those that no other passage holds count too: what has only the others is less like.
    """
    terms = [term for term in _terms(passages) if not is_grammar(term.text)]
    query = LexicalQuery(tuple(dict.fromkeys(terms)))
    shares = store.lexical_shares(query)
    known = [term for term in query.terms if term in shares]
    return LexicalQuery(tuple(sorted(known, key=shares.__getitem__)[:RAREST]))


def _terms(passages: Sequence[Passage]) -> Iterator[Term]:
    for passage in passages:
        words = iter(dict.fromkeys(passage.text.split()))
        while some := list(islice(words, _WORDS_AT_ONCE)):
            yield from analyze_query(" ".join(some)).terms


# --- vectors -----------------------------------------------------------------


def _mean(store: Store, space: Space, chunk_ids: Sequence[int]) -> DenseVectors | None:
    """Average the directions of the chunks' dense vectors; None where there are none."""
    codes = store.dense_codes(space, chunk_ids).astype(np.float32)  # (C, D)
    codes = codes[codes.any(axis=1)]
    if not len(codes):
        return None
    mean = (codes / np.linalg.norm(codes, axis=1, keepdims=True)).mean(axis=0)[None]
    rule: BitsRule = (
        "sign" if space.spec.n_bits == space.spec.dim else "three_thresholds"
    )
    return quantize_dense(mean, "max_abs", rule)


def _rows(
    store: Store, late: SearchSpace, passages: Sequence[Passage], wanted: LexicalQuery
) -> EncodedQuery | None:
    """Take the token vectors of wanted words, of each where it stands first."""
    docs = store.token_vectors(late.space, [one.chunk_id for one in passages])
    spans = late.encoder.token_spans([one.text for one in passages]).result()
    telling = set(wanted.terms)
    kept = {
        row: word
        for row, word in _first_rows(docs, passages, spans)
        if telling.intersection(analyze_query(word).terms)
    }
    if not kept:
        return None
    query = _as_query(docs, list(kept), late.space.spec.dim)
    return EncodedQuery(None, query, tuple(kept.values()), np.ones(len(kept), np.bool_))


def _first_rows(
    docs: TokenVectors, passages: Sequence[Passage], spans: Sequence[Sequence[Span]]
) -> Iterator[tuple[int, str]]:
    """Give the rows of each word where it stands first, and the word."""
    seen: dict[str, tuple[int, Span]] = {}
    for number, (passage, tokens) in enumerate(zip(passages, spans, strict=True)):
        for row in range(*docs.cu_seqlens[number : number + 2]):
            span = _word(passage.text, tokens, int(docs.positions[row]))
            word = passage.text[slice(*span)]
            if seen.setdefault(word.casefold(), (number, span)) == (number, span):
                yield row, word


def _word(text: str, tokens: Sequence[Span], position: int) -> Span:
    """Find the word of a token; an empty span for one that stands for no text."""
    return whole_word(text, tokens[position]) if position >= 0 else Span(0, 0)


def _as_query(docs: TokenVectors, rows: Sequence[int], dim: int) -> TokenVectors:
    """Make rows of documents the Q rows of a query: int8, whatever they were."""
    codes, scales = docs.codes[rows], docs.scales
    if scales is None:
        signs = np.unpackbits(codes.view(np.uint8), axis=1, count=dim)
        codes = signs.astype(np.int8) * 2 - 1
        own = np.full(len(rows), 1 / np.sqrt(dim), dtype=np.float32)
    else:
        own = scales[rows]
    ends = np.array([0, len(rows)], dtype=np.int32)
    return TokenVectors("int8", codes, own, docs.positions[rows], ends)
