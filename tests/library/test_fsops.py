"""The only module that may destroy: what it demands, what it refuses, what it never does."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import (
    Busy,
    ChangedWhileRead,
    Conflict,
    DarkroomError,
    IntegrityBroken,
    Invalid,
    NotAllowed,
    NotMedia,
    StorageFull,
    StorageOffline,
    TooLarge,
)
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.library.failures import explain
from pipeline.library.fsops import Identity, Verified
from pipeline.model import Home, Root, RootKind, Take
from tests.kit.shim import Call, Shim
from tests.library.world import make_home, write


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with an empty staging folder."""
    home = make_home(tmp_path / "home")
    fsops.sweep_staging(home.staging)
    return home


def copied(home: Home, data: bytes = b"a photo", name: str = "a.jpg") -> Verified:
    """A file of the inbox, proven in staging."""
    write(home.inbox / name, data)
    source = Below(home.inbox, name)
    digest, identity = fsops.hash_file(source)
    staged = Below(home.library, f".staging/{name}")
    return fsops.copy_verified(source, staged, identity=identity, sha256=digest)


def inbox(home: Home, kind: RootKind = RootKind.INBOX, take: Take = Take.MOVE) -> Root:
    """The inbox as a root."""
    return Root("r", home.inbox, kind, take, "ann")


def test_nobody_else_can_make_a_proof(home: Home) -> None:
    """A Verified cannot be built, copied with changes, or moved to another source."""
    proof = copied(home)
    with pytest.raises(TypeError):
        Verified(proof.source, proof.copy, "0" * 64, (1, 1, 1, 1), None, object())
    with pytest.raises((TypeError, ValueError)):
        replace(proof, source=Below(home.inbox, "other.jpg"))


def test_a_copy_is_whole_or_absent(home: Home) -> None:
    """Bytes and modification time are kept; a copy with another hash is removed at once."""
    os.utime(write(home.inbox / "a.jpg", b"a photo"), ns=(5, 1_500_000_000_000_000_007))
    source = Below(home.inbox, "a.jpg")
    digest, identity = fsops.hash_file(source)
    staged = Below(home.library, ".staging/x")
    proof = fsops.copy_verified(source, staged, identity=identity, sha256=digest)
    assert proof.sha256 == hashlib.sha256(b"a photo").hexdigest()
    assert staged.path.read_bytes() == b"a photo"
    assert staged.path.stat().st_mtime_ns == 1_500_000_000_000_000_007
    other = Below(home.library, ".staging/y")
    with pytest.raises(ChangedWhileRead):
        fsops.copy_verified(source, other, identity=identity, sha256="0" * 64)
    with pytest.raises(ChangedWhileRead):
        stale = Identity(identity.size + 1, identity.mtime_ns, identity.inode)
        fsops.copy_verified(source, other, identity=stale, sha256=digest)
    assert not other.path.exists()


def test_without_fast_copies_bytes_still_arrive(home: Home) -> None:
    """Where the kernel cannot copy between two file systems, plain reading and writing does."""

    def no_fast_copy(call: Call) -> int | None:
        return errno.EXDEV if call.name == "copy_file_range" else None

    data = os.urandom(3 << 20)
    with Shim(fail_if=no_fast_copy) as shim:
        copied(home, data)
    assert (home.staging / "a.jpg").read_bytes() == data
    assert len(shim.named("write")) >= 3


@pytest.mark.parametrize("broken", [("link",), ("link", "renameat2")])
def test_no_name_is_ever_overwritten(home: Home, broken: tuple[str, ...]) -> None:
    """Without hard links, and without RENAME_NOREPLACE either (exFAT, SMB), a name is safe too."""

    def unsupported(call: Call) -> int | None:
        return errno.EINVAL if call.name in broken else None

    stranger = write(home.library / "x/a.jpg", b"not ours")
    proof = copied(home)
    with Shim(fail_if=unsupported):
        with pytest.raises(Conflict):
            fsops.link_new(proof, Below(home.library, "x/a.jpg"))
        placed = fsops.link_new(proof, Below(home.library, "x/b.jpg"))
        fsops.release_source(placed, inbox(home))
    assert stranger.read_bytes() == b"not ours"
    assert (home.library / "x/b.jpg").read_bytes() == b"a photo"
    assert not (home.inbox / "a.jpg").exists()


