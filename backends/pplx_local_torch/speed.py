"""How near to a device's limits MaxSim comes, and what others make of the same work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import cycle
from statistics import median
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from pplx_local.backend.timing import Timing, Unit, Workload
from pplx_local.records import TokenVectors
from pplx_local_torch.fused import TILINGS, Packed, Question, by_steps, fused_maxsim
from pplx_local_torch.maxsim import ResidentTokens, unpack

_ROUNDS = 20
_WARM_UPS = 3
_COPY_BYTES = 1 << 30
_SIDE = 8192
"""Of the square matrices whose product tells the rate."""
_AT_ONCE = 16_384
"""Chunks whose products a rival writes to memory at a time."""
_COMPARED = 1024
"""Chunks that are also scored by a plain product."""
_SHORTLIST = 1_000
_SHORTLIST_TOKENS = 256
_SMALL = 64
"""Where no GPU is, and nothing is measured in earnest."""

_Run = Callable[[], object]
_Got = TypeVar("_Got")

_RIVALS = {
    "PyLate": ("pylate.scores", "colbert_scores", True),
    "late-interaction-kernels": ("late_interaction_kernels", "maxsim", True),
    "flash-maxsim": ("flash_maxsim", "flash_maxsim", False),
}
"""Where each is, what it is called, and whether it takes several queries."""


def measure_maxsim(device: torch.device, work: Workload) -> Iterator[Timing]:
    """Time copies and products first, then each kernel beside its rivals."""
    yield from _limits(device)
    for encoding in ("int8", "bits", "bfloat16"):
        yield from _kernel(encoding, device, work)
    yield _rerank(device, work)
    yield from _rivals(device, work)  # last: one that fails may take the device along
    if device.type == "cuda":
        torch.cuda.empty_cache()  # the encoders that follow have processes of their own


def _limits(device: torch.device) -> Iterator[Timing]:
    """Time a copy, and products of large matrices."""
    side = _SIDE if device.type == "cuda" else _SMALL
    n_bytes = _COPY_BYTES if device.type == "cuda" else _SMALL
    source = torch.zeros(n_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy_ms = _ms(lambda: target.copy_(source), device)
    yield Timing("copy", copy_ms, 2 * n_bytes, 0, "copy")
    products: dict[Unit, tuple[torch.dtype, Callable[[Tensor, Tensor], Tensor]]] = {
        "int8": (torch.int8, torch._int_mm),
        "bfloat16": (torch.bfloat16, torch.mm),
    }
    for unit, (dtype, multiply) in products.items():
        # Not all alike: a device that has little to switch runs faster.
        square = torch.randint(-99, 100, (side, side), device=device).to(dtype)
        ms = _ms(partial(multiply, square, square.T), device)
        n_bytes = 2 * square.nbytes
        yield Timing(f"product in {unit}", ms, n_bytes, 2 * side**3, unit)


def _kernel(encoding: str, device: torch.device, work: Workload) -> Iterator[Timing]:
    """Time our kernel: as it is used, with matches, and in all tiles that there are."""
    docs, query = _material(encoding, device, work)
    ours = f"{encoding}, fused"
    if not _is_right(encoding, device, work):
        ours += ": other scores"
    unit: Unit = "bfloat16" if encoding == "bfloat16" else "int8"
    n_bytes = docs.codes.nbytes + (0 if docs.scales is None else docs.scales.nbytes)
    n_bytes += 4 * work.n_chunks
    ms = _ms(lambda: fused_maxsim(query, docs), device)
    yield Timing(ours, ms, n_bytes, _operations(work), unit)
    _, matches = fused_maxsim(query, docs, want_matches=True)
    assert matches is not None
    ms = _ms(lambda: fused_maxsim(query, docs, want_matches=True), device)
    with_matches = n_bytes + matches.nbytes
    what = f"{ours}, with matches"
    yield Timing(what, ms, with_matches, _operations(work), unit, ours)
    for tiling in TILINGS:
        what = f"{ours}, {tiling.rows} rows, {tiling.warps} warps, {tiling.stages} deep"
        score = partial(fused_maxsim, query, docs, tiling=tiling)
        what, tried = _tried(what, partial(_ms, score, device))
        yield Timing(what, tried, n_bytes, _operations(work), unit, ours)


def _is_right(encoding: str, device: torch.device, work: Workload) -> bool:
    """Compare some chunks with a plain product in float32."""
    few = work._replace(n_chunks=min(work.n_chunks, _COMPARED))
    docs, query = _material(encoding, device, few)
    rows, asked = docs.codes.float(), query.codes.float()
    if encoding == "bits":
        rows = unpack(docs.codes, work.dim).float() * 2 - 1
        order = torch.from_numpy(by_steps(np.arange(1, work.dim + 1)[None]))[0]
        real = torch.argsort(order)[-work.dim :].to(device)
        asked = asked[:, real] * work.dim**-0.5
    elif docs.scales is not None:
        rows = rows * docs.scales[:, None]
    products = (rows @ asked.T).view(few.n_chunks, few.n_tokens, few.n_query)
    expected = products.amax(dim=1).sum(dim=1)
    got = fused_maxsim(query, docs)[0]
    return torch.allclose(got, expected, rtol=1e-3, atol=1e-2)


def _rerank(device: torch.device, work: Workload) -> Timing:
    """Time a shortlist end to end: from a query on the host to scores there."""
    n_chunks = min(_SHORTLIST, work.n_chunks)
    random = np.random.default_rng(0)
    n_rows = 4 * n_chunks * _SHORTLIST_TOKENS
    codes = random.integers(-127, 128, (n_rows, work.dim), dtype=np.int8)
    starts = np.arange(0, n_rows + 1, _SHORTLIST_TOKENS, dtype=np.int32)
    ones = np.ones(n_rows, dtype=np.float32)
    docs = TokenVectors("int8", codes, ones, np.zeros(n_rows, np.int32), starts)
    asked, ends = codes[: work.n_query], np.array([0, work.n_query], np.int32)
    query = TokenVectors("int8", asked, ones[: len(asked)], ends, ends)
    kept = ResidentTokens(docs, device)
    # Others in each round: those of the round before may lie in a cache.
    lists = cycle(random.permutation(4 * n_chunks).reshape(4, -1))
    ms = _ms(lambda: kept.maxsim(query, next(lists)), device)
    few = Workload(n_chunks, _SHORTLIST_TOKENS, work.n_query, work.dim)
    what = f"int8, {n_chunks:,} of {_SHORTLIST_TOKENS} tokens, end to end"
    n_bytes = n_chunks * _SHORTLIST_TOKENS * (work.dim + 4)
    return Timing(what, ms, n_bytes, _operations(few), "int8")


def _rivals(device: torch.device, work: Workload) -> Iterator[Timing]:
    """Time others, on padded bfloat16; the chunks are alike in length, to their good."""
    docs, query = _material("bfloat16", device, work)
    chunks = docs.codes.view(work.n_chunks, work.n_tokens, work.dim)
    n_bytes, ours = docs.codes.nbytes + 4 * work.n_chunks, "bfloat16, fused"
    compiled = torch.compile(_plain) if device.type == "cuda" else _plain
    known = {"plain torch": _plain, "torch.compile": compiled} | _installed()
    for name, score in known.items():
        score_all = partial(_scored, score, query.codes, chunks)
        what = f"bfloat16, {name}"
        what, is_same = _tried(what, partial(_agree, score_all, query, docs))
        ms = None
        if is_same is not None:
            what += "" if is_same else ": other scores"
            what, ms = _tried(what, partial(_ms, score_all, device))
        yield Timing(what, ms, n_bytes, _operations(work), "bfloat16", ours)
    for name in _RIVALS.keys() - known.keys():
        what = f"bfloat16, {name}: not installed"
        yield Timing(what, None, n_bytes, _operations(work), "bfloat16", ours)


def _agree(
    score_all: Callable[[], list[Tensor]], query: Question, docs: Packed
) -> bool:
    """Compare a rival's scores with ours."""
    theirs = torch.cat([part.flatten() for part in score_all()]).float()
    ours = fused_maxsim(query, docs)[0]
    return torch.allclose(theirs, ours, rtol=0.02, atol=0.1)


