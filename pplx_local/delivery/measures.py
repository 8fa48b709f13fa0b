"""What is measured on a checkpoint, each against the figure that somebody published.

A measure is an object of a golden file: its `kind` names a function here, `expected` is
the figure, and `source` says whose. Token ids need the tokenizer alone, the geometry
only headers; everything else runs through the encoder as an index would run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pplx_local.backend.architecture import read_architecture
from pplx_local.backend.weights import locate, locate_head
from pplx_local.delivery.allowance import Allowance
from pplx_local.encoding import EncoderWorker
from pplx_local.models import Checkpoint
from pplx_local.records import Encoded, WindowPlan
from pplx_local.window import TextTokenizer, plan, plan_query

Golden = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """A checkpoint that is measured."""

    checkpoint: Checkpoint
    model_dir: Path
    tokenizer: TextTokenizer
    worker: EncoderWorker
    allowed: Allowance

    def encode(self, documents: Sequence[Sequence[str]]) -> Encoded:
        """Encode documents, each of its chunks."""
        plans = [one for chunks in documents for one in self._plan(chunks)]
        return self.worker.encode(plans).result()

    def _plan(self, chunks: Sequence[str]) -> list[WindowPlan]:
        return plan(chunks, self.tokenizer, self.checkpoint.window_rule)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out of a measure."""

    what: str
    expected: str
    found: str
    ok: bool
    source: str
    """Who published the figure."""


def measure(golden: Golden, subject: Subject) -> Finding:
    """Measure, and compare."""
    what, expected, found, ok = _MEASURES[golden["kind"]](golden, subject)
    return Finding(what, expected, found, ok, golden["source"])


_Outcome = tuple[str, str, str, bool]
"""What, expected, found, whether it fits."""


def _geometry(golden: Golden, subject: Subject) -> _Outcome:
    architecture = read_architecture(subject.model_dir)
    places = list(locate(subject.model_dir, architecture).values())
    if architecture.head_size:
        places.append(locate_head(subject.model_dir, architecture))
    found = {
        **asdict(architecture),
        "tensors": len(places),
        "parameters": sum(place.n_elements for place in places),
    }
    expected = golden["expected"]
    other = [name for name in expected if found[name] != expected[name]]
    shown = other or ["tensors", "parameters"]
    return (
        "size of the network",
        ", ".join(f"{expected[name]:,} {name}" for name in shown),
        ", ".join(f"{found[name]:,} {name}" for name in shown),
        not other,
    )


def _document_ids(golden: Golden, subject: Subject) -> _Outcome:
    plans = plan(golden["texts"], subject.tokenizer, subject.checkpoint.window_rule)
    what = f"token ids of {_quoted(golden['texts'][0])}"
    return what, *_compare_ids(golden, plans)


def _query_ids(golden: Golden, subject: Subject) -> _Outcome:
    rule = subject.checkpoint.window_rule
    made = plan_query(golden["query"], subject.tokenizer, rule)
    what = f"token ids of the query {_quoted(golden['query'])}"
    return what, *_compare_ids(golden, [made] if made else [])


def _compare_ids(golden: Golden, plans: list[WindowPlan]) -> tuple[str, str, bool]:
    windows = [window for one in plans for window in one.windows]
    ids = [int(number) for window in windows for number in window.token_ids]
    keep = np.concatenate([window.keep for window in windows])
    kept = golden.get("kept", np.flatnonzero(keep).tolist())
    fits = ids == golden["expected"] and np.flatnonzero(keep).tolist() == kept
    return (
        f"{_ids_in_words(golden['expected'])}, {len(kept)} of them scored",
        f"{_ids_in_words(ids)}, {int(keep.sum())} of them scored",
        fits,
    )


def _ids_in_words(ids: Sequence[int]) -> str:
    few = " ".join(map(str, ids[:4]))
    return f"{len(ids)} ids {few} ..."


def _codes(golden: Golden, subject: Subject) -> _Outcome:
    """Compare vectors; of some, only the first codes were published."""
    wanted = np.array(golden["expected"], dtype=np.float64)  # (C, n)
    found = _dense(subject.encode([golden["texts"]]))[:, : wanted.shape[1]]
    cosine = float(_cosines(wanted, found).min())
    near = float((np.abs(wanted - found) <= 1).mean())
    allowed = subject.allowed
    return (
        f"vectors of {_quoted(golden['texts'][0])}",
        f"cosine at least {allowed.cosine}, {allowed.near_codes:.0%} of codes within 1",
        f"cosine {cosine:.6f}, {near:.1%} of codes within 1",
        cosine >= allowed.cosine and near >= allowed.near_codes,
    )


def _cosines_of_texts(golden: Golden, subject: Subject) -> _Outcome:
    found = _similarities(golden, subject)
    what = f"cosines with {_quoted(golden['query'])}"
    return what, *_compare(golden["expected"], found, subject.allowed.cosine_off)


def _nearest(golden: Golden, subject: Subject) -> _Outcome:
    found = int(_similarities(golden, subject).argmax())
    wanted = golden["expected"]
    texts = golden["texts"]
    what = f"text nearest to {_quoted(golden['query'])}"
    return what, _quoted(texts[wanted]), _quoted(texts[found]), found == wanted


def _maxsim(golden: Golden, subject: Subject) -> _Outcome:
    query = subject.worker.query(golden["query"]).tokens
    docs = subject.encode([[text] for text in golden["texts"]]).tokens
    assert query is not None, "a checkpoint with such figures makes token vectors"
    assert docs is not None
    found = subject.worker.maxsim(query, docs).result().values
    off = subject.allowed.row_off * len(query.codes)
    what = f"MaxSim with {_quoted(golden['query'])}"
    return what, *_compare(golden["expected"], found, off)


_MEASURES: Final[Mapping[str, Callable[[Golden, Subject], _Outcome]]] = {
    "geometry": _geometry,
    "ids": _document_ids,
    "query ids": _query_ids,
    "codes": _codes,
    "cosines": _cosines_of_texts,
    "nearest": _nearest,
    "maxsim": _maxsim,
}


def _similarities(golden: Golden, subject: Subject) -> NDArray[np.float64]:
    """Compare a query with texts, each read by itself: (texts,)."""
    query = subject.worker.query(golden["query"]).dense
    assert query is not None, "a checkpoint with such figures makes dense vectors"
    docs = subject.encode([[text] for text in golden["texts"]])
    return _cosines(query.codes.astype(np.float64), _dense(docs))


def _dense(encoded: Encoded) -> NDArray[np.float64]:
    assert encoded.dense is not None
    return encoded.dense.codes.astype(np.float64)


def _cosines(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosines: NDArray[np.float64] = (a * b).sum(axis=-1) / lengths
    return cosines


def _compare(
    expected: Sequence[float], found: NDArray[Any], off: float
) -> tuple[str, str, bool]:
    fits = bool(np.allclose(found, expected, rtol=0, atol=off))
    return (
        f"{_figures(expected)} within {off:.3g}",
        f"{_figures(found)}",
        fits,
    )


def _figures(values: Sequence[float] | NDArray[Any]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def _quoted(text: str, length: int = 24) -> str:
    return repr(text if len(text) <= length else text[:length].rstrip() + "...")
