"""What is measured, and on which part of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pplx_local.errors import ConfigError
from pplx_local.evaluate.collection import Units
from pplx_local.records import Mode, Role

MODES: tuple[Mode, ...] = ("lexical", "dense", "late", "hybrid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The switches of `eval`."""

    units: Units | None = None
    """"given" makes the given passages the chunks (whole files where there are none),
    "own" uses our chunker; None for given where passages are."""
    legs: Sequence[str] | None = None
    """Modes to report; None for all."""
    ablate: bool = False
    """Also report the fusion without each of its legs."""
    exhaustive: bool = False
    """Also score every chunk, beside the shortlist of a search for ten hits."""
    late_chunking: bool | None = None
    """Whether a document's chunks are read together, which only checkpoints trained for
    it can do; None for yes where one is in use."""
    tokens: Sequence[str] = ()
    """Ways of keeping token vectors, such as "bits-pooled2", to compare side by side."""
    alone: Role | None = None
    """Leave the profile this role, as if its checkpoint had no other."""
    queries: Path | None = None
    """Another file of queries, such as `queries_train.jsonl`; judged by the files that
    end alike, such as `qrels_train.tsv`."""
    sample: str | None = None
    """"even" or "odd" for every other query, or how many of them, evenly spread."""
    unanswerable: Sequence[Path] = ()
    """Files of queries that nothing in the collection answers."""
    answer_removed: bool = False
    """Also ask each query with its relevant chunks kept out."""
    distractors: int = 0
    """How many unrelated chunks to add to the index."""
    distractors_from: Sequence[Path] = ()
    """Folders of text to cut them from; none for the collections beside this one."""
    keep: Path | None = None
    """Folder of an index to make, or to use again; None for one that goes away."""

    def modes(self) -> list[Mode]:
        """Give the modes to report.

        Raises:
            ConfigError: There is no such mode.
        """
        if set(self.legs or ()) - set(MODES):
            raise ConfigError(
                f"Legs are {', '.join(MODES)}; not {', '.join(self.legs or ())}."
            )
        return [mode for mode in MODES if self.legs is None or mode in self.legs]
