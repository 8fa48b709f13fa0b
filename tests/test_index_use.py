"""Changing the model: the old vectors answer until the new ones are complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from desk import Desk, survey
from fakes import (
    FakeWorker,
    Poisoned,
    fake_checkpoint,
    fake_spaces,
    install_fake_checkpoint,
)

from pplx_local.config import load_settings, write_setting
from pplx_local.encoding import WorkerInfo
from pplx_local.errors import (
    BackendUnavailable,
    ModelError,
    StoreFull,
)
from pplx_local.index import Index, Update
from pplx_local.index.serving import Held, choose_serving
from pplx_local.models import CATALOGUE, Checkpoint, ConfidenceCurve, Fusion
from pplx_local.records import Answer, Progress, Role
from pplx_local.store import Space
from pplx_local.window import WindowRule

BIG = fake_checkpoint(
    name="big",
    dim=64,
    token_dim=64,
    n_parameters=4_000_000_000,
    fusion=Fusion({"dense": 5.0, "late": 1.0, "lexical": 3.0}, scale="score"),
    confidence=(ConfidenceCurve(-3.0, {"late": 10.0}),),
)
SMALL = fake_checkpoint(name="small")
DENSE = fake_checkpoint(name="only-dense", roles=("dense",), dim=48, token_dim=48)
OTHER = fake_checkpoint(name="other-dense", roles=("dense",), dim=56, token_dim=56)
TOGETHER = fake_checkpoint(
    name="together",
    roles=("dense",),
    window_rule=WindowRule("context", 8_192, separator_id=1),
)
LATE = fake_checkpoint(name="only-late", roles=("late",), dim=40, token_dim=40)
QUERIES = ("lighthouse ships", "timing belt", "tomatoes and a wall", "subject3")
FILES = 12


class Refused(FakeWorker):
    """Never gets ready."""

    def info(self) -> WorkerInfo:
        raise BackendUnavailable("the framework is not installed")


class Changing(Desk):
    """A desk whose model is the one that its settings name."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.kinds: dict[str, type[FakeWorker]] = {}
        """Other workers than the usual one, by checkpoint."""
        self.made: list[FakeWorker] = []
        self.together = 0
        """The most that ran at the same time."""
        for checkpoint in (SMALL, BIG, DENSE, OTHER, TOGETHER, LATE):
            install_fake_checkpoint(self.settings.home, checkpoint.name)

    def open(self, *, write: bool = False, model: bool = True) -> Index:
        settings = load_settings(self.settings.home)
        return Index.open(settings, write=write, worker=self._make)

    def _make(self, checkpoint: Checkpoint, *_: object) -> FakeWorker:
        worker = self.kinds.get(checkpoint.name, FakeWorker)(checkpoint)
        self.made.append(worker)
        running = [one for one in self.made if not one.closed]
        self.together = max(self.together, len(running))
        return worker

    def used(self) -> list[str]:
        """Checkpoints whose workers were made since the last time, in order."""
        names = [worker.checkpoint.name for worker in self.made]
        self.made.clear()
        return names

    def use(self, name: str) -> list[str]:
        with self.open(write=True) as index:
            return index.use_model(name)

    def part_of_an_update(self, n_batches: int) -> bool:
        """Stop an update after some batches; say whether there was more to do."""
        with self.open(write=True) as index:
            index.add_folder(self.folder)
            for progress in index.update():
                n_batches -= progress.stage == "encode"
                if not n_batches:
                    return True
        return False

    def is_changing(self) -> bool:
        with self.open() as index:
            return index.status().change is not None

    def answers(self) -> list[str]:
        """All that a person sees of hits, to the last digit."""
        return [repr(self.search(query, explain=True).hits) for query in QUERIES]

    def tables(self) -> set[str]:
        with apsw.Connection(str(self.settings.database)) as database:
            rows = database.execute("SELECT name FROM sqlite_schema").fetchall()
        prefixes = ("dense_", "parked_", "tokens_", "windows_")
        return {name for (name,) in rows if name.startswith(prefixes)}

    def profile(self) -> tuple[str | None, str | None]:
        with self.open() as index:
            profile = index.status().profile
        return profile["dense"], profile["late"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Changing]:
    for checkpoint in (BIG, SMALL, DENSE, OTHER, TOGETHER, LATE):
        monkeypatch.setitem(CATALOGUE, checkpoint.name, checkpoint)  # type: ignore[arg-type]
    monkeypatch.setattr("pplx_local.index.encode.BATCH_CHARS", 20)
    monkeypatch.setattr("pplx_local.index.encode.MOST_CHARS", 20)
    desk = Changing(tmp_path)
    write_setting(desk.settings.file, "model", "small")
    desk.write("harbour.md", "# Harbour\n\nThe keeper counts ships at dawn.\n")
    desk.write("garden.txt", "Tomatoes want sun, water and a wall behind them.\n")
    desk.write("engine.txt", "Replace the timing belt after 90,000 kilometres.\n")
    for number in range(FILES - 3):
        desk.write(f"{number}.txt", f"subject{number} is what note {number} is about\n")
    return desk


