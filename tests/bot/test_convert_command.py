"""`darkroom convert --to web`: photos and films that every browser shows, telling nothing."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image

from tests.kit import cli, footage, media
from tests.kit.atlas import lend_places


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a photo and a phone's film."""
    base = tmp_path_factory.mktemp("convert")
    pictures = base / "pictures"
    pictures.mkdir()
    (pictures / "beach.jpg").write_bytes(media.jpeg(media.scene(seed=3)))
    (footage.phone(base / "wave.mov", seconds=1.0)).rename(pictures / "wave.mov")
    lend_places(tmp_path_factory, base / "home")
    cli.process(base / "home", pictures)
    return base / "home"


def test_the_web_gets_what_it_shows(home: Path, tmp_path: Path) -> None:
    """One command for both: WebP and H.264 in a folder outside, upright, without a place."""
    before = cli.library(home)
    out = tmp_path / "site"
    ran = cli.darkroom(home, "convert", *before, "--to", "web", "--into", str(out))
    assert ran.status == 0, ran.said
    assert cli.library(home) == before
    (picture,) = out.glob("*.webp")
    with Image.open(picture) as shown:
        assert shown.format == "WEBP"
    (copy,) = out.glob("*.mp4")
    data = copy.read_bytes()
    assert b"+48.2082" not in data
    assert data.find(b"moov") < data.find(b"mdat")
    with av.open(copy) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.width < stream.codec_context.height
        assert film.streams.audio[0].codec_context.name == "aac"


def test_widths_are_the_photos(home: Path, tmp_path: Path) -> None:
    """--width makes one picture of each; a film has one web copy."""
    out = tmp_path / "site"
    ran = cli.darkroom(home, "convert", "--find", "type:photo", "--to", "web", "--width", "64",
                       "--width", "96", "--into", str(out))  # fmt: skip
    assert ran.status == 0, ran.said
    assert sorted(one.name for one in out.iterdir()) == ["beach-64.webp", "beach-96.webp"]
