"""Programs that are really started: what they are given, and what becomes of them."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from recorder import Recorder

from pplx_local.errors import OpenError
from pplx_local.opener import (
    Command,
    Environment,
    Where,
    clipboard,
    copy,
    doing,
    plan,
    run,
    spawn,
)

WAIT_S = 20.0


@pytest.fixture
def programs(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path)
    monkeypatch.setenv("PATH", recorder.path)
    for name in ("VISUAL", "PAGER", "LESS", "LESSOPEN", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SSH_CONNECTION", "SSH_TTY", "WSL_DISTRO_NAME", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    return recorder


def here(system: str = "linux") -> Environment:
    return Environment(system, os.environ, shutil.which)


def windowed(*argv: str, otherwise: tuple[str, ...] = ()) -> Command:
    return Command(argv, in_terminal=False, otherwise=otherwise)


# --- in the terminal ---


@pytest.mark.parametrize("name", [b"-n.md", b"a b;$(id)`.md", b"\xff\n.md", b"'\".md"])
def test_an_editor_gets_the_name_as_it_is(programs, tmp_path, monkeypatch, name):
    programs.add("vim")
    monkeypatch.setenv("EDITOR", "vim -R")
    path = bytes(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_text("x")
    run(plan(path, Where(3, 2), "open", here()))
    assert programs.arguments("vim") == [b"-R", b"+call cursor(3,2)", path]


def test_the_environment_of_this_process_is_looked_at(programs, monkeypatch):
    programs.add("vim")
    monkeypatch.setenv("EDITOR", "vim")
    environment = Environment.here()
    assert environment.system == sys.platform
    assert environment.variables["EDITOR"] == "vim"
    assert environment.find("vim") == str(programs.folder / "vim")
    assert environment.find("no-such-program") is None


def test_a_program_that_fails_is_told(programs):
    programs.add("vim", "sys.exit(3)")
    with pytest.raises(
        OpenError, match="vim could not do it: it ended with exit code 3"
    ):
        run(Command(("vim",), in_terminal=True))


def test_a_program_that_is_gone_is_told():
    with pytest.raises(OpenError, match="Cannot start vimm: No such file"):
        run(Command(("/nowhere/vimm",), in_terminal=True))


def test_ctrl_c_is_a_key_of_the_program(programs):
    """It ends neither us nor the program that takes it for a key."""
    programs.add(
        "less",
        "import signal\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "os.kill(os.getpid(), signal.SIGINT)",
    )
    run(Command(("less",), in_terminal=True))
    assert programs.has_run("less")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_ends_a_program_that_does_not_take_it(programs):
    programs.add(
        "more",
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "os.kill(os.getpid(), signal.SIGINT)",
    )
    with pytest.raises(OpenError, match="signal 2"):
        run(Command(("more",), in_terminal=True))


def test_a_program_does_not_inherit_our_deafness(programs, tmp_path):
    told = tmp_path / "told"
    programs.add(
        "vim",
        "import signal\n"
        f"Path({str(told)!r}).write_text(str(signal.getsignal(signal.SIGQUIT)))",
    )
    run(Command(("vim",), in_terminal=True))
    assert told.read_text() == str(signal.SIG_DFL)


def test_a_program_runs_from_any_thread(programs):
    programs.add("vim")
    thread = threading.Thread(target=run, args=(Command(("vim", "x"), True),))
    thread.start()
    thread.join(WAIT_S)
    assert programs.arguments("vim") == [b"x"]


# --- on their own ---


def test_a_program_with_windows_is_cut_off_from_our_terminal(programs, tmp_path):
    told = tmp_path / "told"
    programs.add(
        "zathura",
        "own_session = os.getsid(0) == os.getpid()\n"
        "null = os.stat(os.devnull).st_rdev\n"
        "silent = all(os.fstat(n).st_rdev == null for n in (0, 1, 2))\n"
        f"Path({str(told)!r}).write_text(f'{{own_session}} {{silent}} {{os.getcwd()}}')",
    )
    spawn(windowed("zathura")).join(WAIT_S)
    assert told.read_text() == "True True /"


def test_what_is_started_leaves_no_zombie(programs):
    programs.add("zathura")
    before = {child.pid for child in psutil.Process().children()}
    spawn(windowed("zathura")).join(WAIT_S)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_nobody_waits_for_a_program_with_windows(programs, tmp_path):
    gate = tmp_path / "gate"
    programs.add(
        "zathura",
        f"import time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)",
    )
    waiter = spawn(windowed("zathura"))
    assert programs.arguments("zathura") == [b""]
    assert waiter.is_alive()
    gate.touch()
    waiter.join(WAIT_S)
    assert not waiter.is_alive()


def test_a_failure_is_told_soon(programs):
    programs.add("xdg-open", "sys.exit(4)")
    failures: list[OpenError] = []
    spawn(windowed("xdg-open"), failures.append).join(WAIT_S)
    (failure,) = failures
    assert str(failure) == "xdg-open could not do it: it ended with exit code 4."


def test_success_is_no_failure(programs):
    programs.add("xdg-open")
    failures: list[OpenError] = []
    spawn(windowed("xdg-open"), failures.append).join(WAIT_S)
    assert not failures


def test_a_viewer_that_was_used_for_a_while_did_not_fail(programs, monkeypatch):
    monkeypatch.setattr(doing, "_SOON_S", 0.0)
    programs.add("zathura", "sys.exit(1)")
    failures: list[OpenError] = []
    spawn(windowed("zathura"), failures.append).join(WAIT_S)
    assert programs.has_run("zathura")
    assert not failures


def test_a_failure_that_nobody_wants_to_hear_of_is_none(programs):
    programs.add("xdg-open", "sys.exit(4)")
    waiter = spawn(windowed("xdg-open"))
    waiter.join(WAIT_S)
    assert not waiter.is_alive()


def test_a_program_that_cannot_be_started_is_told_at_once():
    with pytest.raises(OpenError, match="Cannot start zathura"):
        spawn(windowed("/nowhere/zathura"))


def test_without_a_file_manager_on_the_bus_the_folder_is_opened(programs, tmp_path):
    programs.add("gdbus", "sys.exit(1)")
    programs.add("xdg-open")
    (tmp_path / "a.md").write_text("x")
    command = plan(bytes(tmp_path / "a.md"), Where(), "reveal", here())
    failures: list[OpenError] = []
    spawn(command, failures.append).join(WAIT_S)
    assert programs.arguments("gdbus")[-2] == b"['file://%b/a.md']" % bytes(tmp_path)
    assert programs.arguments("xdg-open") == [bytes(tmp_path)]
    assert not failures


def test_with_a_file_manager_on_the_bus_nothing_else_is_started(programs, tmp_path):
    programs.add("gdbus")
    programs.add("xdg-open")
    command = plan(bytes(tmp_path), Where(), "reveal", here())
    spawn(command).join(WAIT_S)
    assert programs.has_run("gdbus")
    assert not programs.has_run("xdg-open")


@pytest.mark.parametrize("other", ["xdg-open", "/nowhere/xdg-open"])
def test_when_the_second_way_fails_too_it_is_told(programs, other):
    programs.add("gdbus", "sys.exit(1)")
    programs.add("xdg-open", "sys.exit(2)")
    failures: list[OpenError] = []
    spawn(windowed("gdbus", otherwise=(other,)), failures.append).join(WAIT_S)
    (failure,) = failures
    assert "xdg-open" in str(failure)


def test_windows_is_given_its_own_form_of_the_path(programs, tmp_path, monkeypatch):
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    programs.add("wslpath", "print('W:' + sys.argv[2])")
    programs.add("explorer.exe", "sys.exit(1)")  # as it always does
    path = tmp_path / "$(id) 'a'.md"
    path.write_text("x")
    failures: list[OpenError] = []
    command = plan(bytes(path), Where(), "reveal", here())
    spawn(command, failures.append).join(WAIT_S)
    assert programs.arguments("wslpath") == [b"-w", bytes(path)]
    assert programs.arguments("explorer.exe") == [b"/select,W:" + bytes(path)]
    assert not failures


# --- a real pager ---


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_a_pager_shows_what_a_terminal_would_obey(tmp_path, monkeypatch):
    """Whatever $LESS says; it stays for a short file, and runs no $LESSOPEN."""
    trap = tmp_path / "trap"
    monkeypatch.setenv("LESS", "-r -F")
    monkeypatch.setenv("LESSOPEN", f"|touch {trap}; cat %s")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("PAGER", raising=False)
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\x1b]0;owned\x07\nthree\n")
    environment = Environment("linux", os.environ, shutil.which)
    shown = _on_a_terminal(plan(bytes(path), Where(2), "page", environment))
    assert "one" not in shown.split("two")[0]
    assert "two" in shown
    assert "\x1b]0;owned" not in shown
    assert "ESC" in shown
    assert not trap.exists()


def _on_a_terminal(command: Command) -> str:
    """Run a pager on a terminal of its own, until "q"; give what it has shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command.argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + WAIT_S
    while b"owned" not in shown and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            shown += os.read(ours, 4096)
    assert process.poll() is None, "it did not stay"
    os.write(ours, b"q")
    process.wait(WAIT_S)
    os.close(ours)
    return shown.decode()


