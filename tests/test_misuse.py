"""Odd input, odd folders, odd shells: each a clear message, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from fakes import FakeWorker
from typer.testing import CliRunner, Result

from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation
from pplx_local.config import load_settings
from pplx_local.errors import StoreFull
from pplx_local.models import STARTER
from pplx_local.store import Store
from pplx_local.store.backup import write_backup

ROOT = Path(__file__).parents[1]


class Program:
    """`pplx-local` in this process, with keywords only."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        (home / "config.toml").write_text('model = "none"\n')

    def __call__(self, *args: object) -> Result:
        invocation = Invocation(worker=lambda checkpoint, *_: FakeWorker(checkpoint))
        command = ["--home", str(self.home), *map(str, args)]
        return CliRunner().invoke(
            app, command, obj=invocation, catch_exceptions=False, prog_name="pplx-local"
        )

    def found(self, word: str) -> list[str]:
        result = self("search", word, "--mode", "lexical", "--json")
        return [Path(hit["path"]).name for hit in json.loads(result.stdout)["hits"]]


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "home")


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    (folder / "inner").mkdir(parents=True)
    (folder / "outer.txt").write_text("A heron at the weir.\n")
    (folder / "inner" / "deep.txt").write_text("A kingfisher above the pool.\n")
    return folder


def test_ctrl_c_just_after_a_savepoint_ended_is_told_as_such(tmp_path):
    def interrupted(store):
        with store.transaction():
            store.add_folder(b"/a", 1, 1)
            with store.transaction():
                store._database.execute("RELEASE level_1")
                raise KeyboardInterrupt

    with Store.open(tmp_path / "index.db") as store:
        with pytest.raises(KeyboardInterrupt):
            interrupted(store)
        assert not store._database.in_transaction
        assert store.folders() == []


# --- the shell around it ---


