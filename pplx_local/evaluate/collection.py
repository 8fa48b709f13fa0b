"""Collections with relevance judgments, as they lie on the disk."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pplx_local.errors import ConfigError
from pplx_local.records import Span

Units = Literal["given", "own"]
"""What the chunks are: the collection's own passages, or ours."""


class Passage(NamedTuple):
    """A judged passage of a document."""

    passage_id: str
    char_span: Span


@dataclass(frozen=True)
class Collection:
    """A folder with documents, queries and judgments."""

    name: str
    docs: Path
    """Absolute."""
    queries: Mapping[str, str]
    document_qrels: Mapping[str, Mapping[str, float]]
    """Grades by query and file, as `name_of` names it."""
    passage_qrels: Mapping[str, Mapping[str, float]]
    """Grades by query and passage; empty without passages."""
    passages: Mapping[str, Sequence[Passage]]
    """By file, in the order of the text; they may overlap."""
    lengths: Mapping[str, int]
    """Of passages, in characters."""

    def name_of(self, path: Path) -> str:
        """Name a file as the judgments do: in `docs`, or by its whole path outside."""
        is_own = path.is_relative_to(self.docs)
        return (path.relative_to(self.docs) if is_own else path).as_posix()


def load_collection(
    directory: Path, queries: Path | None = None, sample: str | None = None
) -> Collection:
    """Read a collection.

    Args:
        directory: Where it lies.
        queries: Another file of queries, in the collection or elsewhere. Those of
            `queries_NAME.jsonl` are judged by `qrels_NAME.tsv`, if there is such a file.
        sample: Which of them, see `sampled`.

    Raises:
        ConfigError: A file is missing or is not what the layout says.
    """
    try:
        path = _queries_file(directory, queries)
        kind = path.stem.removeprefix("queries")
        passages = _passages(directory)
        return Collection(
            name=directory.resolve().name,
            docs=(directory / "docs").resolve(),
            queries=sampled(_queries(path), sample),
            document_qrels=_qrels(directory, "qrels", kind),
            passage_qrels=_qrels(directory, "qrels_passages", kind),
            passages=passages,
            lengths={
                passage.passage_id: passage.char_span.end - passage.char_span.start
                for found in passages.values()
                for passage in found
            },
        )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"{directory} is not a collection: {error}. It needs docs/, queries.jsonl "
            "and qrels.tsv."
        ) from error


def load_queries(path: Path, sample: str | None = None) -> dict[str, str]:
    """Read texts by id from a file of queries.

    Raises:
        ConfigError: It cannot be read, or a line has no id or text.
    """
    try:
        return sampled(_queries(path), sample)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"{path} is no file of queries: {error}. Each line needs "
            '{"id": ..., "text": ...}.'
        ) from error


def sampled(queries: Mapping[str, str], sample: str | None) -> dict[str, str]:
    """Pick some queries, always the same ones.

    Args:
        queries: In the order of their file.
        sample: "even" or "odd" for every other one (the first is even), or a number
            for so many, evenly spread; None for all.

    Raises:
        ConfigError: The sample is none of these.
    """
    every = list(queries)
    if sample is None:
        chosen = every
    elif sample in ("even", "odd"):
        chosen = every[sample == "odd" :: 2]
    elif sample.isdecimal() and int(sample) > 0:
        n = min(int(sample), len(every))
        chosen = [every[i * len(every) // n] for i in range(n)]
    else:
        raise ConfigError(f"A sample is even, odd or a number above 0; not {sample}.")
    return {query: queries[query] for query in chosen}


def _queries_file(directory: Path, queries: Path | None) -> Path:
    inside = directory / (queries or "queries.jsonl")
    return queries if queries and not inside.exists() else inside


def _queries(path: Path) -> dict[str, str]:
    return {row["id"]: row["text"] for row in _json_lines(path)}


def _passages(directory: Path) -> dict[str, list[Passage]]:
    passages: dict[str, list[Passage]] = defaultdict(list)
    if (directory / "passages.jsonl").exists():
        for row in _json_lines(directory / "passages.jsonl"):
            span = Span(row["start"], row["end"])
            passages[row["doc"]].append(Passage(row["id"], span))
    for found in passages.values():
        found.sort(key=lambda passage: passage.char_span)
    return passages


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _qrels(directory: Path, name: str, kind: str) -> dict[str, dict[str, float]]:
    qrels: dict[str, dict[str, float]] = defaultdict(dict)
    own = directory / f"{name}{kind}.tsv"
    path = own if own.exists() else directory / f"{name}.tsv"
    if not path.exists():
        return qrels
    for line in path.read_text(encoding="utf-8").splitlines():
        query, target, grade = line.split("\t")
        qrels[query][target] = float(grade)
    return qrels