def test_a_placeholder_of_a_crash_is_removed_and_nothing_else(home: Home) -> None:
    """An empty file where a name was being claimed goes; a file with bytes never does."""
    write(home.library / "empty.jpg", b"")
    write(home.library / "full.jpg", b"x")
    assert fsops.remove_placeholder(Below(home.library, "empty.jpg"))
    assert not fsops.remove_placeholder(Below(home.library, "full.jpg"))
    assert not fsops.remove_placeholder(Below(home.library, "absent.jpg"))
    assert (home.library / "full.jpg").exists()


# --- release -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "take"),
    [
        (RootKind.FOREIGN, Take.COPY), (RootKind.FOREIGN, Take.MOVE), (RootKind.INBOX, Take.COPY),
        (RootKind.MANAGED, Take.INDEX), (RootKind.LIBRARY, Take.MOVE),
    ],
)  # fmt: skip
def test_only_roots_to_move_from_are_released(home: Home, kind: RootKind, take: Take) -> None:
    """T14: whatever else a root is, its files stay."""
    placed = fsops.link_new(copied(home), Below(home.library, "a.jpg"))
    with pytest.raises(NotAllowed):
        fsops.release_source(placed, inbox(home, kind, take))
    assert (home.inbox / "a.jpg").exists()


def test_a_copy_without_a_name_releases_nothing(home: Home) -> None:
    """Staging is emptied at each start: it is no safe place."""
    with pytest.raises(NotAllowed):
        fsops.release_source(copied(home), inbox(home))


def test_another_root_releases_nothing(home: Home, tmp_path: Path) -> None:
    """A proof speaks for one root only."""
    placed = fsops.link_new(copied(home), Below(home.library, "a.jpg"))
    with pytest.raises(NotAllowed):
        fsops.release_source(placed, replace(inbox(home), path=tmp_path))


def test_a_source_with_other_bytes_stays(home: Home) -> None:
    """Rewritten with the old size and time set back: the change is still seen, the file stays."""
    placed = fsops.link_new(copied(home), Below(home.library, "a.jpg"))
    before = (home.inbox / "a.jpg").stat()
    write(home.inbox / "a.jpg", b"a movie")
    os.utime(home.inbox / "a.jpg", ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ChangedWhileRead):
        fsops.release_source(placed, inbox(home))
    assert (home.inbox / "a.jpg").read_bytes() == b"a movie"


def test_a_source_that_was_only_touched_goes(home: Home) -> None:
    """Another mode or name changes no bytes: read again, the source is still the proven file."""
    placed = fsops.link_new(copied(home), Below(home.library, "a.jpg"))
    (home.inbox / "a.jpg").chmod(0o600)
    fsops.release_source(placed, inbox(home))
    assert not (home.inbox / "a.jpg").exists()


def test_a_source_is_kept_when_its_copy_is_not_there(home: Home) -> None:
    """A copy that was removed or replaced since releases nothing."""
    placed = fsops.link_new(copied(home), Below(home.library, "a.jpg"))
    fsops.drop_staged(Below(home.library, ".staging/a.jpg"))
    (home.library / "a.jpg").unlink()
    with pytest.raises(StorageOffline):
        fsops.release_source(placed, inbox(home))
    write(home.library / "a.jpg", b"another")
    with pytest.raises(IntegrityBroken):
        fsops.release_source(placed, inbox(home))
    assert (home.inbox / "a.jpg").read_bytes() == b"a photo"


def test_a_file_is_not_its_own_copy(home: Home) -> None:
    """Two names of one file are one file: releasing the source would remove the last copy."""
    write(home.inbox / "a.jpg", b"a photo")
    os.link(home.inbox / "a.jpg", home.library / "a.jpg")
    sha256 = hashlib.sha256(b"a photo").hexdigest()
    proof = fsops.prove_copy(
        Below(home.inbox, "a.jpg"), Below(home.library, "a.jpg"), sha256=sha256
    )
    with pytest.raises(Conflict):
        fsops.release_source(proof, inbox(home))
    assert (home.inbox / "a.jpg").exists()


def test_a_copy_with_other_bytes_is_no_proof(home: Home) -> None:
    """Proving again reads every byte."""
    write(home.inbox / "a.jpg", b"a photo")
    write(home.library / "a.jpg", b"a phono")
    with pytest.raises(IntegrityBroken):
        fsops.prove_copy(
            Below(home.inbox, "a.jpg"),
            Below(home.library, "a.jpg"),
            sha256=hashlib.sha256(b"a photo").hexdigest(),
        )


# --- links, and our own files ------------------------------------------------------------------


