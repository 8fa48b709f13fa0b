"""From what a person typed to terms.

A query goes the way of the text, and a word that comes apart becomes a phrase.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from pplx_local.store.lexical.compounds import (
    THOUSANDS,
    VERSION,
    cut_compounds,
    spell_signs,
)
from pplx_local.store.lexical.letters import CLUSTERS, UNSPACED, normalize

MAX_TERMS = 64
MAX_QUERY_CHARS = 10_000

_POSSESSIVE = re.compile(r"'s$")
_BREAKS = re.compile(
    '(?:[\\s\x00-\x1f,;:!?()\\[\\]{}<>"|=+*#$%^~`\xa1\xab\xbb\xbf\u2010-\u2015'
    "\u201c-\u201f\u2026\u3000-\u3004\u3008-\u301f\uff01-\uff0f]"
    r"|(?<!\w)&|&(?!\w))+"
)
_RELEASE = re.compile(r"^[vV](?=\d+\.\d)")
_PAIR = re.compile(r"\w+/\w+")


class Term(NamedTuple):
    """A word of a query, or a word that came apart into several: a phrase."""

    text: str
    """As it is handed to FTS5, between quotes."""
    tokens: tuple[str, ...]
    """What FTS5 makes of it."""
    longer: tuple[str, ...] = ()
    """Where nothing holds it, words that begin with it and are looked for instead."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """What FTS5 is asked for, any of it."""
        return self.longer or (self.text,)


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """An analysed query; terms that differ, in the order of the text."""

    terms: tuple[Term, ...]
    is_cut: bool = False
    """Whether the text has further ones."""
    rare_only: bool = False
    """Whether, in a large index, a passage with none but frequent ones scores 0."""
    for_few: bool = False
    """Whether a few dozen of the best passages will do."""


def analyze_query(text: str) -> LexicalQuery:
    """Cut a query into terms. Any text will do: there is no syntax in it."""
    found: dict[tuple[str, ...], Term] = {}
    text = spell_signs(THOUSANDS.sub("", normalize(text[:MAX_QUERY_CHARS])))
    for word in _BREAKS.sub(" ", text).split():
        for candidate in _query_words(word):
            tokens = tokens_of(candidate)
            if tokens:
                found.setdefault(tokens, Term(candidate, tokens))
        if len(found) > MAX_TERMS:
            break
    return LexicalQuery(tuple(found.values())[:MAX_TERMS], len(found) > MAX_TERMS)


def _query_words(word: str) -> Iterator[str]:
    """Give what a word of a query is looked up as."""
    if _PAIR.fullmatch(word):
        word = word.replace("/", " ")
        yield from itertools.chain.from_iterable(map(_query_words, word.split()))
        return
    others = UNSPACED.sub(" ", _POSSESSIVE.sub("", word))
    phrase, joined = cut_compounds(_RELEASE.sub("", others.strip("'.-/")))
    yield from joined[:1]
    yield VERSION.sub(r" \g<0> ", phrase)
    for run in UNSPACED.findall(word):
        letters = CLUSTERS.findall(run)
        # Bigrams, as a run may be a whole sentence.
        for first in range(max(len(letters) - 1, 1)):
            yield " ".join(letters[first : first + 2])


def match(terms: Iterable[Term]) -> str:
    """Write the expression that finds any of these terms."""
    phrases = itertools.chain.from_iterable(term.phrases for term in terms)
    return " OR ".join(f'"{phrase}"' for phrase in phrases) or '""'


def owners(terms: Iterable[Term]) -> list[int]:
    """Give, for each phrase of that expression, the number of its term."""
    return [number for number, term in enumerate(terms) for _ in term.phrases]


_FOLDING = ["unicode61", "remove_diacritics", "2", "categories", "L* N* Co Mn Mc"]


@functools.cache
def _tokenizer(name: str, *options: str) -> apsw.FTS5Tokenizer:
    return apsw.Connection(":memory:").fts5_tokenizer(name, list(options))


def tokens_of(text: str) -> tuple[str, ...]:
    """Cut a text as FTS5 does: folded, and brought to their stems."""
    return _cut(text, "porter", *_FOLDING)


def folded_words(text: str) -> tuple[str, ...]:
    """Cut a text as FTS5 does, without bringing the words to their stems."""
    return _cut(text, *_FOLDING)


def _cut(text: str, *tokenizer: str) -> tuple[str, ...]:
    found: Any = _tokenizer(*tokenizer)(
        text.encode("utf-8"),
        apsw.FTS5_TOKENIZE_DOCUMENT,
        None,
        include_offsets=False,
        include_colocated=False,
    )
    return tuple(filter(None, found))


def rarest(held: Mapping[Term, float], limit: float) -> list[Term]:
    """Take terms, the rarest first, while they are held by no more than a limit together.

    Args:
        held: By how many rows each is.
        limit: Of rows; the rarest term is taken whatever it is.
    """
    terms = sorted(held, key=held.__getitem__)
    together = itertools.accumulate(held[term] for term in terms)
    n_terms = sum(total <= limit for total in together)
    return terms[: max(n_terms, 1)]
