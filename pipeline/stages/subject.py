"""One file on its visit: its bytes read once, its pixels decoded once, for all stages.

Promises that everything handed out belongs to one content: the file is looked at before and after
each read, and `ChangedWhileRead` is raised when it was touched. Reads only; knows no network, and
writes nothing itself (stages write into `workdir`).
"""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import ChangedWhileRead, NotMedia, TooBig
from pipeline.intake import kind
from pipeline.model import Category, Format, Json, JsonObject

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content, Picture, Pixels

HELD_BYTES = 256 << 20  # larger files are streamed, never held in memory
UNKNOWN = Format("unknown", Category.UNKNOWN, "application/octet-stream", "")
# File systems stamp changes with a clock that ticks at most every 10 ms: a change in the tick of
# the stamp we saw would be invisible, so a file that fresh is left alone until the tick is over.
TICK = timedelta(milliseconds=20)
_LOOKS = 3

_Stamp = tuple[int, int, int, int, int]  # device, inode, size, mtime, ctime


class Subject:
    """What the stages of one visit share. Open with `Subject.open`, close when the visit ends.

    `facts` holds results by stage name: those of earlier visits, and of this one as they come.
    `params` holds the parameters of this visit's stages, also by stage name. `models` is the
    folder of model files, None where there is none.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - as for `open`
        self,
        fd: int,
        stamp: _Stamp,
        path: Path,
        name: str,
        workdir: Path,
        facts: Mapping[str, JsonObject],
        params: Mapping[str, JsonObject],
        models: Path | None,
    ) -> None:
        self.path, self.name, self.workdir = path, name, workdir
        self.models = models
        self.facts: dict[str, JsonObject] = dict(facts)
        self.params: Mapping[str, JsonObject] = params
        self._fd = fd
        self._stamp = stamp
        _, self.inode, self.size, self.mtime_ns, _ = self._stamp
        self._data: bytes | None = None
        self._picture: Picture | None = None

    @classmethod
    def open(  # noqa: PLR0913, PLR0917 - what a visit is asked with, field by field
        cls,
        path: Path,
        name: str,
        size: int,
        mtime_ns: int,
        inode: int,
        workdir: Path,
        facts: Mapping[str, JsonObject] | None = None,
        params: Mapping[str, JsonObject] | None = None,
        models: Path | None = None,
    ) -> Subject:
        """Open the file that was seen with this size, time and inode.

        Raises `ChangedWhileRead` when it is another one by now, `NotMedia` when it is no regular
        file (a link is not followed, a pipe does not block), `OSError` when it cannot be opened.
        """
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            stamp = _settled_stamp(fd, path)
            subject = cls(fd, stamp, path, name, workdir, facts or {}, params or {}, models)
            subject._require(size, mtime_ns, inode)
        except BaseException:
            os.close(fd)
            raise
        return subject

    def _require(self, size: int, mtime_ns: int, inode: int) -> None:
        if (self.size, self.mtime_ns, self.inode) != (size, mtime_ns, inode):
            raise _changed(self.path)

    def close(self) -> None:
        """Let go of the file and of everything decoded."""
        os.close(self._fd)
        self._data = self._picture = None

    @cached_property
    def format(self) -> Format:
        """By content, never by name; `UNKNOWN` when it is nothing we keep."""
        told = kind.sniff_open(self._fd, name=self.name)
        self.check()
        return told or UNKNOWN

    @property
    def fd(self) -> int:
        """The open file, for programs that read it themselves; `check()` when they are done."""
        return self._fd

    @property
    def is_held(self) -> bool:
        """True when `data()` is allowed; otherwise use `stream()`."""
        return self.size <= HELD_BYTES

    def param(self, stage: str, name: str, default: Json) -> Json:
        """One parameter of one stage."""
        return self.params.get(stage, {}).get(name, default)

    def check(self) -> None:
        """Raise `ChangedWhileRead` if the file was touched or replaced since it was opened."""
        if _stamp(os.fstat(self._fd)) != self._stamp or _identity(self.path) != self._stamp[:2]:
            raise _changed(self.path)

    def data(self) -> bytes:
        """All bytes, read once and shared. Raises `TooBig` for a file that is not held."""
        if self._data is None:
            if not self.is_held:
                limit = HELD_BYTES >> 20
                raise TooBig(f"This file is larger than the {limit} MB read at once.")
            data = _read(self._fd, self.size)
            self.check()
            if len(data) != self.size:
                raise _changed(self.path)
            self._data = data
        return self._data

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """The bytes as a seekable file: from memory when held, else from disk.

        On leaving, the file is checked: what was read from it belongs to one content.
        """
        if self.is_held:
            yield io.BytesIO(self.data())
            return
        with open(f"/proc/self/fd/{self._fd}", "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            yield file
        self.check()

    def picture(self, at_least: int | None = None) -> Picture:
        """The decoded picture, upright, in sRGB; shared by all stages.

        Its long side has `at_least` pixels or is the full picture; None asks for all of it.
        Raises `BadMedia` when nothing can be shown.
        """
        from pipeline.codecs import decode

        held = self._picture
        if held is None or not _suffices(held, at_least):
            with self.content() as content:
                self._picture = held = decode.decode(content, self.format.name, at_least)
        return held

    def scaled(self, at_least: int) -> Pixels:
        """The pixels of `picture(at_least)`."""
        return self.picture(at_least).pixels

    def full(self) -> Pixels:
        """Every pixel there is."""
        return self.picture(None).pixels

    @contextmanager
    def content(self) -> Iterator[Content]:
        """What decoders take: the bytes themselves where held, else a seekable file."""
        if self.is_held:
            yield self.data()
            return
        with self.stream() as file:
            yield file


def _suffices(held: Picture, at_least: int | None) -> bool:
    return held.is_full or (at_least is not None and held.long_side >= at_least)


def _stamp(status: os.stat_result) -> _Stamp:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,  # cannot be set back, unlike mtime
    )


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0, 0
    return status.st_dev, status.st_ino


def _settled_stamp(fd: int, path: Path) -> _Stamp:
    """The stamp of a regular file whose next change is sure to be stamped differently."""
    from pipeline.clock import SystemClock

    for _ in range(_LOOKS):
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise NotMedia("This is not a file but a device, pipe or folder.", path=path)
        age = SystemClock().now().timestamp() - status.st_ctime
        if not 0 <= age < TICK.total_seconds():
            return _stamp(status)
        time.sleep(TICK.total_seconds())
    raise _changed(path)


def _read(fd: int, size: int) -> bytes:
    """Up to one byte more than `size`, so that growth shows; in one piece where the system can."""
    data = os.pread(fd, size + 1, 0)
    while len(data) < size and (more := os.pread(fd, size + 1 - len(data), len(data))):
        data += more
    return data


def _changed(path: Path) -> ChangedWhileRead:
    return ChangedWhileRead(
        "This file was changed while it was read; it is left alone and read again later.", path=path
    )
