"""When a look is due: with clocks that a test sets."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pplx_local.records import Watching
from pplx_local.watch import FileSystem, Watcher, watcher
from pplx_local.watch.hints import LIMIT, Hints

ROOT = b"/home/ada/notes"
NOTE = ROOT + b"/a.md"


def looks(
    hints: Hints, seconds: float, every: float, path: bytes = NOTE
) -> list[float]:
    """Hint at a path again and again, and look whenever it is due."""
    at = []
    for tick in range(int(seconds / every)):
        now = tick * every
        if hints.take(now):
            at.append(now)
        hints.add(path, now)
    return at


def test_a_path_is_due_when_it_has_been_quiet() -> None:
    hints = Hints(ROOT)
    assert hints.next_at() == math.inf
    assert hints.add(NOTE, 10.0) == pytest.approx(10.3)
    assert hints.add(NOTE, 10.2) == pytest.approx(10.5)
    assert hints.take(10.4) == []
    assert hints.next_at() == pytest.approx(10.5)
    assert hints.take(10.5) == [NOTE]
    assert hints.take(99.0) == []
    assert hints.next_at() == math.inf


def test_a_path_is_due_after_five_seconds_though_it_is_never_quiet() -> None:
    assert looks(Hints(ROOT), seconds=5.5, every=0.1) == [pytest.approx(5.0)]


def test_a_path_that_stays_hot_is_looked_at_less_and_less() -> None:
    at = looks(Hints(ROOT), seconds=2_000, every=0.1)
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps[:9] == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300], abs=0.6)


def test_a_line_every_second_becomes_hot_too() -> None:
    at = looks(Hints(ROOT), seconds=600, every=1.0)
    assert at[:3] == [1.0, 2.0, 3.0], "somebody may be saving every second"
    assert len(at) < 12


@pytest.mark.parametrize("every", [3.0, 10.0, 60.0])
def test_saving_now_and_then_never_becomes_hot(every: float) -> None:
    assert len(looks(Hints(ROOT), seconds=100 * every, every=every)) == 99


def test_a_hot_path_that_has_been_quiet_is_cold_again() -> None:
    hints = Hints(ROOT)
    last = looks(hints, seconds=100, every=0.1)[-1]
    assert hints.add(NOTE, 101.0) > 102.0, "it rests"
    assert hints.take(101.0 + 80) == [NOTE]
    cold = last + 1_000
    assert hints.add(NOTE, cold) == pytest.approx(cold + 0.3)


def test_the_last_hint_always_leads_to_a_look() -> None:
    dice = random.Random(4)
    hints, now, told, looked = Hints(ROOT), 0.0, 0.0, -1.0
    for _ in range(5_000):
        now += dice.choice([0.01, 0.2, 1.0, 30.0])
        if hints.take(now):
            looked = now
        if dice.random() < 0.5:
            told = now
            hints.add(NOTE, now)
    if hints.take(now + 301.0):
        looked = now + 301.0
    assert looked > told


def test_both_names_of_what_was_renamed_are_due_at_once() -> None:
    hints = Hints(ROOT)
    hints.add(ROOT + b"/old", 10.0)
    hints.add(ROOT + b"/new", 10.01)
    assert hints.take(10.3) == [ROOT + b"/new", ROOT + b"/old"]


def test_a_path_in_a_folder_that_is_due_is_left_out() -> None:
    hints = Hints(ROOT)
    for name in (b"a", b"a/b", b"a/b/c.md", b"a.md", b"ab/c.md", b"a-/x"):
        hints.add(ROOT + b"/" + name, 0.0)
    assert hints.take(1.0) == [
        ROOT + x for x in (b"/a", b"/a-/x", b"/a.md", b"/ab/c.md")
    ]


def test_a_hint_at_the_folder_stands_for_all_in_it() -> None:
    hints = Hints(ROOT)
    hints.add(NOTE, 0.0)
    hints.add(ROOT, 0.0)
    hints.add(ROOT + b"/b.md", 0.1)
    assert hints.take(1.0) == [ROOT]


def test_too_many_paths_become_the_folder() -> None:
    hints = Hints(ROOT)
    for number in range(100_000):
        hints.add(ROOT + b"/%d" % number, number / 100_000)
    assert hints.take(1.0) == []
    assert hints.take(1.4) == [ROOT]


def test_as_many_paths_as_can_be_remembered_do_not() -> None:
    hints = Hints(ROOT)
    for _ in range(2):
        for number in range(LIMIT):
            hints.add(ROOT + b"/%d" % number, 0.0)
    assert len(hints.take(1.0)) == LIMIT


def test_a_note_does_not_wait_for_a_folder_that_rests() -> None:
    hints = Hints(ROOT)
    looks(hints, seconds=200, every=0.1, path=ROOT)
    assert hints.next_at() > 300.0
    assert hints.add(NOTE, 200.0) == pytest.approx(200.3)
    assert hints.take(201.0) == [NOTE]


class Desk:
    """A watcher on clocks of its own, over a real folder."""

    def __init__(self, root: Path) -> None:
        self.now, self.day = 1_000.0, 1e9
        self.root = os.fsencode(root)
        self.wakes = 0
        self.watcher = Watcher(
            self._wake, clock=lambda: self.now, wall=lambda: self.day
        )

    def _wake(self) -> None:
        self.wakes += 1

    def sleep(self, seconds: float) -> None:
        """Let both clocks go on."""
        self.now += seconds
        self.day += seconds

    def walks_at(self, seconds: float, walk_s: float = 0.0) -> list[float]:
        """Let time pass as the daemon does, and tell when the folder was walked."""
        began, at = self.now, []
        while self.now < began + seconds:
            if self.root in self.watcher.due().folders:
                at.append(self.now - began)
                self.sleep(walk_s)
                self.watcher.walked(self.root, walk_s)
            self.sleep(max(self.watcher.wait_s(), 0.01))
        return at


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.watcher.close()


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    nfs = FileSystem("nfs4", is_remote=True)
    monkeypatch.setattr(watcher, "file_system_of", lambda path: nfs)


def test_a_watched_folder_is_walked_every_quarter_of_an_hour(desk: Desk) -> None:
    assert desk.watcher.watch(desk.root) == Watching("events")
    assert desk.wakes == 1
    assert desk.walks_at(3_000, walk_s=2.0) == pytest.approx(
        [0, 902, 1_804, 2_706], abs=6
    )


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize(
    ("walk_s", "every"), [(0.0, 30), (0.5, 30), (2.0, 100), (60.0, 900)]
)
def test_a_remote_folder_is_polled_for_a_fiftieth_of_the_time(
    desk: Desk, walk_s: float, every: float
) -> None:
    how = desk.watcher.watch(desk.root)
    assert how == Watching(
        "polling",
        "it lies on nfs4, which does not tell what others change;"
        " it is looked through every 30 s instead",
    )
    first, second, *_ = desk.walks_at(2_000, walk_s)
    assert second - first == pytest.approx(every + walk_s, abs=0.1)
    reason = desk.watcher.watching()[desk.root].reason
    assert reason is not None
    assert f"every {every} s" in reason


def test_waking_from_sleep_makes_every_folder_due(desk: Desk) -> None:
    desk.watcher.watch(desk.root)
    desk.walks_at(10)
    desk.day += 9.0
    assert desk.watcher.due().folders == ()
    desk.day += 3_600.0
    assert desk.watcher.due().folders == (desk.root,)
    assert desk.watcher.due().folders == ()


def test_a_clock_that_is_set_back_makes_every_folder_due(desk: Desk) -> None:
    desk.watcher.watch(desk.root)
    desk.walks_at(10)
    desk.day -= 11.0
    assert desk.watcher.due().folders == (desk.root,)
    assert desk.walks_at(600) == []


def test_a_walk_that_is_asked_for_during_a_walk_comes_after_it(desk: Desk) -> None:
    desk.watcher.watch(desk.root)
    assert desk.watcher.due().folders == (desk.root,)
    desk.watcher.watch(desk.root)
    desk.watcher.walked(desk.root, 1.0)
    assert desk.watcher.due().folders == (desk.root,)


def test_a_walk_that_nobody_says_ended_is_due_again(desk: Desk) -> None:
    desk.watcher.watch(desk.root)
    assert desk.watcher.due().folders == (desk.root,)
    desk.sleep(901)
    assert desk.watcher.due().folders == (desk.root,)


def test_the_watcher_is_woken_once_for_many_hints(desk: Desk) -> None:
    desk.watcher.watch(desk.root)
    desk.walks_at(10)
    desk.watcher.due()
    desk.watcher.wait_s()
    (folder,) = desk.watcher._folders.values()
    desk.wakes = 0
    for number in range(100):
        desk.watcher._tell(folder, NOTE + b"%d" % number)
        desk.sleep(0.001)
    assert desk.wakes == 1
    assert desk.watcher.wait_s() == pytest.approx(0.2, abs=0.01)


def test_an_idle_watcher_looks_at_its_folders_every_five_seconds(desk: Desk) -> None:
    assert desk.watcher.wait_s() == 5.0
    desk.watcher.watch(desk.root)
    desk.walks_at(20)
    desk.watcher.due()
    assert 4.0 < desk.watcher.wait_s() <= 5.0


def test_forgetting_and_hearing_of_walks_of_what_is_not_watched(desk: Desk) -> None:
    desk.watcher.forget(b"/nowhere")
    desk.watcher.walked(b"/nowhere", 1.0)
    assert desk.watcher.due() == ((), ())
    assert desk.watcher.watching() == {}
