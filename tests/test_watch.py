from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pplx_local.watch import Denied, Found, Rules, true_path, walk
from pplx_local.watch.rules import ignored


def found(root: Path) -> dict[str, str | None]:
    """Walk a folder: relative path -> why it is skipped."""
    seen = list(walk(os.fsencode(root)))
    assert all(isinstance(item, Found) for item in seen)
    return {
        os.path.relpath(os.fsdecode(item.path), root): item.skip
        for item in seen
        if isinstance(item, Found)
    }


def fill(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_files_come_depth_first_by_the_bytes_of_their_names(tmp_path: Path) -> None:
    fill(tmp_path, "b.md", "a/z.md", "a/b/c.md", "é.md", "Z.md", "c/d.md")
    assert list(found(tmp_path)) == [
        "Z.md",
        "a/b/c.md",
        "a/z.md",
        "b.md",
        "c/d.md",
        "é.md",
    ]


def test_the_order_is_that_of_whole_paths(tmp_path: Path) -> None:
    fill(tmp_path, "a/b.md", "a.md", "a-b/c.md", "a0.md", "a/b/c.md", "a/b0", "ab")
    paths = [item.path for item in walk(os.fsencode(tmp_path))]
    assert len(paths) == 7
    assert paths == sorted(paths)


def test_a_file_comes_with_what_lstat_says(tmp_path: Path) -> None:
    fill(tmp_path, "a.md")
    status = (tmp_path / "a.md").lstat()
    assert list(walk(os.fsencode(tmp_path))) == [
        Found(
            os.fsencode(tmp_path / "a.md"),
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
        )
    ]


def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    fill(tmp_path, "real/a.md")
    (tmp_path / "real/up").symlink_to("..")
    (tmp_path / "root").symlink_to("/")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert found(tmp_path) == {
        "dangling": "symbolic link",
        "real/a.md": None,
        "real/up": "symbolic link",
        "root": "symbolic link",
    }


def test_special_files_are_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.md"))
    assert found(tmp_path) == {"pipe.md": "named pipe", "socket.md": "socket"}


def test_folders_that_rules_pass_over_are_left_out(tmp_path: Path) -> None:
    fill(
        tmp_path,
        ".git/config",
        "node_modules/x/README.md",
        ".config/a.md",
        "Photos.photoslibrary/a.txt",
        "a.md",
    )
    assert found(tmp_path) == {"a.md": None}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"notes.md", None),
        (b"environment.md", None),
        (b"key.txt", None),
        (b"\xff\xfe", None),
        (b".env", "looks like a secret"),
        (b"prod.env", "looks like a secret"),
        (b"server.PEM", "looks like a secret"),
        (b"id_ed25519", "looks like a secret"),
        (b".hidden.md", "hidden file"),
        (b"a.md~", "backup or lock of an editor"),
        (b"~$letter.docx", "backup or lock of an editor"),
        (b".DS_Store", "file of the system"),
        (b"film.mp4.part", "unfinished or temporary"),
        (b"Cargo.lock", "list of locked packages"),
    ],
)
def test_names_of_files_that_are_passed_over(name: bytes, reason: str | None) -> None:
    assert ignored(name, is_folder=False) == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"Notes", None),
        (b"environment", None),
        (b".GIT", "version control"),
        (b"__pycache__", "cache"),
        (b".ssh", "looks like a secret"),
        (b".Trash-1000", "trash"),
        (b".obsidian", "hidden folder"),
    ],
)
def test_names_of_folders_that_are_passed_over(name: bytes, reason: str | None) -> None:
    assert ignored(name, is_folder=True) == reason


def test_no_rule_applies_to_the_root_itself(tmp_path: Path) -> None:
    root = tmp_path / ".config"
    fill(root, "a.md", ".env")
    assert found(root) == {"a.md": None, ".env": "looks like a secret"} or found(
        root
    ) == {".env": "looks like a secret", "a.md": None}
    (item,) = walk(os.fsencode(root / ".env"))
    assert isinstance(item, Found)
    assert item.skip is None


