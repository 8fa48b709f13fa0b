"""What the system below allows: file systems, limits, and a source that ends."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from pplx_local.watch import FileSystem, Watcher, file_system_of
from pplx_local.watch.folder import why_refused


class Mount(NamedTuple):
    """What psutil tells of a mount."""

    mountpoint: str
    fstype: str


MOUNTS = [
    Mount("/", "ext4"),
    Mount("/mnt", "autofs"),
    Mount("/mnt", "nfs4"),
    Mount("/mnt/disk", "btrfs"),
    Mount("/home/ada/cloud", "fuse.rclone"),
    Mount("/media/stick", "fuseblk"),
    Mount("/srv/new", ""),
]

REMOTE = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "davfs",
    "webdav", "afpfs", "ncpfs", "virtiofs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs",
    "fuse.gvfsd-fuse", "fuse.onedriver",
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind", "is_remote"),
    [
        ("/home/ada/notes", "ext4", False),
        ("/", "ext4", False),
        ("/mnt/share/a", "nfs4", True),
        ("/mnt", "nfs4", True),
        ("/mntx", "ext4", False),
        ("/mnt/disk/a", "btrfs", False),
        ("/home/ada/cloud/a", "fuse.rclone", True),
        ("/media/stick/a", "fuseblk", False),
        ("/srv/new/a", "unknown", False),
    ],
)
def test_what_a_path_lies_on(
    path: str, kind: str, is_remote: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda *, all: MOUNTS)
    assert file_system_of(Path(path)) == FileSystem(kind, is_remote)
    assert file_system_of(os.fsencode(path)) == FileSystem(kind, is_remote)


@pytest.mark.parametrize("kind", REMOTE)
def test_remote_file_systems(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = [Mount("/", kind)]
    monkeypatch.setattr(psutil, "disk_partitions", lambda *, all: mounts)
    assert file_system_of(b"/a").is_remote


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda *, all: [])
    assert file_system_of(b"/a") == FileSystem("unknown", is_remote=False)


def test_this_computer_tells(tmp_path: Path) -> None:
    assert file_system_of(tmp_path).kind != "unknown"
    assert file_system_of(tmp_path / os.fsdecode(b"\xff")) == file_system_of(tmp_path)


def test_the_clouds_of_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda *, all: [Mount("/", "apfs")])
    monkeypatch.setattr(sys, "platform", "darwin")
    library = Path.home() / "Library"
    for cloud in ("CloudStorage/Dropbox/a", "Mobile Documents/com~apple~CloudDocs"):
        assert file_system_of(library / cloud) == FileSystem("cloud storage", True)
    assert file_system_of(library / "Notes") == FileSystem("apfs", False)


_WATCH = """
import os, sys, threading, time
from pathlib import Path
from pplx_local.watch import Watcher
root = Path(sys.argv[1])
watcher = Watcher(lambda: None)
print(watcher.watch(os.fsencode(root)))
watcher.due()
for number in range(int(sys.argv[2])):
    (root / f"new {number}").mkdir()
deadline = time.monotonic() + 30
while int(sys.argv[2]) and not watcher.due().folders and time.monotonic() < deadline:
    time.sleep(0.02)
print(watcher.watching()[os.fsencode(root)])
Path(sys.argv[3]).write_text(sys.argv[4])
watcher._folders[os.fsencode(root)].retry_at = 0.0
watcher._check_at = 0.0
watcher.due()
print(watcher.watching()[os.fsencode(root)])
watcher.close()
"""


def limited(root: Path, setting: str, limit: int, n_new: int) -> list[str]:
    """Watch a folder under a limit of the kernel; make folders; lift the limit."""
    own = f"/proc/sys/user/{setting}"
    shell = f'echo {limit} > {own} && exec "$0" -c "$@"'
    arguments = [sys.executable, _WATCH, str(root), str(n_new), own, "1000"]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", shell, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip("this system lends no user namespace with limits of its own")
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of inotify")
class TestLimits:
    """A kernel that really refuses."""

    def test_more_folders_than_may_be_watched(self, tmp_path: Path) -> None:
        for number in range(20):
            (tmp_path / str(number)).mkdir()
        first, then, after = limited(tmp_path, "max_inotify_watches", 10, n_new=0)
        assert first == then
        assert "how='polling'" in first
        assert "sudo sysctl fs.inotify.max_user_watches=" in first
        assert "looked through every 30 s" in first
        assert after == "Watching(how='events', reason=None)"

    def test_new_folders_beyond_the_limit(self, tmp_path: Path) -> None:
        first, then, after = limited(tmp_path, "max_inotify_watches", 10, n_new=20)
        assert first == after == "Watching(how='events', reason=None)"
        assert "sudo sysctl fs.inotify.max_user_watches=" in then

    def test_more_programs_that_watch_than_may(self, tmp_path: Path) -> None:
        first, _, after = limited(tmp_path, "max_inotify_instances", 0, n_new=0)
        assert "sudo sysctl fs.inotify.max_user_instances=" in first
        assert after == "Watching(how='events', reason=None)"


def test_a_refusal_that_is_no_limit_is_told_in_the_systems_words() -> None:
    error = OSError(errno.EIO, "Input/output error")
    assert why_refused(error) == (
        "the system does not tell of changes in it (Input/output error)"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_a_reader_of_events_that_died_is_replaced(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    watcher = Watcher(lambda: None)
    watcher.watch(root)
    watcher.due()
    watcher._source.close()  # as it looks when its thread has ended
    (tmp_path / "a.md").write_text("a")
    folders: tuple[bytes, ...] = ()
    deadline = time.monotonic() + 30
    while not folders and time.monotonic() < deadline:
        folders = watcher.due().folders
        time.sleep(0.05)
    assert folders == (root,)
    assert watcher.watching()[root].how == "events"
    watcher.close()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_folders_that_rules_pass_over_cost_no_watch(tmp_path: Path) -> None:
    for name in (".git/objects/aa", "a/node_modules/b", "a/b", "c.app/d"):
        (tmp_path / name).mkdir(parents=True)
    watcher = Watcher(lambda: None)
    watcher.watch(os.fsencode(tmp_path))
    (folder,) = watcher._folders.values()
    assert set(folder.ear._by_path) == {
        os.fsencode(path) for path in (tmp_path, tmp_path / "a", tmp_path / "a/b")
    }
    assert kernel_watches() == 3
    watcher.close()
    assert kernel_watches() == 0


def kernel_watches() -> int:
    """Count the watches that this process holds, as the kernel does."""
    return sum(
        entry.read_text().count("inotify wd:")
        for entry in Path("/proc/self/fdinfo").iterdir()
        if entry.exists()
    )
