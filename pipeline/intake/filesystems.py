"""What a file system can be trusted with: stable inodes, change notices, an identity."""

from __future__ import annotations

import os
from pathlib import Path

# Kernels number the inodes of the others afresh, at each mount or even while mounted.
_STABLE_INODES = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "tmpfs", "overlay", "apfs"}
)
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "davfs", "vboxsf"}
)


def kind_of(path: Path) -> str:
    """The type of the file system `path` lies on ("ext4"), or "" where that cannot be told."""
    try:
        device = path.stat().st_dev
        table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in table.splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == number:
            return source.split()[0]
    return ""


def has_stable_inodes(path: Path) -> bool:
    """Does the same file keep its inode number for good?"""
    return kind_of(path) in _STABLE_INODES


def is_silent(path: Path) -> bool:
    """Do changes made elsewhere come without notice, so that one has to look?"""
    kind = kind_of(path)
    return kind in _NETWORK or kind.startswith("fuse")


def identity(path: Path) -> str:
    """What tells this file system from another that may be mounted in its place."""
    return f"{kind_of(path)}:{os.statvfs(path).f_fsid:x}"
