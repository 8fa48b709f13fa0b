"""Pulling from a hub on this machine: what is asked, fetched, kept and refused."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import filelock
import pytest
from delivered import Program, tiny_checkpoint, write_tiny
from hub import Hub, Server, files_of, require_loopback
from test_imports import loaded_by, run_quietly

from pplx_local.models import Checkpoint, find, read_manifest, verify

pytest.importorskip("torch")
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def dense_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_of(write_tiny(tmp_path_factory.mktemp("dense"), "dense"))


@pytest.fixture(scope="module")
def large_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Weights of 39 MB: what comes is written in pieces of 10 MB."""
    return files_of(write_tiny(tmp_path_factory.mktemp("context"), "context"))


@pytest.fixture
def hub(dense_files: dict[str, bytes]) -> Iterator[Hub]:
    require_loopback()
    unwanted = {"modeling.py": b"import os", "onnx/model.onnx": b"", "README.md": b""}
    with Server(Hub(dense_files | unwanted)) as hub:
        yield hub


@pytest.fixture
def checkpoint() -> Checkpoint:
    return tiny_checkpoint("dense")


@pytest.fixture
def program(hub: Hub, checkpoint: Checkpoint, tmp_path: Path) -> Program:
    return Program(tmp_path / "home", checkpoint, HF_ENDPOINT=hub.url)


