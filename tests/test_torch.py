"""What is special to torch: one copy of the weights, attention without padding."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from targets import INT8, broad, random_ids, whole, window_of
from tiny import write_bert
from vectors import random_docs

from pplx_local.errors import BackendUnavailable

torch = pytest.importorskip("torch")

from pplx_local_torch import TorchBackend  # noqa: E402 - after the check

__all__ = ["broad"]

_MEASURE_LOADING = """
import json, os, sys, threading, time
from pathlib import Path
import psutil
from pplx_local.records import EncodingRecipe
from pplx_local_torch import TorchBackend
from pplx_local_torch.model import load_model

folder, dtype = Path(sys.argv[1]), sys.argv[2]
process, highest, done = psutil.Process(), 0, False
def own():
    # A mapped file is the system's to drop; it is no copy.
    info = process.memory_info()
    return info.rss - info.shared
def watch():
    global highest
    while not done:
        highest = max(highest, own())
        time.sleep(0.001)
before = own()
watcher = threading.Thread(target=watch)
watcher.start()
recipe = EncodingRecipe(True, False)
encoder = TorchBackend().load(folder, recipe, device="cpu", dtype=dtype)
done = True
watcher.join()
n_bytes = sum(p.numel() * p.itemsize for p in encoder._network.parameters())
print(json.dumps({"weights": n_bytes, "taken": highest - before}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the shared memory")
@pytest.mark.parametrize(("dtype", "copies"), [("bfloat16", 1.0), ("float32", 0.0)])
def test_loading_holds_one_copy_of_the_weights(broad, dtype, copies) -> None:
    """In bfloat16 a converted one; in float32 the mapped file itself."""
    figures = _measure_loading(broad, dtype)
    stored = (broad / "model.safetensors").stat().st_size
    width = 2 if dtype == "bfloat16" else 4
    assert figures["weights"] == pytest.approx(stored / 4 * width, rel=0.01)
    # One tensor more, and what the probing of kernels takes.
    assert figures["taken"] <= copies * 1.15 * figures["weights"] + 120e6


def _measure_loading(folder: Path, dtype: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE_LOADING, str(folder), dtype],
        capture_output=True,
        check=True,
        text=True,
    )
    figures: dict[str, int] = json.loads(done.stdout)
    return figures


def test_a_query_is_not_filled_up_to_the_rows_that_keep_documents_steady() -> None:
    from pplx_local_torch.steady import Steadiness, SteadyLinear

    seen: list[int] = []
    linear = torch.nn.Linear(8, 4)
    linear.register_forward_hook(lambda _, args, __: seen.append(len(args[0])))
    steadiness = Steadiness()
    layer = SteadyLinear(linear, 96, steadiness)
    x = torch.randn(1, 32, 8)
    filled = layer(x)
    steadiness.on = False
    alone = layer(x)
    assert seen[0] == 96
    assert filled.shape == alone.shape == (1, 32, 4)
    assert seen[1:] == [1]  # as it came, its leading dimension too
    torch.testing.assert_close(filled, alone)


def test_a_query_in_the_midst_leaves_documents_steady(tmp_path) -> None:
    """Within one pass: there is a pause before each product."""
    backend = TorchBackend()
    encoder = backend.load(write_bert(tmp_path), INT8, device="cpu", dtype="float32")
    document = whole(np.arange(40, dtype=np.int32))
    query = replace(document, kind="query")
    steadiness, seen = encoder._network.steadiness, []

    def between() -> None:
        before = steadiness.on
        encoder.encode([query])
        seen.append((before, steadiness.on))

    encoder.encode([document], between=between)
    assert len(seen) == 2 * 6
    assert set(seen) == {(True, True)}
    encoder.encode([query])
    assert len(seen) == 2 * 6, "it is asked no more"


@pytest.mark.parametrize(("n_tokens", "n_passes"), [(48, 0), (49, 1)])
def test_a_long_query_is_run_as_documents_are(tmp_path, n_tokens, n_passes) -> None:
    """Little is left to save there, and the weights first would take longer."""
    backend = TorchBackend()
    encoder = backend.load(write_bert(tmp_path), INT8, device="cpu", dtype="float32")
    passes: list[object] = []
    encoder._network.body.register_forward_hook(lambda *seen: passes.append(seen))
    document = whole(np.arange(n_tokens, dtype=np.int32))
    asked = encoder.encode([replace(document, kind="query")]).dense
    assert len(passes) == n_passes
    read = encoder.encode([document]).dense
    assert len(passes) == n_passes + 1
    assert np.abs(asked.codes.astype(int) - read.codes).max() <= 1


@pytest.mark.parametrize("groups", [1, 2])
def test_packed_windows_attend_to_themselves_alone(groups: int) -> None:
    from pplx_local_torch.attention import Packing, _attend

    generator = torch.Generator().manual_seed(0)
    lengths, n_rows = [7, 7, 4, 1], 32
    q = torch.randn(1, 4, n_rows, 8, generator=generator)
    k, v = (torch.randn(1, 4 // groups, n_rows, 8, generator=generator) for _ in "kv")
    packing = Packing.of(lengths, torch.device("cpu"))
    got, _ = _attend(torch.nn.Module(), q, k, v, None, packing=packing, scaling=0.3)
    allowed = torch.zeros(n_rows, n_rows, dtype=torch.bool)
    start = 0
    for length in lengths:
        allowed[start : start + length, start : start + length] = True
        start += length
    k, v = (x.repeat_interleave(groups, dim=1) for x in (k, v))
    scores = (q @ k.transpose(2, 3) * 0.3).masked_fill(~allowed, -torch.inf)
    expected = (scores.softmax(-1) @ v).transpose(1, 2)
    assert got.shape == (1, n_rows, 4, 8)
    torch.testing.assert_close(got[:, :start], expected[:, :start])
    assert not got[:, start:].any()


def test_without_the_kernel_windows_attend_by_length(monkeypatch) -> None:
    from pplx_local_torch import attention

    sizes = torch.device("cpu"), torch.float32, 4, 2, 8
    attention.is_usable.cache_clear()
    assert not attention.is_usable(*sizes), "it is for GPUs"
    attention.is_usable.cache_clear()
    monkeypatch.setattr(attention, "_by_kernel", attention._by_length)
    assert attention.is_usable(*sizes)
    attention.is_usable.cache_clear()
    monkeypatch.setattr(
        attention,
        "_by_kernel",
        lambda *inputs: attention._by_length(*inputs).flip(0),
    )
    assert not attention.is_usable(*sizes), "it computes something else"
    attention.is_usable.cache_clear()


def test_kernels_are_launched_on_the_device_that_was_asked_for(monkeypatch) -> None:
    """Of several GPUs: what names none is launched on the current one."""
    from pplx_local_torch import backend as module

    current, backend = [], TorchBackend()
    monkeypatch.setattr(backend, "devices", lambda: ["cuda:0", "cuda:1", "cpu"])
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(module, "ResidentTokens", lambda docs, device: device)
    docs = random_docs(np.random.default_rng(0), [2], 32, "bits")
    assert backend.resident(docs, device="cuda:1") == current[-1]
    assert current[-1].index == 1
    assert backend.resident(docs, device="cpu").type == "cpu"
    assert len(current) == 1


def test_codes_that_do_not_fit_are_refused_with_a_way_out(monkeypatch) -> None:
    from pplx_local_torch import backend as module

    def fill_up(docs, device):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "ResidentTokens", fill_up)
    docs = random_docs(np.random.default_rng(0), [2], 32, "bits")
    with pytest.raises(BackendUnavailable, match=r"no room on cpu.*`exhaustive`"):
        TorchBackend().resident(docs, device="cpu")


def test_spans_are_pooled_at_once_as_one_by_one() -> None:
    """The way of a GPU, which is slow to begin anything."""
    from pplx_local_torch.results import Results

    rng = np.random.default_rng(0)
    windows = [
        window_of(random_ids(rng, 9), (1, 4), (5, 9)),
        window_of(random_ids(rng, 6), (0, 2), continues=True),
        window_of(random_ids(rng, 3)),
        whole(random_ids(rng, 5)),
    ]
    states = torch.randn(23, 8, generator=torch.Generator().manual_seed(0))
    alone, at_once = (Results(windows, INT8, (8, 8), states.device) for _ in range(2))
    batch, starts = [3, 0, 2, 1], np.array([0, 5, 14, 17])
    alone._pool(batch, starts, states)
    at_once._pool_at_once(batch, starts, states)
    assert alone._sums.abs().min() > 0
    torch.testing.assert_close(at_once._sums, alone._sums)
    at_once._pool_at_once([2], np.array([0]), states)  # pools nothing


class Recorder:
    """Records nothing: runs the plain pass again, on what lies in the inputs."""

    def __init__(self, monkeypatch) -> None:
        from pplx_local_torch.graphs import QueryGraphs, _Recorded

        self.recorded: list[int] = []
        made = QueryGraphs(lambda *inputs: None, torch.device("cpu"))

        def record(n_rows: int):
            self.recorded.append(n_rows)
            ids, starts = torch.zeros(n_rows, dtype=torch.int64), torch.tensor([0, 0])
            states = torch.zeros(n_rows, 2), torch.zeros(n_rows, 1)

            def replay() -> None:
                states[0][:, 0] = ids
                states[0][:, 1] = starts[1]

            return _Recorded(ids, starts, states, replay)

        monkeypatch.setattr(made, "_record", record)
        self.graphs = made


def test_queries_of_a_bucket_share_a_recorded_pass(monkeypatch) -> None:
    recorder = Recorder(monkeypatch)
    for n in (3, 16, 17, 5):
        ids = np.arange(1, n + 1, dtype=np.int32)
        states, token_states = recorder.graphs.states(ids)
        assert states.tolist() == [[one, n] for one in ids.tolist()]
        assert token_states.shape == (n, 1)
    assert recorder.recorded == [16, 32]
    assert recorder.graphs.states(np.zeros(200, np.int32)) is None, "too long"


def test_a_pass_that_cannot_be_recorded_is_run_as_it_is(monkeypatch) -> None:
    graphs = Recorder(monkeypatch).graphs
    tried = []

    def refuse(n_rows: int):
        tried.append(n_rows)
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(graphs, "_record", refuse)
    ids = np.ones(4, np.int32)
    assert graphs.states(ids) is graphs.states(ids) is None
    assert tried == [16]


@pytest.mark.parametrize("records", [True, False])
def test_a_recorded_pass_is_held_to_what_was_not_recorded(records) -> None:
    """What ran on another device while it was recorded leaves a graph of nothing."""
    from pplx_local_torch.graphs import QueryGraphs, _Recorded

    def run(ids, positions, packing):
        return ids[:, None].float() + 1, positions[:, None].float() + 1

    graphs = QueryGraphs(run, torch.device("cpu"))
    ids, starts = torch.zeros(16, dtype=torch.int64), torch.tensor([0, 16])
    states = run(ids, torch.arange(16), None)

    def replay() -> None:
        if records:
            states[0].copy_(ids[:, None] + 1)

    recorded = _Recorded(ids, starts, states, replay)
    expected = nullcontext() if records else pytest.raises(RuntimeError)
    with expected:
        graphs._check(recorded)
