"""Token vectors pooled on a device as on the host, and what then crosses the bus."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from targets import INT8, assert_same_alone, random_ids, tiny, whole, window_of

from pplx_local.backend import pooling
from pplx_local.reference import unit_rows

torch = pytest.importorskip("torch")

from pplx_local_torch import (  # noqa: E402 - after the check
    TorchBackend,
    merging,
    outbox,
    results,
)

__all__ = ["tiny"]

HERE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
_Make = Callable[[np.random.Generator, int], NDArray[np.float32]]


def heaps(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Rows that lie in heaps, as the tokens of a passage do."""
    centres = rng.standard_normal((max(n // 4, 1), 32))
    x = centres[rng.integers(0, len(centres), n)] + rng.standard_normal((n, 32)) / 2
    return unit_rows(x.astype(np.float32))


def equals(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Rows of which many are alike, and all others equally far."""
    return np.eye(32, dtype=np.float32)[rng.integers(0, 32, n)]


def pooled_on_host(
    parts: list[NDArray[np.float32]], n: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pool each part by itself: rows, and their members among all rows."""
    found = [pooling.pool_rows(part, n) for part in parts]
    starts = np.cumsum([0, *map(len, parts)])
    members = [one.members + first for one, first in zip(found, starts, strict=False)]
    return np.concatenate([one.rows for one in found]), np.concatenate(members)


@pytest.mark.parametrize("pairs_at_once", [1, 3000, 1 << 24])
@pytest.mark.parametrize("make", [heaps, equals])
def test_passages_side_by_side_are_pooled_as_each_alone(
    make: _Make, pairs_at_once: int, monkeypatch
) -> None:
    """Ties too: of equals the first is merged first."""
    monkeypatch.setattr(merging, "_PAIRS_AT_ONCE", pairs_at_once)
    rng = np.random.default_rng(0)
    for n in (2, 3, 4):
        lengths = np.array([0, 1, 2, *rng.integers(0, 90, 5), 0])
        parts = [make(rng, length) for length in lengths]
        rows = torch.from_numpy(np.concatenate(parts)).to(HERE)
        got = merging.pool_rows(rows, lengths, n)
        expected, members = pooled_on_host(parts, n)
        np.testing.assert_allclose(got.rows.cpu().numpy(), expected, atol=1e-6)
        assert got.members.tolist() == members.tolist()


def test_nothing_is_pooled_to_nothing() -> None:
    for lengths in ([], [0, 0]):
        rows = torch.zeros(0, 32, device=HERE)
        got = merging.pool_rows(rows, np.array(lengths, dtype=np.int64), 2)
        assert got.rows.shape == (0, 32)
        assert got.members.shape == (0,)


def test_what_is_no_number_stays_with_itself() -> None:
    """It would else be out of all bounds, which ends a process on a GPU."""
    rng = np.random.default_rng(1)
    parts = [heaps(rng, 9), heaps(rng, 12)]
    parts[0][3] = np.nan
    rows = torch.from_numpy(np.concatenate(parts)).to(HERE)
    got = merging.pool_rows(rows, np.array([9, 12]), 2)
    assert got.rows.shape == (5 + 6, 32)
    expected, members = pooled_on_host(parts[1:], 2)
    np.testing.assert_allclose(got.rows[5:].cpu().numpy(), expected, atol=1e-6)
    assert (got.members[5:].cpu().numpy() - 9).tolist() == members.tolist()


# --- in the encoder ---


@pytest.fixture
def sent(monkeypatch) -> list[torch.Tensor]:
    """As on CUDA, where it is not one: all that goes to the host on the way."""
    sent: list[torch.Tensor] = []
    send = outbox.Outbox.send

    def note(self, tensors, put) -> None:
        sent.extend(tensors)
        send(self, tensors, put)

    monkeypatch.setattr(outbox.Outbox, "send", note)
    monkeypatch.setattr(results, "_is_pooled_there", lambda device: True)
    return sent


@pytest.mark.parametrize("encoding", ["int8", "bits"])
def test_only_codes_leave_the_device(encoding, tiny, sent, monkeypatch) -> None:
    recipe = replace(INT8, token_pooling=2, token_encoding=encoding)
    encoder = TorchBackend().load(
        tiny, recipe, device=str(HERE), dtype="float32", max_batch_tokens=128
    )
    rng = np.random.default_rng(5)
    windows = [whole(random_ids(rng, n)) for n in (1, 60, 9, 2, 90, 33)]
    windows += [
        window_of(random_ids(rng, 40), (0, 10), (10, 30)),
        window_of(random_ids(rng, 6), (0, 6), continues=True),
    ]
    there = encoder.encode(windows)
    codes = {torch.uint8} if encoding == "bits" else {torch.int8}
    small = [one for one in sent if one.dtype not in codes]
    assert all(one.ndim == 1 for one in small), "scales, and who stands for whom"
    monkeypatch.setattr(results, "_is_pooled_there", lambda device: False)
    here = encoder.encode(windows)
    np.testing.assert_array_equal(there.tokens.cu_seqlens, here.tokens.cu_seqlens)
    np.testing.assert_array_equal(there.tokens.positions, here.tokens.positions)
    np.testing.assert_array_equal(there.tokens.codes, here.tokens.codes)
    if encoding == "int8":
        np.testing.assert_array_equal(there.tokens.scales, here.tokens.scales)
    np.testing.assert_array_equal(there.dense.codes, here.dense.codes)


def test_company_changes_pooled_vectors_by_little(tiny, sent) -> None:
    recipe = replace(INT8, token_pooling=2)
    encoder = TorchBackend().load(
        tiny, recipe, device=str(HERE), dtype="float32", max_batch_tokens=512
    )
    rng = np.random.default_rng(4)
    windows = [whole(random_ids(rng, n)) for n in rng.integers(2, 120, 8)]
    assert_same_alone(encoder, windows, exact=False)


class _Stream:
    """Is never behind: what is waited for has been done."""

    device = torch.device("cpu")

    def wait_stream(self, other: object) -> None:
        pass


class _Event:
    def __init__(self) -> None:
        self.wait = self.record = self.synchronize = lambda *stream: None


@pytest.fixture
def behind(monkeypatch) -> None:
    """As on CUDA: what comes of a pass is worked on, and taken in, beside the next."""
    monkeypatch.setattr(torch.cuda, "Event", _Event)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: _Stream())
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, stream: None)
    empty_like = torch.empty_like
    monkeypatch.setattr(torch, "empty_like", lambda x, **options: empty_like(x))
    begin = outbox.Outbox.__init__

    def begin_behind(self, device) -> None:
        begin(self, device)
        self._stream = _Stream()

    monkeypatch.setattr(outbox.Outbox, "__init__", begin_behind)


@pytest.mark.parametrize("pooling", [1, 2])
def test_passes_that_overlap_give_what_passes_one_by_one_do(
    pooling, tiny, request, monkeypatch
) -> None:
    recipe = replace(INT8, token_pooling=pooling)
    encoder = TorchBackend().load(
        tiny, recipe, device="cpu", dtype="float32", max_batch_tokens=64
    )
    rng = np.random.default_rng(6)
    windows = [whole(random_ids(rng, n)) for n in (60, 50, 40, 3, 2, 30, 1)]
    plain = encoder.encode(windows)
    monkeypatch.setattr(results, "_is_pooled_there", lambda device: True)
    request.getfixturevalue("behind")
    ours = encoder.encode(windows)
    np.testing.assert_array_equal(ours.tokens.codes, plain.tokens.codes)
    np.testing.assert_array_equal(ours.tokens.scales, plain.tokens.scales)
    np.testing.assert_array_equal(ours.tokens.positions, plain.tokens.positions)
    np.testing.assert_array_equal(ours.dense.codes, plain.dense.codes)


def test_what_is_held_is_tried_again_where_memory_did_not_suffice(behind) -> None:
    box, tried = outbox.Outbox(torch.device("cpu")), []

    def work(tensor: torch.Tensor) -> None:
        tried.append(tensor)
        if len(tried) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    box.hold(torch.ones(1), work)
    assert not tried, "only beside the next pass"
    with pytest.raises(torch.OutOfMemoryError):
        box.deliver()
    box.empty()
    assert len(tried) == 2
