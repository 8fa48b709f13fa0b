"""The daemon's log: all of its lines, readable by one person, without a word of texts."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import stat
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from pplx_local.daemon.log import log_bug, log_file, open_log
from pplx_local.errors import DaemonError

SECRET = "the barnacle's diary"


@contextmanager
def log_in(home: Path, *, to_stderr: bool = False):
    logger = open_log(home, to_stderr=to_stderr)
    try:
        yield logger
    finally:
        for handler in logger.handlers:
            handler.close()


def lines_of(home: Path) -> list[str]:
    return log_file(home).read_text(encoding="utf-8").splitlines()


def fail(words: str) -> None:
    raise ValueError(f"cannot read {words}")


def caught(words: str) -> Exception:
    try:
        try:
            fail(words)
        except ValueError as error:
            raise RuntimeError(words) from error
    except RuntimeError as error:
        error.add_note(words)
        return error


# --- what is in it ---


def test_a_line_has_its_time_its_level_and_its_message(tmp_path):
    with log_in(tmp_path) as log:
        log.info("read %d files", 12)
        log.warning("the disk is full")
    first, second = lines_of(tmp_path)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO read 12 files", first
    )
    assert second.endswith(" WARNING the disk is full")


def test_the_foreground_shows_the_same_lines(tmp_path, capfd):
    with log_in(tmp_path, to_stderr=True) as log:
        log.info("started")
    assert capfd.readouterr().err.splitlines() == lines_of(tmp_path)
    with log_in(tmp_path) as log:
        log.info("in the background")
    assert capfd.readouterr().err == ""


def test_a_bug_is_told_by_its_place_and_by_no_word_of_it(tmp_path):
    with log_in(tmp_path) as log:
        log_bug(log, caught(SECRET))
        log.exception("it failed", exc_info=caught(SECRET))
    bug, plain = lines_of(tmp_path)
    assert "barnacle" not in "".join(map(str, lines_of(tmp_path)))
    assert re.search(r"RuntimeError at tests/test_daemon_log\.py:\d+ caught", bug)
    assert re.search(
        r"after ValueError at .* > tests/test_daemon_log\.py:\d+ fail", bug
    )
    assert str(Path(__file__).parents[1]) not in bug
    assert "cannot read" not in bug, "a line of the source"
    assert plain.endswith("it failed")


def test_causes_in_a_circle_end(tmp_path):
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    with log_in(tmp_path) as log:
        log_bug(log, first)
    assert lines_of(tmp_path)[0].count("Error at an unknown place") == 2


def test_what_a_terminal_would_obey_is_escaped(tmp_path):
    with log_in(tmp_path) as log:
        log.info("a\nb \x1b[2J \u202e \x85 \udcff é")
    assert log_file(tmp_path).read_bytes().count(b"\n") == 1
    assert lines_of(tmp_path)[0].endswith(r"a\nb \x1b[2J \u202e \x85 \udcff é")


def test_libraries_do_not_write_into_it(tmp_path):
    with log_in(tmp_path) as log:
        log.info("ours")
        logging.getLogger("pplx_local.daemon.watchdog").error(SECRET)
        logging.getLogger().error(SECRET)
    assert len(lines_of(tmp_path)) == 1


# --- the file ---


def test_only_its_owner_can_read_it(tmp_path):
    file = log_file(tmp_path)
    before = os.umask(0)
    try:
        with log_in(tmp_path) as log:
            log.info("started")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    with log_in(tmp_path):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_grows_no_further_than_four_files_and_loses_no_line(tmp_path):
    with log_in(tmp_path) as log:
        threads = [
            threading.Thread(target=write_lines, args=(log, letter))
            for letter in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    files = sorted(log_file(tmp_path).parent.iterdir())
    assert len(files) == 3, "2.2 MB"
    assert all(file.stat().st_size <= 1_000_000 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    written = [line for file in files for line in file.read_text().splitlines()]
    assert {line.split()[-2] for line in written} == {
        f"{letter}{n}" for letter in "abcd" for n in range(550)
    }
    with log_in(tmp_path) as log:
        for letter in "efgh":
            write_lines(log, letter)
    assert len(list(log_file(tmp_path).parent.iterdir())) == 4


def write_lines(log: logging.Logger, letter: str) -> None:
    for n in range(550):
        log.info("%s%d %s", letter, n, "x" * 960)


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_a_line_and_no_more(tmp_path, capfd):
    with log_in(tmp_path) as log:
        handler = log.handlers[0]
        file = handler.setStream(FullDisk())
        log.info("lost")
        handler.setStream(file)
        log.info("kept")
    assert capfd.readouterr().err == ""
    assert [line.split()[-1] for line in lines_of(tmp_path)] == ["kept"]


def test_a_log_that_cannot_be_written_says_where(tmp_path):
    (tmp_path / "logs").write_text("in the way")
    with pytest.raises(
        DaemonError, match=rf"{tmp_path}/logs/daemon.log: .* --home DIR"
    ):
        open_log(tmp_path, to_stderr=False)
