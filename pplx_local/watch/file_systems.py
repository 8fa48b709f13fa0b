"""Where a folder lies: on a disk of this computer, or where events cannot be trusted."""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

# Shared by a network, by a cloud, or by the host of a virtual machine: what others
# change there makes no event here.
_REMOTE = (
    "nfs* cifs smb* afp* ncp* 9p afs auristorfs ceph gluster* fuse.gluster* lustre beegfs"
    " gpfs orangefs ocfs2 gfs2 coda davfs webdav fuse.davfs* fuse.sshfs fuse.rclone"
    " fuse.s3fs fuse.goofys fuse.gcsfuse fuse.blobfuse* fuse.mount-s3 fuse.juicefs"
    " fuse.curlftpfs fuse.smbnetfs fuse.gvfsd-fuse fuse.kio-fuse fuse.ceph*"
    " fuse.google-drive-ocamlfuse fuse.onedriver fuse.mfs* virtiofs vboxsf vmhgfs"
    " fuse.vmhgfs-fuse prl_fs drvfs fakeowner fuse.grpcfuse fuse.osxfs"
)
_IS_REMOTE = re.compile("|".join(map(fnmatch.translate, _REMOTE.split())))
_CLOUDS_OF_MACOS = ("Library/CloudStorage", "Library/Mobile Documents")


class FileSystem(NamedTuple):
    """What a folder lies on."""

    kind: str
    """As the system names it: "ext4", "apfs", "nfs4"."""
    is_remote: bool
    """Whether others can change it without an event here."""


def file_system_of(path: Path | bytes) -> FileSystem:
    """Tell what a path lies on, by the mount points of this computer.

    Nothing below the path is touched, so that a server that is away keeps nobody
    waiting.

    Args:
        path: Absolute, without links; it need not exist.

    Returns:
        Of kind "unknown" where the system does not tell.
    """
    where = Path(os.fsdecode(path))
    if sys.platform == "darwin" and _is_cloud_of_macos(where):
        return FileSystem("cloud storage", is_remote=True)
    # The last of equals: a mount hides what was mounted there before.
    kind = max(enumerate(_mounts_over(where)), key=_depth, default=(0, (0, "")))[1][1]
    return FileSystem(kind or "unknown", bool(_IS_REMOTE.match(kind.lower())))


def _mounts_over(path: Path) -> list[tuple[int, str]]:
    """List the depth and the kind of every mount point that a path lies under."""
    import psutil  # 40 ms that a walk alone should not cost

    try:
        mounts = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return []
    return [
        (len(Path(mount.mountpoint).parts), mount.fstype)
        for mount in mounts
        if path.is_relative_to(mount.mountpoint)
    ]


def _depth(mount: tuple[int, tuple[int, str]]) -> tuple[int, int]:
    order, (depth, _) = mount
    return depth, order


def _is_cloud_of_macos(path: Path) -> bool:
    return any(path.is_relative_to(Path.home() / cloud) for cloud in _CLOUDS_OF_MACOS)
