"""One read and one decode for all, and only of one content."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ChangedWhileRead, NotMedia, TooBig
from pipeline.model import Category, Done, Later
from pipeline.stages import hash as gate
from pipeline.stages import subject as subject_module
from pipeline.stages.subject import Subject
from tests.kit import media
from tests.kit.visits import visit

BLOCK, BLOCKS = 4096, 12


def opened(path: Path, workdir: Path) -> Subject:
    """The subject of `path` as it lies there now."""
    seen = path.stat()
    return Subject.open(path, path.name, seen.st_size, seen.st_mtime_ns, seen.st_ino, workdir)


def test_all_stages_share_one_decode(tmp_path: Path) -> None:
    """Asking again, for as much or less, decodes nothing anew; asking for more does."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg(media.scene(1600, 1200)))
    subject = opened(path, tmp_path)
    half = subject.picture(800)
    assert subject.picture(640) is half
    assert subject.scaled(700) is half.pixels
    assert subject.full().shape == (1200, 1600, 3)
    assert subject.picture(800) is subject.picture(None)
    assert np.shares_memory(subject.picture(10).fit(100), subject.picture(10).fit(100))
    subject.close()


def test_type_is_told_by_content(tmp_path: Path) -> None:
    """A name decides nothing; what is unknown has a category of its own."""
    lying, unknown = tmp_path / "photo.png", tmp_path / "b.jpg"
    lying.write_bytes(media.jpeg())
    unknown.write_bytes(b"\x7fELF" + b"\0" * 99)
    first, second = opened(lying, tmp_path), opened(unknown, tmp_path)
    assert first.format.name == "jpeg"
    assert second.format.category is Category.UNKNOWN
    first.close()
    second.close()


def test_another_file_than_was_seen_is_not_read(tmp_path: Path) -> None:
    """Size, time and inode must be those that intake saw."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg())
    seen = path.stat()
    with pytest.raises(ChangedWhileRead):
        Subject.open(path, "a.jpg", seen.st_size + 1, seen.st_mtime_ns, seen.st_ino, tmp_path)


def test_a_rewrite_with_the_old_time_is_noticed(tmp_path: Path) -> None:
    """Same size, same mtime, same inode: the change time cannot be set back (T19)."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg())
    subject = opened(path, tmp_path)
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ChangedWhileRead):
        subject.data()
    subject.close()


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    """A new file under the old name is not what was read (T19)."""
    path, other = tmp_path / "a.jpg", tmp_path / "b.jpg"
    path.write_bytes(media.jpeg())
    other.write_bytes(media.jpeg())
    subject = opened(path, tmp_path)
    subject.data()
    other.replace(path)
    with pytest.raises(ChangedWhileRead):
        subject.check()
    subject.close()


def test_large_files_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit nothing is held in memory, and the outcome is the same."""
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg())
    held = opened(path, tmp_path)
    expected = held.scaled(64), gate.run(held)
    held.close()
    monkeypatch.setattr(subject_module, "HELD_BYTES", 100)
    streamed = opened(path, tmp_path)
    assert gate.run(streamed) == expected[1]
    assert np.array_equal(streamed.scaled(64), expected[0])
    with pytest.raises(TooBig):
        streamed.data()
    streamed.close()


def test_a_stream_that_was_touched_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read from disk bit by bit counts only if nothing changed meanwhile (T19)."""
    monkeypatch.setattr(subject_module, "HELD_BYTES", 100)
    path = tmp_path / "a.jpg"
    path.write_bytes(media.jpeg())
    subject = opened(path, tmp_path)
    with pytest.raises(ChangedWhileRead), subject.stream() as file:
        file.read(10)
        with path.open("ab") as more:
            more.write(b"x")
    subject.close()


@pytest.mark.parametrize("make", ["pipe", "folder"])
def test_what_is_no_file_is_refused(tmp_path: Path, make: str) -> None:
    """A pipe does not block, a folder is not read."""
    path = tmp_path / "a.jpg"
    if make == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(NotMedia):
        opened(path, tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """What a link points to was never chosen by the person."""
    (tmp_path / "secret").write_bytes(media.jpeg())
    link = tmp_path / "a.jpg"
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match=r"a\.jpg"):
        opened(link, tmp_path)


def test_no_mixture_is_ever_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 visits to a file that is being written: each accepted hash is of one content (T19)."""
    accepted, states = _visits_while_writing(tmp_path, monkeypatch, 500)
    assert 50 < len(accepted) < 450
    assert set(accepted) <= states


def test_the_writer_catches_a_reader_that_does_not_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness of T19 can fail: without the look afterwards it finds mixtures."""
    monkeypatch.setattr(Subject, "check", lambda _: None)
    accepted, states = _visits_while_writing(tmp_path, monkeypatch, 100)
    assert not set(accepted) <= states


def _visits_while_writing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> tuple[list[str], set[str]]:
    """The hashes that were accepted, and those of every state the file ever had."""
    writer = _Writer(folder / "a.txt")

    def read_slowly(fd: int, size: int) -> bytes:
        """Block by block, as from a slow disk; the writer may come before any of them."""
        blocks = []
        for at in range(0, size + 1, BLOCK):
            writer.may_change(0.05)
            blocks.append(os.pread(fd, min(BLOCK, size + 1 - at), at))
        return b"".join(blocks)

    monkeypatch.setattr(subject_module, "_read", read_slowly)
    accepted = []
    for _ in range(count):
        outcome = visit(writer.path, folder, "hash")["hash"]
        assert isinstance(outcome, Done | Later)
        if isinstance(outcome, Done):
            accepted.append(outcome.facts["sha256"])
    return accepted, writer.states


class _Writer:
    """Rewrites, grows, cuts and replaces a file a block at a time, always with its old time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = bytearray(b"0\n" * (BLOCK * BLOCKS // 2))
        self.path.write_bytes(self.content)
        self.states = {hashlib.sha256(self.content).hexdigest()}
        self._rng = random.Random(19)

    def may_change(self, chance: float) -> None:
        """With this chance a burst of deeds: one alone never makes a mixture."""
        if self._rng.random() < chance:
            for _ in range(4):
                self._change()

    def _change(self) -> None:
        before = self.path.stat()
        self._rng.choice((*(self._write,) * 6, self._cut, self._replace))()
        os.utime(self.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.states.add(hashlib.sha256(self.content).hexdigest())

    def _write(self) -> None:
        at = min(self._rng.randrange(BLOCKS) * BLOCK, len(self.content))
        self.content[at : at + BLOCK] = bytes((self._rng.randrange(97, 123),)) * BLOCK
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(self.content[at : at + BLOCK])

    def _cut(self) -> None:
        if len(self.content) > BLOCKS // 2 * BLOCK:
            del self.content[-BLOCK:]
            os.truncate(self.path, len(self.content))

    def _replace(self) -> None:
        self.content[:BLOCK] = bytes((self._rng.randrange(97, 123),)) * BLOCK
        other = self.path.with_suffix(".new")
        other.write_bytes(self.content)
        other.replace(self.path)
