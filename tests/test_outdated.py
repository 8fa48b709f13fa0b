"""Vectors that were made by other rules than today's: what a person is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk import Desk
from fakes import FakeWorker, fake_checkpoint

from pplx_local.cli.asking import shortcomings
from pplx_local.cli.state import status_lines
from pplx_local.index import Index
from pplx_local.models import Profile
from pplx_local.window import WindowRule

TOLD = (
    "The vectors of fake were made by an older version of pplx-local, or by other "
    "settings, and cannot answer. To make them anew: pplx-local models use auto, then "
    "pplx-local update"
)


@pytest.fixture
def newer(desk: Desk) -> Iterator[Index]:
    """The index of an older version, as today's opens it."""
    desk.update()
    today = fake_checkpoint(window_rule=WindowRule(kind="single", limit=255))
    with Index.open(
        desk.settings,
        write=True,
        worker=lambda *_: FakeWorker(today),
        profile=Profile(today, today),
    ) as index:
        yield index


def test_a_search_says_it_once_for_both_legs(newer: Index) -> None:
    answer = newer.search("timing belt")
    assert answer.hits, "keywords answer meanwhile"
    assert shortcomings(answer) == [f"Without dense and late: {TOLD}."]


def test_an_update_says_it_once(newer: Index) -> None:
    update = newer.update()
    list(update)
    assert update.encoder_error == TOLD


def test_the_status_says_why_nothing_is_covered(newer: Index) -> None:
    lines = [line.strip() for line in status_lines(newer.status())]
    assert lines.count(TOLD) == 1


def test_vectors_of_today_have_no_such_line(desk: Desk) -> None:
    desk.update()
    with desk.open() as index:
        assert index.status().outdated == {}