def changed_to_big(desk: Changing, root: Path) -> list[str]:
    """What an index that never knew another model answers."""
    fresh = Changing(root)
    write_setting(fresh.settings.file, "model", "big")
    fresh.folder.rmdir()
    fresh.folder = desk.folder
    fresh.update()
    return fresh.answers()


# --- the choice ---


def held(checkpoint: Checkpoint, role: Role, number: int) -> Held:
    space = Space(number, fake_spaces(checkpoint)[role])
    return Held(space, checkpoint, Path("nowhere"))


S_DENSE, S_LATE = held(SMALL, "dense", 1), held(SMALL, "late", 2)
B_DENSE, B_LATE = held(BIG, "dense", 3), held(BIG, "late", 4)
L_LATE = held(LATE, "late", 5)


@pytest.mark.parametrize(
    ("wanted", "old", "lacking", "chosen"),
    [
        pytest.param([B_DENSE, B_LATE], [], {}, [3, 4], id="nothing to choose"),
        pytest.param([], [S_DENSE], {}, [], id="no model wanted"),
        pytest.param(
            [B_DENSE, B_LATE],
            [S_DENSE, S_LATE],
            {1: 0, 2: 0, 3: 0, 4: 1},
            [1, 2],
            id="half of the wanted is full",
        ),
        pytest.param(
            [B_DENSE, B_LATE],
            [S_DENSE, S_LATE],
            {1: 0, 2: 0, 3: 0, 4: 0},
            [3, 4],
            id="all of the wanted is full",
        ),
        pytest.param(
            [S_DENSE, S_LATE],
            [B_DENSE, B_LATE],
            {1: 2, 2: 2, 3: 9, 4: 9},
            [1, 2],
            id="back half-way, with new files",
        ),
        pytest.param(
            [B_DENSE],
            [S_DENSE, S_LATE],
            {1: 0, 2: 0, 3: 5},
            [1, 2],
            id="a leg that will go answers until then",
        ),
        pytest.param(
            [B_DENSE, L_LATE],
            [S_DENSE],
            {1: 0, 3: 5, 5: 5},
            [1],
            id="a leg that is new waits for its documents",
        ),
        pytest.param(
            [B_DENSE, L_LATE],
            [S_DENSE],
            {1: 1, 3: 5, 5: 1},
            [1, 5],
            id="a leg that stays answers on",
        ),
        pytest.param(
            [B_DENSE, None],
            [S_DENSE, S_LATE],
            {1: 0, 2: 0, 3: 0},
            [1, 2],
            id="a checkpoint of the wanted is not here",
        ),
        pytest.param(
            [L_LATE],
            [S_LATE, B_LATE],
            {2: 3, 4: 1, 5: 8},
            [4],
            id="the fullest of the old",
        ),
        pytest.param(
            [L_LATE],
            [S_LATE, B_LATE],
            {2: 1, 4: 1, 5: 8},
            [2],
            id="the oldest of equals",
        ),
    ],
)
def test_the_spaces_that_answer(
    wanted: list[Held | None],
    old: list[Held],
    lacking: dict[int, int],
    chosen: list[int],
) -> None:
    by_role = {one.space.spec.role if one else "late": one for one in wanted}
    serving = choose_serving(by_role, old, lambda one: lacking[one.space.space_id])
    assert sorted(one.space.space_id for one in serving.values()) == chosen
    assert all(one.space.spec.role == role for role, one in serving.items())


