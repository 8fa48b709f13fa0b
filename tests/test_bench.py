"""The benches give their rows, and compare like with like."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from fakes import (
    FakeContextEncoder,
    FakeWorker,
    fake_checkpoint,
    install_fake_checkpoint,
)
from test_documents_formats import pdf

from pplx_local.bench import (
    BenchRow,
    measure_encode,
    measure_index,
    measure_interface,
    measure_read,
    measure_search,
    measure_start,
    read,
    start,
)
from pplx_local.bench.search import _by_numpy
from pplx_local.cli.progress import follow
from pplx_local.config import Settings
from pplx_local.errors import FolderError, ModelError
from pplx_local.index import Index
from pplx_local.models import CATALOGUE, STARTER
from pplx_local.window import WindowRule

TOGETHER = fake_checkpoint(
    name="together",
    roles=("dense",),
    window_rule=WindowRule("context", 8_192, separator_id=1),
)
LATE = fake_checkpoint(name="only-late", roles=("late",), dim=40, token_dim=40)


def fake_worker(checkpoint, model_dir, settings):
    return FakeWorker(checkpoint)


@pytest.fixture
def settings(tmp_path):
    home = tmp_path / "home"
    model_dir = home / "models" / STARTER.name
    model_dir.mkdir(parents=True)
    for name in STARTER.sha256:
        (model_dir / name).touch()
    return Settings(home=home, model=STARTER.name)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(6):
        words = " ".join(f"word{number}x{i}" for i in range(300))
        (folder / f"{number}.txt").write_text(words)
    return folder


@pytest.fixture
def two(settings, monkeypatch):
    """Settings with two checkpoints, one of which reads chunks together."""
    for checkpoint in (TOGETHER, LATE):
        monkeypatch.setitem(CATALOGUE, checkpoint.name, checkpoint)
        install_fake_checkpoint(settings.home, checkpoint.name)
    return replace(settings, model="together + only-late")


class Noting:
    """Makes workers, and notes which are there and what they plan."""

    def __init__(self):
        self.workers = []
        self.planned = []

    def __call__(self, checkpoint, model_dir, settings):
        noting = self

        class Worker(FakeWorker):
            encoder_type = FakeContextEncoder

            def plan(self, texts, owned=None, headings=None):
                noting.planned.append(list(texts))
                return super().plan(texts, owned, headings)

        assert all(worker.closed for worker in self.workers), "one model at a time"
        self.workers.append(Worker(checkpoint))
        return self.workers[-1]

    def documents(self):
        """The documents that each plan was made of, by their words."""
        return [set(re.findall(r"word(\d)x", " ".join(one))) for one in self.planned]


def by_what(rows: tuple[BenchRow, ...]) -> dict[str, BenchRow]:
    return {row.what: row for row in rows}


def test_index_compares_an_update_with_its_encoder(settings, folder):
    result = measure_index(settings, folder, follow=follow, worker=fake_worker)
    rows = by_what(result.rows)
    whole = next(row for row in result.rows if row.against)
    alone = rows[whole.against]
    assert rows["tokens"].value > 6 * 300
    assert whole.ratio == pytest.approx(whole.value / alone.value)
    assert not (settings.home / "index.db").exists()


def test_each_of_two_checkpoints_is_measured_beside_itself(two, folder):
    noting = Noting()
    result = measure_index(two, folder, follow=follow, worker=noting)
    rows = by_what(result.rows)
    assert [worker.checkpoint for worker in noting.workers] == [TOGETHER, LATE]
    assert all(worker.closed for worker in noting.workers)
    for name in ("together", "only-late"):
        assert rows[f"{name}: tokens"].value >= 6 * 300
        whole = next(r for r in result.rows if r.against and r.what.startswith(name))
        assert whole.ratio == pytest.approx(whole.value / rows[whole.against].value)
    assert all(len(words) == 1 for words in noting.documents())


def test_encode_reads_no_two_documents_together(two, folder):
    noting = Noting()
    rows = by_what(measure_encode(two, folder, worker=noting).rows)
    assert sorted(noting.documents()) == [{str(number)} for number in range(6)]
    assert rows["texts"].value > 6
    assert rows["tokens"].value == 6 * 300 + rows["texts"].value - 6, "separators"
    assert rows["pplx-local, dense vectors"].value > 0
    assert rows["pplx-local, dense vectors: a query, p50"].value > 0
    assert result_of_rival(rows).value is None


def test_a_checkpoint_that_is_not_here_is_named(two, folder):
    shutil.rmtree(two.home / "models" / "only-late")
    with pytest.raises(ModelError, match=r"Fake is not on this computer.*install_fake"):
        measure_index(two, folder, follow=follow, worker=Noting())


def test_encode_leaves_out_texts_that_the_other_side_would_cut(settings, folder):
    (folder / "long.txt").write_text("word " * 5000)
    rows = by_what(measure_encode(settings, folder, worker=fake_worker).rows)
    assert 0 < rows["tokens"].value <= 256 * rows["texts"].value
    rival = result_of_rival(rows)
    assert rival.value is not None or "pip install" in rival.what


def result_of_rival(rows: dict[str, BenchRow]) -> BenchRow:
    return next(row for what, row in rows.items() if "sentence-transformers" in what)


def test_search_uses_the_index_that_is_there(settings, folder):
    with Index.open(settings, write=True, worker=fake_worker) as index:
        index.add_folder(folder)
        for _ in index.update():
            pass
    result = measure_search(settings, 20_000, 2_000, worker=fake_worker)
    shortlist, one_query, equal, *words = result.rows
    words, whole, latencies = words[:4], words[4:6], words[6:]
    assert shortlist.against == one_query.what
    assert shortlist.ratio == pytest.approx(one_query.value / shortlist.value)
    assert equal.value == 20
    for ours, plain in zip(words[::2], words[1::2], strict=True):
        assert "2,000 made-up chunks" in ours.what
        assert ours.against == plain.what
        assert ours.ratio == pytest.approx(plain.value / ours.value)
    assert [row.what for row in whole] == [
        f"hybrid once encoded, p{p}, 2,000 made-up chunks" for p in (50, 95)
    ]
    assert 0 < whole[0].value <= whole[1].value
    assert {row.what.split(",")[0] for row in latencies} == {
        "hybrid", "lexical leg", "dense leg", "late leg",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "-"), (9, "9"), (20.0, "20"), (2.345, "2.35"), (1234.5, "1,234")],
)
def test_a_value_has_as_many_digits_as_help(value, words):
    assert BenchRow("a", value, "ms").words == words


def test_numpys_shortlist_is_the_definition():
    bits = np.zeros((4, 128), dtype=np.uint8)
    bits[0, 0], bits[2, :2] = 0b111, 0b1
    ids, distances = _by_numpy(bits, np.zeros(128, dtype=np.uint8))
    assert ids.tolist() == [1, 3, 2, 0]
    assert distances.tolist() == [0, 0, 2, 3]


def test_start_searches_by_a_daemon_and_without(tmp_path, folder, monkeypatch):
    monkeypatch.setenv("PPLX_LOCAL_HOME", str(tmp_path / "not this one"))
    settings = Settings(home=tmp_path / "home", model="none")
    settings.home.mkdir()
    settings.file.write_text('model = "starter"\nread_timeout_s = 30.0\n')
    rows = measure_start(settings, folder, 1, follow=follow).rows
    by_daemon, slow, in_process, same, *scale = rows
    assert by_daemon.what == "search with keywords alone, through the daemon"
    assert by_daemon.against == in_process.what
    assert by_daemon.ratio == pytest.approx(in_process.value / by_daemon.value)
    assert slow.value == by_daemon.value  # of one
    assert (same.value, same.unit) == (1, "of 1")
    assert [row.what for row in scale] == ["pplx-local --help", "python -c pass"]
    assert list(settings.home.iterdir()) == [settings.file]
    assert settings.file.read_text().startswith('model = "starter"')


def test_start_leaves_no_daemon_behind_when_it_is_broken_off(folder, monkeypatch):
    homes = []

    def run(home, *args, ok=(0,)):
        homes.append(home)
        if args[0] == "search":
            raise KeyboardInterrupt
        return original(home, *args, ok=ok)

    original = start._run
    monkeypatch.setattr(start, "_run", run)
    settings = Settings(home=folder / "home", model="none")
    with pytest.raises(KeyboardInterrupt):
        measure_start(settings, folder, 1, follow=follow)
    assert not homes[0].exists()
    until = time.monotonic() + 30
    while any(str(homes[0]) in line for line in command_lines()):
        assert time.monotonic() < until, "the daemon runs"
        time.sleep(0.05)


def command_lines() -> list[str]:
    return [
        " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
    ]


def test_start_without_text_has_nothing_to_search_for(tmp_path):
    settings = Settings(home=tmp_path / "home", model="none")
    with pytest.raises(FolderError, match="no text"):
        measure_start(settings, tmp_path, 1, follow=follow)


def test_a_folder_that_is_not_there_is_named(settings, tmp_path):
    with pytest.raises(FolderError, match="nowhere"):
        measure_encode(settings, tmp_path / "nowhere", worker=fake_worker)


def test_without_a_model_there_is_nothing_to_measure(tmp_path, folder):
    settings = Settings(home=tmp_path, model="none")
    with pytest.raises(ModelError, match="doctor"):
        measure_index(settings, folder, follow=follow, worker=fake_worker)


# --- the interface -----------------------------------------------------------


@pytest.mark.slow
def test_the_interface_is_timed_from_its_first_frame_to_the_last_hit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PPLX_LOCAL_HOME", str(tmp_path / "not this one"))
    folder = tmp_path / "tides"
    folder.mkdir()
    (folder / "tide.txt").write_text("the low tide")
    settings = Settings(home=tmp_path / "home", model="none")
    rows = measure_interface(settings, folder, 1).rows
    first, slowest, typed, bare, longest, most, held_up, *answers = rows
    assert first.against == bare.what
    assert first.ratio == pytest.approx(bare.value / first.value)
    assert slowest.value == first.value  # of one
    assert typed.value > first.value
    assert "tides" in longest.what
    assert longest.value >= most.value >= 0
    assert 0 <= held_up.value < int(held_up.unit.removeprefix("of ").replace(",", ""))
    assert [row.what.split(",")[0] for row in answers] == [
        *["a key to the hits of the keywords"] * 2,
        *["the last key to the final hits"] * 2,
    ]
    assert all(row.what.endswith("1 passages") and row.value > 0 for row in answers)
    assert not settings.home.exists()


# --- reading -----------------------------------------------------------------


def test_reading_counts_the_pages_of_files_with_text(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "_RIVAL", "a_library_that_is_not_here")
    folder = settings.home / "pdfs"
    folder.mkdir(parents=True)
    for name, data in (
        ("a.pdf", pdf("One", "", "Two")),
        ("b.pdf", pdf("Three")),
        ("scan.pdf", pdf("")),
        ("broken.pdf", b"%PDF-1.7"),
    ):
        (folder / name).write_bytes(data)
    files, pages, ours, rival = measure_read(settings, folder).rows
    assert (files.value, pages.value) == (2, 4)
    assert (ours.value or 0) > 0
    assert rival.value is None
    assert "pip install" in rival.what


def test_reading_asks_for_a_folder_with_pdfs(settings: Settings) -> None:
    for folder in (None, settings.home / "none", settings.home):
        with pytest.raises(FolderError):
            measure_read(settings, folder)
