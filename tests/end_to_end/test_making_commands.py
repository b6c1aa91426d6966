"""Things made of files on request: smaller copies, in the cache or in the original's place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import cli, media

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def film() -> bytes:
    """A video that was stored wastefully."""
    return media.video(frames=36, size=(320, 240), qp="4")


@pytest.fixture
def shelf(home: Path, tmp_path: Path, film: bytes) -> Path:
    """A home with one video that was stored wastefully."""
    source = tmp_path / "from the camera"
    source.mkdir()
    (source / "film.mp4").write_bytes(film)
    os.utime(source / "film.mp4", (1.5e9, 1.5e9))  # of 2017: nothing else tells its age
    cli.process(home, source)
    return home


def said(home: Path, *words: str) -> str:
    """What a command that went well printed."""
    ran = cli.darkroom(home, *words, patience_s=150)  # films take long on a busy machine
    assert ran.status == 0, ran.said
    return ran.out


def rows(home: Path, *words: str) -> Iterator[dict[str, object]]:
    """The JSON lines a command printed."""
    return map(json.loads, said(home, *words, "--json").splitlines())


def test_a_copy_is_made_once_and_replaces_on_request(shelf: Path) -> None:
    """Copies are made, known again, put in the original's place, and undone; the sums agree."""
    before = cli.library(shelf)
    [made] = rows(shelf, "optimise", "--find", "type:video")
    assert made["outcome"] == "made"
    assert made["bytes_after"] < made["bytes_before"]  # type: ignore[operator]  # both are numbers
    assert cli.library(shelf) == before
    [again] = rows(shelf, "optimise", "--find", "type:video", "--replace")
    assert again["id"] == made["id"], "it was made a second time"
    assert list(cli.library(shelf).values()) == [made["made_sha256"]]
    [saved] = rows(shelf, "savings")
    assert saved["freed"] == made["bytes_before"] - made["bytes_after"]  # type: ignore[operator]
    [third] = rows(shelf, "optimise", "--find", "type:video", "--replace")
    assert third["id"] == made["id"], "a copy was made of a copy"
    assert said(shelf, "undo", str(again["job_id"]), "--yes") == "Reversed 1 change.\n"
    assert cli.library(shelf) == before


def test_another_wish_is_made_of_the_original(shelf: Path) -> None:
    """A copy that stands for its original is never made smaller itself: the original is taken."""
    [first] = rows(shelf, "optimise", "--find", "type:video", "--replace")
    [second] = rows(shelf, "optimise", "--find", "type:video", "--codec", "av1")
    assert second["sha256"] == first["sha256"]
    assert second["bytes_before"] == first["bytes_before"]


def test_what_cannot_be_named_is_told(shelf: Path) -> None:
    """No file, an unknown file, and a search that finds none end with a sentence and status 2."""
    for words in ((), ("nothing.mp4",), ("--find", "tag:nowhere")):
        ran = cli.darkroom(shelf, "optimise", *words)
        assert ran.status == 2, ran.said
        assert ran.err.strip()


def test_tiers_foretell_and_do(shelf: Path) -> None:
    """The forecast changes nothing and comes true; done twice, there is nothing left to do."""
    assert "[retention]" in cli.darkroom(shelf, "tiers").err
    tier = '[retention]\ntiers = [{after_months = 6, quality = "high"}]\n'
    (shelf / "darkroom.toml").write_text(tier)
    before = cli.library(shelf)
    told = {row["category"]: row for row in rows(shelf, "tiers")}
    assert cli.library(shelf) == before
    assert (told["video"]["files"], told["photo"]["files"]) == (1, 0)
    [done] = rows(shelf, "tiers", "--run")
    assert (done["replaced"], done["freed"]) == (1, told["video"]["saved"])
    assert list(rows(shelf, "tiers", "--run")) == []
    said(shelf, "undo", str(done["job_id"]), "--yes")
    assert cli.library(shelf) == before
