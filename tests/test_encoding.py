from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from fakes import (
    FAKE_DIM,
    FakeWorker,
    fake_checkpoint,
    fake_spaces,
    install_fake_checkpoint,
)

from pplx_local import models, reference
from pplx_local.encoding import EncoderWorker
from pplx_local.errors import BackendUnavailable, EncoderCrashed, ModelError
from pplx_local.records import Span, WindowPlan

TEXTS = [
    "The tenant gives notice three months before the end of a quarter.",
    "",
    "Rivers cut narrow valleys. " * 150,
    "Glaciers carve valleys into a U shape.",
]

# --- the fake ----------------------------------------------------------------


def test_the_fake_puts_texts_with_common_words_near_each_other() -> None:
    with FakeWorker() as worker:
        texts = ["The cat sat on the mat.", "A cat sat on a mat!", "Quarterly revenue"]
        encoded = worker.encode(worker.plan(texts).result()).result()
        query = worker.query("cat mat")
        scores = worker.maxsim(query.tokens, encoded.tokens).result()
    assert encoded.dense.codes.shape == (3, FAKE_DIM)
    assert query.words == ("cat", "mat")
    assert query.real.all()
    assert min(scores.values[:2]) > scores.values[2]
    dots = encoded.dense.codes.astype(int) @ query.dense.codes[0]
    assert min(dots[:2]) > dots[2]


def test_the_fake_makes_the_vectors_of_any_checkpoint() -> None:
    for checkpoint in (fake_checkpoint(), models.STARTER):
        spaces = fake_spaces(checkpoint)
        with FakeWorker(checkpoint) as worker:
            encoded = worker.encode(worker.plan(TEXTS).result()).result()
        assert encoded.dense.codes.shape == (3, spaces["dense"].dim)
        assert spaces["dense"].n_bits == encoded.dense.bits.shape[1] * 8
        assert spaces["late"].n_bits == encoded.tokens.codes.shape[1] * 8


def test_the_fake_counts_its_work() -> None:
    with FakeWorker(fake_checkpoint()) as worker:
        plans = worker.plan(["one two three", "four"]).result()
        assert worker.encoded_tokens == 0
        worker.encode(plans).result()
    assert (worker.encoded_tokens, worker.encoded_windows) == (4, 2)
    with pytest.raises(EncoderCrashed):
        worker.plan(["closed"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        (" ?! ", ()),
        ("naïve façade", ("naïve", "façade")),
        ("東京 の", ("東京", "の")),
    ],
)
def test_query_rows_know_their_words(text: str, words: tuple[str, ...]) -> None:
    with FakeWorker() as worker:
        query = worker.query(text)
    assert query.words == words
    assert len(query.real) == len(words)
    assert (query.dense is None) == (not words)


def test_word_pieces_stand_for_their_whole_word() -> None:
    from pplx_local.encoding.words import whole_word

    text = "unbelievably 東京都 x"
    assert text[slice(*whole_word(text, Span(2, 5)))] == "unbelievably"
    assert text[slice(*whole_word(text, Span(14, 15)))] == "京"
    assert text[slice(*whole_word(text, Span(17, 18)))] == "x"
    assert text[slice(*whole_word(text, Span(1, 5)))] == "unbelievably"
    assert whole_word("a  b", Span(1, 3)) == Span(3, 3)
    assert whole_word(text, Span(0, 0)) == Span(0, 0)


# --- the real process --------------------------------------------------------


def _starter_dir() -> Path:
    pytest.importorskip("torch")
    folder = models.find(models.STARTER)
    if folder is None:
        pytest.skip("the starter is not installed")
    return folder


@pytest.fixture(scope="module")
def worker() -> Iterator[EncoderWorker]:
    with EncoderWorker(models.STARTER, _starter_dir(), device="cpu") as worker:
        yield worker


