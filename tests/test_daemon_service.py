"""The files that let the system start the daemon: what is in them, and whose they are."""

from __future__ import annotations

import os
import plistlib
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pplx_local.config import Settings
from pplx_local.daemon import launchd, systemd
from pplx_local.daemon.service import install, uninstall
from pplx_local.errors import DaemonError
from pplx_local.home import platform_home

ODD_NAME = """a  b\\c"d'e%h$HOME ;é -"""

linux_only = pytest.mark.skipif(
    sys.platform == "darwin", reason="macOS has launchd, and would install for real"
)


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    """Let nothing be written outside of the test's folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "person"))


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path / "home")


class Systemd:
    """Programs of systemd's names that write down what they are asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.asked = folder / "asked"
        self.answer("systemctl", "true")
        self.answer("systemd-run", "true")
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def answer(self, name: str, how: str) -> None:
        script = self.folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.asked}"\n{how}\n')
        script.chmod(0o755)

    def commands(self) -> list[str]:
        return self.asked.read_text().splitlines() if self.asked.exists() else []


@pytest.fixture
def manager(tmp_path, monkeypatch) -> Systemd:
    return Systemd(tmp_path / "bin", monkeypatch)


# --- the unit ---


def unit_of(home: Path) -> str:
    text, _ = systemd.describe(home)
    return text


