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
    queries: Mapping[str, str]
    document_qrels: Mapping[str, Mapping[str, float]]
    """Grades by query and file name."""
    passage_qrels: Mapping[str, Mapping[str, float]]
    """Grades by query and passage; empty without passages."""
    passages: Mapping[str, Sequence[Passage]]
    """By file name, in the order of the text; they may overlap."""
    lengths: Mapping[str, int]
    """Of passages, in characters."""


def load_collection(directory: Path) -> Collection:
    """Read a collection.

    Raises:
        ConfigError: A file is missing or is not what the layout says.
    """
    try:
        queries = {q["id"]: q["text"] for q in _json_lines(directory / "queries.jsonl")}
        passages: dict[str, list[Passage]] = defaultdict(list)
        if (directory / "passages.jsonl").exists():
            for row in _json_lines(directory / "passages.jsonl"):
                span = Span(row["start"], row["end"])
                passages[row["doc"]].append(Passage(row["id"], span))
        for found in passages.values():
            found.sort(key=lambda passage: passage.char_span)
        return Collection(
            name=directory.resolve().name,
            docs=directory / "docs",
            queries=queries,
            document_qrels=_qrels(directory / "qrels.tsv"),
            passage_qrels=_qrels(directory / "qrels_passages.tsv"),
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


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _qrels(path: Path) -> dict[str, dict[str, float]]:
    qrels: dict[str, dict[str, float]] = defaultdict(dict)
    if not path.exists():
        return qrels
    for line in path.read_text(encoding="utf-8").splitlines():
        query, target, grade = line.split("\t")
        qrels[query][target] = float(grade)
    return qrels
