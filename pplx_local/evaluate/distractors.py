"""Chunks of other texts, that a collection's own have to stand out from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import regex

from pplx_local.errors import ConfigError
from pplx_local.evaluate.collection import Collection
from pplx_local.evaluate.filling import write_given
from pplx_local.records import Span
from pplx_local.store import Store

WORDS = 120
"""Of a distractor: about a paragraph."""
_LEAST_STEP = 10
"""Words between the starts of two that overlap: nearer ones would be the same text."""
_SUFFIXES = frozenset({".md", ".txt"})

_WORD = regex.compile(r"\S+")


def sources_beside(directory: Path) -> list[Path]:
    """List the documents of the other collections in the same folder."""
    own = directory.resolve()
    others = sorted(own.parent.glob("*/docs"))
    return [docs for docs in others if docs.parent != own]


def add_distractors(
    store: Store, collection: Collection, sources: Sequence[Path], n_chunks: int
) -> None:
    """Write unrelated chunks, always the same ones: runs of words that may overlap.

    Args:
        store: That holds the collection.
        collection: Whose documents are passed over.
        sources: Folders of text files.
        n_chunks: How many.

    Raises:
        ConfigError: The texts have no room for so many.
    """
    texts = _texts(sources, collection.docs)
    room = sum(max(0, len(_words(path)[1]) - WORDS) for path in texts)
    step = room // n_chunks
    if step < _LEAST_STEP:
        raise ConfigError(
            f"The texts for distractors have room for {room // _LEAST_STEP:,} of them, "
            f"not for {n_chunks:,}. Name more texts with --distractors-from."
        )
    left = n_chunks
    for path, name in texts.items():
        text, words = _words(path)
        spans = list(islice(_runs(words, step), left))
        if spans:
            write_given(store, path, name, text, spans)
        left -= len(spans)


def _texts(sources: Iterable[Path], own: Path) -> dict[Path, str]:
    """Find texts, and give each a name that does not hang on where they lie."""
    texts: dict[Path, str] = {}
    for number, source in enumerate(sources):
        for path in sorted(source.resolve().rglob("*")):
            is_own = path.is_relative_to(own)
            if path.suffix in _SUFFIXES and path.is_file() and not is_own:
                name = f"distractors {number}: {path.relative_to(source.resolve())}"
                texts.setdefault(path, name)
    return texts


def _words(path: Path) -> tuple[str, list[Span]]:
    text = path.read_bytes().decode("utf-8", "replace")
    return text, [Span(*match.span()) for match in _WORD.finditer(text)]


def _runs(words: Sequence[Span], step: int) -> Iterator[Span]:
    """Cut runs of words that begin `step` words apart."""
    for first in range(0, len(words) - WORDS, step):
        yield Span(words[first].start, words[first + WORDS - 1].end)