# --- a change, from its beginning to its end ---


def test_the_old_model_answers_byte_for_byte_until_the_new_one_is_full(
    desk: Changing, tmp_path: Path
) -> None:
    desk.update()
    before, old_tables = desk.answers(), desk.tables()
    assert desk.use("big") == []
    assert desk.answers() == before
    stops = 0
    while desk.part_of_an_update(2) and desk.is_changing():
        assert desk.answers() == before
        assert desk.search("timing belt").profile == {"dense": "small", "late": "small"}
        stops += 1
    assert stops > 3, "the update was too short to be stopped in the middle"
    desk.update()
    after = desk.answers()
    assert after != before
    assert after == changed_to_big(desk, tmp_path / "fresh")
    assert desk.search("timing belt").profile == {"dense": "big", "late": "big"}
    assert desk.tables(), "the new tables"
    assert not desk.tables() & old_tables


def test_stopped_after_any_batch_it_goes_on(desk: Changing, tmp_path: Path) -> None:
    # Each batch is one transaction, and what is left to do is read from the database:
    # a kill is a stop whose last batch was not told of.
    desk.update()
    wanted = changed_to_big(desk, tmp_path / "fresh")
    saved = shutil.copytree(desk.settings.home, tmp_path / "saved")
    for n_batches in range(1, FILES + 1):
        shutil.rmtree(desk.settings.home)
        shutil.copytree(saved, desk.settings.home)
        desk.use("big")
        assert desk.part_of_an_update(n_batches)
        desk.update()
        assert desk.answers() == wanted
        assert desk.profile() == ("big", "big")


def test_what_was_embedded_before_a_stop_is_not_embedded_again(desk: Changing) -> None:
    whole = desk.update().encoded_tokens
    desk.use("big")
    desk.part_of_an_update(6)
    assert 0 < desk.update().encoded_tokens < whole


def test_new_and_edited_files_are_found_during_the_change(desk: Changing) -> None:
    desk.update()
    desk.use("big")
    desk.part_of_an_update(3)
    desk.write("new.txt", "An inventory of brass sextants.\n")
    desk.write("garden.txt", "Nothing but herons stand there now.\n")
    desk.part_of_an_update(4)
    assert desk.profile() == ("small", "small")
    assert desk.paths("sextants", mode="dense")[0] == "new.txt"
    assert desk.paths("herons", mode="late")[0] == "garden.txt"
    with desk.open() as index:
        assert index.status().coverage["dense"] == 1


def test_the_status_says_how_far_the_change_is(desk: Changing) -> None:
    desk.update()
    with desk.open() as index:
        assert index.status().change is None
    desk.use("big")
    desk.part_of_an_update(4)
    with desk.open() as index:
        status = index.status()
    assert status.profile == {"dense": "small", "late": "small"}
    assert status.coverage == {"lexical": 1, "dense": 1, "late": 1}
    assert status.change is not None
    assert status.change.profile == {"dense": "big", "late": "big"}
    assert status.change.documents == FILES
    assert 0 < status.change.embedded["dense"] < FILES
    desk.update()
    with desk.open() as index:
        assert index.status().change is None


def test_the_progress_names_the_models_and_the_switch(desk: Changing) -> None:
    desk.update()
    desk.use("big")
    desk.write("new.txt", "An inventory of brass sextants.\n")
    with desk.open(write=True) as index:
        said = [progress.message for progress in index.update() if progress.message]
    first, then, last = said
    assert "small" in first
    assert "big" in then
    assert "small answers until" in then
    assert last == "The model is big now. Removing the vectors of small."


def test_stopped_at_the_switch_the_next_update_makes_it(desk: Changing) -> None:
    desk.update()
    old_tables = desk.tables()
    desk.use("big")
    with desk.open(write=True) as index:
        for progress in index.update():
            if "Removing" in (progress.message or ""):
                break
    assert desk.profile() == ("big", "big"), "it is full already"
    assert old_tables <= desk.tables()
    desk.used()
    desk.update()
    assert not desk.tables() & old_tables
    assert desk.used() == [], "nothing had to be embedded"


