"""Real changes in real folders, and what the watcher makes of them."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pplx_local.records import Watching
from pplx_local.watch import Watcher
from pplx_local.watch.observer import Native

_PATIENCE_S = 30.0

# On Linux the observer of the other systems runs too, over its own inotify.
_SOURCES = ["inotify", "observer"] if sys.platform == "linux" else ["observer"]


class Ears:
    """A watcher, and all that it ever said was due."""

    def __init__(self) -> None:
        self.awake = threading.Event()
        self.watcher = Watcher(self.awake.set)
        self.paths: set[bytes] = set()
        self.folders: list[bytes] = []

    def watch(self, path: Path) -> Watching:
        """Watch a folder and take its first walk."""
        how = self.watcher.watch(os.fsencode(path))
        self.until(lambda: os.fsencode(path) in self.folders)
        self.forget_all()
        return how

    def until(self, is_so: Callable[[], bool]) -> None:
        """Do as the daemon does, until something is so."""
        deadline = time.monotonic() + _PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, (self.paths, self.folders)
            self.awake.wait(min(self.watcher.wait_s(), 1.0))
            self.awake.clear()
            paths, folders = self.watcher.due()
            self.paths.update(path for path, _ in paths)
            self.folders += folders
            for folder in folders:
                self.watcher.walked(folder, 0.0)

    def hear(self, *paths: Path) -> None:
        """Wait until a look at each of these was due, or at a folder around it."""
        self.until(lambda: all(self.has_heard(path) for path in paths))

    def has_heard(self, path: Path) -> bool:
        """Tell whether a look at a path was due, or at a folder around it."""
        around = {os.fsencode(one) for one in (path, *path.parents)}
        return bool(around & (self.paths | set(self.folders)))

    def forget_all(self) -> None:
        """Begin to listen afresh."""
        self.paths.clear()
        self.folders.clear()


@pytest.fixture(params=_SOURCES)
def ears(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ears]:
    if request.param == "observer":
        monkeypatch.setattr("pplx_local.watch.watcher.open_source", Native)
    ears = Ears()
    yield ears
    ears.watcher.close()


def test_the_first_walk_is_due_at_once(ears: Ears, tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    assert ears.watcher.watch(root) == Watching("events")
    assert ears.awake.is_set()
    assert ears.watcher.wait_s() == 0.0
    assert ears.watcher.due() == ((), (root,))
    assert ears.watcher.due() == ((), ())
    assert ears.watcher.watching() == {root: Watching("events")}


def test_files_made_written_and_deleted(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    old = tmp_path / "a/old.md"
    old.write_text("old")
    ears.watch(tmp_path)
    new = tmp_path / "a/b/new.md"
    new.write_text("new")
    ears.hear(new)
    old.write_text("older")
    ears.hear(old)
    ears.forget_all()
    old.unlink()
    new.unlink()
    ears.hear(old, new)
    assert ears.folders == []


def test_our_own_reading_is_no_change(ears: Ears, tmp_path: Path) -> None:
    read, written = tmp_path / "read.md", tmp_path / "written.md"
    read.write_text("a")
    ears.watch(tmp_path)
    assert read.read_text() == "a"
    written.write_text("b")
    ears.hear(written)
    assert os.fsencode(read) not in ears.paths


def test_an_atomic_save_is_heard_under_its_last_name(
    ears: Ears, tmp_path: Path
) -> None:
    note = tmp_path / "note.md"
    note.write_text("1")
    ears.watch(tmp_path)
    for name in (".note.md.swx", "note.md.tmp"):
        ears.forget_all()
        (tmp_path / name).write_text("2")
        (tmp_path / name).replace(note)
        ears.hear(note)
        assert ears.paths == {os.fsencode(note)}


def test_a_rename_is_heard_under_both_names(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")
    ears.watch(tmp_path)
    (tmp_path / "a.md").rename(tmp_path / "A.md")
    ears.hear(tmp_path / "a.md", tmp_path / "A.md")


def test_names_that_are_no_text(ears: Ears, tmp_path: Path) -> None:
    if sys.platform == "darwin":
        pytest.skip("its names are always UTF-8")
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    ears.watch(tmp_path)
    (folder / os.fsdecode(b"\xff\xfe.md")).write_text("a")
    ears.hear(folder / os.fsdecode(b"\xff\xfe.md"))
    inner = folder / os.fsdecode(b"\xe8")
    inner.mkdir()
    ears.hear(inner)
    ears.forget_all()
    (inner / "a.md").write_text("a")
    ears.hear(inner / "a.md")


def test_a_new_folder_is_listened_to(ears: Ears, tmp_path: Path) -> None:
    ears.watch(tmp_path)
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/early.md").write_text("a")
    ears.hear(tmp_path / "a/b/c/early.md")
    ears.forget_all()
    (tmp_path / "a/b/c/late.md").write_text("a")
    ears.hear(tmp_path / "a/b/c/late.md")


def test_a_folder_moved_within(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "a/deep").mkdir(parents=True)
    (tmp_path / "a/deep/x.md").write_text("x")
    ears.watch(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    ears.hear(tmp_path / "a", tmp_path / "b")
    ears.forget_all()
    (tmp_path / "b/deep/x.md").write_text("y")
    ears.hear(tmp_path / "b/deep/x.md")


def test_a_folder_moved_in_and_out(ears: Ears, tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    (outside / "a/deep").mkdir(parents=True)
    ears.watch(inside)
    (outside / "a").rename(inside / "a")
    ears.hear(inside / "a")
    ears.forget_all()
    (inside / "a/deep/x.md").write_text("x")
    ears.hear(inside / "a/deep/x.md")
    ears.forget_all()
    (inside / "a").rename(outside / "a")
    ears.hear(inside / "a")


@pytest.mark.skipif(sys.platform != "linux", reason="a fault of inotify alone")
def test_a_folder_moved_out_is_heard_no_longer(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "a/deep").mkdir(parents=True)
    outside.mkdir()
    ears = Ears()
    ears.watch(inside)
    (inside / "a").rename(outside / "a")
    ears.hear(inside / "a")
    ears.forget_all()
    (outside / "a/deep/x.md").write_text("x")
    (inside / "last.md").write_text("x")
    ears.hear(inside / "last.md")
    assert ears.paths == {os.fsencode(inside / "last.md")}
    ears.watcher.close()


def test_a_deleted_folder_with_all_in_it(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/x.md").write_text("x")
    ears.watch(tmp_path)
    shutil.rmtree(tmp_path / "a")
    ears.hear(tmp_path / "a")


def test_what_is_passed_over_makes_no_noise(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a/node_modules/x").mkdir(parents=True)
    ears.watch(tmp_path)
    (tmp_path / ".git/index").write_text("a")
    (tmp_path / "a/node_modules/x/README.md").write_text("a")
    (tmp_path / "venv/lib").mkdir(parents=True)
    (tmp_path / "venv/lib/a.md").write_text("a")
    (tmp_path / "note.md~").write_text("a")
    (tmp_path / "note.md").write_text("a")
    ears.hear(tmp_path / "note.md")
    assert ears.paths == {os.fsencode(tmp_path / "note.md")}


def test_what_an_ignore_file_names_makes_no_noise(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "a/out/deep").mkdir(parents=True)
    (tmp_path / "a/.gitignore").write_text("out/\n*.log\n")
    ears.watch(tmp_path)
    (tmp_path / "a/out/deep/a.md").write_text("a")
    (tmp_path / "a/b.log").write_text("a")
    (tmp_path / "a/out2").mkdir()
    (tmp_path / "a/b.md").write_text("a")
    ears.hear(tmp_path / "a/b.md", tmp_path / "a/out2")
    assert ears.paths == {os.fsencode(tmp_path / "a" / one) for one in ("b.md", "out2")}


def test_a_changed_ignore_file_is_heard_as_its_folder(
    ears: Ears, tmp_path: Path
) -> None:
    (tmp_path / "a/out/deep").mkdir(parents=True)
    (tmp_path / "a/.gitignore").write_text("out/\n")
    ears.watch(tmp_path)
    (tmp_path / "a/.gitignore").write_text("other/\n")
    ears.hear(tmp_path / "a")
    assert ears.paths == {os.fsencode(tmp_path / "a")}
    ears.forget_all()
    (tmp_path / "a/out/deep/a.md").write_text("a")
    ears.hear(tmp_path / "a/out/deep/a.md")
    (tmp_path / "a/new.pplxignore").write_text("out/\n")
    (tmp_path / "a/new.pplxignore").rename(tmp_path / "a/.pplxignore")
    ears.until(lambda: os.fsencode(tmp_path / "a") in ears.paths)
    ears.forget_all()
    (tmp_path / "a/out/deep/b.md").write_text("b")
    (tmp_path / "last.md").write_text("b")
    ears.hear(tmp_path / "last.md")
    assert ears.paths == {os.fsencode(tmp_path / "last.md")}


def test_an_ignore_file_at_the_top_makes_a_whole_walk_due(
    ears: Ears, tmp_path: Path
) -> None:
    ears.watch(tmp_path)
    (tmp_path / ".ignore").write_text("*.log\n")
    ears.until(lambda: ears.folders == [os.fsencode(tmp_path)])


def test_a_hidden_folder_that_is_registered_itself(ears: Ears, tmp_path: Path) -> None:
    root = tmp_path / ".config/notes"
    root.mkdir(parents=True)
    ears.watch(root)
    (root / "a.md").write_text("a")
    ears.hear(root / "a.md")


def test_a_folder_that_gets_a_hidden_name_and_back(ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    ears.watch(tmp_path)
    (tmp_path / "a").rename(tmp_path / ".a")
    ears.hear(tmp_path / "a")
    (tmp_path / ".a/b.md").write_text("b")
    ears.forget_all()
    (tmp_path / ".a").rename(tmp_path / "a")
    ears.hear(tmp_path / "a")
    ears.forget_all()
    (tmp_path / "a/b.md").write_text("c")
    ears.hear(tmp_path / "a/b.md")
    assert not any(b"/.a" in path for path in ears.paths)


def test_a_link_to_a_folder_is_not_entered(ears: Ears, tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    ears.watch(inside)
    (inside / "new link").symlink_to(outside)
    ears.hear(inside / "new link")
    (outside / "a.md").write_text("a")
    (inside / "b.md").write_text("b")
    ears.hear(inside / "b.md")
    assert not any(path.endswith(b"a.md") for path in ears.paths)


def test_a_storm_becomes_one_walk(ears: Ears, tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    ears.watcher.watch(root)
    ears.watcher.due()
    for number in range(20_000):
        (tmp_path / f"{number}.md").write_bytes(b"")
    ears.until(lambda: root in ears.folders)
    assert len(ears.paths) < 10_000
    ears.forget_all()
    last = tmp_path / "after the storm.md"
    last.write_text("a")
    ears.hear(last)


def test_a_root_that_goes_and_comes_back(ears: Ears, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    ears.watch(root)
    shutil.rmtree(root)
    ears.hear(root)
    ears.forget_all()
    (root / "a").mkdir(parents=True)
    ears.hear(root)
    ears.forget_all()
    (root / "a/b.md").write_text("b")
    ears.hear(root / "a/b.md")


def test_a_root_in_whose_place_another_folder_comes(ears: Ears, tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    (other / "a").mkdir(parents=True)
    ears.watch(root)
    root.rename(tmp_path / "away")
    other.rename(root)
    ears.hear(root)
    ears.forget_all()
    (root / "a/b.md").write_text("b")
    ears.hear(root / "a/b.md")


def test_a_root_that_is_not_there_yet(ears: Ears, tmp_path: Path) -> None:
    root = tmp_path / "not/yet"
    assert ears.watch(root).how == "polling"
    root.mkdir(parents=True)
    ears.hear(root)
    ears.forget_all()
    (root / "a.md").write_text("a")
    ears.hear(root / "a.md")
    assert ears.watcher.watching() == {os.fsencode(root): Watching("events")}


def test_a_single_file(ears: Ears, tmp_path: Path) -> None:
    note, other = tmp_path / ".note", tmp_path / "other.md"
    note.write_text("1")
    other.write_text("1")
    assert ears.watch(note) == Watching("events")
    assert ears.watch(other) == Watching("events")
    (tmp_path / "third.md").write_text("a")
    note.write_text("2")
    ears.hear(note)
    ears.forget_all()
    ears.watcher.forget(os.fsencode(other))
    (tmp_path / "tmp").write_text("3")
    (tmp_path / "tmp").replace(note)
    other.write_text("2")
    ears.hear(note)
    assert (ears.paths, set(ears.folders)) == (set(), {os.fsencode(note)})
    ears.forget_all()
    note.unlink()
    ears.hear(note)


def test_a_folder_within_another_one(ears: Ears, tmp_path: Path) -> None:
    inner = tmp_path / "a"
    inner.mkdir()
    for root in (tmp_path, inner):
        ears.watcher.watch(os.fsencode(root))
    ears.watcher.due()
    (inner / "b.md").write_text("b")
    found: set[tuple[bytes, bytes]] = set()
    deadline = time.monotonic() + _PATIENCE_S
    while len(found) < 2 and time.monotonic() < deadline:
        found |= set(ears.watcher.due().paths)
    file = os.fsencode(inner / "b.md")
    assert found == {(file, os.fsencode(tmp_path)), (file, os.fsencode(inner))}
    ears.watcher.forget(os.fsencode(inner))
    (inner / "c.md").write_text("c")
    ears.hear(inner / "c.md")


def test_nothing_is_heard_of_a_forgotten_folder(ears: Ears, tmp_path: Path) -> None:
    gone, kept = tmp_path / "gone", tmp_path / "kept"
    for folder in (gone, kept):
        folder.mkdir()
        ears.watch(folder)
    ears.watcher.forget(os.fsencode(gone))
    ears.watcher.forget(os.fsencode(gone))
    (gone / "a.md").write_text("a")
    (kept / "a.md").write_text("a")
    ears.hear(kept / "a.md")
    assert ears.paths == {os.fsencode(kept / "a.md")}


def test_closing_ends_every_thread(ears: Ears, tmp_path: Path) -> None:
    before = threading.active_count()
    ears.watch(tmp_path)
    assert threading.active_count() > before
    ears.watcher.close()
    ears.watcher.close()
    assert threading.active_count() == before


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
class TestInotify:
    """What only the kernel of Linux does."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Iterator[Ears]:
        ears = Ears()
        ears.watch(tmp_path)
        yield ears
        ears.watcher.close()

    def test_an_overflow_makes_a_walk_and_new_watches_due(
        self, tree: Ears, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        folder = tree.watcher._folders[os.fsencode(tmp_path)]
        with folder.ear._lock:  # the reader of events stands still
            for number in range(queue // 2 + 1_000):
                (tmp_path / f"{number}.md").write_bytes(b"")
            (tmp_path / "unheard").mkdir()
        tree.until(lambda: os.fsencode(tmp_path) in tree.folders)
        assert "overflow" in caplog.text
        assert tree.watcher.watching() == {os.fsencode(tmp_path): Watching("events")}
        tree.forget_all()
        (tmp_path / "unheard/a.md").write_text("a")
        tree.hear(tmp_path / "unheard/a.md")

    def test_mending_keeps_the_watches_that_are_well(
        self, tree: Ears, tmp_path: Path
    ) -> None:
        (tmp_path / "stays/deep").mkdir(parents=True)
        (tmp_path / "goes").mkdir()
        tree.hear(tmp_path / "stays/deep", tmp_path / "goes")
        tree.until(lambda: tree.watcher.wait_s() > 1.0)
        (folder,) = tree.watcher._folders.values()
        before = dict(folder.ear._by_path)
        assert len(before) == 4
        with folder.ear._lock:
            (tmp_path / "goes").rename(tmp_path / ".goes")
            (tmp_path / "stays/new").mkdir()
            assert folder.ear.mend()
            after = dict(folder.ear._by_path)
        assert before.keys() - after.keys() == {os.fsencode(tmp_path / "goes")}
        assert after.keys() - before.keys() == {os.fsencode(tmp_path / "stays/new")}
        assert all(after[path] == before[path] for path in before.keys() & after.keys())

    def test_a_folder_that_was_missed_is_heard_after_the_next_walk(
        self, tmp_path: Path
    ) -> None:
        now = [1_000.0]
        watcher = Watcher(lambda: None, clock=lambda: now[0], wall=lambda: now[0])
        root, missed = os.fsencode(tmp_path), os.fsencode(tmp_path / "missed")
        (tmp_path / "missed").mkdir()
        watcher.watch(root)
        watcher.due()
        ear = watcher._folders[root].ear
        ear._unwatch([ear._by_path[missed]])
        now[0] += 901
        assert watcher.due().folders == (root,)
        assert missed in ear._by_path
        watcher.close()