def in_shell(line: str, home: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which `$pplx` is the program."""
    return subprocess.run(
        ["sh", "-c", line],
        env=os.environ
        | {"pplx": f"{sys.executable} -m pplx_local", "PPLX_LOCAL_HOME": str(home)}
        | changes,
        cwd=home.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_streams_that_are_closed_do_no_harm(program, notes):
    done = in_shell("$pplx add notes <&- >&- 2>&-", program.home)
    assert done.returncode == 0
    assert program.found("heron") == ["outer.txt"]
    done = in_shell("$pplx search heron 2>&-", program.home)
    assert (done.returncode, done.stdout.count("heron")) == (0, 1)
    assert in_shell("$pplx search heron >&-", program.home).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_help_that_cannot_be_written_is_an_error_in_words(program):
    done = in_shell("$pplx --help >/dev/full", program.home)
    assert done.returncode == 2
    assert done.stderr.startswith("pplx-local: Cannot write the output: No space")


def test_ctrl_c_while_the_program_loads_leaves_no_traceback(program):
    # Ctrl-C comes when the first of our own modules is looked for.
    code = (
        "import sys, signal\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'pplx_local.cli.app': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from pplx_local.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")


# --- paths ---


@pytest.mark.parametrize("command", ["add", "update", "remove", "backup"])
def test_an_empty_path_is_not_the_working_folder(program, command):
    result = program(command, "")
    assert result.exit_code == 2
    assert "it is empty" in result.stderr


def test_an_unknown_persons_home_is_refused_in_words(program):
    result = program("add", "~nobody-is-called-so/notes")
    assert result.exit_code == 2
    assert "whose home is meant" in result.stderr


@pytest.fixture
def unreadable(notes):
    """A path that no system call reaches, for root either: it is too long."""
    here = os.open(notes, os.O_RDONLY)
    name = "d" * 200
    for _ in range(25):
        os.mkdir(name, dir_fd=here)
        here, above = os.open(name, os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    yield notes
    shutil.rmtree(notes / name)


def test_a_folder_that_cannot_be_entered_is_a_failure_that_is_told(program, unreadable):
    result = program("add", unreadable)
    assert result.exit_code == 3
    assert "2 added, 1 failed" in result.stderr
    assert "longer than the system allows" in result.stderr
    assert program.found("heron") == ["outer.txt"]
    assert program("update").exit_code == 3


def test_a_path_too_long_is_an_error_in_words(program, notes):
    long = notes / ("x" * 300)
    assert program("add", notes).exit_code == 0
    for command in (("add",), ("add", "--dry-run"), ("update", "--json"), ("backup",)):
        result = program(*command, long)
        assert result.exit_code in (0, 2), command
        assert "bug" not in result.stderr
    assert "no such file" in program("files", "--why", long).stdout


def test_links_in_a_circle_are_refused_in_words(program, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for command in (("add",), ("add", "--dry-run"), ("update",), ("remove",)):
        result = program(*command, loop)
        assert result.exit_code == 2, command
        assert "circle" in result.stderr or "not in a registered" in result.stderr


def test_a_device_a_pipe_and_a_socket_are_no_folders(program, tmp_path):
    pipe, plug = tmp_path / "pipe", tmp_path / "plug"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(plug))
        for path in (pipe, plug, Path(os.devnull)):
            for options in ((), ("--dry-run",)):
                result = program("add", *options, path)
                assert result.exit_code == 2
                assert "neither a folder nor a file" in result.stderr
    assert program("files").exit_code == 1


def test_a_link_out_of_a_registered_folder_can_be_added(program, notes, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "far.txt").write_text("A walrus on the floe.\n")
    (notes / "link").symlink_to(outside)
    program("add", notes)
    assert program.found("walrus") == []
    assert "1 added" in program("add", notes / "link").stderr
    assert program.found("walrus") == ["far.txt"]
    (outside / "far.txt").write_text("An otter in the river.\n")
    assert "1 changed" in program("update", notes / "link").stderr


def test_a_folder_takes_over_the_files_of_one_inside_it(program, notes):
    program("add", notes / "inner")
    assert program("add", notes, "--no-index").exit_code == 0
    assert program.found("kingfisher") == ["deep.txt"]
    assert "1 added; 1 file unchanged" in program("update").stderr
    (folder,) = json.loads(program("status", "--json").stdout)["folders"]
    assert folder["states"] == {"indexed": 2}


def test_a_path_named_twice_is_read_once(program, notes):
    result = program("add", notes / "inner", notes, notes, notes / "outer.txt")
    assert "Files: 2 added; 0 files unchanged." in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions mean nothing to root")
def test_what_may_not_be_entered_is_told_by_every_command(program, notes):
    closed = notes / "inner"
    closed.chmod(0)
    try:
        for path in (closed, closed / "deep.txt"):
            assert program("add", path).exit_code == 2
            assert program("add", "--dry-run", path).exit_code == 2
        assert program("add", notes).exit_code == 3
        for path in (closed, closed / "deep.txt"):
            assert "no permission" in program("files", "--why", path).stdout
        assert program("remove", closed).exit_code == 2
    finally:
        closed.chmod(0o700)


# --- the home and its settings ---


@pytest.mark.parametrize("name", ["with blanks", "a?b=c#d%41", "später 日本"])
def test_a_home_can_have_any_name(tmp_path, notes, name):
    program = Program(tmp_path / name)
    assert program("add", notes).exit_code == 0
    assert program.found("heron") == ["outer.txt"]
    assert program("backup", tmp_path / f"{name}.db").exit_code == 0
    with Store.open(tmp_path / f"{name}.db", readonly=True) as copy:
        assert copy.count_documents() == 2


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 on macOS")
def test_a_home_need_not_be_utf8(tmp_path, notes):
    program = Program(Path(os.fsdecode(os.fsencode(tmp_path) + b"/home\xff")))
    assert program("add", notes).exit_code == 0
    assert program.found("heron") == ["outer.txt"]
    target = Path(os.fsdecode(os.fsencode(tmp_path) + b"/copy\xff.db"))
    assert program("backup", target).exit_code == 0
    assert target.stat().st_size > 0


def test_a_home_on_a_read_only_medium_can_be_searched(program, notes, monkeypatch):
    program("add", notes)
    # Nobody can write where there is no permission, except root.
    really = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, mode, **how: mode != os.W_OK and really(path, mode, **how),
    )
    assert program.found("heron") == ["outer.txt"]
    assert not (program.home / "index.db-shm").exists()


@pytest.mark.parametrize(
    "line",
    ["max_batch_tokens = -5", "read_timeout_s = 0", "read_timeout_s = inf"],
)
def test_a_limit_has_to_be_more_than_nothing(program, line):
    (program.home / "config.toml").write_text(line)
    result = program("status")
    assert result.exit_code == 2
    assert "config.toml" in result.stderr
    assert "should be more than 0" in result.stderr


@pytest.mark.parametrize(
    "line",
    [f"read_memory_bytes = {2**63}", "read_timeout_s = 1e9", "idle_minutes = 1441"],
)
def test_a_limit_that_no_system_takes_is_refused(program, line):
    (program.home / "config.toml").write_text(line)
    result = program("status")
    assert result.exit_code == 2
    assert re.search(r"config\.toml: \w+ = .* should be .*at most", result.stderr)


def test_a_word_that_is_no_choice_names_the_choices(program):
    (program.home / "config.toml").write_text('power = "never"')
    result = program("status")
    assert result.exit_code == 2
    assert """power = 'never' should be "auto" or "always".""" in result.stderr


def test_more_hits_than_anyone_reads_are_refused(program, notes):
    program("add", notes)
    assert program("search", "heron", "-k", 10**20).exit_code == 2
    assert program("search", "heron", "-k", 10_000).exit_code == 0


def test_an_update_without_folders_says_so(program):
    result = program("update")
    assert result.exit_code == 0
    assert "No folder is registered" in result.stderr


def test_a_full_disk_is_told_of_the_backup_and_not_of_the_index(tmp_path):
    class Full:
        def execute(self, sql: str, bindings: tuple[str]) -> None:
            raise StoreFull("The disk is full: index.db could not grow")

    target = tmp_path / "copy.db"
    with pytest.raises(StoreFull, match=r"no room for the backup .*copy\.db"):
        write_backup(Full(), target)
    assert not list(tmp_path.iterdir())


def test_doctor_finds_vectors_of_other_rules(notes, tmp_path):
    program = Program(tmp_path / "home")
    (program.home / "config.toml").unlink()
    model_dir = program.home / "models" / STARTER.name
    model_dir.mkdir(parents=True)
    for name in STARTER.sha256:
        (model_dir / name).touch()
    assert program("add", notes).exit_code == 0
    with apsw.Connection(str(program.home / "index.db")) as database:
        database.execute("UPDATE spaces SET fingerprint = 'x' WHERE role = 'dense'")
    report = json.loads(program("doctor", "--json").stdout)
    found = [one for one in report["checks"] if one["name"] == "vectors"]
    assert [one["outcome"] for one in found] == ["fail", "ok"]
    check = found[0]
    # The message is obeyed word by word, and all is well again.
    refused = program("search", "heron", "--mode", "dense")
    assert refused.exit_code == 2
    said = f"The vectors of {STARTER.name} were made by an older version"
    assert said in refused.stderr
    without = program("search", "heron")
    assert without.exit_code == 0
    assert said in without.stderr
    assert program.found("heron") == ["outer.txt"]
    assert check["remedy"] in without.stderr
    for command in re.findall(r"pplx-local (models use \S+|update)", check["remedy"]):
        assert program(*command.rstrip(",").split()).exit_code == 0
    answer = json.loads(program("search", "heron", "--json").stdout)
    assert answer["legs"]["dense"]["coverage"] == 1


def test_a_flag_overrules_the_same_key_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('device = "cuda"\nbackend = "mlx"\n')
    settings = load_settings(tmp_path, device="cpu", backend=None)
    assert (settings.device, settings.backend) == ("cpu", "mlx")
