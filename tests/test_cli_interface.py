"""The program without a command, up to where the interface begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from daemon import Daemon
from typer.testing import CliRunner

from pplx_local.cli import interface
from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Invocation]:
    """What the interface was called with, in what is taken for a terminal."""
    calls: list[Invocation] = []
    monkeypatch.setattr(interface, "_is_terminal", lambda: True)
    monkeypatch.setattr(interface, "_run", calls.append)
    monkeypatch.delenv("PPLX_LOCAL_HOME", raising=False)
    return calls


@pytest.mark.parametrize(
    "args", [["--home", "/far/home", "--device", "cpu"], ["--home=/far/home", "-v"], []]
)
def test_plain_options_begin_the_interface(
    args: list[str], begun: list[Invocation]
) -> None:
    with pytest.raises(SystemExit):
        interface.run_interface(args)
    assert begun[0].home == (Path("/far/home") if args else None)
    assert begun[0].device == ("cpu" if "--device" in args else None)
    assert begun[0].verbose == ("-v" in args)


def test_an_option_keeps_what_follows_a_sign_of_equality(
    begun: list[Invocation],
) -> None:
    with pytest.raises(SystemExit):
        interface.run_interface(["--verbose", "--home=/far/a=b", "--backend=torch"])
    assert begun[0].home == Path("/far/a=b")
    assert begun[0].backend == "torch"


@pytest.mark.parametrize(
    "args",
    [
        ["--home"],
        ["-v", "--device"],
        ["status"],
        ["--home", "/far", "status"],
        ["--version"],
        ["-v=1"],
    ],
)
def test_the_rest_is_left_to_the_commands(
    args: list[str], begun: list[Invocation]
) -> None:
    interface.run_interface(args)
    assert begun == []


@pytest.mark.parametrize("home", ["~nobody-is-called-so", ""])
def test_a_home_that_is_none_is_left_to_the_commands_that_refuse_it(
    home: str, begun: list[Invocation]
) -> None:
    interface.run_interface(["--home", home])
    assert begun == []
    result = CliRunner().invoke(app, ["--home", home], catch_exceptions=False)
    assert result.exit_code == 2
    assert "--home" in result.stderr


def test_a_home_of_the_environment_that_is_none_is_refused_too(
    begun: list[Invocation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PPLX_LOCAL_HOME", "~nobody-is-called-so")
    interface.run_interface([])
    assert begun == []
    result = CliRunner().invoke(app, [], catch_exceptions=False)
    assert result.exit_code == 2
    assert "whose home is meant by ~nobody-is-called-so?" in result.stderr


def test_a_daemon_that_runs_otherwise_is_told_before_the_interface_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interface, "_is_terminal", lambda: True)
    with Daemon(tmp_path) as daemon:
        home = str(daemon.settings.home)
        with pytest.raises(SystemExit) as ended:
            interface.run_interface(["--home", home, "--device", "cpu"])
        assert ended.value.code == 2
        said = f"The daemon (process {daemon.pid}) is the one that writes"
        assert said in capsys.readouterr().err
