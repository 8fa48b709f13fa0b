"""Filters, phrases and exclusions in whole searches, in process and by the daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon
from desk import Desk

from pplx_local.cli.asking import shortcomings
from pplx_local.documents import kinds
from pplx_local.records import Answer, Mode
from pplx_local.store.lexical import lexicon

N_OTHERS = 400
MODES: tuple[Mode, ...] = ("hybrid", "lexical", "dense", "late")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Few files of one kind among many that answer better."""
    desk = Desk(tmp_path_factory.mktemp("library"))
    for number in range(N_OTHERS):
        desk.write(f"others/{number}.txt", f"The timing belt, note number {number}.")
    desk.write(
        "belts/rare.md", "---\ndate: 2019-05-17\n---\n\nA belt, once in a while."
    )
    desk.write("belts/Rosenstraße/lang.txt", "Der Zahnriemen treibt die Nockenwelle.")
    desk.write(
        "belts/page.html", "<title>On noise</title><p>Timing is all, said a belt"
    )
    desk.update()
    return desk


def names(answer: Answer) -> list[str]:
    return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in answer.hits]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("path:belts", {"rare.md", "page.html", "lang.txt"}),
        ("type:md,html", {"rare.md", "page.html"}),
        ("before:2020", {"rare.md"}),
        ("title:noise", {"page.html"}),
        ("-path:others -type:html", {"rare.md", "lang.txt"}),
        ('"once in a while"', {"rare.md"}),
        ("-note", {"rare.md", "page.html", "lang.txt"}),
        ("path:rosenstrasse", {"lang.txt"}),
    ],
)
def test_a_leg_searches_among_what_filters_leave(
    library: Desk, mode: Mode, filters: str, expected: set[str]
) -> None:
    """Ranked by anything, the other 400 files would fill all places."""
    answer = library.search(f"timing belt {filters}", k=10, mode=mode)
    found = set(names(answer))
    assert found <= expected
    if mode == "lexical":
        found |= {"lang.txt"} & expected  # it holds neither word
    assert found == expected
    assert answer.hints == ()
    assert answer.legs["lexical"].ran


def test_what_legs_say_does_not_hang_on_what_filters_leave(library: Desk) -> None:
    """The sum of them does: the best of what is left tell what words are worth."""
    everything = library.search("timing belt once in a while", k=N_OTHERS + 10)
    few = library.search("timing belt once in a while path:belts", k=10)
    same = {hit.path: hit for hit in everything.hits}
    assert few.hits
    for hit in few.hits:
        assert hit.scores == pytest.approx(same[hit.path].scores, abs=1e-3)
        assert hit.confidence == pytest.approx(
            same[hit.path].confidence, abs=1e-3, nan_ok=True
        )


