"""A file of any size as bytes: slices are read when they are asked for, nothing is mapped or held.

Workers may use little address space, so a film of many gigabytes cannot be mapped there.
"""

from __future__ import annotations

import os
from typing import overload

_STEP = 4 << 20  # searched at once


class Window:
    """What parsers of metadata need of `bytes` (length, slices, `find`), and what FFmpeg needs of a
    file (`read`, `seek`, `tell`). The descriptor stays the caller's.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size
        self._at = 0

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> bytes: ...
    def __getitem__(self, at: int | slice) -> int | bytes:
        if isinstance(at, int):
            return self._read(range(self._size)[at], 1)[0]
        start, stop, step = at.indices(self._size)
        assert step == 1, "parsers read forward"
        return self._read(start, max(0, stop - start))

    def find(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        """Where `wanted` first begins between `start` and `end`; -1 if nowhere."""
        at, stop, _ = slice(start, end).indices(self._size)
        while at < stop:
            block = self._read(at, min(_STEP + len(wanted) - 1, stop - at))
            found = block.find(wanted)
            if found >= 0:
                return at + found
            at += _STEP
        return -1

    def rfind(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        """Where `wanted` last begins between `start` and `end`; -1 if nowhere."""
        begin, stop, _ = slice(start, end).indices(self._size)
        while begin < stop:
            at = max(begin, stop - _STEP)
            found = self._read(at, stop - at).rfind(wanted)
            if found >= 0:
                return at + found
            if at == begin:
                return -1
            stop = at + len(wanted) - 1
        return -1

    def read(self, length: int = -1) -> bytes:
        """The next bytes, to the end unless told how many."""
        rest = max(0, self._size - self._at)
        data = self._read(self._at, rest if length < 0 else min(length, rest))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where to read next."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def tell(self) -> int:
        """Where the next bytes are read."""
        return self._at

    def _read(self, start: int, length: int) -> bytes:
        data = os.pread(self._fd, length, start)
        while len(data) < length:
            more = os.pread(self._fd, length - len(data), start + len(data))
            if not more:
                break  # cut while it was read: whoever opened the file notices
            data += more
        return data