def verify(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let systemd read a unit, and say how it understood it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    path = folder / "pplx-local.service"
    path.write_text(text, encoding="utf-8")
    (folder / "runtime").mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        ["systemd-analyze", "verify", "--user", str(path)],
        env=os.environ
        | {"XDG_RUNTIME_DIR": str(folder / "runtime"), "SYSTEMD_LOG_TARGET": "console"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@linux_only
def test_systemd_has_nothing_to_say_of_the_unit(tmp_path, monkeypatch):
    done = verify(unit_of(tmp_path / "home"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@linux_only
def test_systemd_complains_of_a_unit_that_is_wrong(tmp_path):
    """The check above is worth something."""
    wrong = unit_of(tmp_path).replace("PrivateUsers", "PrivateUser")
    assert "Unknown key 'PrivateUser'" in verify(wrong, tmp_path).stderr


@linux_only
def test_systemd_reads_odd_names_as_they_are(tmp_path, monkeypatch):
    python = tmp_path / "a  b%h$HOME ;é -"
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    home = tmp_path / f"home {ODD_NAME}"
    text = unit_of(home)
    assert verify(text, tmp_path).stderr == "", "the program is there and can be run"
    monkeypatch.setenv("SYSTEMD_LOG_LEVEL", "debug")
    told = verify(text, tmp_path).stdout
    assert f"ReadWritePaths: {home} -/tmp\n" in told
    line = next(one for one in told.splitlines() if "Command Line: " in one)
    escaped = ODD_NAME.replace("\\", r"\\").replace('"', r"\"").replace("$", r"\$")
    assert f"{tmp_path}/a  b%h" in line
    assert f'"{home.parent}/home {escaped}" daemon run' in line


@linux_only
def test_a_program_that_systemd_would_not_start_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/opt/it's/bin/python")
    with pytest.raises(DaemonError, match=r"it's.*pplx-local daemon start"):
        systemd.describe(tmp_path)


@linux_only
def test_the_unit_keeps_the_daemon_off_the_network_and_from_writing(tmp_path):
    lines = unit_of(tmp_path / "home").splitlines()
    for expected in (
        "PrivateNetwork=yes",
        "RestrictAddressFamilies=AF_UNIX",
        "ProtectSystem=strict",
        f'ReadWritePaths="{tmp_path}/home" -/tmp',
        "UMask=0077",
        "Restart=on-failure",
    ):
        assert expected in lines
    assert not [line for line in lines if line.startswith(("Nice=", "PrivateTmp="))]


@linux_only
@pytest.mark.parametrize("name", ["a\nb", "a\x7fb", os.fsdecode(b"a\xff")])
def test_a_name_that_no_unit_can_hold_is_refused(name, manager, tmp_path):
    with pytest.raises(DaemonError, match=r"cannot hold.*--home DIR"):
        install(Settings(home=tmp_path / name))
    assert not (tmp_path / "config").exists()


# --- installing ---


@linux_only
def test_installing_writes_the_unit_and_starts_it(manager, settings, tmp_path):
    lines = install(settings)
    (unit,) = (tmp_path / "config/systemd/user").iterdir()
    assert stat.S_IMODE(unit.stat().st_mode) == 0o600
    assert settings.home.is_dir()
    assert f'"--home" "{settings.home}"' in unit.read_text()
    assert lines[0] == f"Wrote {unit}."
    assert lines[-1] == "The daemon runs, and starts at each login."
    assert manager.commands()[-3:] == [
        "systemctl --user daemon-reload",
        f"systemctl --user enable {unit.name}",
        f"systemctl --user restart {unit.name}",
    ]


@linux_only
def test_installing_again_writes_it_anew(manager, settings):
    install(settings)
    unit = systemd.service_file(settings.home)
    unit.write_text(unit.read_text().replace("CPUWeight=20", "CPUWeight=10000"))
    install(settings)
    assert "CPUWeight=20\n" in unit.read_text()
    assert len(list(unit.parent.iterdir())) == 1


@linux_only
def test_each_home_has_a_unit_of_its_own(tmp_path, monkeypatch):
    assert systemd.service_file(platform_home()).name == "pplx-local.service"
    # An environment that goes away must not decide whose unit it is.
    monkeypatch.setenv("PPLX_LOCAL_HOME", str(tmp_path / "one"))
    names = {systemd.service_file(tmp_path / name).name for name in ("one", "two")}
    assert len(names) == 2
    assert "pplx-local.service" not in names


@linux_only
def test_without_a_place_of_its_own_it_lies_in_the_persons(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative, so it does not count")
    expected = tmp_path / "person" / ".config/systemd/user/pplx-local.service"
    assert systemd.service_file(platform_home()) == expected


@linux_only
def test_a_systemd_that_cannot_be_reached_leaves_the_commands(manager, settings):
    manager.answer(
        "systemctl", "echo 'Failed to connect to bus: no medium' >&2; exit 1"
    )
    lines = install(settings)
    unit = systemd.service_file(settings.home)
    assert unit.exists()
    assert "Failed to connect to bus: no medium" in lines[1]
    assert lines[-1].endswith(f"systemctl --user enable --now {unit.name}")
    assert "PrivateUsers=yes" in unit.read_text(), "nothing says that it is refused"


@linux_only
def test_where_namespaces_are_refused_the_unit_starts_without_them(manager, settings):
    manager.answer("systemd-run", "exit 217")
    lines = install(settings)
    text = systemd.service_file(settings.home).read_text()
    assert "namespaces" in lines[1]
    assert "PrivateUsers" not in text
    assert "ProtectSystem" not in text
    assert "\nRestrictAddressFamilies=AF_UNIX\n" in text


@linux_only
def test_a_computer_without_systemd_is_told_how_to_go_on(
    settings, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DaemonError, match=r"no systemd here.*pplx-local daemon start"):
        install(settings)
    assert not list(tmp_path.iterdir())


@linux_only
@pytest.mark.parametrize("do", [install, uninstall])
def test_a_unit_of_somebody_else_is_left_alone(do, manager, settings):
    unit = systemd.service_file(settings.home)
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/usr/bin/mine\n")
    with pytest.raises(DaemonError, match="not made by pplx-local"):
        do(settings)
    assert unit.read_text() == "[Service]\nExecStart=/usr/bin/mine\n"
    unit.unlink()
    unit.symlink_to("/dev/null")  # what `systemctl --user mask` makes
    with pytest.raises(DaemonError, match="not made by pplx-local"):
        do(settings)


@linux_only
def test_a_folder_that_cannot_be_made_is_told(manager, settings, tmp_path):
    (tmp_path / "config").write_text("in the way")
    with pytest.raises(DaemonError, match=r"Cannot write .*pplx-local-\w+\.service: "):
        install(settings)


# --- uninstalling ---


@linux_only
def test_uninstalling_stops_and_removes_it(manager, settings):
    install(settings)
    unit = systemd.service_file(settings.home)
    lines = uninstall(settings)
    assert lines[0] == "Stopped the daemon."
    assert lines[1].startswith(f"Removed {unit}")
    assert not unit.exists()
    assert settings.home.is_dir()
    assert manager.commands()[-2:] == [
        f"systemctl --user disable --now {unit.name}",
        "systemctl --user daemon-reload",
    ]
    (line,) = uninstall(settings)
    assert line.startswith("Nothing to remove")


@linux_only
def test_it_goes_even_where_systemd_cannot_be_reached(manager, settings):
    install(settings)
    manager.answer("systemctl", "echo 'no bus' >&2; exit 1")
    lines = uninstall(settings)
    assert "no bus" in lines[0]
    assert not systemd.service_file(settings.home).exists()


# --- the job of launchd ---


def job_of(home: Path) -> dict[str, object]:
    text, _ = launchd.describe(home)
    return plistlib.loads(text.encode())


def test_the_job_comes_back_as_it_was_meant(tmp_path):
    home = tmp_path / f"{ODD_NAME} <&>"
    job = job_of(home)
    command = [sys.executable, "-P", "-m", "pplx_local", "--home", str(home)]
    assert job["ProgramArguments"] == [*command, "daemon", "run"]
    assert job["Umask"] == 0o077
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    assert job_of(platform_home())["Label"] == "pplx-local"
    assert job["Label"] != "pplx-local"
    assert launchd.service_file(home).stem == job["Label"]


def test_the_job_pleases_plutil(tmp_path):
    if shutil.which("plutil") is None:
        pytest.skip("no plutil here")
    path = tmp_path / "pplx-local.plist"
    path.write_text(launchd.describe(tmp_path / ODD_NAME)[0], encoding="utf-8")
    subprocess.run(["plutil", "-lint", str(path)], check=True)


def test_a_job_of_somebody_else_is_known_as_such(tmp_path):
    text, _ = launchd.describe(tmp_path)
    assert launchd.is_ours(text)
    other = {"Label": "pplx-local", "ProgramArguments": ["/usr/bin/mine", "run"]}
    for foreign in (
        plistlib.dumps(other).decode(),
        "",
        "<plist/>",
        "bplist00",
        "\ufffd",
    ):
        assert not launchd.is_ours(foreign)
