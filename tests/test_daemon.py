"""A real daemon over a real folder: what is saved is found, whatever is done to it."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
from daemon import Daemon, wait_for
from typer.testing import CliRunner

from pplx_local.cli.app import app
from pplx_local.daemon.claim import claimed_by
from pplx_local.daemon.client import stop
from pplx_local.daemon.place import socket_path
from pplx_local.errors import FolderError, StoreBusy
from pplx_local.index import Index


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path) as daemon:
        yield daemon


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Daemon]:
    """One that looks after itself, and tries again, many times a second."""
    with Daemon(tmp_path, options=["--impatient"]) as daemon:
        yield daemon


# --- a file is saved ---------------------------------------------------------


def test_what_is_saved_edited_renamed_and_deleted_is_found_so(daemon: Daemon) -> None:
    daemon.add()
    path = daemon.write("note.txt", "The walrus sleeps on the ice floe.")
    wait_for(lambda: daemon.paths("walrus") == ["note.txt"])
    path.write_text("The narwhal dives below the ice floe.", encoding="utf-8")
    wait_for(lambda: daemon.paths("narwhal") == ["note.txt"])
    wait_for(lambda: daemon.paths("walrus") == [])
    path.rename(path.with_name("moved.txt"))
    wait_for(lambda: daemon.paths("narwhal") == ["moved.txt"])
    path.with_name("moved.txt").unlink()
    wait_for(lambda: daemon.paths("narwhal") == [])


def test_an_editor_that_saves_by_rename_is_followed(daemon: Daemon) -> None:
    path = daemon.write("note.txt", "First a heron.")
    daemon.add()
    temporary = path.with_name(".note.txt.swp123")
    temporary.write_text("Then an egret.", encoding="utf-8")
    temporary.replace(path)
    wait_for(lambda: daemon.paths("egret") == ["note.txt"])
    assert daemon.paths("heron") == []


def test_every_leg_follows(daemon: Daemon) -> None:
    daemon.add()
    daemon.write("note.txt", "The walrus sleeps on the ice floe.")
    wait_for(lambda: daemon.covers_all(documents=1))
    [hit] = daemon.client.search("walrus").hits
    assert hit.scores.keys() == {"lexical", "dense", "late"}


def test_a_folder_moved_in_and_out_again(daemon: Daemon, tmp_path: Path) -> None:
    daemon.add()
    outside = tmp_path / "outside"
    outside.mkdir()
    for number in range(20):
        (outside / f"{number}.txt").write_text(f"osprey number{number}")
    inside = daemon.folder / "inside"
    outside.rename(inside)
    wait_for(lambda: len(daemon.paths("osprey", k=50)) == 20)
    inside.rename(outside)
    wait_for(lambda: daemon.paths("osprey", k=50) == [])


def test_a_renamed_folder_is_not_read_again(daemon: Daemon) -> None:
    for number in range(500):
        daemon.write(f"old/{number}.txt", f"osprey number{number}")
    daemon.add()
    wait_for(lambda: daemon.state().doing is None)
    log = daemon.settings.home / "logs" / "daemon.log"
    before = log.read_text().count("read ")
    (daemon.folder / "old").rename(daemon.folder / "new")
    new = os.fsencode(daemon.folder / "new" / "7.txt")
    ask = partial(daemon.client.search, "number7", mode="lexical")
    wait_for(lambda: [hit.path for hit in ask().hits] == [new])
    wait_for(lambda: daemon.state().doing is None)
    assert log.read_text().count("read ") == before
    assert daemon.covers_all(documents=500)


def test_a_thousand_files_at_once_are_all_found_and_none_twice(
    daemon: Daemon,
) -> None:
    daemon.add()
    for number in range(1000):
        daemon.write(f"d{number % 10}/{number}.txt", f"plover word{number}")
    wait_for(lambda: daemon.covers_all(documents=1000), 60)
    found = daemon.paths("plover", k=2000)
    assert len(found) == len(set(found)) == 1000


# --- what is asked of it -----------------------------------------------------


def test_adding_is_followed_to_its_end(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.write("broken.pdf", "%PDF-1.7\nnot much of one")
    outcome = daemon.add()
    assert outcome.report.added == 2
    assert [file.path[-10:] for file in outcome.failures] == [b"broken.pdf"]
    assert outcome.encoder_error is None
    assert outcome.report.encoded_tokens > 0
    assert daemon.covers_all(documents=1)


def test_what_is_watched_and_read_is_fresh_as_of_now(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    wait_for(lambda: daemon.state().doing is None)
    [folder] = daemon.client.status().folders
    assert folder.watching
    assert folder.watching.how == "events"
    before = time.time_ns()
    assert (daemon.client.status().fresh_as_of_ns or 0) >= before


def test_what_cannot_be_added_is_said_and_the_rest_is_done(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    outcome = daemon.follow("add", [daemon.folder / "missing", daemon.folder])
    assert len(outcome.refused) == 1
    assert "missing" in outcome.refused[0]
    assert daemon.paths("bittern") == ["a.txt"]


def test_an_error_keeps_its_kind_over_the_socket(daemon: Daemon, tmp_path) -> None:
    with pytest.raises(FolderError, match="not in a registered folder"):
        daemon.follow("update", [tmp_path / "elsewhere"])


def test_forgetting_a_folder_ends_its_answers_and_its_watch(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    assert daemon.client.remove_folder(daemon.folder) == 1
    assert daemon.paths("bittern") == []
    daemon.write("b.txt", "Another bittern.")
    time.sleep(1.0)
    assert daemon.client.status().folders == ()
    assert daemon.client.purge()[0] == 1


def test_paused_it_waits_and_says_why_and_an_explicit_update_works(
    daemon: Daemon,
) -> None:
    daemon.add()
    daemon.client.pause()
    daemon.write("a.txt", "A bittern booms.")
    wait_for(lambda: "pplx-local resume" in (daemon.state().waits or ""))
    assert daemon.client.status().queue.waiting == 1
    assert daemon.paths("bittern") == []
    daemon.follow("update", None)
    assert daemon.paths("bittern") == ["a.txt"]
    daemon.write("b.txt", "Another bittern.")
    daemon.client.resume()
    wait_for(lambda: len(daemon.paths("bittern")) == 2)


def test_a_pause_outlives_the_daemon(daemon: Daemon) -> None:
    daemon.add()
    daemon.client.pause()
    daemon.stop()
    daemon.write("a.txt", "A bittern booms.")
    daemon.start()
    wait_for(lambda: daemon.client.status().queue.waiting == 1)
    assert daemon.state().paused


def test_keywords_answer_at_once_while_a_model_loads(tmp_path: Path) -> None:
    with Daemon(tmp_path, options=["--slow-model"]) as daemon:
        daemon.write("a.txt", "A bittern booms.")
        daemon.client.pause()
        daemon.client.add_folder(daemon.folder)
        daemon.client.resume()
        wait_for(lambda: daemon.client.search("bittern", wait=False).hits)
        answer = daemon.client.search("bittern", wait=False)
        assert answer.legs["dense"].reason == "the model is being loaded"


def test_a_file_that_fails_for_a_while_is_tried_again(daemon: Daemon) -> None:
    if os.geteuid() == 0:
        pytest.skip("permissions mean nothing to root")
    path = daemon.write("a.txt", "A bittern booms.")
    path.chmod(0)
    daemon.add()
    path.chmod(0o600)
    wait_for(lambda: daemon.paths("bittern") == ["a.txt"], 60)


# --- two of them -------------------------------------------------------------


def test_a_second_daemon_leaves_the_first_alone(daemon: Daemon) -> None:
    second = daemon.spawn()
    assert second.wait(30) == 0
    assert daemon.client.hello()["pid"] == daemon.pid


def test_a_path_that_is_none_is_refused_by_every_call(daemon: Daemon) -> None:
    wrong = daemon.folder / "a\0b"
    for call in (
        lambda: list(daemon.client.add([wrong])),
        lambda: list(daemon.client.update([wrong])),
        lambda: daemon.client.remove_folder(wrong),
    ):
        with pytest.raises(FolderError, match=r"a\\x00b.* is no path"):
            call()


def test_a_writer_in_process_is_refused_by_name(daemon: Daemon) -> None:
    with pytest.raises(StoreBusy, match=str(daemon.pid)):
        Index.open(daemon.settings, write=True)


def test_it_waits_for_a_writer_that_will_end(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with Index.open(daemon.settings, write=True):
        process = daemon.spawn()
        time.sleep(1.5)
        assert process.poll() is None
        assert not daemon.reach()
    try:
        wait_for(daemon.reach, 60)
    finally:
        daemon.stop()
        process.terminate()
        process.wait(30)


def test_one_that_waits_is_the_only_one_is_told_of_and_can_be_ended(
    tmp_path: Path,
) -> None:
    daemon = Daemon(tmp_path)
    home = daemon.settings.home
    with Index.open(daemon.settings, write=True):
        waiting = daemon.spawn()
        wait_for(lambda: claimed_by(home) == waiting.pid)
        assert daemon.spawn().wait(30) == 0
        shown = CliRunner().invoke(app, ["--home", str(home), "daemon", "status"])
        assert f"process {waiting.pid}) runs but does not answer" in shown.stdout
        assert stop(home) == waiting.pid
        assert waiting.wait(10) == 0
        assert claimed_by(home) is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_however_it_ends_the_next_one_goes_on(daemon: Daemon, how) -> None:
    daemon.add()
    for number in range(60):
        daemon.write(f"{number}.txt", f"plover word{number} " * 200)
    time.sleep(0.5)
    daemon.stop(how)
    daemon.write("after.txt", "plover after")
    daemon.start()
    wait_for(lambda: daemon.covers_all(documents=61), 60)
    assert len(set(daemon.paths("plover", k=1000))) == 61


def test_its_children_end_with_it(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    children = psutil.Process(daemon.pid).children(recursive=True)
    assert children
    daemon.stop(signal.SIGKILL)
    assert not psutil.wait_procs(children, timeout=10)[1]


# --- what goes wrong ---------------------------------------------------------


def test_a_socket_that_was_removed_is_there_again(impatient: Daemon) -> None:
    daemon = impatient
    socket_path(daemon.settings.home).unlink()
    (daemon.settings.home / "daemon.json").unlink()
    daemon.client.close()
    wait_for(daemon.reach)
    assert daemon.client.hello()["pid"] == daemon.pid


def test_without_its_home_it_ends_and_makes_no_other(impatient: Daemon) -> None:
    daemon = impatient
    daemon.add()
    home, children = daemon.settings.home, psutil.Process(daemon.pid).children()
    moved = home.rename(home.with_name("moved"))
    assert daemon.wait(15) != 0
    assert not home.exists()
    assert "moved or deleted" in (moved / "logs" / "daemon.log").read_text()
    assert not psutil.wait_procs(children, timeout=10)[1]
    with Index.open(replace(daemon.settings, home=moved)) as index:
        assert index.status().folders


def test_a_full_disk_is_told_searches_go_on_and_so_does_it_later(
    impatient: Daemon,
) -> None:
    daemon = impatient
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    process = psutil.Process(daemon.pid)
    unlimited = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (1 << 20, unlimited[1]))
    for number in range(10):
        words = " ".join(f"w{number}x{n}" for n in range(20_000))
        daemon.write(f"{number}.txt", words)
    wait_for(lambda: daemon.state().trouble is not None, 60)
    assert "index.db" in (daemon.state().trouble or "")
    assert "next try" in (daemon.state().waits or "")
    assert daemon.paths("bittern") == ["a.txt"]
    process.rlimit(resource.RLIMIT_FSIZE, unlimited)
    wait_for(lambda: daemon.paths("w9x7") == ["9.txt"], 60)
    wait_for(lambda: daemon.state().trouble is None, 60)


def test_who_asks_for_an_update_does_not_wait_for_the_next_try(tmp_path: Path) -> None:
    with Daemon(tmp_path, options=["--long-back-off"]) as daemon:
        daemon.add()
        process = psutil.Process(daemon.pid)
        unlimited = process.rlimit(resource.RLIMIT_FSIZE)
        process.rlimit(resource.RLIMIT_FSIZE, (1 << 16, unlimited[1]))
        daemon.write("a.txt", "A bittern booms.")
        wait_for(lambda: daemon.state().trouble is not None)
        process.rlimit(resource.RLIMIT_FSIZE, unlimited)
        daemon.client._connection.settimeout(30)  # not for ever, where it does wait
        daemon.follow("update", None)
        assert daemon.paths("bittern") == ["a.txt"]
        assert daemon.state().trouble is None


def test_a_full_disk_is_told_while_a_model_is_waited_for(tmp_path: Path) -> None:
    with Daemon(tmp_path, options=["--slow-model", "--long-back-off"]) as daemon:
        daemon.write("a.txt", "A bittern booms.")
        daemon.client.add_folder(daemon.folder)
        wait_for(lambda: daemon.paths("bittern"))
        limits = (1 << 16, resource.RLIM_INFINITY)
        psutil.Process(daemon.pid).rlimit(resource.RLIMIT_FSIZE, limits)
        daemon.write("b.txt", "Another bittern.")
        wait_for(lambda: daemon.state().trouble is not None)
        assert "index.db" in (daemon.state().trouble or "")


def test_a_volume_that_goes_away_deletes_nothing(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    away = daemon.folder.with_name("away")
    daemon.folder.rename(away)
    wait_for(lambda: daemon.states() == {"unreachable": 1}, 60)
    assert daemon.paths("bittern") == ["a.txt"]
    away.rename(daemon.folder)
    wait_for(lambda: daemon.states() == {"indexed": 1}, 60)
    daemon.write("b.txt", "Another bittern.")
    wait_for(lambda: len(daemon.paths("bittern")) == 2, 60)


def test_its_log_holds_no_words_of_documents(daemon: Daemon) -> None:
    daemon.write("secret.txt", "The password is xyzzyplugh.")
    daemon.write("broken.pdf", "%PDF-1.7\nxyzzyplugh")
    daemon.add()
    daemon.paths("xyzzyplugh")
    daemon.stop()
    log = (daemon.settings.home / "logs" / "daemon.log").read_text()
    assert "started" in log
    assert "xyzzyplugh" not in log
    mode = (daemon.settings.home / "logs" / "daemon.log").stat().st_mode
    assert mode & 0o077 == 0


def test_it_holds_no_framework_and_no_tokenizer(daemon: Daemon) -> None:
    daemon.write("a.txt", "A bittern booms.")
    daemon.add()
    loaded = daemon.loaded_libraries()
    for name in ("torch", "mlx", "tokenizers"):
        assert not [path for path in loaded if f"/{name}/" in path]


def test_it_looks_for_no_garbage_in_what_it_has_loaded(daemon: Daemon) -> None:
    """That is over 50,000 objects, and all searches wait meanwhile."""
    daemon.write("one.txt", "a kestrel")
    daemon.add()
    assert daemon.paths("kestrel") == ["one.txt"]
    assert daemon.n_looked_through() < 20_000
