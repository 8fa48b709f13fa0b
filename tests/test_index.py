"""The library as a user of it sees it: folders in, answers out, nothing lost."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import Future
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from desk import Desk
from fakes import (
    FakeWorker,
    Poisoned,
    fake_checkpoint,
    install_fake_checkpoint,
)

from pplx_local.config import Settings
from pplx_local.encoding import EncodedQuery
from pplx_local.errors import (
    FolderError,
    PplxLocalError,
    StoreBusy,
    StoreError,
)
from pplx_local.index import Index, Update, encode, portions
from pplx_local.models import Profile
from pplx_local.records import UpdateReport
from pplx_local.search import ask


def test_a_folder_goes_in_and_a_passage_comes_back(desk: Desk) -> None:
    report = desk.update()
    assert (report.added, report.failed) == (3, 0)
    answer = desk.search("lighthouse ships")
    first = answer.hits[0]
    assert first.path.endswith(b"harbour.md")
    assert "lighthouse keeper" in first.text
    assert (first.place[0].kind, first.place[0].label) == ("heading", "Harbour")
    assert {leg: report.ran for leg, report in answer.legs.items()} == {
        "lexical": True,
        "dense": True,
        "late": True,
    }
    assert all(report.coverage == 1 for report in answer.legs.values())


def test_every_mode_finds_the_passage(desk: Desk) -> None:
    desk.update()
    for mode in ("hybrid", "lexical", "dense", "late"):
        assert desk.paths("timing belt", mode=mode)[0] == "engine.txt", mode


def test_a_second_update_does_no_work(desk: Desk) -> None:
    desk.update()
    desk.worker = None
    assert desk.update() == UpdateReport(unchanged=3)
    assert desk.worker is None, "a model was loaded for nothing"


def test_touching_a_file_costs_no_embedding(desk: Desk) -> None:
    desk.update()
    os.utime(desk.folder / "garden.txt", (1, 1))
    report = desk.update()
    assert (report.changed, report.encoded_tokens) == (1, 0)


def test_a_renamed_file_costs_no_embedding(desk: Desk) -> None:
    desk.update()
    (desk.folder / "garden.txt").rename(desk.folder / "vegetables.txt")
    report = desk.update()
    assert (report.renamed, report.added, report.removed) == (1, 0, 0)
    assert report.encoded_tokens == 0
    assert desk.paths("tomatoes")[0] == "vegetables.txt"


def test_a_moved_folder_costs_no_embedding(desk: Desk) -> None:
    desk.update()
    (desk.folder / "sub").rename(desk.folder / "car")
    report = desk.update()
    assert (report.renamed, report.encoded_tokens) == (1, 0)
    assert desk.search("timing belt").hits[0].path.endswith(b"car/engine.txt")


def test_a_copy_costs_no_embedding_and_is_one_answer(desk: Desk) -> None:
    desk.update()
    shutil.copy(desk.folder / "garden.txt", desk.folder / "a copy.txt")
    report = desk.update()
    assert (report.added, report.encoded_tokens) == (1, 0)
    assert desk.paths("tomatoes", folded=True).count("a copy.txt") == 1
    assert "garden.txt" not in desk.paths("tomatoes", folded=True)


def test_an_edit_costs_its_changed_windows_only(desk: Desk) -> None:
    sections = [f"# Section {n}\n\n" + f"word{n} " * 150 + "\n\n" for n in range(8)]
    path = desk.write("long.md", "".join(sections))
    whole = desk.update().encoded_tokens
    sections[4] = "# Section 4\n\n" + "fresh words here " * 50 + "\n\n"
    path.write_text("".join(sections))
    report = desk.update()
    assert 0 < report.encoded_tokens < whole / 4
    assert report.reused_windows >= 6
    assert "fresh words" in desk.search("fresh words").hits[0].text
    assert not any("word4 " in hit.text for hit in desk.search("word4").hits)


def test_a_deleted_file_disappears_before_any_update(desk: Desk) -> None:
    desk.update()
    (desk.folder / "garden.txt").unlink()
    assert "garden.txt" not in desk.paths("tomatoes")


def test_a_deleted_file_is_forgotten_by_an_update(desk: Desk) -> None:
    desk.update()
    (desk.folder / "garden.txt").unlink()
    assert desk.update().removed == 1
    assert desk.paths("tomatoes", mode="lexical") == []


def test_a_file_that_comes_back_costs_no_embedding(desk: Desk) -> None:
    desk.update()
    text = (desk.folder / "garden.txt").read_text()
    (desk.folder / "garden.txt").unlink()
    desk.update()
    desk.write("garden.txt", text)
    assert desk.update().encoded_tokens == 0
    assert desk.paths("tomatoes")[0] == "garden.txt"


def test_what_no_file_needed_for_a_day_is_gone(desk: Desk) -> None:
    desk.update()
    (desk.folder / "garden.txt").unlink()
    with desk.open(write=True) as index:
        index.store.forget_files([os.fsencode(desk.folder / "garden.txt")])
        index.store.settle_documents(time.time_ns() - 25 * 3600 * 10**9)
        assert index.status().hidden_documents == 1
    (desk.folder / "harbour.md").unlink()
    desk.update()
    with desk.open() as index:
        assert index.status().hidden_documents == 1, "harbour.md waits for its day"


class Stuck(FakeWorker):
    """Never answers a query."""

    def encode_query(self, text: str) -> Future[EncodedQuery]:
        return Future()


def test_an_encoder_that_is_stuck_leaves_the_answer_to_the_keywords(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "_PATIENCE_S", 0.1)
    desk.update()
    fake = fake_checkpoint()
    profile = Profile(fake, fake)
    with Index.open(desk.settings, worker=Stuck, profile=profile) as index:
        answer = index.search("timing belt")
        assert answer.hits[0].path.endswith(b"/engine.txt")
        assert "has not answered" in (answer.legs["dense"].reason or "")
        with pytest.raises(PplxLocalError, match="has not answered"):
            index.search("timing belt", mode="dense")


def poisoned_update(desk: Desk, worker: Poisoned | None = None) -> Update:
    fake = fake_checkpoint()
    with Index.open(
        desk.settings,
        write=True,
        worker=lambda *args: worker or Poisoned(fake),
        profile=Profile(fake, fake),
    ) as index:
        index.add_folder(desk.folder)
        update = index.update()
        list(update)
    return update


def test_a_text_that_crashes_the_encoder_costs_only_its_own_vectors(
    desk: Desk,
) -> None:
    desk.write("poison.txt", "A spoonful of arsenic.\n")
    update = poisoned_update(desk)
    assert "poison.txt" in (update.encoder_error or "")
    with desk.open() as index:
        assert index.status().coverage["dense"] == pytest.approx(3 / 4)
    assert desk.paths("timing belt", mode="dense")[0] == "engine.txt"
    assert desk.paths("arsenic", mode="lexical") == ["poison.txt"]
    desk.update()
    assert desk.paths("arsenic", mode="dense")[0] == "poison.txt", "tried again"


@pytest.mark.parametrize("batch_chars", [1_000, 200_000])
def test_a_document_that_crashes_the_encoder_in_every_portion_counts_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, batch_chars: int
) -> None:
    monkeypatch.setattr(portions, "PORTION_CHARS", 1_000)
    monkeypatch.setattr(encode, "BATCH_CHARS", batch_chars)
    monkeypatch.setattr(encode, "MOST_CHARS", batch_chars)
    desk.write("poison.txt", "A spoonful of arsenic. " * 900)
    worker = Poisoned()
    update = poisoned_update(desk, worker)
    assert (update.encoder_error or "").count("poison.txt") == 1
    assert 0 < worker.crashes < 12, "of some 20 portions"
    with desk.open() as index:
        assert index.status().coverage["dense"] == pytest.approx(3 / 4)


def test_an_encoder_that_crashes_on_everything_is_given_up(desk: Desk) -> None:
    for number in range(6):
        desk.write(f"{number}.txt", f"Dose {number} of arsenic.\n")
    update = poisoned_update(desk)
    assert "3 times" in (update.encoder_error or "")


def test_a_volume_that_is_away_deletes_nothing(desk: Desk) -> None:
    desk.update()
    desk.folder.rename(desk.folder.with_name("unplugged"))
    report = desk.update_only()
    assert (report.unreachable, report.removed) == (3, 0)
    assert set(desk.states().values()) == {"unreachable"}
    assert desk.paths("tomatoes")[0] == "garden.txt"
    with desk.open() as index:
        assert index.why(desk.folder) == (
            "a folder that cannot be reached; what 3 files said is kept"
        )
    desk.folder.with_name("unplugged").rename(desk.folder)
    assert desk.update().encoded_tokens == 0
    assert set(desk.states().values()) == {"indexed"}


def test_without_a_model_keywords_answer(desk: Desk) -> None:
    report = desk.update(model=False)
    assert report.encoded_tokens == 0
    with desk.open(model=False) as index:
        answer = index.search("timing belt")
        assert [hit.path.rsplit(b"/", 1)[-1] for hit in answer.hits] == [b"engine.txt"]
        assert not answer.legs["dense"].ran
        assert "pip install" in (answer.legs["dense"].reason or "")


def test_vectors_are_made_up_for_when_a_model_arrives(desk: Desk) -> None:
    desk.update(model=False)
    report = desk.update()
    assert report.unchanged == 3
    assert report.encoded_tokens > 0
    assert desk.paths("timing belt", mode="dense")[0] == "engine.txt"


def test_stopping_an_update_anywhere_loses_nothing(desk: Desk) -> None:
    for number in range(12):
        desk.write(f"note {number}.txt", f"subject{number} is what this is about\n")
    expected = 15
    for stop_after in range(1, 30, 4):
        with desk.open(write=True) as index:
            index.add_folder(desk.folder)
            for step, _ in enumerate(index.update()):
                if step == stop_after:
                    break
    desk.update()
    assert list(desk.states().values()) == ["indexed"] * expected
    assert desk.paths("subject7")[0] == "note 7.txt"


def test_an_update_of_one_path_looks_nowhere_else(desk: Desk) -> None:
    desk.update()
    desk.write("sub/new.txt", "A spare wheel lies in the boot.\n")
    desk.write("other.txt", "Not looked at yet.\n")
    with desk.open(write=True) as index:
        update = index.update([desk.folder / "sub"])
        list(update)
    assert (update.report.added, update.report.unchanged) == (1, 1)


def test_an_update_of_a_deleted_path_forgets_it(desk: Desk) -> None:
    desk.update()
    shutil.rmtree(desk.folder / "sub")
    with desk.open(write=True) as index:
        update = index.update([desk.folder / "sub" / "engine.txt"])
        list(update)
    assert update.report.removed == 1


def test_a_single_file_can_be_registered(desk: Desk) -> None:
    with desk.open(write=True) as index:
        index.add_folder(desk.folder / "garden.txt")
        list(index.update())
    assert desk.paths("tomatoes") == ["garden.txt"]
    assert len(desk.states()) == 1


def test_a_folder_inside_a_registered_one_is_covered(desk: Desk) -> None:
    with desk.open(write=True) as index:
        outer = index.add_folder(desk.folder)
        assert index.add_folder(desk.folder / "sub") == outer


def test_adding_the_parent_takes_the_children_over(desk: Desk) -> None:
    with desk.open(write=True) as index:
        index.add_folder(desk.folder / "sub")
        list(index.update())
    report = desk.update()
    assert (report.added, report.unchanged) == (2, 1)
    with desk.open() as index:
        assert [f.path for f in index.status().folders] == [os.fsencode(desk.folder)]


def test_the_home_is_never_indexed(desk: Desk) -> None:
    desk.settings = Settings(home=desk.folder / "state")
    install_fake_checkpoint(desk.settings.home)
    desk.update()
    desk.update()
    assert not any("/state/" in path for path in desk.states())
    with desk.open(write=True) as index, pytest.raises(FolderError, match="its own"):
        index.add_folder(desk.settings.home)


def test_the_home_is_never_indexed_where_a_link_leads_to_it(desk: Desk) -> None:
    there = desk.folder / "state"
    there.mkdir()
    link = desk.folder.parent / "link"
    link.symlink_to(there)
    desk.settings = Settings(home=link)
    install_fake_checkpoint(link)
    (there / "logs").mkdir()
    (there / "logs" / "daemon.log").write_text("started as process 7\n")
    desk.update()
    assert not any("/state/" in path for path in desk.states())
    with desk.open() as index:
        why = index.why(there / "logs" / "daemon.log")
        assert why.startswith("skipped: what pplx-local keeps for itself")


def test_a_missing_path_is_refused_by_name(desk: Desk) -> None:
    with desk.open(write=True) as index:
        with pytest.raises(FolderError, match="no such place"):
            index.add_folder(desk.folder / "no such place")
        with pytest.raises(FolderError, match="not in a registered folder"):
            index.update([desk.folder])


def test_removing_a_folder_silences_it(desk: Desk) -> None:
    desk.update()
    with desk.open(write=True) as index:
        assert index.remove_folder(desk.folder) == 3
    assert desk.paths("tomatoes") == []


def test_purge_erases_the_words_from_the_disk(desk: Desk) -> None:
    desk.write("secret.txt", "The xylophonist hides the zeppelin blueprints.\n")
    desk.update()
    with desk.open(write=True) as index:
        index.remove_folder(desk.folder)
        n_documents, _ = index.purge()
    assert n_documents == 4
    for path in desk.settings.home.glob("index.db*"):
        assert b"zeppelin" not in path.read_bytes().lower(), path


def test_two_writers_are_refused_and_the_holder_is_named(desk: Desk) -> None:
    with desk.open(write=True), pytest.raises(StoreBusy, match=str(os.getpid())):
        desk.open(write=True)


def test_reading_without_an_index_says_what_to_do(desk: Desk) -> None:
    with pytest.raises(StoreError, match="pplx-local add"):
        desk.open()


def test_status_adds_up(desk: Desk) -> None:
    desk.update()
    with desk.open() as index:
        status = index.status()
    assert status.states == {"indexed": 3}
    assert (status.documents, status.hidden_documents, status.chunks) == (3, 0, 3)
    assert status.coverage == {"lexical": 1, "dense": 1, "late": 1}
    assert status.fresh_as_of_ns is not None
    assert status.bytes_by_part["database"] > 0


def test_why_answers_for_any_path(desk: Desk) -> None:
    desk.write("empty.txt", "")
    desk.write("node_modules/x.js", "var x;")
    desk.update()
    desk.write("new.txt", "later")
    with desk.open() as index:
        assert index.why(desk.folder / "garden.txt") == "indexed"
        assert index.why(desk.folder / "empty.txt") == "empty"
        assert index.why(desk.folder) == (
            "a folder: of 4 files seen in it 3 are indexed"
        )
        assert "node_modules" in index.why(desk.folder / "node_modules" / "x.js")
        assert "update" in index.why(desk.folder / "new.txt")
        assert "no such file" in index.why(desk.folder / "never.txt")
        assert "not in a registered folder" in index.why(Path("/elsewhere"))


def test_why_follows_the_links_that_lead_to_a_folder(desk: Desk) -> None:
    """But takes a link in it for what it is."""
    (desk.folder / "inner.txt").symlink_to(desk.folder / "garden.txt")
    desk.update()
    outside = desk.folder.parent / "outside"
    outside.mkdir()
    (outside / "documents").symlink_to(desk.folder)
    (outside / "one").symlink_to(desk.folder / "garden.txt")
    (outside / "none").symlink_to(outside / "none")
    with desk.open() as index:
        assert index.why(outside / "documents" / "garden.txt") == "indexed"
        assert index.why(outside / "one") == "indexed"
        inner = index.why(outside / "documents" / "inner.txt")
        assert inner == "skipped: symbolic link"
        assert "not in a registered folder" in index.why(outside / "none")


def test_why_says_what_of_an_indexed_file_is_not_found(desk: Desk) -> None:
    sample = Path(__file__).parents[1] / "assets/sample/work/tidal-turbines.pdf"
    paper = pdfium.PdfDocument(sample)
    paper.new_page(612, 792)
    paper.save(desk.folder / "paper.pdf")
    desk.update()
    last = len(paper)
    with desk.open() as index:
        assert index.why(desk.folder / "paper.pdf") == (
            f"indexed; pages without text: 1 of {last}: {last}"
        )


def test_explanations_pair_words(desk: Desk) -> None:
    desk.update()
    hit = desk.search("tomatoes water", explain=True).hits[0]
    pairs = {m.query_word: hit.text[m.text_start : m.text_end] for m in hit.matches}
    assert pairs["tomatoes"].lower() == "tomatoes"
    assert pairs["water"] == "water"
