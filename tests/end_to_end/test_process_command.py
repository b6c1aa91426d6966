"""`darkroom process`: rehearsal, moving, odd paths, and everything that should be refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import cli, media

pytestmark = pytest.mark.timeout(120)


# --- rehearsal -----------------------------------------------------------------------------------


def test_rehearsal_touches_nothing_and_keeps_its_word(home: Path, album: Path) -> None:
    """--dry-run makes no home; the run that follows gives exactly the names it showed."""
    before = cli.contents(album)
    ran = cli.darkroom(home, "process", album, "--dry-run", "--json")
    assert ran.status == 1, ran.err  # one file would not be taken
    assert not home.exists()
    assert cli.contents(album) == before
    plan = json.loads(ran.out)
    real = cli.process(home, album)
    assert {(one["source"], one["target"]) for one in plan["placed"]} == {
        (row["source"], row["path"]) for row in real.placed
    }
    assert [one["source"] for one in plan["rejected"]] == [str(album / "broken.jpg")]
    assert len(plan["duplicates"]) == real.summary["duplicates"] == 1


def test_rehearsal_shows_a_tree(home: Path, album: Path) -> None:
    """The plan is a tree of the library with the source of each name."""
    ran = cli.darkroom(home, "process", album, "--dry-run")
    assert "2019-05" in ran.out, ran.said
    assert "IMG_0002.jpg" in ran.out
    assert "<- " in ran.out
    assert "not taken" in ran.out
    assert "Nothing was touched." in ran.out


def test_rehearsal_over_a_home_in_use(home: Path, album: Path) -> None:
    """With a library there, a rehearsal sees what is known and changes no byte of the home."""
    cli.process(home, album / "IMG_0001.jpg")
    before = cli.contents(home)
    plan = json.loads(cli.darkroom(home, "process", album, "--dry-run", "--json").out)
    assert cli.contents(home) == before
    assert str(album / "IMG_0001.jpg") not in {one["source"] for one in plan["placed"]}
    real = cli.process(home, album)
    assert {one["target"] for one in plan["placed"]} == {row["path"] for row in real.placed}


# --- moving --------------------------------------------------------------------------------------


def test_move_releases_only_what_is_safe(home: Path, album: Path) -> None:
    """--move: placed sources are gone, each lies in the library; what was not placed stays."""
    before = cli.contents(album)
    moved = cli.process(home, album, "--move")
    left = {name for name in cli.contents(album) if not name.startswith(".")}
    assert left - {"copy of 1.jpg", "IMG_0001.jpg"} == {"broken.jpg"}
    assert len(left) == 2  # one of the two equal files, whichever was read second
    assert set(before.values()) - {before["broken.jpg"]} == set(cli.library(home).values())
    assert moved.ran.status == 1


def test_move_from_a_folder_that_cannot_be_written(home: Path, album: Path) -> None:
    """--move from a read-only disk is an honest error; nothing was touched."""
    with _mounted(album, "ro") as read_only:
        before = cli.contents(read_only)
        ran = cli.darkroom(home, "process", read_only, "--move")
        assert ran.status == 2, ran.said
        assert "Traceback" not in ran.err
        assert str(read_only) in ran.err
        assert cli.contents(read_only) == before


# --- what is given -------------------------------------------------------------------------------


def test_single_files(home: Path, album: Path) -> None:
    """A file alone is taken without its neighbours."""
    run = cli.process(home, album / "IMG_0001.jpg", album / "film.mp4")
    assert {Path(row["source"]).name for row in run.rows} == {"IMG_0001.jpg", "film.mp4"}
    assert run.ran.status == 0
    assert len(cli.library(home)) == 2


def test_same_folder_given_twice(home: Path, album: Path) -> None:
    """A folder, the same folder again and a file in it: every source has one row."""
    run = cli.process(home, album, album, album / "IMG_0001.jpg")
    sources = [row["source"] for row in run.rows]
    assert sorted(sources) == sorted(str(path) for path in album.iterdir())


def test_a_second_copy_of_the_album(home: Path, album: Path) -> None:
    """The same photos and sidecars from another folder: nothing of them is stored twice."""
    cli.process(home, album)
    before = cli.library(home)
    shutil.copytree(album, album.with_name("old backup"))
    again = cli.process(home, album.with_name("old backup"))
    assert (again.summary["placed"], again.summary["sidecars"]) == (0, 1)
    assert cli.library(home) == before


def test_path_that_is_not_there(home: Path, tmp_path: Path) -> None:
    """A path that does not exist: status 2, a clear sentence, and no home is made."""
    ran = cli.darkroom(home, "process", tmp_path / "nowhere")
    assert ran.status == 2
    assert "nowhere" in ran.err
    assert "does not exist" in ran.err
    assert not home.exists()


def test_empty_folder(home: Path, tmp_path: Path) -> None:
    """An empty folder is no failure."""
    (tmp_path / "empty").mkdir()
    run = cli.process(home, tmp_path / "empty")
    assert (run.ran.status, run.summary["found"], run.rows) == (0, 0, ())


def test_home_inside_the_source(album: Path) -> None:
    """Taking in the folder the home lies in does not take in the home."""
    home = album / "darkroom"
    first = cli.process(home, album)
    assert not [row for row in first.rows if str(home) in row["source"]]
    again = cli.process(home, album)
    assert again.summary["placed"] == 0
    assert again.summary["found"] == first.summary["found"]


@pytest.mark.parametrize("inside", ["library", "trash", "state", "library/2026"])
def test_source_inside_the_home(home: Path, album: Path, inside: str) -> None:
    """Darkroom's own folders are no source: refused with a sentence."""
    cli.process(home, album / "IMG_0001.jpg")
    (home / inside).mkdir(exist_ok=True, parents=True)
    before = cli.library(home)
    ran = cli.darkroom(home, "process", home / inside)
    assert ran.status == 2, ran.said
    assert "Traceback" not in ran.err
    assert cli.library(home) == before


