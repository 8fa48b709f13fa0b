"""`settings`: what can be set, and a change that keeps the rest of the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from daemon import Daemon
from typer.testing import CliRunner, Result

from pplx_local.cli.app import app
from pplx_local.config import KEYS, Settings, load_settings


class Program:
    """`pplx-local` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.file = home, home / "config.toml"

    def __call__(self, *args: str) -> Result:
        command = ["--home", str(self.home), "settings", *args]
        return CliRunner().invoke(app, command, catch_exceptions=False)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


def test_all_settings_are_listed_with_what_they_are_for(program: Program) -> None:
    listed = program().stdout
    for key in KEYS.values():
        assert f"{key.name} = " in listed
        assert key.about in listed
    assert "idle_minutes = 5\n" in listed
    assert "It may be: from 256 to 32,768" in listed
    assert "It may be: auto, always\n" in listed


def test_json_has_every_key_with_value_and_default(program: Program) -> None:
    program("idle_minutes", "12.5")
    found = {one["name"]: one for one in json.loads(program("--json").stdout)}
    assert list(found) == list(KEYS)
    assert found["idle_minutes"]["value"] == 12.5
    assert found["idle_minutes"]["default"] == 5.0
    assert found["power"]["choices"] == ["auto", "always"]
    assert found["backend"]["live"] is False


def test_a_change_keeps_comments_and_other_keys(program: Program) -> None:
    program.home.mkdir()
    program.file.write_text('# mine\npower = "always" # on the desk\n')
    result = program("window_tokens", "4_096")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "window_tokens is 4,096 now" in result.stderr
    assert "# mine" in program.file.read_text()
    assert "# on the desk" in program.file.read_text()
    assert load_settings(program.home).window_tokens == 4096
    assert load_settings(program.home).power == "always"


def test_one_setting_is_shown_with_its_default(program: Program) -> None:
    program("power", "always")
    said = program("power").stdout
    assert said.startswith("power = always (by default auto)\n")
    assert "A running daemon follows at once." in said
    assert "idle_minutes" not in said


def test_what_is_true_or_false_is_written_as_such(program: Program) -> None:
    assert "It may be: true, false\n" in program("hidden").stdout
    assert "hidden is true now" in program("hidden", "true").stderr
    assert program.file.read_text() == "hidden = true\n"
    assert load_settings(program.home).hidden is True
    assert program("hidden").stdout.startswith("hidden = true (by default false)\n")
    assert json.loads(program("hidden", "--json").stdout)[0]["value"] is True
    program.file.write_text("hidden = 1\n")
    assert "should be true or false" in program("hidden").stderr


def test_the_default_comes_back(program: Program) -> None:
    program("power", "always")
    assert program("power", "--default").exit_code == 0
    assert program.file.read_text() == ""
    assert load_settings(program.home) == Settings(program.home)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("powr", "auto"), "No setting is called 'powr'. Did you mean 'power'?"),
        (("zebra",), "Known: model, backend"),
        (("power", "often"), 'should be "auto" or "always"'),
        (("hidden", "yes"), "should be true or false"),
        (("hidden", "1"), "should be true or false"),
        (("window_tokens", "12"), "should be from 256 to 32,768"),
        (("window_tokens", "many"), "should be of type int"),
        (("idle_minutes", "nan"), "should be more than 0"),
        (("model", "nonsense"), "No checkpoint is called 'nonsense'"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(
    program: Program, given: tuple[str, ...], said: str
) -> None:
    result = program(*given)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not program.file.exists()


@pytest.mark.parametrize("given", [("--default",), ("power", "auto", "--default")])
def test_a_change_of_nothing_is_refused(
    program: Program, given: tuple[str, ...]
) -> None:
    assert program(*given).exit_code == 2


def test_a_file_with_a_mistake_can_be_mended(program: Program) -> None:
    program.home.mkdir()
    program.file.write_text('window_tokens = "many"\n')
    assert program().exit_code == 2
    assert program("window_tokens", "512").exit_code == 0
    assert load_settings(program.home).window_tokens == 512


def test_a_file_kept_elsewhere_is_changed_there(
    program: Program, tmp_path: Path
) -> None:
    kept = tmp_path / "dotfiles" / "search.toml"
    kept.parent.mkdir()
    kept.write_text("# mine\n")
    program.home.mkdir()
    program.file.symlink_to(kept)
    assert program("power", "always").exit_code == 0
    assert program.file.is_symlink()
    assert kept.read_text() == '# mine\npower = "always"\n'
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.parametrize("given", [("power",), ("power", "always")])
def test_a_file_that_is_not_in_utf_8_says_where(
    program: Program, given: tuple[str, ...]
) -> None:
    program.home.mkdir()
    program.file.write_bytes(b'power = "auto"\n# f\xfcr mich\n')
    result = program(*given)
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert f"the settings in {program.file}: line 2 is not in UTF-8" in said
    assert "save it as UTF-8" in said
    assert b"\xfc" in program.file.read_bytes()


def test_the_model_is_chosen_as_by_models_use(program: Program) -> None:
    result = program("model", "none")
    assert "Answers come from keywords alone." in result.stderr
    assert load_settings(program.home).model == "none"


def test_a_running_daemon_follows_or_says_that_it_cannot(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        program = Program(daemon.settings.home)
        said = program("max_file_bytes", "300").stderr
        assert "The daemon follows from now on." in said
        assert daemon.client.follow_settings()["max_file_bytes"] == 300
        said = program("device", "cpu").stderr
        assert "pplx-local daemon stop; pplx-local daemon start" in said
