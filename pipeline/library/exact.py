"""Files with the same bytes, anywhere on disk, found without writing anything.

Size, then hard links, then the first and last block, then all bytes through XXH3-128: a
wrong match would need two files of one size to meet by chance among 2^128 values (nothing is ever
removed on this word alone; placing and trashing go by SHA-256). Symbolic links are not followed,
empty files have no content to repeat, and what cannot be read is reported and passed over.
Start-up counts here: only the standard library's cheap parts, and xxhash when bytes are read.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # `typing` and `dataclasses` would add a tenth to a small scan
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Progress = Callable[[str, int, int], None]  # "looking" | "comparing", done, of how many (or 0)
    _Seen = tuple[int, int, str]  # device, inode, one name
    _Names = list[str]  # the names of one file; the first is opened
    _Read = Callable[[int, int], bytes]  # descriptor, size

_BLOCK = 4096  # one page: the smallest read that costs what a smaller one costs
_SHORT = 16 * 1024  # read whole at once, cheaper than opened twice
_TAIL_FROM = 128 * 1024  # from here on a glimpse at the end is cheap against reading it all
_CHUNK = 256 * 1024  # stays in the cache between the read and the hash


class Identical:
    """Files with the same `size` bytes. Each is a tuple of its names: more than one if hard-linked.

    Names of one file come sorted, files by their first name. One file with two names is a group
    only together with another file, because removing a name of it would free nothing.
    """

    __slots__ = ("files", "size")

    def __init__(self, size: int, files: tuple[tuple[str, ...], ...]) -> None:
        self.size = size
        self.files = files

    @property
    def paths(self) -> tuple[str, ...]:
        """One name of each file."""
        return tuple(names[0] for names in self.files)

    @property
    def reclaimable(self) -> int:
        """Bytes that keeping only one of the files would free."""
        return self.size * (len(self.files) - 1)


class Unread:
    """A file or folder that could not be looked at, and what the system said."""

    __slots__ = ("path", "reason")

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason


class Scan:
    """What a scan found: `groups` with the most reclaimable bytes first.

    `seen` counts regular files, empty ones included; `compared_bytes` is what was really read.
    """

    __slots__ = ("compared_bytes", "groups", "seen", "unread")

    def __init__(
        self, groups: list[Identical], unread: list[Unread], seen: int, compared_bytes: int
    ) -> None:
        self.groups = groups
        self.unread = unread
        self.seen = seen
        self.compared_bytes = compared_bytes


def find_identical(
    paths: Iterable[str | os.PathLike[str]], *, on_progress: Progress | None = None
) -> list[Identical]:
    """The groups of identical files in and below `paths`; see `scan` for what was not readable."""
    return scan(paths, on_progress=on_progress).groups


def scan(paths: Iterable[str | os.PathLike[str]], *, on_progress: Progress | None = None) -> Scan:
    """Look at every regular file in and below `paths` (files or folders) and compare contents.

    Overlapping paths are fine: a file met twice under one name is one name.
    """
    listing = _Listing(on_progress)
    listing.add(paths)
    comparing = _Comparing(listing.unread)
    groups: list[Identical] = []
    done, total = 0, sum(len(files) for files in listing.by_size.values() if len(files) > 1)
    for size, seen in listing.by_size.items():
        if len(seen) < 2:
            continue
        groups += (_group(size, same) for same in comparing.equal(size, _by_inode(seen)))
        done += len(seen)
        if on_progress is not None:
            on_progress("comparing", done, total)
    groups.sort(key=lambda g: (-g.reclaimable, g.files))
    return Scan(groups, listing.unread, listing.seen, comparing.read)


def _group(size: int, files: list[_Names]) -> Identical:
    return Identical(size, tuple(sorted(tuple(sorted(names)) for names in files)))


class _Listing:
    """Every regular file that is not empty, by size."""

    def __init__(self, on_progress: Progress | None) -> None:
        self.by_size: dict[int, list[_Seen]] = {}
        self.unread: list[Unread] = []
        self.seen = 0
        self._on_progress = on_progress

    def add(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        """Take in files as they are and folders with all that is below them."""
        folders: list[str] = []
        for path in [os.fspath(path) for path in paths]:
            try:
                found = os.lstat(path)
            except OSError as error:
                self.unread.append(_unread(path, error))
                continue
            if stat.S_ISDIR(found.st_mode):
                folders.append(path)
            elif stat.S_ISREG(found.st_mode):
                self._file(path, found)
        while folders:
            self._folder(folders.pop(), folders)
            if self._on_progress is not None:
                self._on_progress("looking", self.seen, 0)

    def _folder(self, folder: str, folders: list[str]) -> None:
        """The regular files right in `folder`; its folders are put upon the heap of `folders`."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        try:
                            self._file(entry.path, entry.stat(follow_symlinks=False))
                        except OSError as error:
                            self.unread.append(_unread(entry.path, error))
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError as error:
            self.unread.append(_unread(folder, error))

    def _file(self, path: str, found: os.stat_result) -> None:
        self.seen += 1
        if size := found.st_size:
            seen = (found.st_dev, found.st_ino, path)
            if size in self.by_size:
                self.by_size[size].append(seen)
            else:
                self.by_size[size] = [seen]


