"""`darkroom serve`: drop files, find them in the library; stop, restart, damage: it goes on."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import cli, media

pytestmark = pytest.mark.timeout(120)


@contextmanager
def _serving(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `serve` and what it said at its start; stopped in good order at the end."""
    with cli.start(home, "serve", DARKROOM_INTAKE__STABLE_FOR_S="1") as process:
        said = ""
        try:
            assert process.stdout is not None
            while "Find them in" not in said:
                line = process.stdout.readline()
                assert line, process.stderr.read() if process.stderr else ""
                said += line
            yield process, said
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            _, err = process.communicate(timeout=20)
            assert process.returncode == 0, err
            assert time.monotonic() - began < 10
            assert "Traceback" not in err
        finally:
            process.kill()


def _names(home: Path) -> set[str]:
    return {name.rpartition("/")[2] for name in cli.library(home)}


def _waiting(home: Path) -> set[str]:
    return {path.name for path in (home / "inbox").rglob("*") if path.name[0] != "."}


def test_the_inbox_is_emptied_into_the_library(home: Path) -> None:
    """Whole, slow and temporary files, a folder and junk: each ends where it belongs in seconds."""
    with _serving(home):
        inbox = home / "inbox"
        (inbox / "quick.jpg").write_bytes(media.jpeg(media.scene(200, 100)))
        (inbox / "phone").mkdir()
        (inbox / "phone" / "deep.png").write_bytes(media.saved(media.scene(90, 60, 3), "PNG"))
        (inbox / "junk.bin").write_bytes(b"\x07" * 999)
        slow = media.jpeg(media.scene(400, 300, seed=5))
        with (inbox / "slow.jpg").open("wb", buffering=0) as out:
            for start in range(0, len(slow), len(slow) // 6):
                out.write(slow[start : start + len(slow) // 6])
                time.sleep(0.4)  # a slow writer is what this is about
        (inbox / "film.mp4.part").write_bytes(film := media.video())
        time.sleep(1.5)  # longer than a file must rest: a temporary name is not taken all the same
        assert "film.mp4" not in _names(home)
        (inbox / "film.mp4.part").rename(inbox / "film.mp4")
        expected = {"quick.jpg", "deep.png", "slow.jpg", "film.mp4"}
        cli.wait_until(lambda: _names(home) == expected, f"{expected} in the library", 30)
        cli.wait_until(lambda: not _waiting(home) - {"phone"}, "an empty inbox")
    kept = {name.rpartition("/")[2]: value for name, value in cli.library(home).items()}
    assert kept["slow.jpg"] == hashlib.sha256(slow).hexdigest()
    assert kept["film.mp4"] == hashlib.sha256(film).hexdigest()
    notes = [path for path in (home / "quarantine").iterdir() if path.suffix == ".txt"]
    (note,) = notes
    assert "junk.bin" in note.name
    assert "do not know" in note.read_text()
    assert note.with_suffix("").read_bytes() == b"\x07" * 999


@pytest.mark.corpus
def test_a_live_photo_stays_together(home: Path, corpus: Path) -> None:
    """The two halves dropped apart lie under one name in the library."""
    with _serving(home):
        shutil.copy(corpus / "live_photo/train.jpg", home / "inbox")
        time.sleep(0.3)
        shutil.copy(corpus / "live_photo/train.mov", home / "inbox")
        cli.wait_until(lambda: _names(home) == {"train.jpg", "train.mov"}, "both halves")
        cli.wait_until(lambda: not _waiting(home), "an empty inbox")
    assert len({Path(name).with_suffix("") for name in cli.library(home)}) == 1


def test_what_is_known_already_leaves_the_inbox(home: Path) -> None:
    """A photo dropped a second time is not stored twice, and does not lie in the inbox for ever."""
    data = media.jpeg(media.scene(200, 100))
    with _serving(home):
        (home / "inbox" / "one.jpg").write_bytes(data)
        cli.wait_until(lambda: _names(home) == {"one.jpg"}, "the photo")
        (home / "inbox" / "again.jpg").write_bytes(data)
        cli.wait_until(lambda: not _waiting(home), "an empty inbox")
    assert len(cli.library(home)) == 1


def test_restart_goes_on(home: Path) -> None:
    """What was dropped while it was away is taken after the next start; a kill harms nothing."""
    with cli.start(home, "serve", DARKROOM_INTAKE__STABLE_FOR_S="1") as process:
        cli.wait_until((home / "inbox/.darkroom-root").exists, "an inbox")
        (home / "inbox" / "one.jpg").write_bytes(media.jpeg(media.scene(200, 100)))
        cli.wait_until(lambda: "one.jpg" in _names(home), "the first")
        process.kill()
    (home / "inbox" / "two.jpg").write_bytes(media.jpeg(media.scene(200, 100, 2)))
    with _serving(home):
        cli.wait_until(lambda: _names(home) == {"one.jpg", "two.jpg"}, "the second")


def test_a_damaged_database_mends_itself(home: Path, album: Path) -> None:
    """Flipped bytes in the state: it starts by itself, says so, and knows the library again."""
    first = cli.process(home, album)
    before = cli.library(home)
    database = home / "state" / "darkroom.sqlite"
    data = bytearray(database.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 256] = os.urandom(256)
    database.write_bytes(data)
    with _serving(home) as (process, welcome):
        assert process.stdout is not None
        said = welcome + process.stdout.readline()
        assert "Note:" in said
        assert "damaged" in said or "set aside" in said, said
        cli.wait_until(lambda: "IMG_0003.jpg" in cli.darkroom(home, "find").out, "known files")
    assert cli.library(home) == before
    again = cli.process(home, album)
    assert again.summary["placed"] == 0, again.summary
    assert first.summary["placed"]