def without_check(home: Path) -> None:
    """Let the check after a pull end at once, which costs seconds otherwise."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text('backend = "abacus"\n')


def arrived(done: subprocess.CompletedProcess[str]) -> str:
    """What was said of a pull that ended well, but for the check."""
    assert done.returncode == 2, done.stderr
    assert "is whole in" in done.stderr
    assert "was not checked: " in done.stderr
    assert "abacus" in done.stderr
    return done.stderr


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The message of a refusal, which is one line and no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "bug in" not in done.stderr
    return done.stderr.splitlines()[-1]


def nothing_is_here(program: Program, checkpoint: Checkpoint) -> bool:
    return find(checkpoint, program.home) is None


@pytest.mark.slow
def test_a_pull_ends_with_a_checkpoint_that_was_checked(
    program: Program, hub: Hub, checkpoint: Checkpoint
) -> None:
    hub.breaks_after = 100_000  # once, on the way
    done = program("models", "pull", "tiny-dense", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    for said in ("somebody/tiny", hub.revision, "Licence mit", "in 5 files", hub.url):
        assert said in done.stderr
    found = json.loads(done.stdout)
    assert found["revision"] == hub.revision
    assert found["check"]["ok"]
    folder = find(checkpoint, program.home)
    assert folder == Path(found["path"])
    verify(checkpoint, folder)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    wanted = {"config.json", "tokenizer.json", "tokenizer_config.json", "modules.json"}
    assert names == {*wanted, WEIGHTS, "pplx-local.json"}
    manifest = read_manifest(folder)
    assert manifest
    assert manifest.files[WEIGHTS].sha256 == sha256(hub.files[WEIGHTS]).hexdigest()
    assert [one for one in folder.parent.iterdir() if one.suffix == ".part"] == []
    private = [
        p for p in program.home.rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o77
    ]
    assert private == []

    hub.requests.clear()
    again = program("models", "pull", "tiny-dense")
    assert again.returncode == 0, again.stderr
    assert "here already" in again.stderr
    assert hub.requests == []


def test_the_hub_learns_no_more_than_it_must(program: Program, hub: Hub) -> None:
    program.environment |= {"HF_TOKEN": "hf_secret"}
    hub.served[WEIGHTS] = hub.files[WEIGHTS][::-1]  # so that no check follows
    refused(program("models", "pull", "tiny-dense", "--yes"))
    paths = {request.path.split("?")[0].split("/")[1] for request in hub.requests}
    assert paths == {"api", "somebody", "storage"}
    for request in hub.requests:
        told = " ".join(request.headers.values())
        assert "hf_secret" not in told
        assert "torch" not in told


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)], ids=["kill", "^C"]
)
def test_an_interrupted_pull_goes_on_where_it_stopped(
    tmp_path: Path, large_files: dict[str, bytes], number: int, code: int
) -> None:
    require_loopback()
    without_check(tmp_path)
    checkpoint = tiny_checkpoint("context")
    part = tmp_path / "models" / ".tiny-context.part" / WEIGHTS
    with Server(Hub(large_files)) as hub:
        program = Program(tmp_path, checkpoint, HF_ENDPOINT=hub.url)
        hub.stalls_after = 25_000_000
        process = program.start("models", "pull", "tiny-context", "--yes")
        wait_for_bytes(part, 20_000_000)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert nothing_is_here(program, checkpoint)
        if number == signal.SIGINT:
            assert "run the same command to go on" in err
        there = part.stat().st_size
        hub.stalls_after = None
        hub.requests.clear()
        said = arrived(program("models", "pull", "tiny-context", "--yes"))
        assert "were fetched before" in said
        assert set(hub.ranges()) == {f"bytes={there}-"}
        fetched = {r.path for r in hub.requests if "config.json" in r.path}
        assert not fetched, "what is here whole comes once"
    folder = find(checkpoint, tmp_path)
    assert folder
    assert (folder / WEIGHTS).read_bytes() == large_files[WEIGHTS]


def wait_for_bytes(path: Path, n_bytes: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size >= n_bytes:
            return
        time.sleep(0.02)
    pytest.fail("nothing came")


def test_what_was_kept_of_another_file_is_fetched_anew(
    program: Program, hub: Hub, checkpoint: Checkpoint
) -> None:
    staging = program.home / "models" / ".tiny-dense.part"
    staging.mkdir(parents=True)
    (staging / WEIGHTS).write_bytes(b"\1" * 5_000)
    (staging / "config.json").write_bytes(hub.files["config.json"] * 2)
    (staging / "model-00001-of-00002.safetensors").write_bytes(b"of another commit")
    hub.served["tokenizer.json"] = b"\0" * len(hub.files["tokenizer.json"])
    refused(program("models", "pull", "tiny-dense", "--yes"))
    hub.served.clear()
    without_check(program.home)
    arrived(program("models", "pull", "tiny-dense", "--yes"))
    assert "bytes=5000-" in hub.ranges()
    folder = find(checkpoint, program.home)
    assert folder
    assert not list(folder.glob("model-*"))


def test_a_file_that_comes_damaged_is_named_and_not_kept(
    program: Program, hub: Hub, checkpoint: Checkpoint
) -> None:
    hub.served[WEIGHTS] = b"\0" * len(hub.files[WEIGHTS])
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "model.safetensors of somebody/tiny came damaged" in said
    assert sha256(hub.files[WEIGHTS]).hexdigest() in said
    assert sha256(hub.served[WEIGHTS]).hexdigest() in said
    assert nothing_is_here(program, checkpoint)
    assert not (program.home / "models" / ".tiny-dense.part" / WEIGHTS).exists()


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_another_file_than_was_published_is_refused(
    hub: Hub, tmp_path: Path, name: str
) -> None:
    pinned = tiny_checkpoint("dense", sha256={name: "0" * 64})
    program = Program(tmp_path, pinned, HF_ENDPOINT=hub.url)
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert f"{name} of somebody/tiny" in said
    assert f"expected {'0' * 64}" in said
    assert nothing_is_here(program, pinned)
    assert not [r for r in hub.requests if WEIGHTS in r.path], "before gigabytes come"


def test_a_newest_commit_is_said_and_recorded(hub: Hub, tmp_path: Path) -> None:
    unpinned = tiny_checkpoint("dense", revision=None)
    program = Program(tmp_path, unpinned, HF_ENDPOINT=hub.url)
    without_check(tmp_path)
    done = program("models", "pull", "tiny-dense", "--yes", "--json")
    assert f"Revision {hub.revision}, the newest" in arrived(done)
    found = json.loads(done.stdout)
    assert found["revision"] == hub.revision
    assert not found["check"]["ok"]


def test_a_network_that_cannot_be_run_is_refused_before_its_weights_come(
    program: Program, hub: Hub, checkpoint: Checkpoint
) -> None:
    config = {"model_type": "pplx_contextual_qwen3_5"}
    hub.files = hub.files | {"config.json": json.dumps(config).encode()}
    assert "pplx-embed v2" in refused(program("models", "pull", "tiny-dense", "--yes"))
    assert not [r for r in hub.requests if WEIGHTS in r.path]
    assert nothing_is_here(program, checkpoint)


def test_weights_that_are_only_a_pickle_are_refused(program: Program, hub: Hub) -> None:
    del hub.files[WEIGHTS]
    hub.files = hub.files | {"pytorch_model.bin": b"\x80\x04."}
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "only as a pickle (pytorch_model.bin)" in said


def test_a_repository_that_lacks_a_file_is_refused(program: Program, hub: Hub) -> None:
    del hub.files["tokenizer.json"]
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "tokenizer.json is missing" in said


def test_more_than_the_disk_holds_is_refused(program: Program, hub: Hub) -> None:
    hub.claimed[WEIGHTS] = 10**15
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "needs 1,000,000.00 GB more" in said
    assert "Make room" in said


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_hub_that_refuses_is_quoted(program: Program, hub: Hub, status: int) -> None:
    hub.status = status
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert f"HTTP {status}" in said
    assert "somebody/tiny" in said


def test_a_revision_that_is_gone_is_named(program: Program, hub: Hub) -> None:
    hub.revision = "6" * 40
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert f"There is no revision {'5' * 40} of somebody/tiny" in said


def test_what_is_no_hub_is_told_apart(program: Program, hub: Hub) -> None:
    hub.page = b"<html>Please log in to the hotel's network</html>"
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "does not answer as a Hugging Face hub" in said
    assert "HF_ENDPOINT" in said


def test_a_host_that_is_not_there_is_one_clear_error(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    require_loopback()
    program = Program(tmp_path, checkpoint, HF_ENDPOINT="http://127.0.0.1:9")
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "Cannot reach http://127.0.0.1:9" in said
    assert "models import" in said


def test_an_environment_that_forbids_the_network_is_obeyed(
    program: Program, hub: Hub
) -> None:
    program.environment |= {"HF_HUB_OFFLINE": "1"}
    said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "HF_HUB_OFFLINE is set" in said
    assert "env -u HF_HUB_OFFLINE" in said
    assert hub.requests == []


def test_without_a_terminal_nothing_is_fetched_unless_told(
    program: Program, hub: Hub
) -> None:
    said = refused(program("models", "pull", "tiny-dense"))
    assert "--yes" in said
    assert [r.path.split("/")[1] for r in hub.requests] == ["api"]


@pytest.mark.parametrize("answer", ["n\n", "\n", "y\n"])
def test_a_person_is_asked(program: Program, hub: Hub, answer: str) -> None:
    hub.served[WEIGHTS] = b"\0" * len(hub.files[WEIGHTS])  # an end without a check
    ours, theirs = pty.openpty()
    process = program.start("models", "pull", "tiny-dense", stdin=theirs)
    os.close(theirs)
    os.write(ours, answer.encode())
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert "Fetch it?" in err
    assert out == ""
    fetched = [r for r in hub.requests if WEIGHTS in r.path]
    assert bool(fetched) == (answer == "y\n")
    assert process.returncode == (2 if answer == "y\n" else 0)


def test_two_pulls_of_the_same_do_not_meet(program: Program) -> None:
    models = program.home / "models"
    models.mkdir(parents=True)
    with filelock.FileLock(models / ".tiny-dense.lock"):
        said = refused(program("models", "pull", "tiny-dense", "--yes"))
    assert "Another pplx-local is fetching Tiny dense" in said


def test_a_package_says_how_it_is_installed(tmp_path: Path) -> None:
    package = tiny_checkpoint("dense", package="no_such_package", repository=None)
    said = refused(Program(tmp_path, package)("models", "pull", "tiny-dense", "--yes"))
    assert "comes as a package" in said
    assert package.install in said


@pytest.mark.parametrize("program", ["import pplx_local.delivery", "list"])
def test_nothing_but_a_pull_can_speak_to_a_network(
    program: str, tmp_path: Path
) -> None:
    if program == "list":
        program = run_quietly("--home", str(tmp_path), "models", "list")
    assert not loaded_by(program) & {"huggingface_hub", "httpx2", "httpx", "requests"}