def _by_inode(seen: list[_Seen]) -> list[_Names]:
    """The names of each file: hard links, and one name met twice, are one file."""
    files: dict[tuple[int, int], dict[str, None]] = {}
    for device, inode, path in seen:
        files.setdefault((device, inode), {})[path] = None
    return [list(names) for names in files.values()]


class _Comparing:
    """Splits files of one size by content, reading no more than it takes."""

    def __init__(self, unread: list[Unread]) -> None:
        from xxhash import xxh3_128

        self.read = 0
        self._unread = unread
        self._hash = xxh3_128
        self._buffer = memoryview(bytearray(_CHUNK))

    def equal(self, size: int, files: list[_Names]) -> list[list[_Names]]:
        """The classes of equal content among `files`, at least two in each."""
        if size <= _SHORT:
            return self._split(files, size, self._all)
        glimpse = self._ends if size >= _TAIL_FROM else self._head
        return [
            finer
            for same in self._split(files, size, glimpse)
            for finer in self._split(same, size, self._all)
        ]

    def _split(self, files: list[_Names], size: int, read: _Read) -> list[list[_Names]]:
        """By what `read` sees of them. Files that cannot be read are in no class."""
        if len(files) < 2:
            return []
        classes: dict[bytes, list[_Names]] = {}
        for names in files:
            try:
                fd = os.open(names[0], _FLAGS)
                try:
                    seen = read(fd, size)
                finally:
                    os.close(fd)
            except OSError as error:
                self._unread.append(_unread(names[0], error))
                continue
            if seen in classes:
                classes[seen].append(names)
            else:
                classes[seen] = [names]
        return [same for same in classes.values() if len(same) > 1]

    def _head(self, fd: int, size: int) -> bytes:
        self.read += _BLOCK
        return self._hash(os.pread(fd, _BLOCK, 0)).digest()

    def _ends(self, fd: int, size: int) -> bytes:
        self.read += 2 * _BLOCK
        return self._hash(os.pread(fd, _BLOCK, 0) + os.pread(fd, _BLOCK, size - _BLOCK)).digest()

    def _all(self, fd: int, size: int) -> bytes:
        whole, left = self._hash(), size
        while left:
            part = self._buffer[: min(left, _CHUNK)]
            count = os.readv(fd, [part])
            if not count:
                raise OSError(0, "it became shorter while it was read")
            whole.update(part[:count])
            left -= count
        self.read += size
        return whole.digest()


def _unread(path: str, error: OSError) -> Unread:
    return Unread(path, error.strerror or str(error))


# O_NOFOLLOW and O_NONBLOCK: a file swapped for a link or a pipe since it was listed cannot lead
# us elsewhere or make us wait.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
