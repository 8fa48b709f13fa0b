"""Queries in scripts that a checkpoint reads, or does not."""

from __future__ import annotations

import pytest

from pplx_local.search.trust import LEAST, trust


@pytest.mark.parametrize("text", ["plain words", "naïve Übergröße", "42", "?!", ""])
def test_what_a_checkpoint_reads_counts_in_full(text: str) -> None:
    assert trust(text, ("Latin",)) == 1


@pytest.mark.parametrize("text", ["黑豹队丢了多少分", "Сколько очков?", "ไทย 2024"])
def test_what_it_does_not_read_counts_least(text: str) -> None:
    assert trust(text, ("Latin",)) == pytest.approx(LEAST)


def test_a_mixed_query_counts_in_between() -> None:
    mostly = trust("iPhone battery 电池", ("Latin",))
    hardly = trust("iPhone 电池更换多少钱一次", ("Latin",))
    assert LEAST < hardly < mostly < 1


def test_a_checkpoint_for_all_scripts_reads_every_query() -> None:
    assert trust("黑豹队", ()) == 1


def test_several_scripts_are_read_together() -> None:
    assert trust("Москва Moscow", ("Latin", "Cyrillic")) == 1
