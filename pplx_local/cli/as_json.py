"""Records as JSON, in the forms that DESIGN promises to other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pplx_local.cli.show import json_path

if TYPE_CHECKING:
    from pplx_local.answer import Answer, Elsewhere, Hit, LegReport, Place
    from pplx_local.records import FileRecord


def jsonable(value: Any) -> Any:
    """Turn records, inside each other too, into what JSON has.

    The one field of bytes that a record has is its path. A number that is not finite
    becomes null.
    """
    from dataclasses import fields, is_dataclass  # slow to load; no answer is one

    if is_dataclass(value) and not isinstance(value, type):
        named: dict[str, Any] = {}
        for field in fields(value):
            part = getattr(value, field.name)
            is_path = isinstance(part, bytes)
            named |= json_path(part) if is_path else {field.name: jsonable(part)}
        return named
    if isinstance(value, Mapping):
        return {str(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [jsonable(part) for part in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def answer_json(answer: Answer) -> dict[str, Any]:
    """The object of `search --json`."""
    return {
        "query": answer.query,
        "took_ms": round(answer.took_ms, 3),
        "profile": dict(answer.profile),
        "legs": {leg: _leg_json(report) for leg, report in answer.legs.items()},
        "nothing_close": bool(answer.nothing_close),
        "hints": list(answer.hints),
        "hits": [hit_json(hit) for hit in answer.hits],
    }


def _leg_json(report: LegReport) -> dict[str, Any]:
    leg = {
        "ran": bool(report.ran),
        "coverage": _number(report.coverage),
        "ms": round(report.ms, 3),
    }
    return leg if report.reason is None else leg | {"reason": report.reason}


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit of `search --json`, one line of `--jsonl`."""
    return {
        **json_path(hit.path),
        "score": _number(hit.score),
        "confidence": _number(hit.confidence),
        "char_start": int(hit.char_span.start),
        "char_end": int(hit.char_span.end),
        "line": int(hit.line),
        "column": int(hit.column),
        "place": _place_json(hit.place),
        "text": hit.text,
        "scores": {leg: _number(float(score)) for leg, score in hit.scores.items()},
        "ranks": dict(hit.ranks),
        "parts": {leg: _number(part) for leg, part in hit.parts.items()},
        "matches": [
            [match.query_word, match.text_start, match.text_end, match.similarity]
            for match in hit.matches
        ],
        "words": [list(span) for span in hit.words],
        "more_in_file": [_elsewhere_json(passage) for passage in hit.more_in_file],
        "same": [{**json_path(copy.path), "exact": copy.is_exact} for copy in hit.same],
    }


def _elsewhere_json(passage: Elsewhere) -> dict[str, Any]:
    return {
        "line": int(passage.line),
        "place": _place_json(passage.place),
        "char_start": int(passage.char_start),
        "score": _number(passage.score),
    }


def _place_json(place: Sequence[Place]) -> list[dict[str, str]]:
    return [{"kind": kind, "label": label} for kind, label in place]


def file_json(file: FileRecord) -> dict[str, Any]:
    """One file of `files --json`, of a list of failures too."""
    return {
        **json_path(file.path),
        "state": file.state,
        "reason": file.reason,
        "size_bytes": file.size,
    }