def test_links_are_never_followed(home: Home, tmp_path: Path) -> None:
    """T71: neither as a source, nor as a folder on the way, nor when a directory is emptied."""
    outside = write(tmp_path / "outside/secret.jpg", b"secret")
    (home.inbox / "link.jpg").symlink_to(outside)
    (home.inbox / "folder").symlink_to(outside.parent)
    (home.library / "2023").symlink_to(outside.parent)
    (home.cache / "link").symlink_to(outside.parent)
    for source in ("link.jpg", "folder/secret.jpg"):
        with pytest.raises(DarkroomError):
            fsops.hash_file(Below(home.inbox, source))
    with pytest.raises(DarkroomError):
        fsops.link_new(copied(home), Below(home.library, "2023/a.jpg"))
    with pytest.raises(NotAllowed):
        fsops.remove_own_file(Below(home.cache, "link"))
    fsops.empty_directory(home.cache)
    assert list(home.cache.iterdir()) == []
    assert [path.name for path in outside.parent.iterdir()] == ["secret.jpg"]


def test_pipes_and_folders_are_no_files(home: Home) -> None:
    """T21: a pipe neither blocks nor is copied; a folder is not moved."""
    os.mkfifo(home.inbox / "pipe.jpg")
    with pytest.raises(NotMedia):
        fsops.hash_file(Below(home.inbox, "pipe.jpg"))
    (home.library / "folder").mkdir()
    with pytest.raises(NotAllowed):
        fsops.trash_file(home, "folder", "x/folder")


def test_own_files_are_replaced_in_one_step(home: Home) -> None:
    """A snapshot takes the place of the older one; other folders and links are refused."""
    write(home.state / "new", b"new")
    write(home.state / "old", b"old")
    fsops.replace_file(Below(home.state, "new"), Below(home.state, "old"))
    assert (home.state / "old").read_bytes() == b"new"
    with pytest.raises(NotAllowed):
        fsops.replace_file(Below(home.state, "old"), Below(home.library, "old"))
    fsops.remove_own_file(Below(home.state, "old"))
    fsops.remove_own_file(Below(home.state, "old"))
    assert list(home.state.iterdir()) == []


def test_derivatives_are_adopted_over_older_ones(home: Home, tmp_path: Path) -> None:
    """Also from another file system, and never anything but a plain file."""

    def other_disk(call: Call) -> int | None:
        return errno.EXDEV if call.name == "rename" and "/made/" in call.paths[0] else None

    for data in (b"first", b"second"):
        write(tmp_path / "made/t.webp", data)
        made, kept = Below(tmp_path / "made", "t.webp"), Below(home.cache, "ab/t.webp")
        with Shim(fail_if=other_disk):
            assert fsops.adopt_derivative(made, kept) == len(data)
        assert (home.cache / "ab/t.webp").read_bytes() == data
        assert list((tmp_path / "made").iterdir()) == []
    (tmp_path / "made/evil.webp").symlink_to("/etc/passwd")
    with pytest.raises(NotAllowed):
        fsops.adopt_derivative(Below(tmp_path / "made", "evil.webp"), Below(home.cache, "e"))


def test_work_trees_are_removed(home: Home) -> None:
    """Directories of workers go with all that is in them; absent ones are fine."""
    write(home.cache / "work/1/deep/x", b"x")
    fsops.remove_trees([home.cache / "work/1", home.cache / "work/2"])
    assert list((home.cache / "work").iterdir()) == []


def test_staging_is_swept(home: Home) -> None:
    """What a crash left in staging goes; a second sweep finds nothing."""
    write(home.staging / "left", b"x")
    assert fsops.sweep_staging(home.staging) == 1
    assert fsops.sweep_staging(home.staging) == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, StorageOffline),
        (errno.EIO, StorageOffline), (errno.ESTALE, StorageOffline), (errno.EACCES, StorageOffline),
        (errno.ENOENT, StorageOffline), (errno.EMFILE, Busy), (errno.EEXIST, Conflict),
        (errno.ENAMETOOLONG, Invalid), (errno.ELOOP, NotAllowed), (errno.ENOTDIR, NotAllowed),
        (errno.EFBIG, TooLarge), (12345, StorageOffline),
    ],
)  # fmt: skip
def test_every_refusal_of_the_system_has_a_meaning(code: int, kind: type[DarkroomError]) -> None:
    """An errno becomes our own error, which names the file and says what to expect."""
    error = explain(OSError(code, "x"), Path("/a/b.jpg"))
    assert type(error) is kind
    assert error.path == Path("/a/b.jpg")
    assert error.message.endswith(".")
