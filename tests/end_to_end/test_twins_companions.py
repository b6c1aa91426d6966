"""What came along with a second copy of a photo belongs to the photo that is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.kit import cli, media
from tests.kit.atlas import lend_places

TAKEOUT = {
    "title": "IMG_1.jpg",
    "photoTakenTime": {"timestamp": "1561975200"},
    "geoData": {"latitude": 41.9, "longitude": 12.5, "altitude": 0.0},
}


def test_a_sidecar_of_a_second_copy_tells_of_the_first(
    home: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A Takeout record beside a copy gives the kept photo its time and place, and goes with it."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    photo = first / "beach.jpg"
    photo.write_bytes(media.jpeg())
    shutil.copyfile(photo, second / "IMG_1.jpg")
    (second / "IMG_1.jpg.json").write_text(json.dumps(TAKEOUT))
    lend_places(tmp_path_factory, home)
    kept = cli.process(home, first).of(photo)
    assert kept["lat"] is None
    again = cli.process(home, second)
    assert again.of(second / "IMG_1.jpg")["duplicate_of"] == kept["id"]
    side = again.of(second / "IMG_1.jpg.json")
    assert Path(side["path"]).parent == Path(kept["path"]).parent
    found = json.loads(cli.darkroom(home, "find", "--json").out)
    assert found["id"] == kept["id"]
    assert found["taken_at"].startswith("2019-07-01")
    assert (found["lat"], found["lon"]) == (41.9, 12.5)
    assert found["place"] == "Rome, Italy"
    assert cli.darkroom(home, "trash", "put", kept["id"]).status == 0
    assert cli.library(home) == {}
