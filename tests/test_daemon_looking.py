"""What the daemon looks at, step by step: nothing that was noticed gets lost."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from daemon import wait_for
from workbench import Bench, Steps

from pplx_local.daemon.errand import Errand
from pplx_local.daemon.looking import Looking
from pplx_local.index import Target, scan
from pplx_local.records import FolderRecord
from pplx_local.watch import Watcher


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher(lambda: None)
    yield watcher
    watcher.close()


@pytest.fixture
def looking(bench: Bench, watcher: Watcher) -> Looking:
    """A look at a folder that has been walked once."""
    looking = Looking(bench.index, watcher)
    looking.watch()
    looking.notice()
    list(begun(looking.begin_folder(None)))
    return looking


def begun(steps: Steps | None) -> Steps:
    assert steps is not None, "there is something to look at"
    return steps


def drop_after_a_step(steps: Steps | None) -> None:
    steps = begun(steps)
    next(steps)
    steps.close()


def folder_of(bench: Bench) -> FolderRecord:
    [folder] = bench.index.store.folders()
    return folder


def test_what_was_noticed_is_looked_at_though_a_look_was_dropped(
    bench: Bench, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_TELL_EVERY_S", 0.0)  # a step for each file
    bench.write("a.txt", "A bittern booms.")
    bench.write("b.txt", "A heron waits.")

    def are_noticed() -> bool:
        looking.notice()
        return len(looking._targets) >= 2

    wait_for(are_noticed)
    drop_after_a_step(looking.begin_paths())
    list(begun(looking.begin_paths()))
    assert {bench.state("a.txt"), bench.state("b.txt")} == {"pending"}
    assert looking.begin_paths() is None


def test_what_is_to_be_tried_again_is_so_though_a_look_was_dropped(
    bench: Bench, looking: Looking
) -> None:
    looking.look_again([Target(folder_of(bench), bench.path("garden.txt"))])
    drop_after_a_step(looking.begin_paths())
    list(begun(looking.begin_paths()))
    assert looking.begin_paths() is None


def test_what_is_noticed_during_a_look_is_looked_at_after_it(
    bench: Bench, looking: Looking
) -> None:
    target = Target(folder_of(bench), bench.path("garden.txt"))
    looking.look_again([target])
    steps = begun(looking.begin_paths())
    next(steps)
    looking.look_again([target])
    list(steps)
    list(begun(looking.begin_paths()))
    assert looking.begin_paths() is None


def test_a_folder_that_was_scanned_meanwhile_is_the_same_folder(
    bench: Bench, looking: Looking, watcher: Watcher
) -> None:
    before = folder_of(bench)
    watcher.watch(before.path)
    looking.notice()
    bench.scan()
    assert folder_of(bench) != before
    watcher.watch(before.path)
    looking.notice()
    list(begun(looking.begin_folder(None)))
    assert looking.begin_folder(None) is None, "one walk is enough"


def test_an_errand_that_walks_a_folder_spares_the_next_walk(
    bench: Bench, looking: Looking, watcher: Watcher
) -> None:
    watcher.watch(os.fsencode(bench.folder))
    looking.notice()
    bench.scan()
    list(begun(looking.begin_folder(Errand(bench.index.targets(None)))))
    assert looking.begin_folder(None) is None


def test_what_waits_in_a_folder_that_was_scanned_meanwhile_is_kept(
    bench: Bench, looking: Looking
) -> None:
    looking.look_again([Target(folder_of(bench), bench.path("garden.txt"))])
    bench.scan()
    looking.forget()
    list(begun(looking.begin_paths()))
    looking.look_again([Target(folder_of(bench), bench.path("garden.txt"))])
    bench.index.remove_folder(bench.folder)
    looking.forget()
    assert looking.begin_paths() is None


def test_a_walk_that_is_wanted_during_a_walk_comes_after_it(
    bench: Bench, looking: Looking, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a setting changes: what was passed by before went by the old one."""
    monkeypatch.setattr(scan, "_TELL_EVERY_S", 0.0)
    errand = Errand([Target(folder_of(bench), None)])
    steps = begun(looking.begin_folder(errand))
    next(steps)
    watcher.judge_anew()
    looking.notice()
    list(steps)
    list(begun(looking.begin_folder(errand)))
    assert looking.begin_folder(errand) is None
