"""Searches that are given up between two steps, as each key of a question does."""

from __future__ import annotations

from itertools import islice

import pytest
from desk import Desk

from pplx_local.daemon.answering import Answering
from pplx_local.index import Index
from pplx_local.records import Answer
from pplx_local.search import Wanted, finished

WANTED = Wanted(k=5, mode="hybrid", explain=True, folded=True)


def heart(answer: Answer) -> list[object]:
    return [(hit.path, hit.score, hit.words, hit.matches) for hit in answer.hits]


@pytest.fixture
def library(desk: Desk) -> Desk:
    for number in range(20):
        desk.write(f"{number}.txt", f"The timing belt, note number {number}. " * 9)
    desk.update()
    return desk


def test_wherever_a_search_is_given_up_the_next_one_is_right(library: Desk) -> None:
    expected = heart(library.search("timing belt", k=5, explain=True, folded=True))
    with library.open() as index:
        n_steps = len(list(index.search_steps("timing belt", WANTED)))
        assert n_steps > 5, "at least between the legs and between the hits"
        for n_done in range(n_steps):
            given_up = index.search_steps("another question", WANTED)
            list(islice(given_up, n_done))
            given_up.close()
            answer = finished(index.search_steps("timing belt", WANTED))
            assert heart(answer) == expected


def test_a_reader_is_kept_when_its_search_is_given_up(library: Desk) -> None:
    """To open another one, with nothing in its memory, takes longer than the search."""
    opened: list[Index] = []

    def open_reader() -> Index:
        opened.append(library.open())
        return opened[-1]

    answering = Answering(open_reader)

    def search(query: str):  # type: ignore[no-untyped-def]
        with answering.reader() as index:
            return (yield from index.search_steps(query, WANTED))

    for _ in range(3):
        steps = search("timing belt")
        next(steps)
        steps.close()
    assert finished(search("timing belt")).hits
    assert len(opened) == 1
    opened[0].close()


def test_hits_are_of_one_state_though_files_change_between_two_of_them(
    library: Desk,
) -> None:
    expected = library.search("timing belt", k=5, explain=True, folded=True).hits
    with library.open() as index:
        steps = index.search_steps("timing belt", WANTED)
        n_before = len(list(index.search_steps("timing belt", WANTED))) - WANTED.k
        list(islice(steps, n_before + 1))  # the first hit is made
        for number in range(20):
            library.write(f"{number}.txt", "\n" * 90 + "Something else.")
        library.update()
        assert finished(steps).hits == expected
