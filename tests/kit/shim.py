"""A stand-in for `os` under the library's file operations: records, fails, or ends it all.

    with Shim(fail={7: errno.EIO}) as shim: ...     # the seventh watched call fails
    shim.calls                                       # Call("link", ("/home/.../IMG_1.jpg", ...))

Descriptors are told as paths. Whatever the library does to disk goes through here, renameat2 too.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.library import below, bytewise, fsops, noreplace

WRITES = frozenset({
    "open+w", "write", "copy_file_range", "link", "rename", "renameat2", "unlink", "rmdir",
    "mkdir", "utime", "truncate", "ftruncate", "chmod", "symlink", "replace", "remove",
})  # fmt: skip
_WATCHED = frozenset({
    "open", "write", "copy_file_range", "link", "rename", "unlink", "rmdir", "mkdir", "utime",
    "fsync", "stat", "fstat", "pread", "read", "listdir",
})  # fmt: skip
_MODULES = (fsops, below, bytewise)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, with the paths it was about."""

    name: str
    paths: tuple[str, ...]


@dataclass
class Shim:
    """Install with `with`. Calls are counted from 1, over all threads."""

    fail: Mapping[int, int] = field(default_factory=dict)  # call number -> errno
    fail_if: Callable[[Call], int | None] = lambda _call: None
    skip: frozenset[str] = frozenset()  # names of calls that only seem to happen: seeded faults
    signal_at: Mapping[int, int] = field(default_factory=dict)  # call number -> signal to ourselves
    calls: list[Call] = field(default_factory=list)
    counted: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, *paths: str) -> None:
        """Something else that a test wants to see in its order: a commit."""
        with self._lock:
            self.calls.append(Call(name, paths))

    def named(self, *names: str) -> list[Call]:
        """The calls of these names, in order."""
        return [call for call in self.calls if call.name in names]

    def writes_below(self, base: Path) -> list[Call]:
        """Every call that changes something below `base`."""
        inside = f"{base}/"
        return [
            call
            for call in self.calls
            if call.name in WRITES and any(path.startswith(inside) for path in call.paths)
        ]

    def __enter__(self) -> Self:
        proxy: Any = _Os(self)
        for module in _MODULES:
            vars(module)["os"] = proxy
        vars(noreplace)["rename"] = self._renameat2
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for module in _MODULES:
            vars(module)["os"] = os
        vars(noreplace)["rename"] = _RENAMEAT2

    def watch(self, call: Call) -> bool:
        """Record a call, fail it if it is its turn; False if it should only seem to happen."""
        with self._lock:
            self.counted += 1
            number = self.counted
            self.calls.append(call)
        if number in self.signal_at:
            os.kill(os.getpid(), self.signal_at[number])
        code = self.fail.get(number) or self.fail_if(call)
        if code:
            raise OSError(code, os.strerror(code), *call.paths[:1])
        return call.name not in self.skip

    def _renameat2(self, name: str, new_name: str, folder: int, new_folder: int) -> None:
        if self.watch(Call("renameat2", (_at(name, folder), _at(new_name, new_folder)))):
            _RENAMEAT2(name, new_name, folder, new_folder)


class _Os:
    """The `os` module with the watched calls wrapped."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in _WATCHED:
            return real

        def watched(*args: Any, **options: Any) -> Any:
            call = _call(name, args, options)
            return real(*args, **options) if self._shim.watch(call) else None

        return watched


_RENAMEAT2 = noreplace.rename


def _call(name: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> Call:
    match name:
        case "link" | "rename":
            old = _at(args[0], options.get("src_dir_fd"))
            return Call(name, (old, _at(args[1], options.get("dst_dir_fd"))))
        case "open":
            writes = args[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            return Call("open+w" if writes else "open", (_at(args[0], options.get("dir_fd")),))
        case "copy_file_range":
            return Call(name, (_at(args[1], None),))
        case _:
            return Call(name, (_at(args[0], options.get("dir_fd")),))


def _at(path: Any, folder: int | None) -> str:
    if isinstance(path, int):
        return _of(path)
    text = os.fsdecode(path)
    return text if folder is None or text.startswith("/") else f"{_of(folder)}/{text}"


def _of(descriptor: int) -> str:
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink()).removesuffix(" (deleted)")
    except OSError:
        return f"fd:{descriptor}"


KILL = signal.SIGKILL
FREEZE = signal.SIGSTOP
TROUBLES = (errno.EROFS, errno.EACCES, errno.EIO, errno.ESTALE, errno.ENOSPC)
