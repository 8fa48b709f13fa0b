"""Places in the words of their formats, and the same words wherever they are shown."""

from __future__ import annotations

import pytest

from pplx_local.answer import Place
from pplx_local.wording.place import part_in_words, place_in_words, place_or_line


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((), ""),
        ((("page", "3"),), "page 3"),
        ((("page", "3"), ("heading", "Results")), "page 3 > Results"),
        ((("slide", "4"), ("heading", "Goals")), "slide 4 > Goals"),
        ((("sheet", "Budget"), ("cell", "B7")), "sheet Budget > cell B7"),
        ((("sheet", "Budget"), ("cell", "A12:F12")), "sheet Budget > cells A12:F12"),
        ((("cell", "3"),), "cell 3"),
        ((("chapter", "Loomings"),), "chapter Loomings"),
        ((("chapter", "CHAPTER 1. Loomings"),), "CHAPTER 1. Loomings"),
        ((("chapter", "Loomings"), ("heading", "Loomings")), "chapter Loomings"),
        ((("heading", "A"), ("heading", "B")), "A > B"),
        ((("heading", "A"), ("heading", "A")), "A"),
        ((("message", "Re: tide"),), "message Re: tide"),
        ((("message", "Fwd"), ("message", "tide")), "message Fwd > tide"),
        ((("time", "00:12:31"),), "time 00:12:31"),
        ((("symbol", "Pump"), ("symbol", "start")), "symbol Pump > start"),
        ((("line", "40"),), "line 40"),
    ],
)
def test_a_place_is_said_as_its_format_says_it(
    place: tuple[tuple[str, str], ...], words: str
) -> None:
    assert place_in_words([Place(*one) for one in place]) == words


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((("page", "3"), ("heading", "Results")), "page 3"),
        ((("sheet", "Budget"), ("cell", "A2:B9")), "sheet Budget > cells A2:B9"),
        ((("heading", "Results"),), "line 7"),
        ((("symbol", "start"),), "line 7"),
        ((), "line 7"),
    ],
)
def test_a_place_elsewhere_is_short(
    place: tuple[tuple[str, str], ...], words: str
) -> None:
    assert place_or_line([Place(*one) for one in place], 7) == words


def test_a_part_alone() -> None:
    assert part_in_words("slide", "4") == "slide 4"
    assert part_in_words("cell", "A1:B2") == "cells A1:B2"
    assert part_in_words("heading", "4") == "4"
