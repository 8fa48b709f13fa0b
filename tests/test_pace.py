"""The pace that is said of long work: of late, and of the present run alone."""

from __future__ import annotations

import pytest

from pplx_local.pace import Pace
from pplx_local.records import Progress


def paced(
    *notes: tuple[float, int], total: int | None = 100_000, stage="encode"
) -> Pace:
    pace = Pace()
    for now, done in notes:
        pace.note(Progress(stage, done, total), now)
    return pace


def test_what_was_known_already_is_soon_forgotten():
    """An update that is gone on with takes what it has in one leap, and then works."""
    leap = [(0.0, 0), (1.0, 50_000)]
    work = [(1.0 + second, 50_000 + 100 * second) for second in range(1, 61)]
    pace = paced(*leap, *work)
    assert pace.rate(61.0) == pytest.approx(100, rel=0.03)
    assert pace.seconds_left(61.0) == pytest.approx(440, rel=0.03)


def test_too_little_tells_nothing():
    assert Pace().rate(0.0) is None
    assert Pace().seconds_left(0.0) is None
    assert paced((0.0, 0), (0.1, 10)).rate(0.1) is None
    assert paced((0.0, 5), (9.0, 5)).rate(9.0) is None
    assert paced((0.0, 0), (1.0, 10), total=None).seconds_left(1.0) is None


def test_it_slows_down_while_nothing_comes():
    pace = paced((0.0, 0), (1.0, 100))
    assert pace.rate(1.0) == 100
    assert pace.rate(10.0) == 10


def test_a_run_that_falls_back_and_another_stage_begin_anew():
    pace = paced((0.0, 0), (10.0, 1_000), (20.0, 0), (21.0, 50))
    assert pace.rate(21.0) == 50
    pace.note(Progress("read", 5, 9), 22.0)
    assert pace.rate(23.0) is None
    pace.note(Progress("read", 7, 9), 24.0)
    assert pace.rate(24.0) == 1
    assert pace.seconds_left(24.0) == 2


def test_more_than_was_expected_is_no_time_owed():
    assert paced((0.0, 0), (2.0, 120), total=100).seconds_left(2.0) == 0


def test_notes_that_come_fast_do_not_pile_up():
    pace = paced(*((number / 1000, number) for number in range(100_000)))
    assert len(pace._samples) <= 62
    assert pace.rate(99.999) == pytest.approx(1000, rel=0.01)
