"""Which disks a state may lie on: SQLite's locks and shared memory need a local file system."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import Invalid

_FAR = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afpfs", "afs", "webdav"),
        *("9p", "ceph", "glusterfs", "lustre", "davfs", "sshfs", "vboxsf", "prl_fs", "fuseblk"),
    }
)


def refuse_network(path: Path) -> None:
    """Raise `Invalid` when `path` lies on a network share or a FUSE mount.

    There two machines can hold the same lock at once, and a database becomes garbage.
    """
    fstype = _fstype(path)
    if fstype.lower() in _FAR or fstype.lower().startswith("fuse."):
        raise Invalid(
            f"The state cannot lie on a network share ({fstype}): the database would not be safe.",
            path=path,
            hint="Keep the state folder on a disk of this machine; the library may be elsewhere.",
        )


def _fstype(path: Path) -> str:
    """The type of the file system that holds `path`; empty when the system does not say."""
    import psutil

    place = path.resolve()
    holding = [
        (len(Path(disk.mountpoint).parts), disk.fstype)
        for disk in psutil.disk_partitions(all=True)
        if place.is_relative_to(disk.mountpoint)
    ]
    # Of several mounts on one point the last listed lies on top.
    return max(reversed(holding), key=lambda found: found[0], default=(0, ""))[1]