def test_misspelt_setting(home: Path, album: Path) -> None:
    """A setting nobody knows is named, with the right one, before anything happens."""
    ran = cli.darkroom(home, "process", album, DARKROOM_WORK__SLOST="2")
    assert ran.status == 2
    assert "slots" in ran.err
    assert not home.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to nobody's reader")
def test_file_that_cannot_be_read(home: Path, album: Path) -> None:
    """A file without permission is told by name; the others are placed."""
    locked = album / "IMG_0003.jpg"
    locked.chmod(0)
    ran = _without_roots_eyes(home, album)
    assert ran.status == 1, ran.said
    summary = json.loads(ran.out)
    assert summary["placed"] == 3
    assert summary["failed"] + summary["rejected"] == 2
    rows = [json.loads(line) for line in (home.parent / "r.jsonl").read_text().splitlines()]
    (row,) = (row for row in rows if row["source"] == str(locked))
    assert row["outcome"] == "failed"
    assert "may not read this file" in row["reason"]


def _without_roots_eyes(home: Path, album: Path) -> cli.Ran:
    """The command without root's power to read whatever it likes."""
    report = home.parent / "r.jsonl"
    ran = subprocess.run(
        [
            *("setpriv", "--bounding-set=-dac_override,-dac_read_search"),
            *(sys.executable, "-m", "bot", "--home", home, "process", album),
            *("--json", "--report", report),
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    return cli.Ran(ran.returncode, ran.stdout, ran.stderr)


# --- a full disk ---------------------------------------------------------------------------------


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_full_library(home: Path, tmp_path: Path) -> None:
    """A library that is full says so and how much is missing; sources and library stay whole."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(8):
        noise = media.jpeg(media.scene(1200, 900, seed=number), quality=100)
        (photos / f"{number}.jpg").write_bytes(noise)
    before = cli.contents(photos)
    (home / "library").mkdir(parents=True)
    with _mounted(home / "library", "size=2m"):
        ran = cli.darkroom(home, "process", photos, "--json", DARKROOM_WORK__MIN_FREE_MB="0")
        assert ran.status in (1, 2), ran.said
        assert "full" in ran.err or "space" in ran.err, ran.said
        assert "Traceback" not in ran.err
        assert cli.contents(photos) == before
        assert set(cli.library(home).values()) <= set(before.values())


class _mounted:
    """A tmpfs over a folder, or the folder itself read-only; unmounted at the end."""

    def __init__(self, folder: Path, how: str) -> None:
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("needs root to mount")
        self._folder, self._how = folder, how

    def __enter__(self) -> Path:
        if self._how == "ro":
            _mount("--bind", self._folder, self._folder)
            _mount("-o", "remount,ro,bind", self._folder)
        else:
            _mount("-t", "tmpfs", "-o", self._how, "tmpfs", self._folder)
        return self._folder

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", self._folder], check=True)


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")
