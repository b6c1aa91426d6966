"""The only module that copies, links, renames, trashes or deletes files.

Places are `Below` a folder that they cannot leave. A source is let go of only against a `Verified`,
and only reading a copy back makes one. Names are never overwritten, save our own. Every failure is
a `DarkroomError`. All system calls go through this module's `os`, which tests replace.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import InitVar, dataclass
from pathlib import Path

from pipeline.errors import (
    ChangedWhileRead,
    Conflict,
    DarkroomError,
    IntegrityBroken,
    NotAllowed,
    StorageOffline,
)
from pipeline.library import noreplace
from pipeline.library.below import (
    DIRECTORY,
    Below,
    directory,
    opened,
    parent,
    walked,
    with_ancestors,
)
from pipeline.library.bytewise import copy_bytes, sha256_of, write_all
from pipeline.library.failures import explained
from pipeline.model import Home, Root, RootKind, Take

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINK = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})
_REREAD_LIMIT = 64 << 20  # bytes that are still in memory and read in the blink of an eye
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Identity:
    """How intake knew the file: enough to see that it has changed since."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Verified:
    """Proof that `copy` holds exactly the bytes `sha256`, read back from `copy` itself.

    `witness` is what the source looked like while it was copied; without one, releasing the source
    reads it again.
    """

    source: Below
    copy: Below
    sha256: str
    file: tuple[int, int, int, int]  # device, inode, size and modification time of the copy
    witness: tuple[int, ...] | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only reading a copy back makes a Verified")


# --- proving -----------------------------------------------------------------------------------