def test_what_few_files_hold_is_found_by_its_frequent_words_too(
    library: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere they score nothing by themselves, as in a large index."""
    monkeypatch.setattr(lexicon, "SCANNED_CHUNKS", 100)
    monkeypatch.setattr(lexicon, "FEW_CHUNKS", 5)
    anywhere = library.search("once timing belt", k=10, mode="lexical")
    assert names(anywhere) == ["rare.md"]
    filtered = library.search("once timing belt path:belts", k=10, mode="lexical")
    assert set(names(filtered)) == {"rare.md", "page.html"}


@pytest.mark.parametrize("mode", ["dense", "late"])
def test_a_broad_filter_leaves_the_order_of_a_leg_as_it_is(
    library: Desk, mode: Mode
) -> None:
    everything = library.search("timing belt note 17", k=20, mode=mode)
    most = library.search("timing belt note 17 path:others", k=20, mode=mode)
    kept = [name for name in names(everything) if name.endswith(".txt")]
    assert names(most)[: len(kept)] == kept


def test_a_broad_filter_leaves_the_best_what_it_is(library: Desk) -> None:
    """Of what follows, the fusion judges by what is left."""
    everything = library.search("timing belt note 17", k=20)
    most = library.search("timing belt note 17 path:others", k=20)
    assert names(most)[0] == names(everything)[0] == "17.txt"


def test_the_models_see_no_filters(library: Desk) -> None:
    with library.open() as index:
        plain = index.search("timing belt").hits
        same = index.search("timing path:o -nowhere belt type:text,md,html").hits
    assert [hit.scores for hit in same] == [hit.scores for hit in plain]


def test_filters_alone_list_what_they_leave_the_newest_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for age, name in enumerate(["new", "newer-by-name", "old"]):
        path = desk.write(f"{name}.md", f"# {name}\n\nSome words.\n")
        os.utime(path, (1_700_000_000 - age * 90_000,) * 2)
    desk.write("said.md", "---\ndate: 2031-01-01\n---\nFrom the future.\n")
    desk.write("other.txt", "A text.\n")
    desk.update()
    answer = desk.search("type:md")
    assert names(answer) == ["said.md", "new.md", "newer-by-name.md", "old.md"]
    assert not answer.nothing_close
    assert not any(report.ran for report in answer.legs.values())
    assert names(desk.search("type:md -future", k=2)) == ["new.md", "newer-by-name.md"]
    assert names(desk.search("path:/")) == names(desk.search("-nowhere"))
    (desk.folder / "said.md").unlink()
    assert names(desk.search("type:md", k=1)) == ["new.md"], "what is gone is no hit"


def test_filters_that_leave_nothing_say_so(library: Desk) -> None:
    for query in ("belt type:pdf", "type:pdf", '"belt timing"', "lang:fr -belt"):
        answer = library.search(query)
        assert answer.hits == ()
        assert answer.nothing_close
        assert answer.hints == ("The filters leave nothing to search.",)


def test_a_list_by_filters_alone_has_no_parts_of_a_score(library: Desk) -> None:
    assert [hit.parts for hit in library.search("type:html").hits] == [{}]


@pytest.mark.parametrize("query", ["-", "?!", '"..."', "", "_ 🦀"])
def test_without_a_letter_or_digit_nothing_is_found(library: Desk, query: str) -> None:
    answer = library.search(query)
    assert answer.hits == ()
    assert answer.nothing_close
    assert answer.hints == ("There is no word in it to search for.",)
    assert not shortcomings(answer)


def test_signs_beside_filters_leave_a_list(library: Desk) -> None:
    answer = library.search("?! type:html")
    assert names(answer) == ["page.html"]
    assert answer.hints == ()


def test_a_long_question_is_read_in_part_and_says_so(library: Desk) -> None:
    words = [f"word{n}" for n in range(2_000)]
    answer = library.search(" ".join(["belt", *words]))
    assert answer.hits
    [hint] = answer.hints
    assert hint.startswith("The question is long: only its first 256 tokens")
    [hint] = library.search(" ".join(words[:256])).hints
    assert hint == "The question is long: only its first 64 words are keywords."
    assert library.search(" ".join(words[:65])).hints == (hint,)
    assert library.search(" ".join(words[:64])).hints == ()
    assert library.search(" ".join([*words[:64], *words[:3]])).hints == ()


def test_hints_come_with_the_answer(library: Desk) -> None:
    answer = library.search("belt tpye:pdf")
    assert answer.hits
    assert "Did you mean type:?" in answer.hints[0]


def test_a_folder_is_meant_by_the_links_that_lead_to_it_too(tmp_path: Path) -> None:
    """Of "~/Documents" on another disk, which is registered by where it lies."""
    desk = Desk(tmp_path)
    desk.write("letters/a.md", "A note on belts.\n")
    desk.write("b.md", "A note on belts.\n")
    desk.update()
    (tmp_path / "link").symlink_to(desk.folder)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert names(desk.search(f"belts path:{tmp_path}/link/letters")) == ["a.md"]
    assert names(desk.search(f"belts -path:{tmp_path}/link/letters/")) == ["b.md"]
    assert names(desk.search(f"path:{tmp_path}/link/b.md")) == ["b.md"]
    assert names(desk.search(f"path:{tmp_path}/link/l*/?.md")) == ["a.md"]
    for nothing in (f"{tmp_path}/circle/", f"{tmp_path}/link/none", "/a\0b"):
        assert not desk.search(f'belts path:"{nothing}"').hits


def test_a_hit_is_the_copy_that_was_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for name in ("qa/twin.md", "qb/twin.md", "qc/note.md"):
        desk.write(name, "One and the same text.\n")
    desk.update()
    for query, expected in [
        ("same text", "qa/twin.md"),
        ("same text path:qb", "qb/twin.md"),
        ("-path:twin", "qc/note.md"),
        ("title:note", "qc/note.md"),
    ]:
        (hit,) = desk.search(query, folded=True).hits
        assert os.fsdecode(hit.path).endswith(expected), query
    (hit,) = desk.search("same text -path:qb", folded=True).hits
    assert [copy.path[-10:] for copy in hit.same] == [b"qc/note.md"]


def test_documents_read_by_an_older_program_answer_and_are_refreshed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    desk.write("a.md", "---\ndate: 2019-05-17\n---\n\nThe words of long ago.\n")
    older = {**kinds.PARSER_VERSIONS, "markdown": 1}
    with monkeypatch.context() as patch:
        patch.setattr(kinds, "PARSER_VERSIONS", older)
        assert desk.update().added == 1
    with desk.open(write=True) as index:  # as that program left it
        index.store._database.execute("UPDATE documents SET day = NULL")
    assert names(desk.search("words type:md")) == ["a.md"]
    assert names(desk.search("words before:2020")) == []
    assert names(desk.search("words after:2020")) == ["a.md"], "by the file's own time"
    report = desk.update()
    assert (report.unchanged, report.refreshed) == (1, 1)
    assert report.encoded_tokens == 0, "its vectors are the same"
    assert names(desk.search("words before:2020")) == ["a.md"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("daemon")) as daemon:
        for number in range(30):
            daemon.write(f"{number}.txt", f"The timing belt, note number {number}.")
        daemon.write("belts/rare.md", "---\ndate: 2019-05-17\n---\nA belt, at times.")
        daemon.add()
        yield daemon


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("timing belt path:belts", ["rare.md"]),
        ('"note number 7"', ["7.txt"]),
        ("before:2020", ["rare.md"]),
        ("type:md", ["rare.md"]),
        ("belt -note", ["rare.md"]),
        ("belt type:pdf", []),
    ],
)
def test_the_daemon_answers_as_the_library_does(
    daemon: Daemon, query: str, expected: list[str]
) -> None:
    answer = daemon.client.search(query)
    assert names(answer) == expected
    hints = daemon.client.search(f"{query} tpye:md").hints
    assert any("Did you mean type:?" in hint for hint in hints)
