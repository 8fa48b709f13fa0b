"""What is known of a folder's files, and when they are read again."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from pplx_local.errors import ModelError
from pplx_local.models import (
    MANIFEST,
    STARTER,
    Checkpoint,
    Manifest,
    find,
    folder_of,
    hash_file,
    read_manifest,
    record,
    space_spec,
    verify,
    write_manifest,
)

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
INDEX = "model.safetensors.index.json"


@pytest.fixture
def sharded() -> Checkpoint:
    """A checkpoint of which no digest is known beforehand."""
    return replace(STARTER, name="sharded", package=None, sha256={})


@pytest.fixture
def folder(sharded: Checkpoint, tmp_path: Path) -> Path:
    """Its files, recorded."""
    folder = folder_of(sharded, tmp_path)
    folder.mkdir(parents=True)
    index = {"weight_map": {"a": SHARDS[0], "b": SHARDS[1]}}
    (folder / INDEX).write_text(json.dumps(index))
    for name in ("config.json", "tokenizer.json", *SHARDS):
        (folder / name).write_text(f"the {name}\n")
    record_all(sharded, folder)
    return folder


def record_all(checkpoint: Checkpoint, folder: Path) -> None:
    files = {p.name: record(p, hash_file(p)) for p in folder.iterdir()}
    files.pop(MANIFEST, None)
    when = "2026-01-02T03:04:05+00:00"
    manifest = Manifest(checkpoint.name, "somebody/something", "0" * 40, when, files)
    write_manifest(folder, manifest)


def spoil(path: Path, *, keep_time: bool = False) -> None:
    """Change a file without changing its size."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    moment = stat.st_mtime_ns + (0 if keep_time else 1_000_000_000)
    os.utime(path, ns=(moment, moment))


def test_a_manifest_reads_as_it_was_written(sharded: Checkpoint, folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.checkpoint == "sharded"
    assert manifest.revision == "0" * 40
    assert set(manifest.files) == {"config.json", "tokenizer.json", INDEX, *SHARDS}
    digest = sha256(b"the config.json\n").hexdigest()
    assert manifest.files["config.json"].sha256 == digest
    assert read_manifest(folder.parent) is None


def _manifest_of(checkpoint: object, digest: object) -> str:
    one = {"sha256": digest, "size": 1, "mtime_ns": 1}
    where = {"source": "here", "revision": None, "when": ""}
    return json.dumps({"checkpoint": checkpoint, **where, "files": {"a": one}})


DAMAGED = [
    "",
    "[]",
    "{}",
    '{"files": {"a": {"size": 1}}}',
    "[" * 100_000,
    _manifest_of(["sharded"], "0" * 64),
    _manifest_of("sharded", [0]),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_manifest_is_named_and_is_no_checkpoint(
    sharded: Checkpoint, folder: Path, tmp_path: Path, text: str
) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match=r"pplx-local\.json is no record.*import"):
        read_manifest(folder)
    assert find(sharded, tmp_path) is None


def test_files_that_nobody_vouches_for_are_no_checkpoint(
    sharded: Checkpoint, folder: Path, tmp_path: Path
) -> None:
    assert find(sharded, tmp_path) == folder
    (folder / MANIFEST).unlink()
    assert find(sharded, tmp_path) is None
    with pytest.raises(ModelError, match=r"put there by hand.*models import"):
        verify(sharded, folder)


@pytest.mark.parametrize("name", [*SHARDS, INDEX, "tokenizer.json", "config.json"])
def test_a_missing_file_is_no_checkpoint(
    sharded: Checkpoint, folder: Path, tmp_path: Path, name: str
) -> None:
    (folder / name).unlink()
    assert find(sharded, tmp_path) is None


@pytest.mark.parametrize("name", [*SHARDS, INDEX, "tokenizer.json"])
def test_a_changed_file_is_refused_by_name(
    sharded: Checkpoint, folder: Path, name: str
) -> None:
    verify(sharded, folder)
    spoil(folder / name)
    with pytest.raises(ModelError, match=rf"{name} is not the file.*expected") as error:
        verify(sharded, folder)
    assert sharded.install in str(error.value)


def test_weights_that_were_added_are_refused(sharded: Checkpoint, folder: Path) -> None:
    extra = "model-00003-of-00002.safetensors"
    (folder / extra).touch()
    index = folder / INDEX
    index.write_text(json.dumps({"weight_map": {"a": SHARDS[0], "c": extra}}))
    manifest = read_manifest(folder)
    assert manifest
    files = {**manifest.files, INDEX: record(index, hash_file(index))}
    write_manifest(folder, replace(manifest, files=files))
    with pytest.raises(ModelError, match=f"what .*{extra} .*should be"):
        verify(sharded, folder)


def test_an_untouched_file_is_not_read_again(sharded: Checkpoint, folder: Path) -> None:
    shard = folder / SHARDS[0]
    spoil(shard, keep_time=True)
    verify(sharded, folder)  # by its size and time it is what was hashed
    os.utime(shard)
    with pytest.raises(ModelError, match=SHARDS[0]):
        verify(sharded, folder)


def test_a_file_that_only_got_another_time_is_hashed_once_more(
    sharded: Checkpoint, folder: Path
) -> None:
    os.utime(folder / SHARDS[1], ns=(1, 1))
    verify(sharded, folder)
    manifest = read_manifest(folder)
    assert manifest
    assert manifest.files[SHARDS[1]].mtime_ns == 1
    folder.chmod(0o500)
    os.utime(folder / SHARDS[1], ns=(2, 2))
    try:
        verify(sharded, folder)
    finally:
        folder.chmod(0o700)


def test_a_manifest_cannot_vouch_for_what_the_catalogue_knows(
    sharded: Checkpoint, folder: Path
) -> None:
    pinned = replace(sharded, sha256={"config.json": "0" * 64})
    with pytest.raises(ModelError, match=r"config\.json is not .*expected 0{64}"):
        verify(pinned, folder)


def test_a_space_knows_its_shards_without_reading_them(
    sharded: Checkpoint, folder: Path
) -> None:
    before = space_spec(sharded, "dense", folder)
    for name in SHARDS:
        (folder / name).write_bytes(b"")
    assert space_spec(sharded, "dense", folder) == before
    record_all(sharded, folder)
    assert space_spec(sharded, "dense", folder).fingerprint != before.fingerprint


def test_a_projection_is_part_of_its_space(tmp_path: Path) -> None:
    head = "1_Dense/model.safetensors"
    late = replace(STARTER, files=(*STARTER.files, head))

    def rules(digest: str) -> dict[str, str]:
        known = replace(late, sha256={**STARTER.sha256, head: digest})
        return dict(space_spec(known, "late", tmp_path).rules)

    assert rules("1" * 64)["head"] == "1" * 64
    assert rules("1" * 64) != rules("2" * 64)
