"""Every other command, run for real over a small library; what it says is read as well."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.conftest import make_album
from tests.kit import cli, media

pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True, slots=True)
class Shown:
    """A home with the album in it, for tests that leave it as they found it."""

    home: Path
    album: Path
    taken: cli.Processed


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The album taken into a home that several tests look at."""
    base = tmp_path_factory.mktemp("shown")
    album = make_album(base / "album")
    return Shown(base / "home", album, cli.process(base / "home", album))


@pytest.fixture
def taken(home: Path, album: Path) -> cli.Processed:
    """The album taken into the home."""
    return cli.process(home, album)


def _job(home: Path) -> str:
    newest = cli.darkroom(home, "jobs", "--json").out.splitlines()[0]
    return str(json.loads(newest)["id"])


def _said(home: Path, *arguments: str | Path, status: int = 0) -> str:
    ran = cli.darkroom(home, *arguments)
    assert ran.status == status, ran.said
    assert "Traceback" not in ran.err
    return ran.said


@pytest.mark.usefixtures("taken")
def test_undo_and_undo_again(home: Path, album: Path) -> None:
    """Undo of a run puts its copies into the trash; the sources stay; twice changes nothing."""
    before, kept = cli.contents(album), cli.library(home)
    job = _job(home)
    assert f"Reversed {len(kept)} changes" in _said(home, "undo", job, "--yes")
    assert cli.library(home) == {}
    trash = cli.contents(home / "trash")
    assert set(kept.values()) <= set(trash.values())
    assert cli.contents(album) == before
    assert "Reversed 0 changes" in _said(home, "undo", job, "--yes")


def test_undo_of_a_move(home: Path, album: Path) -> None:
    """Undo of a run that moved brings every file back to where it came from."""
    before = cli.contents(album)
    cli.process(home, album, "--move")
    _said(home, "undo", _job(home), "--yes")
    after = {name: value for name, value in cli.contents(album).items() if name[0] != "."}
    assert after == before
    assert cli.library(home) == {}


def test_undo_of_nothing(shown: Shown) -> None:
    """A job that does not exist is named, with the way to find the right one."""
    assert "darkroom jobs" in _said(shown.home, "undo", "0190-nothing", "--yes", status=2)
    assert shown.taken.summary["placed"]


def test_trash_there_and_back(home: Path, taken: cli.Processed, album: Path) -> None:
    """Put, list, restore: a photo goes with its sidecar and comes back to its place."""
    before = cli.library(home)
    row = taken.of(album / "IMG_0002.jpg")
    said = _said(home, "trash", "put", row["path"], "--reason", "blurred")
    assert said.count("in the trash: ") == 2
    assert set(before) - set(cli.library(home)) == {
        row["path"],
        taken.of(album / "IMG_0002.xmp")["path"],
    }
    assert row["id"] in _said(home, "trash", "list")
    said = _said(home, "trash", "restore", row["id"])
    assert said.count("restored: ") == 2
    assert cli.library(home) == before
    assert "empty" in _said(home, "trash", "list")


def test_purge_shows_first_and_deletes_only_trash(
    home: Path, taken: cli.Processed, album: Path
) -> None:
    """Nothing is purged before its time; --all --dry-run lists; --all --yes deletes just that."""
    row = taken.of(album / "IMG_0003.jpg")
    _said(home, "trash", "put", row["path"])
    kept = cli.library(home)
    assert "0 files" in _said(home, "trash", "purge", "--yes")
    before = cli.contents(home / "trash")
    listed = _said(home, "trash", "purge", "--all", "--dry-run")
    assert row["path"] in listed
    assert "Nothing was touched" in listed
    assert cli.contents(home / "trash") == before
    assert "Deleted 1 file" in _said(home, "trash", "purge", "--all", "--yes")
    assert row["sha256"] not in cli.contents(home / "trash").values()
    assert cli.library(home) == kept
    assert (album / "IMG_0003.jpg").is_file()


def test_trash_of_what_is_not_there(shown: Shown) -> None:
    """A file nobody knows is named, and nothing happens."""
    before = cli.library(shown.home)
    assert "nowhere.jpg" in _said(shown.home, "trash", "put", "nowhere.jpg", status=2)
    assert cli.library(shown.home) == before


def test_find(shown: Shown) -> None:
    """Words, kinds, years and states find what they should."""
    home = shown.home
    assert "IMG_0002.jpg" in _said(home, "find", "2019-05")
    assert "IMG_0003" not in _said(home, "find", "2019-05")
    assert "film.mp4" in _said(home, "find", "--kind", "video")
    assert "zeros" in _said(home, "find", "--state", "rejected")
    assert "Nothing found" in _said(home, "find", "zebra")
    rows = [json.loads(line) for line in _said(home, "find", "--json").splitlines()]
    assert {"IMG_0002.jpg", "film.mp4"} <= {Path(row["path"]).name for row in rows if row["path"]}