def test_vectors_come_in_the_order_of_the_texts(worker: EncoderWorker) -> None:
    plans = worker.plan(TEXTS).result()
    assert [plan.chunk_indices for plan in plans] == [(0,), (2,), (3,)]
    assert len(plans[1].windows) == 2
    assert plans[1].windows[1].continues
    encoded = worker.encode(plans).result()
    assert encoded.dense.codes.shape == (3, 384)
    assert encoded.dense.bits.shape == (3, 144)
    assert encoded.tokens.codes.shape[1] == 48
    query = worker.query("Which valleys do glaciers make?")
    scores = worker.maxsim(query.tokens, encoded.tokens).result()
    assert scores.values.argmax() == 2
    assert np.allclose(
        scores.values, reference.maxsim(query.tokens, encoded.tokens).values, atol=1e-3
    )
    assert query.words[:3] == ("Which", "valleys", "do")
    assert worker.token_spans(["Two words"]).result() == [[Span(0, 3), Span(4, 9)]]


def test_calls_are_sent_ahead_and_answered_in_order(worker: EncoderWorker) -> None:
    plans = worker.plan([f"Passage number {n}." for n in range(40)]).result()
    futures = [worker.encode([plan]) for plan in plans]
    together = worker.encode(plans)
    alone = np.concatenate([future.result().dense.codes for future in futures])
    assert np.array_equal(alone, together.result().dense.codes)


def test_queries_are_answered_while_documents_are_encoded(
    worker: EncoderWorker,
) -> None:
    some = worker.plan(TEXTS).result()
    before = worker.encode(some).result()
    alone = worker.query("Which valleys do glaciers make?")
    long = worker.plan(["Rivers cut narrow valleys. " * 40] * 185).result()
    under_way, behind = worker.encode(long), worker.encode(some)  # 200,000 characters
    for _ in range(3):
        query = worker.query("Which valleys do glaciers make?")
        scores = worker.maxsim(query.tokens, before.tokens).result()
        assert scores.values.argmax() == 2
        assert np.array_equal(query.tokens.codes, alone.tokens.codes)
        time.sleep(0.2)  # the encoding goes on, and the next one comes in its midst
    assert not under_way.done()
    assert np.array_equal(behind.result().dense.codes, before.dense.codes)
    assert len(np.unique(under_way.result().dense.codes, axis=0)) == 1


def test_the_info_says_what_it_runs_on(worker: EncoderWorker) -> None:
    info = worker.info()
    assert (info.backend, info.device, info.dim) == ("torch", "cpu", 384)
    assert info.dtype in ("bfloat16", "float32")
    assert psutil.pid_exists(info.pid)
    assert 0 < info.load_s < 120


def test_a_killed_child_is_started_again_and_given_its_work(
    worker: EncoderWorker,
) -> None:
    plans = worker.plan(TEXTS).result()
    expected = worker.encode(plans).result()
    first = worker.info().pid
    futures = [worker.encode(plans) for _ in range(3)]
    os.kill(first, signal.SIGKILL)
    late = worker.encode(plans)
    for future in (*futures, late):
        assert np.array_equal(future.result().dense.codes, expected.dense.codes)
    assert worker.info().pid != first
    assert not psutil.pid_exists(first)


def test_a_child_killed_while_idle_is_started_again(worker: EncoderWorker) -> None:
    pid = worker.info().pid
    os.kill(pid, signal.SIGKILL)
    assert worker.query("still here").words == ("still", "here")
    assert worker.info().pid != pid


def test_ctrl_c_and_hangup_leave_the_child_alone(worker: EncoderWorker) -> None:
    pid = worker.info().pid
    os.kill(pid, signal.SIGINT)
    worker.query("still here")
    assert worker.info().pid == pid
    assert os.getpgid(pid) != os.getpgid(0)


@pytest.mark.timeout(200)
def test_work_that_always_kills_fails_alone(worker: EncoderWorker) -> None:
    """A token id beyond the vocabulary is a defect that ends the child."""
    (good,) = worker.plan(["good"]).result()
    windows = good.windows
    bad_window = replace(
        windows[0], token_ids=np.full_like(windows[0].token_ids, 10**9)
    )
    bad = WindowPlan((bad_window,), (0,), b"bad")
    before, broken, after = (worker.encode([plan]) for plan in (good, bad, good))
    with pytest.raises(EncoderCrashed, match="3 times on the same text"):
        broken.result()
    assert np.array_equal(before.result().dense.codes, after.result().dense.codes)