def copy_verified(source: Below, staging: Below, *, identity: Identity, sha256: str) -> Verified:
    """Copy `source` to the new file `staging`, durably, and prove the copy by reading it back.

    The modification time is kept. Raises ChangedWhileRead when the source is not (or no longer) the
    file of `identity` and `sha256`, StorageFull, StorageOffline; then nothing is left in staging.
    """
    with opened(source) as incoming:
        before = os.fstat(incoming)
        if (before.st_size, before.st_mtime_ns) != (identity.size, identity.mtime_ns):
            raise _changed(source)
        with _staged(staging) as outgoing:
            copy_bytes(incoming, outgoing, before.st_size)
            os.utime(outgoing, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(outgoing)
            seen = sha256_of(outgoing)
            after = os.fstat(incoming)
            if seen != sha256 or _witness(before) != _witness(after):
                raise _changed(source)
            written = os.fstat(outgoing)
    return Verified(source, staging, sha256, _identity(written), _witness(before), _SEAL)


def prove_copy(source: Below, copy: Below, *, sha256: str) -> Verified:
    """Prove again, after a restart or for a duplicate, that `copy` durably holds `sha256`.

    Raises IntegrityBroken when it does not, StorageOffline when it cannot be read.
    """
    with opened(copy) as file:
        if sha256_of(file) != sha256:
            raise IntegrityBroken(
                "The copy in the library is not the file it should be; the source is kept.",
                path=copy.path,
            )
        os.fsync(file)
        found = os.fstat(file)
    return Verified(source, copy, sha256, _identity(found), None, _SEAL)


def hash_file(file: Below) -> tuple[str, Identity]:
    """The SHA-256 of a file and the identity it had while it was read."""
    with opened(file) as reading:
        before = os.fstat(reading)
        digest = sha256_of(reading)
        if _witness(os.fstat(reading)) != _witness(before):
            raise _changed(file)
    return digest, Identity(before.st_size, before.st_mtime_ns, before.st_ino)


def look(file: Below) -> Identity | None:
    """The identity of a plain file, or None when there is none; links count as none."""
    found = _stat(file)
    if found is None or not stat.S_ISREG(found.st_mode):
        return None
    return Identity(found.st_size, found.st_mtime_ns, found.st_ino)


def is_taken(place: Below) -> bool:
    """Is there anything of this name, be it a file, a folder or a dangling link?"""
    return _stat(place) is not None


# --- placing -----------------------------------------------------------------------------------


def link_new(verified: Verified, target: Below) -> Verified:
    """Give the staged copy its name in the library; the returned proof speaks of that name.

    Never overwrites: raises Conflict when the name is taken. The staged name stays until
    `drop_staged`, where the file system allows two names. Folders are made as needed; they and the
    new name last only after `fsync_folders`.
    """
    make_folders(target.base, target.folder)
    with parent(verified.copy) as (old, staged), parent(target) as (new, name):
        try:
            os.link(staged, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            _rename_new(old, staged, new, name)
    return _renamed(verified, target)


def withdraw(placed: Verified, staging: Below) -> None:
    """Take back a name given by `link_new` moments ago: the source is still whole.

    Used when another member of the same bundle found its name taken.
    """
    with parent(placed.copy) as (folder, name), parent(staging) as (back, staged):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if _identity(found) != placed.file:
            return
        try:
            os.stat(staged, dir_fd=back, follow_symlinks=False)
        except FileNotFoundError:
            _rename_new(folder, name, back, staged)
        else:
            os.unlink(name, dir_fd=folder)


def drop_staged(staging: Below) -> None:
    """Remove a staged name; the file lives on under its name in the library, if it has one."""
    with parent(staging) as (folder, name), suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def sweep_staging(staging: Path) -> int:
    """Remove what a crash left in a staging folder, which is made if absent; how many files."""
    make_folders(staging.parent, staging.name)
    swept = 0
    with explained(staging), directory(staging) as folder:
        for name in os.listdir(folder):  # noqa: PTH208  # a descriptor, not a path
            if _is_directory(folder, name):
                continue
            os.unlink(name, dir_fd=folder)
            swept += 1
    return swept


def remove_placeholder(place: Below) -> bool:
    """Remove an empty file that a crash left where a name was being claimed (see `_claim_name`)."""
    with parent(place) as (folder, name):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_size:
            return False
        os.unlink(name, dir_fd=folder)
        return True


def release_source(verified: Verified, root: Root) -> None:
    """Remove the source of a verified, named copy. The only way a source is ever removed.

    Refuses roots that are not ours to move from, a source that is the copy itself, and a copy that
    is no longer there or no longer it; raises ChangedWhileRead when the source holds other bytes by
    now. A source that is gone already is fine. Lasts after `fsync_folders` of its folder.
    """
    _refuse_unless_ours(verified, root)
    _check_copy(verified)
    with parent(verified.source) as (folder, name):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if (found.st_dev, found.st_ino) == verified.file[:2]:
            raise Conflict("Source and copy are one and the same file.", path=verified.source.path)
        if _witness(found) != verified.witness and not _still_holds(verified, found):
            raise _changed(verified.source)
        os.unlink(name, dir_fd=folder)


def _refuse_unless_ours(verified: Verified, root: Root) -> None:
    ours = root.kind in (RootKind.INBOX, RootKind.MANAGED) and root.take is Take.MOVE
    if not ours or verified.source.base != root.path:
        raise NotAllowed(
            "Darkroom does not remove files from this folder.", path=verified.source.path
        )
    if verified.copy.name.startswith(".") or verified.copy.relative.startswith(".staging/"):
        raise NotAllowed("The copy has no name in the library yet.", path=verified.copy.path)


def _check_copy(verified: Verified) -> None:
    """The last look before a source goes: read again, unless that takes long (a long video)."""
    with opened(verified.copy) as copy:
        found = _identity(os.fstat(copy))
        is_it = found[:3] == verified.file[:3]
        is_sure = found == verified.file and found[2] > _REREAD_LIMIT  # FAT rounds times
        if is_it and not is_sure:
            is_it = sha256_of(copy) == verified.sha256
    if not is_it:
        raise IntegrityBroken(
            "The copy in the library was replaced; the source is kept.", path=verified.copy.path
        )


def _still_holds(verified: Verified, found: os.stat_result) -> bool:
    if found.st_size != verified.file[2]:
        return False
    digest, identity = hash_file(verified.source)
    return digest == verified.sha256 and identity.inode == found.st_ino


# --- inside the home ---------------------------------------------------------------------------


def trash_file(home: Home, path: str, trash_path: str) -> None:
    """Rename a library file into the trash. Raises Conflict when the name there is taken."""
    _move(Below(home.library, path), Below(home.trash, trash_path))


def restore_file(home: Home, trash_path: str, path: str) -> None:
    """Rename a trashed file back into the library. Raises Conflict when the name is taken."""
    _move(Below(home.trash, trash_path), Below(home.library, path))


def move_within(home: Home, path: str, new_path: str) -> None:
    """Give a library file another name in the library. Raises Conflict when it is taken."""
    _move(Below(home.library, path), Below(home.library, new_path))


def purge_file(home: Home, trash_path: str) -> int:
    """Delete a file of the trash for good; the bytes freed. Absent already is fine."""
    place = Below(home.trash, trash_path)
    with parent(place) as (folder, name):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return 0
        if not stat.S_ISREG(found.st_mode):
            raise NotAllowed("Only plain files are purged.", path=place.path)
        os.unlink(name, dir_fd=folder)
    return found.st_size


def drop_empty_folders(base: Path, folder: str) -> None:
    """Remove `folder` and its parents below `base` as far as they are empty."""
    while folder:
        place = Below(base, folder)
        try:
            with parent(place) as (above, name):
                os.rmdir(name, dir_fd=above)
        except (Conflict, NotAllowed, StorageOffline):  # not empty, a mount, or gone
            return
        folder = place.folder


def adopt_derivative(made: Below, kept: Below) -> int:
    """Move what a worker made into the cache, over an older one; its bytes.

    Not synced: the cache may be lost at any time. Works across file systems.
    """
    make_folders(kept.base, kept.folder)
    with parent(made) as (old, name), parent(kept) as (new, new_name):
        found = os.stat(name, dir_fd=old, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise NotAllowed("A worker made something that is not a file.", path=made.path)
        try:
            os.rename(name, new_name, src_dir_fd=old, dst_dir_fd=new)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_over(made, kept)
            os.unlink(name, dir_fd=old)
    return found.st_size


def write_new(place: Below, data: bytes) -> None:
    """Write a small new file durably. Raises Conflict when the name is taken."""
    make_folders(place.base, place.folder)
    with _staged(place) as file:
        write_all(file, data)
        os.fsync(file)
    fsync_folders(place.base, [place.folder])


def replace_file(new: Below, old: Below) -> None:
    """Put our own file `new` in the place of our own file `old`, at once and durably."""
    if new.base != old.base:
        raise NotAllowed("Files are replaced within one folder of our own.", path=old.path)
    with opened(new) as file:
        os.fsync(file)
    with parent(new) as (source, name), parent(old) as (target, old_name):
        _refuse_link(target, old_name, old)
        os.rename(name, old_name, src_dir_fd=source, dst_dir_fd=target)
    fsync_folders(old.base, [new.folder, old.folder])


def settle_own(own: Below, target: Below) -> None:
    """Give a file that Darkroom wrote itself its name, durably. Raises Conflict where it is taken.

    Both lie below one folder of our own.
    """
    if own.base != target.base:
        raise NotAllowed("Files get their name within one folder of our own.", path=target.path)
    with opened(own) as file:
        os.fsync(file)
    _move(own, target)
    fsync_folders(target.base, [own.folder, target.folder])


def remove_own_file(own: Below) -> None:
    """Remove a file that Darkroom made for itself (a snapshot, a work file). Gone is fine."""
    with parent(own) as (folder, name), suppress(FileNotFoundError):
        _refuse_link(folder, name, own)
        os.unlink(name, dir_fd=folder)


def empty_directory(own: Path) -> None:
    """Remove all that lies in a worker's directory; links are removed, never followed."""
    with explained(own), directory(own) as folder:
        _empty(folder)


def remove_trees(own: Iterable[Path]) -> None:
    """Remove work directories with all that lies in them. Gone is fine."""
    for tree in own:
        if not tree.is_symlink() and tree.is_dir():
            empty_directory(tree)
            with explained(tree):
                os.rmdir(tree)  # noqa: PTH106  # tests replace this module's os


# --- folders -----------------------------------------------------------------------------------


def make_folders(base: Path, folder: str) -> None:
    """Make `folder` below the existing `base`, with every folder on the way."""
    if not folder:
        return
    place = Below(base, folder)
    with explained(place.path), walked(base, "") as start:
        at = os.dup(start)
        try:
            for part in folder.split("/"):
                with suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=at)
                inner = os.open(part, DIRECTORY, dir_fd=at)
                os.close(at)
                at = inner
        finally:
            os.close(at)


def fsync_folders(base: Path, folders: Iterable[str], *, ancestors: bool = True) -> None:
    """Make names in `folders` (below `base`, "" is `base`) last.

    With `ancestors` also the folders' own names, up to `base`: needed where folders may be new.
    """
    for folder in sorted(with_ancestors(folders) if ancestors else set(folders)):
        path = base / folder
        with explained(path), walked(base, folder) as reached:
            os.fsync(reached)


# --- the ground --------------------------------------------------------------------------------


def _stat(place: Below) -> os.stat_result | None:
    try:
        with (
            explained(place.path),
            walked(place.base, place.folder) as folder,
            suppress(FileNotFoundError),
        ):
            return os.stat(place.name, dir_fd=folder, follow_symlinks=False)
    except DarkroomError as error:
        if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
            return None
        raise
    return None


def _changed(source: Below) -> ChangedWhileRead:
    return ChangedWhileRead(
        "The file changed while it was read; it will be read again.", path=source.path
    )


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    """What stays when a file gets another name, and not when another file gets its name."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _witness(found: os.stat_result) -> tuple[int, ...]:
    """All that changes when bytes change; the change time cannot be set back by anybody."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _renamed(verified: Verified, target: Below) -> Verified:
    return Verified(
        verified.source,
        target,
        verified.sha256,
        verified.file,
        verified.witness,
        _SEAL,
    )


@contextmanager
def _staged(file: Below) -> Iterator[int]:
    """A new file, open for writing; removed again when anything goes wrong."""
    with parent(file) as (folder, name):
        writing = os.open(name, _CREATE, 0o666, dir_fd=folder)
        try:
            yield writing
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
            raise
        finally:
            os.close(writing)


def _rename_new(old: int, name: str, new: int, new_name: str) -> None:
    """Rename without ever overwriting, in one step where the file system can."""
    try:
        noreplace.rename(name, new_name, old, new)
    except OSError as error:
        if error.errno not in noreplace.UNSUPPORTED:
            raise
        _claim_name(new, new_name)
        os.rename(name, new_name, src_dir_fd=old, dst_dir_fd=new)


def _claim_name(folder: int, name: str) -> None:
    """Take a name with an empty file, so that the rename over it can only replace our own."""
    os.close(os.open(name, _CREATE, 0o666, dir_fd=folder))


def _move(source: Below, target: Below) -> None:
    make_folders(target.base, target.folder)
    with parent(source) as (old, name), parent(target) as (new, new_name):
        found = os.stat(name, dir_fd=old, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise NotAllowed("Only plain files are moved.", path=source.path)
        _rename_new(old, name, new, new_name)


def _copy_over(made: Below, kept: Below) -> None:
    partial = Below(kept.base, f"{kept.relative}.partial")
    remove_own_file(partial)
    with opened(made) as incoming, _staged(partial) as outgoing:
        copy_bytes(incoming, outgoing, os.fstat(incoming).st_size)
    with parent(kept) as (folder, name):
        os.rename(partial.name, name, src_dir_fd=folder, dst_dir_fd=folder)


def _refuse_link(folder: int, name: str, place: Below) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise NotAllowed("This is a link; links are never followed.", path=place.path)


def _is_directory(folder: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _empty(folder: int) -> None:
    for name in os.listdir(folder):  # a descriptor, not a path
        if not _is_directory(folder, name):
            os.unlink(name, dir_fd=folder)
            continue
        inner = os.open(name, DIRECTORY, dir_fd=folder)
        try:
            _empty(inner)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)
