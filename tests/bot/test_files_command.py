"""`darkroom files`: what a person sees, the exit status, and that it is the same service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit import cli, media
from tests.kit.atlas import lend_places


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two photos; the tests leave it as they found it."""
    base = tmp_path_factory.mktemp("files")
    pictures = base / "pictures"
    pictures.mkdir()
    for number in range(1, 3):
        (pictures / f"IMG_{number}.jpg").write_bytes(media.jpeg(media.scene(seed=number)))
    lend_places(tmp_path_factory, base / "home")
    cli.process(base / "home", pictures)
    return base / "home"


def _files(home: Path) -> list[str]:
    """The photos, by path below the library."""
    return sorted(name for name in cli.library(home) if name.endswith(".jpg"))


def test_a_move_is_shown_done_and_undone(home: Path) -> None:
    """A rehearsal touches nothing; the run says how to take it back; undo does."""
    before, [first, second] = cli.library(home), _files(home)
    plan = cli.darkroom(home, "files", "move", first, second, "--to", "Album", "--dry-run")
    assert plan.status == 0
    assert f"{first}  ->  Album/IMG_1.jpg" in plan.out
    assert "2 files would be done, 0 not. Nothing was touched." in plan.out
    assert cli.library(home) == before
    done = cli.darkroom(home, "files", "move", first, second, "--to", "Album")
    assert done.out.splitlines()[:2] == plan.out.splitlines()[:2]
    assert _files(home) == ["Album/IMG_1.jpg", "Album/IMG_2.jpg"]
    job = done.out.split()[-1]
    assert f"darkroom undo {job}" in done.out
    assert cli.darkroom(home, "undo", job, "--yes").status == 0
    assert cli.library(home) == before


def test_one_that_is_left_is_told_and_makes_the_status(home: Path) -> None:
    """A bad item stops no other; the status says that one was left."""
    [first, _] = _files(home)
    ran = cli.darkroom(home, "files", "tag", first, "nowhere.jpg", "--add", "beach", "--json")
    assert ran.status == 1
    result = json.loads(ran.out)
    assert [item["ok"] for item in result["items"]] == [True, False]
    found = cli.darkroom(home, "find", "beach", "--json")
    assert json.loads(found.out)["path"] == first
    taken = cli.darkroom(home, "files", "tag", first, "--remove", "beach")
    assert f"{first}: beach  ->  no tags" in taken.out


def test_copies_and_new_names(home: Path, tmp_path: Path) -> None:
    """Copies land in the folder named; a rename keeps the folder; both leave the bytes alone."""
    before, [first, _] = cli.library(home), _files(home)
    assert cli.darkroom(home, "files", "copy", first, "--to", tmp_path).status == 0
    assert list(cli.contents(tmp_path).values()) == [before[first]]
    named = cli.darkroom(home, "files", "rename", first, "--template", "{name} by Ada", "--json")
    assert json.loads(named.out)["items"][0]["after"] == first.replace(".jpg", " by Ada.jpg")
    cli.darkroom(home, "undo", json.loads(named.out)["job_id"], "--yes")
    assert cli.library(home) == before


def test_what_is_said_of_files(home: Path) -> None:
    """Titles, stars, dates and places: rehearsed first, told before and after, undone as a job."""
    [first, second] = _files(home)
    said = ("--title", "At the lake", "--taken", "2020-05-01T10:00:00+02:00")
    plan = cli.darkroom(home, "files", "edit", first, *said, "--dry-run")
    after = "title At the lake, taken_at 2020-05-01T10:00:00+02:00"
    assert plan.out.splitlines()[0].startswith(f"{first}: title -, taken_at ")
    assert plan.out.splitlines()[0].endswith(f"->  {after}")
    assert cli.darkroom(home, "files", "edit", first, *said).status == 0
    shifted = cli.darkroom(home, "files", "shift", first, "--by=-1h30m", "--json")
    result = json.loads(shifted.out)
    assert result["items"][0]["after"] == {"taken_at": "2020-05-01T08:30:00+02:00"}
    cli.darkroom(home, "undo", result["job_id"], "--yes")
    zoned = cli.darkroom(home, "files", "zone", first, "--to", "+03:00", "--dry-run")
    assert "taken_at 2020-05-01T10:00:00+03:00" in zoned.out
    placed = cli.darkroom(home, "files", "place", first, second, "--at", "48.2", "16.4")
    assert placed.out.splitlines()[:2] == [
        f"{one}: position -  ->  position 48.2 16.4" for one in (first, second)
    ]
    assert cli.darkroom(home, "find", "title:lake", "--json").out
    for words in (("shift", first, "--by", "soon"), ("place", first), ("edit", first)):
        assert cli.darkroom(home, "files", *words).status == 2


def test_mistakes_are_sentences(home: Path) -> None:
    """A wrong folder or template is refused as a whole, with status 2 and no traceback."""
    [first, _] = _files(home)
    for words in (
        ("move", first, "--to", "../out"),
        ("rename", first, "--template", "{nmae}"),
        ("copy", first, "--to", home / "library"),
        ("tag", first),
    ):
        ran = cli.darkroom(home, "files", *words)
        assert ran.status == 2, ran.said
        assert "Traceback" not in ran.said


def test_kinds_needs_no_home(home: Path, tmp_path: Path) -> None:
    """Any folder is told by content, and no home comes into being."""
    (tmp_path / "photo.bin").write_bytes(media.jpeg())
    ran = cli.darkroom(tmp_path / "none", "files", "kinds", tmp_path, "--json")
    assert json.loads(ran.out)["photos"] == [str(tmp_path / "photo.bin")]
    assert not (tmp_path / "none").exists()
