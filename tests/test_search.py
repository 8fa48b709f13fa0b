"""Search on a real store: what is said when a leg is missing, late or wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desk import Desk
from numpy.typing import NDArray

from pplx_local.encoding import EncodedQuery
from pplx_local.errors import EncoderCrashed, PplxLocalError
from pplx_local.records import Scores, TokenVectors


def refuses(query: TokenVectors, docs: TokenVectors) -> Future[Scores]:
    raise EncoderCrashed("gone")


def ends(query: TokenVectors, docs: TokenVectors) -> Future[Scores]:
    future: Future[Scores] = Future()
    future.set_exception(EncoderCrashed("ended 3 times on the same vectors"))
    return future


@pytest.mark.parametrize("crash", [refuses, ends])
def test_maxsim_goes_on_in_numpy_when_the_worker_is_gone(
    desk: Desk, crash: Callable[..., Future[Scores]]
) -> None:
    desk.update()
    expected = desk.search("timing belt", mode="late")
    with desk.open() as index:
        searcher = index.searcher("late")
        assert desk.worker is not None
        desk.worker.maxsim = crash  # type: ignore[assignment]
        answer = searcher.search("timing belt", mode="late")
    assert [hit.score for hit in answer.hits] == [hit.score for hit in expected.hits]


def test_passages_are_compared_once_and_some_before_the_keywords_are_ranked(
    desk: Desk,
) -> None:
    desk.write("many.txt", "\n\n".join(f"Lamp {n}. " * 60 for n in range(250)))
    desk.update()
    expected = desk.search("lamp 7 of the engine")
    asked: list[int] = []
    with desk.open() as index:
        searcher = index.searcher("hybrid")
        assert desk.worker is not None
        maxsim = desk.worker.maxsim

        def counted(query: TokenVectors, docs: TokenVectors) -> Future[Scores]:
            asked.append(len(docs.cu_seqlens) - 1)
            return maxsim(query, docs)

        desk.worker.maxsim = counted  # type: ignore[assignment,method-assign]
        answer = searcher.search("lamp 7 of the engine")
        n_chunks = index.status().chunks
    assert len(asked) == 3  # the null sample, the shortlist, the rest
    assert sum(asked) < n_chunks
    assert [(hit.path, hit.scores) for hit in answer.hits] == [
        (hit.path, hit.scores) for hit in expected.hits
    ]


def test_keywords_pick_their_candidates_once_while_the_query_is_encoded(
    desk: Desk,
) -> None:
    desk.update()
    done: list[str] = []

    class Waited(Future[EncodedQuery]):
        def result(self, timeout: float | None = None) -> EncodedQuery:
            done.append("waited")
            return super().result(timeout)

    with desk.open() as index:
        searcher = index.searcher("hybrid")
        assert desk.worker is not None
        encoded, pick = desk.worker.query("timing belt"), index.store.lexical_candidates

        def encode(text: str) -> Future[EncodedQuery]:
            done.append("begun")
            begun = Waited()
            begun.set_result(encoded)
            return begun

        def picked(*asked: Any) -> NDArray[np.int64]:
            done.append("picked")
            return pick(*asked)

        desk.worker.encode_query = encode  # type: ignore[method-assign]
        index.store.lexical_candidates = picked  # type: ignore[method-assign]
        assert searcher.search("timing belt").hits
    assert done[:3] == ["begun", "picked", "waited"]
    assert done.count("picked") == 1


def test_a_leg_that_cannot_run_is_an_error_only_when_it_was_asked_for(
    desk: Desk,
) -> None:
    desk.update(model=False)
    with desk.open(model=False) as index:
        assert index.search("timing belt").hits
        with pytest.raises(PplxLocalError, match="dense leg cannot run"):
            index.search("timing belt", mode="dense")


def test_a_query_that_the_encoder_cannot_take_is_answered_by_keywords(
    desk: Desk,
) -> None:
    desk.update()

    def crash(text: str) -> Future[EncodedQuery]:
        future: Future[EncodedQuery] = Future()
        future.set_exception(EncoderCrashed("ended 3 times on the same text"))
        return future

    with desk.open() as index:
        searcher = index.searcher("hybrid")
        assert desk.worker is not None
        desk.worker.encode_query = crash  # type: ignore[assignment]
        answer = searcher.search("timing belt")
        assert [Path(os.fsdecode(hit.path)).name for hit in answer.hits] == [
            "engine.txt"
        ]
        assert "same text" in (answer.legs["dense"].reason or "")
        assert "same text" in (answer.legs["late"].reason or "")
        with pytest.raises(EncoderCrashed):
            searcher.search("timing belt", mode="dense")
        with pytest.raises(EncoderCrashed):  # figures of a missing leg would mislead
            searcher.rank("timing belt")


def test_confidence_needs_a_late_space(desk: Desk) -> None:
    desk.update()
    with desk.open(model=False) as index:
        hit = index.search("timing belt").hits[0]
    assert math.isnan(hit.confidence)
    assert 0 <= desk.search("timing belt").hits[0].confidence <= 1


def test_coverage_tells_how_much_a_leg_can_see(desk: Desk) -> None:
    desk.update()
    desk.write("late.txt", "A fresh note about herring.\n")
    desk.update(model=False)
    answer = desk.search("herring")
    assert answer.legs["dense"].coverage == pytest.approx(3 / 4)
    assert answer.hits[0].path.endswith(b"late.txt"), "keywords see it at once"


@pytest.mark.parametrize("query", ["", "   ", "\x00", "\u200b", "?!", '"', "(*)", "😀"])
def test_a_query_without_words_finds_nothing_and_says_so(
    desk: Desk, query: str
) -> None:
    desk.update()
    answer = desk.search(query)
    assert answer.hits == ()
    assert answer.nothing_close


def test_k_is_a_limit(desk: Desk) -> None:
    for number in range(30):
        desk.write(f"{number}.txt", f"The same subject, note number {number}.")
    desk.update()
    assert len(desk.search("subject", k=7).hits) == 7
    assert len(desk.search("subject", k=500).hits) >= 30


def test_ties_break_by_path(desk: Desk) -> None:
    for name in ("b", "c", "a"):
        desk.write(f"{name}.md", "Equal words.\n")  # one document under three names
        desk.write(f"{name}.txt", "Equal words.\n")
    desk.update()
    found = desk.paths("equal words", mode="lexical")
    assert [name for name in found if name.endswith(".md")] == ["a.md", "b.md", "c.md"]
    assert found[0] == "a.md"
    assert desk.paths("equal words", mode="lexical", folded=True) == ["a.md"]


def test_a_hit_says_where_its_passage_starts(desk: Desk) -> None:
    filler = "\n\n".join(f"Paragraph {n}. " + "filler " * 60 for n in range(20))
    path = desk.write(
        "long.md", f"# One\n\n{filler}\n\n# Two\n\nThe herring is here.\n"
    )
    desk.update()
    hit = desk.search("herring").hits[0]
    lines = path.read_text().split("\n")
    assert lines[hit.line - 1] == hit.text.lstrip().split("\n")[0]
    text = path.read_text()
    assert text[hit.char_span.start : hit.char_span.end] == hit.text
    assert hit.scores["lexical"] > 0


def test_a_hit_says_where_on_a_long_line_it_starts(desk: Desk) -> None:
    path = desk.write("line.txt", "é" + " word" * 400 + " herring" + " word" * 10)
    desk.update()
    hit = desk.search("herring").hits[0]
    assert hit.line == 1
    assert hit.column > 100
    before = path.read_bytes()[: hit.column - 1].decode()
    assert path.read_text()[len(before) :].startswith(hit.text.strip())


def test_words_that_nothing_holds_do_not_count_as_found(desk: Desk) -> None:
    desk.update()
    with desk.open() as index:
        known = index.searcher("lexical").rank("timing belt", mode="lexical")
        half = index.searcher("lexical").rank("timing ouagadougou", mode="lexical")
    assert known.known_share == 1
    assert 0 < half.known_share < 0.5, "a word that is rarer than rare weighs most"


def test_nothing_is_found_where_the_last_file_is_gone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    path = desk.write("belt.txt", "The timing belt.")
    desk.update()
    assert desk.search("timing belt").hits
    path.unlink()
    desk.update()
    assert not desk.search("timing belt").hits