def _tried(what: str, run: Callable[[], _Got]) -> tuple[str, _Got | None]:
    """Run what is not ours, or is too much for a card; say in `what` if it failed."""
    try:
        return what, run()
    except Exception as error:  # noqa: BLE001 - each compiler and package has its own
        return f"{what}: {type(error).__name__}", None


def _installed() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Import those of the rivals that are here."""
    found: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}
    for name, (module, function, takes_several) in _RIVALS.items():
        try:
            score = getattr(import_module(module), function)
        except (ImportError, AttributeError):
            continue
        found[name] = partial(_first_of, score) if takes_several else score
    return found


def _first_of(
    score: Callable[[Tensor, Tensor], Tensor], query: Tensor, docs: Tensor
) -> Tensor:
    return score(query[None], docs)


def _plain(query: Tensor, docs: Tensor) -> Tensor:
    """Score chunks (C, T, D) by a query (Q, D): (C,)."""
    products = docs @ query.T  # (C, T, Q)
    return products.amax(dim=1).float().sum(dim=1)


def _scored(
    score: Callable[[Tensor, Tensor], Tensor], query: Tensor, docs: Tensor
) -> list[Tensor]:
    """Score as many at a time as their products have room."""
    return [score(query, part) for part in docs.split(_AT_ONCE)]


def _material(
    encoding: str, device: torch.device, work: Workload
) -> tuple[Packed, Question]:
    """Make up codes on the device: copying them would take minutes."""
    generator = torch.Generator(device).manual_seed(0)
    n_rows = work.n_chunks * work.n_tokens
    scales = None
    if encoding == "bfloat16":
        codes = torch.empty(n_rows, work.dim, dtype=torch.bfloat16, device=device)
        codes.normal_(generator=generator)
        asked = torch.empty(work.n_query, work.dim, dtype=torch.bfloat16, device=device)
        asked.normal_(generator=generator)
    else:
        make = partial(torch.randint, device=device, generator=generator)
        is_bits = encoding == "bits"
        width = work.dim // 8 if is_bits else work.dim
        low, high, dtype = (0, 256, torch.uint8) if is_bits else (-127, 128, torch.int8)
        codes = make(low, high, (n_rows, width), dtype=dtype)
        asked = make(-127, 128, (work.n_query, work.dim), dtype=torch.int8)
        if is_bits:
            asked = torch.from_numpy(by_steps(asked.cpu().numpy())).to(device)
        else:
            scales = torch.rand(n_rows, device=device, generator=generator)
    places = torch.arange(0, n_rows + 1, work.n_tokens, device=device)
    docs = Packed(codes, scales, places[:-1], places[1:])
    ones = torch.ones(work.n_query, device=device)
    return docs, Question(asked, ones, asked.float().sum(dim=1), work.dim)


def _operations(work: Workload) -> int:
    return 2 * work.n_chunks * work.n_tokens * work.n_query * work.dim


def _ms(run: _Run, device: torch.device) -> float:
    """Time a run by the device's own clock: the median of several."""
    n_rounds, n_warm_ups = (_ROUNDS, _WARM_UPS) if device.type == "cuda" else (1, 0)
    for _ in range(n_warm_ups):
        run()
    return median(_once(run, device) for _ in range(n_rounds))


def _once(run: _Run, device: torch.device) -> float:
    if device.type != "cuda":
        started = time.perf_counter()
        run()
        return (time.perf_counter() - started) * 1000
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    run()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end))