# --- starting and ending -----------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"backend": "nonsense"}, BackendUnavailable, "nonsense"),
        ({"device": "cuda:77"}, BackendUnavailable, "cuda:77"),
        ({"dtype": "float16"}, BackendUnavailable, "float16"),
        ({}, ModelError, "config.json"),
    ],
)
def test_what_cannot_start_says_why(
    tmp_path: Path, options: dict[str, str], error: type[Exception], message: str
) -> None:
    """The files of the fake are there and verified; they hold no model."""
    pytest.importorskip("torch")
    folder = install_fake_checkpoint(tmp_path)
    with EncoderWorker(fake_checkpoint(), folder, **options) as worker:
        ahead = worker.plan(["sent before it was known"])
        with pytest.raises(error, match=message):
            worker.info()
        with pytest.raises(error, match=message):
            ahead.result()
        with pytest.raises(error, match=message):
            worker.query("sent after")


def test_closing_fails_what_waits_and_ends_the_child() -> None:
    worker = EncoderWorker(fake_checkpoint(), Path("nowhere"))
    worker.start()
    assert worker._child is not None
    pid = worker._child._process.pid
    waiting = worker.plan(["never answered"])
    worker.close()
    worker.close()
    with pytest.raises(EncoderCrashed, match="closed"):
        waiting.result()
    with pytest.raises(EncoderCrashed, match="closed"):
        worker.plan(["too late"])
    assert not psutil.pid_exists(pid)


def test_a_child_that_dies_while_loading_is_tried_three_times(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("import os, signal; os.kill(os.getpid(), 9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = install_fake_checkpoint(tmp_path)
    with EncoderWorker(fake_checkpoint(), folder, backend="torch") as worker:
        ahead: Future[list[WindowPlan]] = worker.plan(["text"])
        with pytest.raises(EncoderCrashed, match=r"3 times while it loaded.*signal 9"):
            worker.info()
        with pytest.raises(EncoderCrashed):
            ahead.result()


def test_no_orphan_stays_when_the_parent_is_killed(tmp_path: Path) -> None:
    """Even while it works: another thread of the child notices."""
    _starter_dir()
    program = tmp_path / "parent.py"
    program.write_text(
        "from pplx_local import models\n"
        "from pplx_local.encoding import EncoderWorker\n"
        "worker = EncoderWorker(models.STARTER, models.find(models.STARTER))\n"
        "print(worker.info().pid, flush=True)\n"
        "plans = worker.plan(['many words ' * 200] * 400).result()\n"
        "futures = [worker.encode(plans) for _ in range(9)]\n"
        "print('busy', flush=True)\n"
        "futures[-1].result()\n"
    )
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        child = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline() == b"busy\n"
    assert child.is_running()
    parent.kill()
    parent.wait()
    child.wait(timeout=10)


def test_a_start_does_not_wait_and_a_script_needs_no_main_guard(
    tmp_path: Path,
) -> None:
    """The child shows nothing, and a user's own script is not run a second time."""
    _starter_dir()
    program = (
        "import time; began = time.monotonic()\n"
        "from pplx_local import models\n"
        "from pplx_local.encoding import EncoderWorker\n"
        "worker = EncoderWorker(models.STARTER, models.find(models.STARTER))\n"
        "worker.start(); future = worker.plan(['x ' * 10**6])\n"
        "started = time.monotonic()\n"
        "future.result(); done = time.monotonic()\n"
        "assert started - began < done - started + 1\n"
        "print('once')\n"
        "worker.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=program.encode(), capture_output=True, check=True
    )
    assert done.stdout == b"once\n"
    assert done.stderr == b""


def test_the_client_needs_neither_framework_nor_tokenizer() -> None:
    program = (
        "import sys, pplx_local.encoding\n"
        "heavy = {'torch', 'transformers', 'tokenizers', 'mlx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