def test_a_missing_root_holds_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "file")
    assert list(walk(os.fsencode(tmp_path / "gone"))) == []
    assert list(walk(os.fsencode(tmp_path / "file/below"))) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions mean nothing to root")
def test_a_folder_without_permission_is_denied_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "a/x.md", "b.md")
    (tmp_path / "a").chmod(0)
    try:
        first, second = walk(os.fsencode(tmp_path))
    finally:
        (tmp_path / "a").chmod(0o700)
    assert first == Denied(os.fsencode(tmp_path / "a"), "no permission to look into it")
    assert second.path.endswith(b"b.md")


def test_a_path_longer_than_the_system_allows_is_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "z.md")
    deep = os.open(tmp_path, os.O_RDONLY)
    for _ in range(50):
        os.mkdir("d" * 100, dir_fd=deep)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    denied, last = walk(os.fsencode(tmp_path))
    assert isinstance(denied, Denied)
    assert denied.reason == "its path is longer than the system allows"
    assert last.path.endswith(b"z.md")


def test_a_file_that_vanishes_during_the_walk_is_no_error(tmp_path: Path) -> None:
    fill(tmp_path, "a.md", "b/c.md", "d.md")
    walked = walk(os.fsencode(tmp_path))
    assert next(walked).path.endswith(b"a.md")
    (tmp_path / "d.md").unlink()
    (tmp_path / "b/c.md").unlink()
    (tmp_path / "b").rmdir()
    assert list(walked) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", None),
        ("notes.md", None),
        ("deep/down/notes.md", None),
        (".git/config", "version control"),
        ("a/node_modules/b/c.md", "installed packages"),
        ("a/.env", "looks like a secret"),
        ("a/Photos.app", None),
        ("Photos.app", "application package"),
        (".gone", "hidden file"),
    ],
)
def test_why_a_path_is_passed_over(
    tmp_path: Path, path: str, reason: str | None
) -> None:
    root = tmp_path / ".config"
    fill(root, "a/Photos.app", "Photos.app/x.md")
    there = root / path if path else root
    rules = Rules(os.fsencode(root))
    assert rules.why(os.fsencode(there), is_folder=there.is_dir()) == reason


def test_a_path_is_passed_over_when_the_walk_leaves_it_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.md", "b/c.md", ".git/d.md", "venv/e/f.md", "g.app/h.md", "i.app")
    root = os.fsencode(tmp_path)
    given = {item.path for item in walk(root)}
    every = {os.fsencode(path) for path in tmp_path.rglob("*") if path.is_file()}
    rules = Rules(root)
    assert given == {path for path in every if not rules.why(path, is_folder=False)}
    assert len(given) == 3


def test_a_path_keeps_its_spelling(tmp_path: Path) -> None:
    fill(tmp_path, "a.md", "Ä.md", "1")
    for name in ("a.md", "Ä.md", "1"):
        path = os.fsencode(tmp_path / name)
        assert true_path(path) == path
    assert true_path(os.fsencode(tmp_path / "b.md")) is None


def test_two_names_of_one_file_are_both_paths(tmp_path: Path) -> None:
    fill(tmp_path, "a.md")
    if (tmp_path / "A.MD").exists():
        pytest.skip("this file system ignores case")
    os.link(tmp_path / "a.md", tmp_path / "A.MD")
    for name in ("a.md", "A.MD"):
        path = os.fsencode(tmp_path / name)
        assert true_path(path) == path


def test_another_spelling_of_a_name_is_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "Notes.md", "Übung.md")
    real = os.lstat
    # As a file system that ignores case, whatever the one below us does.
    names = {name.casefold(): name for name in os.listdir(tmp_path)}  # noqa: PTH208

    def lstat(path: bytes) -> os.stat_result:
        name = Path(os.fsdecode(path)).name.casefold()
        return real(tmp_path / names.get(name, name))

    monkeypatch.setattr(os, "lstat", lstat)
    assert true_path(os.fsencode(tmp_path / "notes.md")) is None
    assert true_path(os.fsencode(tmp_path / "übung.md")) is None
    for name in ("Notes.md", "Übung.md"):
        path = os.fsencode(tmp_path / name)
        assert true_path(path) == path
