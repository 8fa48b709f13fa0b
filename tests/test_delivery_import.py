"""Importing a folder: what it is found to be, and everything that is refused."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from delivered import Program, tiny_checkpoint, write_tiny
from safetensors.numpy import load_file, save_file
from tiny import HIDDEN, TOKEN_DIM, Kind

from pplx_local.delivery import examine, import_source
from pplx_local.delivery.place import taking_over
from pplx_local.errors import ModelError
from pplx_local.models import (
    CATALOGUE,
    MANIFEST,
    Checkpoint,
    find,
    folder_of,
    read_manifest,
    verify,
)

pytest.importorskip("torch")
WEIGHTS = "model.safetensors"
KINDS: tuple[Kind, ...] = ("dense", "context", "late")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    root = tmp_path_factory.mktemp("originals")
    return {kind: write_tiny(root / kind, kind) for kind in KINDS}


@pytest.fixture
def known() -> Iterator[dict[str, Checkpoint]]:
    """The catalogue, which lists tiny entries alone."""
    catalogue: dict[str, Checkpoint] = CATALOGUE  # type: ignore[assignment]
    published = dict(catalogue)
    tiny = {f"tiny-{kind}": tiny_checkpoint(kind) for kind in KINDS}
    catalogue.clear()
    catalogue |= tiny
    yield catalogue
    catalogue.clear()
    catalogue |= published  # in the order that prefers the best


@pytest.fixture
def dense(originals: dict[Kind, Path], tmp_path: Path) -> Path:
    """A folder of the person's that a test may spoil."""
    return shutil.copytree(originals["dense"], tmp_path / "mine")


def nothing(n_bytes: int) -> None:
    """Nobody watches."""


def imported(folder: Path, home: Path, name: str | None = None) -> Path:
    return import_source(examine(folder, name), home, nothing)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_says_what_it_is(
    known: dict[str, Checkpoint],
    originals: dict[Kind, Path],
    tmp_path: Path,
    kind: Kind,
) -> None:
    seen: list[int] = []
    source = examine(originals[kind])
    assert source.checkpoint is known[f"tiny-{kind}"]
    folder = import_source(source, tmp_path, seen.append)
    assert find(source.checkpoint, tmp_path) == folder
    verify(source.checkpoint, folder)
    assert sum(seen) == source.size_bytes
    manifest = read_manifest(folder)
    assert manifest
    assert manifest.source == str(originals[kind])
    copied = (folder / WEIGHTS).read_bytes()
    assert copied == (originals[kind] / WEIGHTS).read_bytes()
    assert manifest.files[WEIGHTS].sha256 == sha256(copied).hexdigest()
    assert ("1_Dense/model.safetensors" in manifest.files) == (kind == "late")


