"""`models use` and `status`: what a change of the model says of itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fakes import FakeWorker, fake_checkpoint, install_fake_checkpoint
from typer.testing import CliRunner, Result

from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation
from pplx_local.models import CATALOGUE

CHECKPOINTS = (
    fake_checkpoint(name="small"),
    fake_checkpoint(
        name="big", dim=64, token_dim=64, n_parameters=600_000_000, title="Big"
    ),
    fake_checkpoint(name="other-late", roles=("late",), dim=40, token_dim=40),
    fake_checkpoint(name="other-dense", roles=("dense",), dim=40, token_dim=40),
)


class Program:
    """`pplx-local` with a home of its own, and a folder in it that is indexed."""

    def __init__(self, root: Path) -> None:
        self.home, self.folder = root / "home", root / "notes"
        self.folder.mkdir()
        for name in ("lease", "soup", "heron"):
            (self.folder / f"{name}.txt").write_text(f"A note about the {name}.\n")
        for checkpoint in CHECKPOINTS:
            install_fake_checkpoint(self.home, checkpoint.name)
        (self.home / "config.toml").write_text('model = "small"\n')
        assert self("add", self.folder).exit_code == 0

    def __call__(self, *args: object) -> Result:
        invocation = Invocation(worker=lambda checkpoint, *_: FakeWorker(checkpoint))
        command = ["--home", str(self.home), *map(str, args)]
        return CliRunner().invoke(app, command, obj=invocation, catch_exceptions=False)

    def json(self, *args: object) -> dict:
        return json.loads(self(*args, "--json").stdout)


@pytest.fixture
def program(tmp_path, monkeypatch):
    for checkpoint in CHECKPOINTS:
        monkeypatch.setitem(CATALOGUE, checkpoint.name, checkpoint)
    return Program(tmp_path)


def test_use_says_what_it_will_cost_and_what_goes_on(program):
    result = program("models", "use", "big")
    assert result.exit_code == 0
    assert result.stdout == ""
    model, work, room, meanwhile, command = result.stderr.splitlines()
    assert model == "The model is big."
    assert work == "To embed: 3 documents, about 16 tokens, time not known yet."
    assert room.startswith(
        "That takes about 2.2 GB of memory (3.4 GB on a processor without bfloat16), "
        "and "
    )
    assert room.endswith("free).")
    assert meanwhile == "Until then small goes on answering."
    assert command.endswith("pplx-local update")


def test_use_of_what_answers_already_says_that_nothing_is_to_do(program):
    said = program("models", "use", "small").stderr
    assert "Nothing has to be embedded" in said
    assert "pplx-local update" not in said


def test_use_json_has_the_figures(program):
    chosen = program.json("models", "use", "other-dense + other-late")
    assert chosen["profile"] == {"dense": "other-dense", "late": "other-late"}
    assert chosen["serving"] == {"dense": "small", "late": "small"}
    assert chosen["documents"] == 3
    assert chosen["seconds"] is None
    assert chosen["disk_bytes"] < chosen["free_disk_bytes"]
    assert chosen["removed"] == []


def test_use_names_two_models_by_their_legs(program):
    said = program("models", "use", "other-dense + other-late").stderr
    assert "The model is other-dense (dense) and other-late (late)." in said


def test_use_of_none_says_that_vectors_stay(program):
    said = program("models", "use", "none").stderr
    assert "keywords alone" in said
    assert "models use auto" in said


def test_going_back_says_what_was_removed(program):
    program("models", "use", "big")
    with Invocation(home=program.home, worker=FakeWorker).open(write=True) as index:
        next(iter(index.update()))
    result = program("models", "use", "small")
    assert "Removed the vectors of big." in result.stderr
    assert program.json("models", "use", "small")["removed"] == []


def test_use_of_a_model_that_is_not_here_says_how_to_get_it(program):
    shutil.rmtree(program.home / "models" / "big")
    result = program("models", "use", "big")
    assert result.exit_code == 2
    assert "Big is not on this computer. Write it with" in result.stderr
    assert program.json("models", "list")["setting"] == "small"


def test_the_status_shows_the_change_and_what_to_run(program):
    program("models", "use", "big")
    shown = program("status").stdout
    assert "dense: small, late: small" in shown
    assert "to become dense: big, late: big" in shown
    assert "embedded dense 0 of 3 documents, late 0 of 3 documents" in shown
    assert "to go on: pplx-local update" in shown
    assert program.json("status")["change"] == {
        "profile": {"dense": "big", "late": "big"},
        "embedded": {"dense": 0, "late": 0},
        "documents": 3,
    }
    answer = program.json("search", "heron")
    assert answer["profile"] == {"dense": "small", "late": "small"}
    result = program("update")
    assert result.exit_code == 0
    assert "The model is big now. Removing the vectors of small." in result.stderr
    shown = program("status").stdout
    assert "dense: big, late: big" in shown
    assert "to become" not in shown
    assert program.json("status")["change"] is None
