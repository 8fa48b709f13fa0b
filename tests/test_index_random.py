"""Whatever happens to a folder, in whatever turns: at the end the index is the disk's."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from test_crash import picture
from workbench import Bench, Steps

from pplx_local.index import Findings, encode, portions, scan

NAMES = st.sampled_from(
    [
        "a.txt",
        "b.txt",
        "a/a.txt",
        "a/b.txt",
        "a!.txt",
        "c/d/e.txt",
        "node_modules/x.txt",
    ]
)
FOLDERS = st.sampled_from(["a", "c", "c/d", "moved"])
TEXTS = st.sampled_from(
    ["", "apples and subject8", "subject3 " * 90, "subject17 words " * 60, "pears"]
)


class Turns(RuleBasedStateMachine):
    """File operations, hinted scans, and steps of suspended work, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(scan, "_TELL_EVERY_S", 0)
        patch.setattr("pplx_local.index.reading._COMMIT_EVERY_S", 0)
        patch.setattr(encode, "BATCH_CHARS", 200)
        patch.setattr(encode, "MOST_CHARS", 200)
        patch.setattr(encode, "FEWEST_CHARS", 200)
        patch.setattr(portions, "PORTION_CHARS", 300)
        root = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.bench = Bench(Path(root))
        self.bench.index = self.stack.enter_context(self.bench.open(write=True))
        self.bench.index.add_folder(self.bench.folder)
        self.work: list[Steps] = []
        self.reading: Steps | None = None
        self.hints: list[str] = []

    def teardown(self) -> None:
        try:
            self.check_in_the_end()
        finally:
            self.stack.close()

    # --- what a person does ---

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        self.bench.write(name, text)
        self.hints.append(name)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.bench.folder / name).unlink(missing_ok=True)
        self.hints.append(name)

    @rule(name=NAMES, to=NAMES)
    def rename(self, name: str, to: str) -> None:
        source, target = self.bench.folder / name, self.bench.folder / to
        if source.exists() and source != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            self.hints += [name, to]

    @rule(folder=FOLDERS, to=FOLDERS)
    def move_folder(self, folder: str, to: str) -> None:
        source, target = self.bench.folder / folder, self.bench.folder / to
        inside = target.is_relative_to(source) or source.is_relative_to(target)
        if source.is_dir() and not target.exists() and not inside:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            self.hints += [folder, to]

    @rule(folder=FOLDERS)
    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self.bench.folder / folder, ignore_errors=True)
        self.hints.append(folder)

    # --- what the indexer does ---

    @rule()
    def look_at_hints(self) -> None:
        if self.hints:
            self.work.append(self.bench.scanning(*self.hints))
            self.hints = []

    @rule()
    def look_at_all(self) -> None:
        self.work.append(self.bench.scanning())

    @rule()
    def read(self) -> None:
        if self.reading not in self.work:  # one at a time: they share the reader
            self.reading = self.bench.index.read(Findings(), tries=3)
            self.work.append(self.reading)

    @rule()
    def fill(self) -> None:
        self.work.append(self.bench.index.fill().run())

    @rule(number=st.integers(0, 3), n_steps=st.integers(1, 4))
    def go_on(self, number: int, n_steps: int) -> None:
        if self.work:
            steps = self.work[number % len(self.work)]
            for _ in range(n_steps):
                if next(steps, None) is None:
                    self.work.remove(steps)
                    break

    @rule()
    def stop_all(self) -> None:
        """Leave everything where it is, as a kill does."""
        for steps in self.work:
            steps.close()
        self.work.clear()

    @rule()
    def tidy(self) -> None:
        self.bench.index.tidy()

    @rule()
    def erase_what_is_hidden(self) -> None:
        self.bench.index.store.purge()

    @invariant()
    def between_steps_nothing_is_half_written(self) -> None:
        self.bench.check_whole()

    # --- what must come of it ---

    def check_in_the_end(self) -> None:
        for steps in self.work:
            list(steps)
        for _ in self.bench.index.update():
            pass
        assert self.bench.index.store.integrity_check() == []
        assert picture(self.bench.index) == self.fresh_picture()

    def fresh_picture(self) -> dict[str, object]:
        with tempfile.TemporaryDirectory() as root:
            fresh = Bench(Path(root))
            with fresh.open(write=True) as index:
                index.add_folder(self.bench.folder)
                for _ in index.update():
                    pass
                return picture(index)


Turns.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
class TestTurns(Turns.TestCase):  # type: ignore[misc]
    """Run the machine."""