def test_a_snapshot_of_the_cache_of_the_hub_will_do(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--somebody--tiny"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for path in dense.iterdir():
        (snapshot / path.name).symlink_to(path)
    with pytest.raises(ModelError, match=f"Name the snapshot .*{commit}"):
        examine(repository)
    folder = imported(snapshot, tmp_path)
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    manifest = read_manifest(folder)
    assert manifest
    assert manifest.revision == commit
    shutil.rmtree(dense)
    verify(known["tiny-dense"], folder)


def test_nothing_but_what_is_needed_is_copied(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    for name in ("modeling.py", "pytorch_model.bin", "notes.txt"):
        (dense / name).write_text("import os")
    (dense / "onnx").mkdir()
    (dense / "onnx" / WEIGHTS).write_bytes(b"")
    names = {path.name for path in imported(dense, tmp_path).iterdir()}
    small = {"config.json", "tokenizer.json", "tokenizer_config.json", "modules.json"}
    assert names == {*small, WEIGHTS, MANIFEST}


def test_shards_come_with_their_index(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    tensors = load_file(dense / WEIGHTS)
    (dense / WEIGHTS).unlink()
    names = sorted(tensors)
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    where = {name: shards[i % 2] for i, name in enumerate(names)}
    for shard in shards:
        chosen = {name: tensors[name] for name in names if where[name] == shard}
        save_file(chosen, dense / shard)
    (dense / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": where}))
    folder = imported(dense, tmp_path)
    assert {*shards, f"{WEIGHTS}.index.json"} <= {
        path.name for path in folder.iterdir()
    }
    (dense / shards[1]).unlink()
    with pytest.raises(ModelError, match=rf"{shards[1]}, which is not there"):
        examine(dense)


def test_a_folder_of_another_home_brings_its_record(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    (dense / "modules.json").unlink()
    first = imported(dense, tmp_path / "a", "tiny-dense")
    record = read_manifest(first)
    assert record
    second = imported(first, tmp_path / "b")
    again = read_manifest(second)
    assert again
    assert (again.checkpoint, again.source) == ("tiny-dense", record.source)
    damaged = bytearray((first / WEIGHTS).read_bytes())
    damaged[-1] ^= 1
    (first / WEIGHTS).write_bytes(damaged)
    with pytest.raises(ModelError, match=rf"{WEIGHTS} is not the file.*Nothing was"):
        imported(first, tmp_path / "c")
    assert find(known["tiny-dense"], tmp_path / "c") is None


def test_what_is_here_is_replaced_in_one_go(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    before = imported(dense, tmp_path)
    (before / "tokenizer.json").write_text("spoilt")
    after = imported(dense, tmp_path)
    assert after == before
    verify(known["tiny-dense"], after)
    (after / MANIFEST).write_text("spoilt")
    imported(after, tmp_path)  # taken over again where it lies, as the error says
    verify(known["tiny-dense"], after)
    left = {path.name for path in after.parent.iterdir()}
    assert left <= {"tiny-dense", ".tiny-dense.lock"}


def test_what_was_stopped_leaves_no_gigabytes_behind(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    part = tmp_path / "models" / ".tiny-dense.part"
    part.mkdir(parents=True)
    (part / WEIGHTS).write_bytes(b"the first half")
    killed = part.with_name(".tiny-dense.import")
    killed.mkdir()
    (killed / "of an import that was killed").touch()
    folder = imported(dense, tmp_path)
    assert not part.exists()
    assert not killed.exists()
    assert not (folder / "of an import that was killed").exists()


def test_a_folder_that_does_not_tell_needs_a_name(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    (dense / "modules.json").unlink()
    with pytest.raises(
        ModelError, match=r"tiny-dense or tiny-context: say .*--as NAME"
    ):
        examine(dense)
    assert examine(dense, "tiny-context").checkpoint.name == "tiny-context"
    with pytest.raises(ModelError, match=r"not all of Tiny late: 1_Dense/config\.json"):
        examine(dense, "tiny-late")
    with pytest.raises(ModelError, match="No checkpoint is called 'tiny-dence'"):
        examine(dense, "tiny-dence")


def test_a_known_configuration_needs_no_other_mark(
    known: dict[str, Checkpoint], dense: Path
) -> None:
    (dense / "modules.json").unlink()
    digest = sha256((dense / "config.json").read_bytes()).hexdigest()
    pinned = replace(known["tiny-context"], sha256={"config.json": digest})
    known["tiny-context"] = pinned
    assert examine(dense).checkpoint is pinned


def test_sizes_of_no_known_checkpoint_are_refused(dense: Path) -> None:
    with pytest.raises(
        ModelError, match=r"of no size that a known .*Known: pplx-embed"
    ):
        examine(dense)
    with pytest.raises(ModelError, match=rf"vectors of {HIDDEN} dimensions, not 1,024"):
        examine(dense, "v1-0.6b")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no folder .*nowhere"):
        examine(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Cannot read .*x{300}"):
        examine(tmp_path / ("x" * 300))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="is no folder"):
        examine(tmp_path / "model.safetensors")


@pytest.mark.parametrize("points_to", ["nowhere", "elsewhere", None])
def test_what_is_no_folder_gives_its_place_up_again_and_again(
    dense: Path, known: dict[str, Checkpoint], tmp_path: Path, points_to: str | None
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("kept")
    place = folder_of(known["tiny-dense"], tmp_path)
    place.parent.mkdir()
    for _ in range(2):
        if points_to:
            place.symlink_to(tmp_path / points_to)
        else:
            place.write_text("")
        assert imported(dense, tmp_path) == place
        assert find(known["tiny-dense"], tmp_path) == place
        assert not place.is_symlink()
        shutil.rmtree(place)
    assert imported(dense, tmp_path) == place
    assert (elsewhere / "mine.txt").read_text() == "kept"


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def truncate(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size // 2)


def rewrite(change: Callable[[dict[str, np.ndarray]], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        tensors = dict(load_file(folder / WEIGHTS))
        change(tensors)
        save_file(tensors, folder / WEIGHTS)

    return spoil


def rename(tensors: dict[str, np.ndarray]) -> None:
    tensors["layers.0.mlp.up.weight"] = tensors.pop("layers.0.mlp.up_proj.weight")


def halve(tensors: dict[str, np.ndarray]) -> None:
    tensors["norm.weight"] = tensors["norm.weight"].astype(np.float16)


def reshape(tensors: dict[str, np.ndarray]) -> None:
    tensors["norm.weight"] = tensors["norm.weight"][:-1].copy()


def pickled(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "there is no config.json in it"),
        (lambda f: (f / "config.json").write_text("{"), "no model's configuration"),
        (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda f: (f / WEIGHTS).unlink(), "holds no weights"),
        (
            lambda f: edit(f / "config.json", model_type="pplx_contextual_qwen3_5"),
            "pplx-embed v2 checkpoint",
        ),
        (
            lambda f: edit(f / "config.json", use_sliding_window=True, sliding_window=4),
            "sliding-window attention",
        ),
        (pickled, r"only as a pickle \(pytorch_model.bin\)"),
        (truncate, "damaged, perhaps cut short"),
        (rewrite(rename), r"up_proj.weight is missing; layers.0.mlp.up.weight is there"),
        (rewrite(halve), "norm.weight is stored as F16"),
        (rewrite(reshape), r"norm.weight is of shape \(63,\)"),
    ],
    ids=[
        "no config", "damaged config", "no tokenizer", "no weights", "v2", "sliding",
        "pickle", "truncated", "renamed", "float16", "shape",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(
    known: dict[str, Checkpoint],
    dense: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    said: str,
) -> None:
    spoil(dense)
    with pytest.raises(ModelError, match=said) as error:
        imported(dense, tmp_path / "home", "tiny-dense")
    assert str(dense) in str(error.value)
    assert not (tmp_path / "home").exists()


def test_a_projection_of_another_size_is_refused(
    known: dict[str, Checkpoint], originals: dict[Kind, Path], tmp_path: Path
) -> None:
    late = shutil.copytree(originals["late"], tmp_path / "late")
    edit(late / "1_Dense" / "config.json", out_features=16)
    wanted = rf"{HIDDEN} dimensions and 16, not {HIDDEN} and {TOKEN_DIM}"
    with pytest.raises(ModelError, match=wanted):
        examine(late, "tiny-late")


def test_a_file_that_is_not_the_published_one_is_refused(
    known: dict[str, Checkpoint],
    dense: Path,
    tmp_path: Path,
) -> None:
    pinned = replace(known["tiny-dense"], sha256={WEIGHTS: "0" * 64})
    known["tiny-dense"] = pinned
    with pytest.raises(ModelError, match=rf"{WEIGHTS} is not .*expected 0{{64}}"):
        imported(dense, tmp_path)
    assert find(pinned, tmp_path) is None
    assert not [p for p in (tmp_path / "models").iterdir() if p.is_dir()]


def test_a_stop_half_way_leaves_nothing(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    def stop(n_bytes: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_source(examine(dense), tmp_path, stop)
    assert not [p for p in (tmp_path / "models").iterdir() if p.is_dir()]


def test_more_than_the_disk_holds_is_refused(
    known: dict[str, Checkpoint], dense: Path, tmp_path: Path
) -> None:
    source = replace(examine(dense), size_bytes=10**16)
    with pytest.raises(ModelError, match=r"10,000,000\.00 GB more .*Make room"):
        import_source(source, tmp_path, nothing)


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "is full. Make room"), (errno.EROFS, "Cannot write")],
)
def test_a_disk_that_refuses_is_named(
    known: dict[str, Checkpoint], tmp_path: Path, number: int, said: str
) -> None:
    with (
        pytest.raises(ModelError, match=said) as error,
        taking_over(known["tiny-dense"], tmp_path),
    ):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path / "models") in str(error.value)


# --- the command -------------------------------------------------------------


@pytest.mark.slow
def test_the_command_ends_with_a_checkpoint_that_was_checked(
    dense: Path, tmp_path: Path
) -> None:
    (dense / "modules.json").unlink()
    program = Program(tmp_path / "home", tiny_checkpoint("dense"))
    # Of these sizes the catalogue has one checkpoint, and the folder bears no mark.
    unclear = program("models", "import", dense)
    assert unclear.returncode == 2
    assert "It may be tiny-dense: say which with --as NAME" in unclear.stderr
    done = program("models", "import", dense, "--as", "tiny-dense", "--json")
    assert done.returncode == 0, done.stderr
    assert "copied" in done.stderr
    assert "To search with it: pplx-local models use tiny-dense" in done.stderr
    found = json.loads(done.stdout)
    assert found["source"] == str(dense)
    assert found["check"]["ok"]
    checked = program("models", "check", "tiny-dense")
    assert checked.returncode == 0
    assert "tiny-dense in " in checked.stdout
