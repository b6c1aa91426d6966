"""renameat2(RENAME_NOREPLACE), which Python lacks: a rename that never overwrites.

For `fsops` alone. Needs Linux and a libc that has it; elsewhere, and on file systems without it,
the call fails with one of `UNSUPPORTED`.
"""

from __future__ import annotations

import ctypes
import errno
import os

UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_RENAME_NOREPLACE = 1
_CALL = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def rename(name: str, new_name: str, folder: int, new_folder: int) -> None:
    """Rename `name` in the open directory `folder`. Raises FileExistsError, never overwrites."""
    if _CALL is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    old, new = os.fsencode(name), os.fsencode(new_name)
    if _CALL(folder, old, new_folder, new, _RENAME_NOREPLACE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name, None, new_name)