def test_the_old_vectors_leave_the_disk(desk: Changing) -> None:
    for number in range(40):
        desk.write(f"long {number}.txt", f"long{number} " + "words and more " * 400)
    desk.update()
    desk.use("big")
    desk.update()
    with apsw.Connection(str(desk.settings.database)) as database:
        ((free,),) = database.execute("PRAGMA freelist_count").fetchall()
    assert free == 0


def test_a_full_disk_does_not_stop_the_switch(
    desk: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, before_ns: int | None = None) -> int:
        if before_ns is None:
            raise StoreFull("The disk is full.")
        return 0

    desk.update()
    desk.use("big")
    monkeypatch.setattr("pplx_local.store.Store.purge", full)
    with desk.open(write=True) as index:
        said = [one.message for one in index.update() if one.message]
    assert "The disk is full." in said[-1]
    assert desk.profile() == ("big", "big")


def test_a_search_that_began_before_the_switch_ends_as_it_began(
    desk: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one that tidies up waits this long for the search to end.
    monkeypatch.setattr("pplx_local.store.connection.BUSY_TIMEOUT_MS", 50)

    class Slow(FakeWorker):
        """Its weights take so long to load that the change ends meanwhile."""

        def info(self) -> WorkerInfo:
            desk.kinds.clear()
            desk.update()
            return super().info()

    desk.update()
    before = desk.search("timing belt").hits
    desk.use("big")
    desk.kinds["small"] = Slow
    assert desk.search("timing belt").hits == before
    assert desk.search("timing belt").profile["dense"] == "big"


# --- other ways through ---


def test_without_old_vectors_the_new_model_answers_at_once(desk: Changing) -> None:
    assert desk.part_of_an_update(4)
    answer = desk.search("subject3")
    assert answer.profile["dense"] == "small"
    assert 0 < answer.legs["dense"].coverage < 1
    with desk.open() as index:
        assert index.status().change is None


def test_switching_back_half_way_answers_at_once_and_drops_the_half(
    desk: Changing,
) -> None:
    desk.update()
    before, tables = desk.answers(), desk.tables()
    desk.use("big")
    desk.part_of_an_update(5)
    desk.write("new.txt", "An inventory of brass sextants.\n")
    desk.part_of_an_update(1)  # it has been read; nobody has embedded it
    (desk.folder / "new.txt").unlink()
    assert desk.use("small") == ["big"]
    assert desk.tables() == tables
    desk.used()
    assert desk.update().encoded_tokens == 0
    assert desk.used() == []
    assert desk.answers() == before


def test_a_model_that_was_hardly_begun_is_not_finished_first(desk: Changing) -> None:
    desk.part_of_an_update(3)
    desk.used()
    desk.use("big")
    assert desk.search("subject3").profile["dense"] == "small"
    desk.used()
    desk.update()
    assert desk.used() == ["big"]
    assert desk.profile() == ("big", "big")


def test_a_model_that_appears_does_not_darken_search(desk: Changing) -> None:
    write_setting(desk.settings.file, "model", "auto")
    models = desk.settings.home / "models"
    for name in ("big", "only-dense", "only-late", "other-dense"):
        (models / name).rename(models / f"{name} is away")
    desk.update()
    before = desk.answers()
    (models / "big is away").rename(models / "big")
    assert desk.answers() == before
    desk.part_of_an_update(4)
    assert desk.answers() == before
    desk.update()
    assert desk.profile() == ("big", "big")


def test_a_model_whose_volume_is_away_keeps_its_vectors(desk: Changing) -> None:
    write_setting(desk.settings.file, "model", "auto")
    models = desk.settings.home / "models"
    for name in ("only-dense", "only-late", "other-dense"):
        shutil.rmtree(models / name)
    desk.update()
    before = desk.answers()
    (models / "big").rename(models / "big is away")
    desk.update()
    assert desk.profile() == ("small", "small")
    (models / "big is away").rename(models / "big")
    assert desk.answers() == before
    desk.update()
    assert desk.profile() == ("big", "big")


def test_without_a_model_vectors_are_kept(desk: Changing) -> None:
    desk.update()
    before, tables = desk.answers(), desk.tables()
    desk.use("none")
    desk.update()
    assert not desk.search("timing belt").legs["dense"].ran
    assert desk.tables() == tables
    desk.use("small")
    assert desk.answers() == before


def test_a_text_that_crashes_the_new_encoder_does_not_keep_the_old_one(
    desk: Changing,
) -> None:
    desk.write("poison.txt", "A spoonful of arsenic.\n")
    desk.update()
    desk.use("big")
    desk.kinds["big"] = Poisoned
    update = whole_update(desk)
    assert "poison.txt" in (update.encoder_error or "")
    assert desk.profile() == ("big", "big")
    with desk.open() as index:
        assert index.status().coverage["dense"] == FILES / (FILES + 1)


def test_a_new_encoder_that_does_not_run_changes_nothing(desk: Changing) -> None:
    desk.update()
    before = desk.answers()
    desk.use("big")
    desk.kinds["big"] = Refused
    update = whole_update(desk)
    assert update.encoder_error == "the framework is not installed"
    assert desk.answers() == before
    assert desk.profile() == ("small", "small")


def whole_update(desk: Changing) -> Update:
    with desk.open(write=True) as index:
        update = index.update()
        list(update)
    return update


# --- two checkpoints ---


def test_two_checkpoints_embed_one_after_the_other(desk: Changing) -> None:
    desk.use("only-dense + only-late")
    with desk.open(write=True) as index:
        index.add_folder(desk.folder)
        steps: list[Progress] = list(index.update())
    assert desk.together == 1
    assert desk.used() == ["only-dense", "only-late"]
    said = [step.message for step in steps if step.message]
    assert said == ["Embedding with only-dense.", "Embedding with only-late."]
    answer: Answer = desk.search("timing belt")
    assert answer.profile == {"dense": "only-dense", "late": "only-late"}
    assert all(report.ran for report in answer.legs.values())
    assert desk.together == 2, "a search needs both"


def test_only_one_model_is_in_memory_while_the_model_changes(desk: Changing) -> None:
    desk.update()
    desk.use("only-dense + only-late")
    desk.write("new.txt", "An inventory of brass sextants.\n")
    desk.used()
    desk.update()
    assert desk.used() == ["small", "only-dense", "only-late"]
    assert desk.together == 1


def test_what_both_profiles_share_is_not_embedded_again(desk: Changing) -> None:
    desk.use("only-dense + only-late")
    desk.update()
    before = desk.answers()
    desk.use("other-dense + only-late")
    desk.used()
    assert desk.part_of_an_update(4)
    assert desk.used() == ["other-dense"]
    assert desk.answers() == before
    desk.write("new.txt", "An inventory of brass sextants.\n")
    desk.update()
    assert desk.used()[-3:] == ["only-late", "only-dense", "other-dense"]
    assert desk.profile() == ("other-dense", "only-late")


def test_a_second_leg_joins_when_it_is_full(desk: Changing) -> None:
    desk.use("only-dense")
    desk.update()
    before = desk.answers()
    desk.use("other-dense + only-late")
    while desk.part_of_an_update(4) and desk.is_changing():
        answer = desk.search("timing belt")
        assert answer.profile["dense"] == "only-dense"
        if not answer.legs["late"].ran:
            assert desk.answers() == before
        else:
            assert answer.legs["late"].coverage == 1
    desk.update()
    assert desk.profile() == ("other-dense", "only-late")


def test_what_the_profile_does_not_have_is_not_missed(desk: Changing) -> None:
    desk.use("only-dense")
    desk.update()
    report = desk.search("timing belt").legs["late"]
    assert report.reason == "the profile has no such space"


# --- what it costs ---


def test_the_estimate_counts_what_is_missing(desk: Changing) -> None:
    desk.update()
    with desk.open(write=True) as index:
        estimate = index.estimate_model("big")
        assert estimate.profile == {"dense": "big", "late": "big"}
        assert estimate.serving == {"dense": "small", "late": "small"}
        assert estimate.documents == FILES
        assert estimate.tokens > 0
        assert estimate.seconds is None
        assert estimate.memory_bytes > 8e9
        assert estimate.memory_fp32_bytes > 16e9
        two = index.estimate_model("only-dense + only-late")
        assert two.tokens == 2 * estimate.tokens
        assert index.estimate_model("none").documents == 0
        same = index.estimate_model("small")
        assert (same.documents, same.tokens, same.disk_bytes) == (0, 0, 0)
        assert same.serving == same.profile
    desk.use("big")
    desk.part_of_an_update(4)
    with desk.open(write=True) as index:
        assert 0 < index.estimate_model("big").documents < FILES


def test_what_overlapping_windows_read_twice_is_in_the_estimate(
    desk: Changing,
) -> None:
    words = " ".join(f"w{number * number // 7 % 1000:03}" for number in range(40_000))
    desk.write("book.txt", words)
    (desk.settings.home / "speed").write_text('{"together": 100, "only-dense": 100}')
    surveyed = {}
    for model in ("together", "only-dense"):
        write_setting(desk.settings.file, "model", model)
        settings = load_settings(desk.settings.home)
        surveyed[model] = survey(desk.folder, settings).estimated_seconds
    write_setting(desk.settings.file, "model", "small")
    desk.update()
    with desk.open(write=True) as index:
        together = index.estimate_model("together")
        alone = index.estimate_model("only-dense")
    factor = together.tokens / alone.tokens
    assert surveyed["together"] / surveyed["only-dense"] == pytest.approx(factor, 1e-3)
    assert together.disk_bytes == pytest.approx(alone.disk_bytes * 32 / 48, abs=2)
    desk.use("together")
    read = desk.update().encoded_tokens
    assert factor == pytest.approx(read / 40_000, rel=0.08)


def test_the_estimated_disk_is_near_what_the_vectors_take(desk: Changing) -> None:
    for number in range(20):
        desk.write(f"long {number}.txt", f"long{number} " + "plain words " * 900)
    desk.update()
    with desk.open(write=True) as index:
        estimate = index.estimate_model("only-late")
    desk.use("only-late")
    desk.update()
    with desk.open() as index:
        taken = index.status().bytes_by_part["late"]
    assert estimate.disk_bytes / 2 < taken < estimate.disk_bytes * 2


def test_a_speed_is_remembered_for_each_checkpoint(desk: Changing) -> None:
    lines = [f"many words in line {number} and more of them" for number in range(1_000)]
    desk.write("long.txt", "\n".join(lines))
    desk.update()
    with desk.open(write=True) as index:
        assert index.estimate_model("big").seconds is None
    desk.use("big")
    desk.update()
    with desk.open(write=True) as index:
        index.add_folder(desk.folder)
        seconds = index.estimate_model("small").seconds
    assert seconds is not None
    assert seconds > 0
    settings = load_settings(desk.settings.home)
    assert survey(desk.folder, settings).estimated_seconds is not None


def test_a_survey_counts_the_vectors_of_both_checkpoints(desk: Changing) -> None:
    def disk(model: str) -> int:
        write_setting(desk.settings.file, "model", model)
        found = survey(desk.folder, load_settings(desk.settings.home))
        return found.estimated_disk_bytes

    text, dense, late = disk("none"), disk("only-dense"), disk("only-late")
    assert text < dense
    assert text < late
    both = disk("only-dense + only-late")
    assert both - text == pytest.approx(dense - text + late - text, abs=2)


def test_a_model_that_is_not_here_is_refused_with_the_way_to_get_it(
    desk: Changing,
) -> None:
    desk.update()
    before = desk.answers()
    shutil.rmtree(desk.settings.home / "models" / "big")
    with pytest.raises(ModelError, match=r"not on this computer.*install_fake"):
        desk.use("big")
    assert load_settings(desk.settings.home).model == "small"
    assert desk.answers() == before


def test_a_disk_without_room_is_refused_with_the_figures(
    desk: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.update()
    usage = shutil.disk_usage(desk.folder)._replace(free=100)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(StoreFull, match=r"big would take about .* GB"):
        desk.use("big")
    assert load_settings(desk.settings.home).model == "small"
    assert desk.use("small") == [], "what is embedded already needs no room"