# --- the clipboard ---

READ_STDIN = "Path(sys.argv[0] + '.stdin').write_bytes(sys.stdin.buffer.read())"


def test_text_reaches_the_clipboard_and_no_argument(programs):
    programs.add("xclip", READ_STDIN)
    assert copy("päth \udcff secret", here())
    got = (programs.folder / "xclip.stdin").read_bytes()
    assert got == "päth ".encode() + b"\xff secret"
    assert programs.arguments("xclip") == [b"-selection", b"clipboard", b"-in"]


@pytest.mark.parametrize(("system", "expected"), [("darwin", True), ("linux", False)])
def test_macos_is_told_that_it_is_utf_8(programs, monkeypatch, system, expected):
    monkeypatch.setenv("LC_ALL", "C")
    record = "Path(sys.argv[0] + '.locale').write_text(os.environ['LC_ALL'])"
    name = "pbcopy" if system == "darwin" else "xclip"
    programs.add(name, record)
    assert copy("x", here(system))
    told = (programs.folder / f"{name}.locale").read_text()
    assert (told == "en_US.UTF-8") is expected


def test_who_keeps_the_clipboard_outlives_the_terminal(programs):
    programs.add("xclip", "sys.exit(os.getsid(0) != os.getpid())")
    assert copy("x", here())


def test_without_a_clipboard_nothing_is_copied(programs, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    programs.add("xclip")
    assert not copy("x", here())
    assert not programs.has_run("xclip")


def test_a_clipboard_that_fails_is_told(programs):
    programs.add("xclip", "sys.exit(1)")
    assert not copy("x", here())
    assert programs.has_run("xclip")


def test_a_clipboard_that_hangs_is_given_up(programs, monkeypatch):
    monkeypatch.setattr(clipboard, "_TIMEOUT_S", 0.5)
    programs.add("xclip", "import time\ntime.sleep(60)")
    started = time.monotonic()
    assert not copy("x", here())
    assert time.monotonic() - started < 30


def test_what_is_opened_writes_files_as_the_person_does(tmp_path: Path) -> None:
    written = tmp_path / "written"
    program = (
        "import os; from pplx_local import umask; "
        "from pplx_local.opener import Command, run; os.umask(0o022); "
        "umask.restrict(); open('ours', 'w').close(); "
        "run(Command(('touch', 'theirs'), in_terminal=True))"
    )
    written.mkdir()
    subprocess.run([sys.executable, "-c", program], cwd=written, check=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in written.iterdir()}
    assert modes == {"ours": 0o600, "theirs": 0o644}
