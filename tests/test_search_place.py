"""Which part of its document a hit names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pplx_local.records import Place, Segment, Span
from pplx_local.search.place import place_in

SLIDES = [
    Segment("slide", "1", Span(0, 20)),
    Segment("heading", "Goals", Span(0, 20)),
    Segment("slide", "2", Span(20, 50)),
    Segment("slide", "3", Span(50, 90)),
    Segment("heading", "Costs", Span(50, 90)),
]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ([], [("slide", "1"), ("heading", "Goals")]),
        ([(25, "pump")], [("slide", "2")]),
        ([(3, "pump"), (25, "pump"), (30, "pump")], [("slide", "1"), ("heading", "Goals")]),
        ([(3, "pump"), (60, "pump"), (70, "cost")], [("slide", "3"), ("heading", "Costs")]),
        ([(3, "a"), (25, "a"), (70, "cost")], [("slide", "3"), ("heading", "Costs")]),
        ([(89, "cost")], [("slide", "3"), ("heading", "Costs")]),
    ],
)  # fmt: skip
def test_a_hit_names_the_slide_that_its_words_are_on(
    words: list[tuple[int, str]], place: list[tuple[str, str]]
) -> None:
    assert place_in(SLIDES, 0, lambda: words) == tuple(Place(*one) for one in place)


def test_words_are_not_looked_for_where_one_part_holds_all() -> None:
    def find() -> Sequence[tuple[int, str]]:
        raise AssertionError

    page = [Segment("page", "3", Span(0, 400)), Segment("heading", "A", Span(90, 400))]
    named = (Place("page", "3"), Place("heading", "A"))
    assert place_in(page, 100, find) == named
    assert place_in([], 0, find) == ()