def test_dupes(home: Path, tmp_path: Path) -> None:
    """Equal files, look-alikes with a keeper and its reasons, and a decision that is remembered."""
    album = tmp_path / "twins"
    album.mkdir()
    big, small = media.scene(640, 480), media.scene(640, 480)[::2, ::2]
    (album / "big.jpg").write_bytes(media.jpeg(big, quality=95))
    (album / "small.jpg").write_bytes(media.jpeg(small, quality=60))
    (album / "same.jpg").write_bytes((album / "big.jpg").read_bytes())
    taken = cli.process(home, album)
    assert "keeping one would free" in _said(home, "dupes")
    alike = _said(home, "dupes", "--similar")
    assert re.search(r"keep\s+\S+\s+\S*(big|same).jpg\s+\(.+\)", alike), alike
    big_one, other = (taken.of(album / name) for name in ("big.jpg", "small.jpg"))
    one, other = big_one["duplicate_of"] or big_one["id"], other["id"]
    assert "Remembered" in _said(home, "dupes", "decide", one, other, "different")
    assert "No look-alikes" in _said(home, "dupes", "--similar")
    found = json.loads(_said(home, "dupes", "scan", album, "--json"))
    assert {Path(path).name for path in found["paths"]} == {"big.jpg", "same.jpg"}


def test_jobs_and_roots(shown: Shown) -> None:
    """The run is listed as done; the folders and how they are, too."""
    home, album = shown.home, shown.album
    assert re.search(r"process\s+done", _said(home, "jobs"))
    roots = _said(home, "roots")
    assert re.search(rf"foreign\s+copy\s+online\s+{re.escape(str(album))}", roots)
    assert "inbox" in roots
    assert "library" in roots


def test_verify_names_a_flipped_bit(home: Path, taken: cli.Processed, album: Path) -> None:
    """A whole library is fine; one flipped bit is found and named, and nothing is touched."""
    assert "0 altered" in _said(home, "verify")
    victim = home / "library" / taken.of(album / "IMG_0003.jpg")["path"]
    seen = victim.stat()
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    os.utime(victim, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    said = _said(home, "verify", status=1)
    assert "IMG_0003.jpg" in said
    assert "1 altered" in said
    assert victim.read_bytes() == data


@pytest.mark.usefixtures("taken")
def test_verify_asks_when_much_is_gone(home: Path) -> None:
    """Half a library gone at once is more likely a lost disk: it asks and marks nothing."""
    for path in list((home / "library").rglob("IMG_*.jpg")):
        path.unlink()
    said = _said(home, "verify", status=1)
    assert "confirm" in said or "missing" in said
    assert "IMG_0002.jpg" in _said(home, "find")


def test_backup_and_restore(home: Path, taken: cli.Processed, album: Path) -> None:
    """A snapshot is taken, listed and gone back to; what was placed since is known again."""
    assert "Snapshot" in _said(home, "backup")
    name = _said(home, "backup", "list").split()[0]
    (album / "later.jpg").write_bytes(media.jpeg(media.scene(100, 70, seed=9)))
    cli.process(home, album)
    before = cli.library(home)
    said = _said(home, "restore", name, "--yes")
    assert "Restored" in said
    assert "1 file of the library" in said
    assert cli.library(home) == before
    assert cli.process(home, album).summary["placed"] == 0
    assert "later.jpg" in _said(home, "find")
    assert cli.library(home) == before
    assert taken.summary["placed"]


def test_doctor(home: Path) -> None:
    """Before the first run every finding is fine or says how to mend it."""
    _said(home, "doctor")
    assert not home.exists()


def test_two_at_once(shown: Shown) -> None:
    """While Darkroom runs, looking works; changing says who owns the home and changes nothing."""
    home, album, taken = shown.home, shown.album, shown.taken
    row = taken.of(album / "IMG_0001.jpg")
    with cli.start(home, "serve") as serving:
        try:
            assert serving.stdout is not None
            assert "running" in serving.stdout.readline()
            assert "IMG_0003.jpg" in _said(home, "find")
            assert "done" in _said(home, "jobs")
            _said(home, "roots")
            found = _said(home, "doctor")
            assert "decoders are installed" in found
            assert "database" in found
            assert "BAD" not in found
            before = cli.library(home)
            for words in (("process", album), ("trash", "put", row["path"]), ("verify",)):
                said = _said(home, *words, status=2)
                assert str(serving.pid) in said, said
            assert cli.library(home) == before
        finally:
            serving.terminate()
            assert serving.wait(20) == 0


def test_commands_without_a_home(home: Path) -> None:
    """Where there is no Darkroom yet, every look says so kindly and makes nothing."""
    for words in (
        ("find",),
        ("jobs",),
        ("dupes",),
        ("trash", "list"),
        ("roots",),
        ("backup", "list"),
    ):
        assert "darkroom process" in _said(home, *words, status=2)
    assert not home.exists()
