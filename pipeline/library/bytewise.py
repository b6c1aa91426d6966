"""Moving bytes between open files, and their SHA-256: the loops that `fsops` is built on.

Works on descriptors alone and opens nothing. Raises `OSError` as it comes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os

_CHUNK = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h: share the blocks of another file (btrfs, XFS)
_NO_FAST_COPY = frozenset({
    errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENOTTY, errno.EBADF,
    errno.EPERM, errno.ETXTBSY,
})  # fmt: skip


def copy_bytes(incoming: int, outgoing: int, size: int) -> None:
    """Copy the first `size` bytes by the fastest way that the two file systems share."""
    if _cloned(incoming, outgoing):
        return
    copied = _in_kernel(incoming, outgoing, size)
    os.lseek(incoming, copied, os.SEEK_SET)
    os.lseek(outgoing, copied, os.SEEK_SET)
    while copied < size and (chunk := os.read(incoming, min(_CHUNK, size - copied))):
        write_all(outgoing, chunk)
        copied += len(chunk)


def _cloned(incoming: int, outgoing: int) -> bool:
    try:
        fcntl.ioctl(outgoing, _FICLONE, incoming)
    except OSError as error:
        if error.errno in _NO_FAST_COPY:
            return False
        raise
    return True


def _in_kernel(incoming: int, outgoing: int, size: int) -> int:
    """Copy without passing through Python, as far as that works; the bytes copied."""
    copied = 0
    try:
        while copied < size:
            count = os.copy_file_range(incoming, outgoing, size - copied, copied, copied)
            if not count:
                break
            copied += count
    except OSError as error:
        if error.errno not in _NO_FAST_COPY:
            raise
    return copied


def write_all(file: int, data: bytes) -> None:
    """Write all of `data` at the file's position."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def sha256_of(file: int) -> str:
    """The SHA-256 of all that is in the file, from its start, as hexadecimal text."""
    digest = hashlib.sha256()
    at = 0
    while chunk := os.pread(file, _CHUNK, at):
        digest.update(chunk)
        at += len(chunk)
    return digest.hexdigest()
