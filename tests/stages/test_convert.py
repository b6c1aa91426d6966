"""Other formats and copies for the web, on request."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import animation, decode, ssimulacra2
from pipeline.intake import kind
from pipeline.metadata.write import containers
from pipeline.model import Done, Json, JsonObject, Outcome, Reject, Skip
from tests.kit import media
from tests.kit.visits import visit

FROM = ("photo.jpg", "picture.png", "picture.webp", "picture.avif", "phone.heic", "picture.jxl")
TO = ("jpeg", "png", "webp", "avif", "heic", "jxl", "tiff")


def converted(folder: Path, name: str, data: bytes, **params: Json) -> Outcome:
    """The answer of the stage for a file with this content."""
    (folder / name).write_bytes(data)
    workdir = folder / "work"
    workdir.mkdir()
    stages = ("facts", "preview", "convert")
    return visit(folder / name, workdir, *stages, params={"convert": params})["convert"]


def copy_of(folder: Path, outcome: Outcome) -> bytes:
    """The one copy, which is of the format that was announced."""
    assert isinstance(outcome, Done), outcome
    (made,) = outcome.made
    data = (folder / "work" / made.name).read_bytes()
    told = kind.sniff(data[:4096], size=len(data))
    assert told is not None
    assert told.mime == made.mime
    return data


@pytest.mark.parametrize(("name", "to"), list(product((*FROM, "scan.tif"), TO)))
def test_from_any_to_any(tmp_path: Path, name: str, to: str) -> None:
    """The same picture comes out of it."""
    seed = media.SEEDS[name]()
    outcome = converted(tmp_path, name, seed, to=to, quality=90)
    made = decode.decode(copy_of(tmp_path, outcome), to, None).pixels
    told = kind.sniff(seed[:4096], size=len(seed))
    assert told is not None
    before = decode.decode(seed, told.name, None).pixels
    assert made.shape == before.shape
    assert np.abs(made.mean(axis=2) - before.mean(axis=2)).mean() < 6


def test_a_target_is_met(tmp_path: Path) -> None:
    """Where no quality is given, the score decides."""
    pixels = np.asarray(Image.fromarray(media.scene(60, 40)).resize((480, 320)))
    data = media.saved(pixels, "PNG")
    outcome = converted(tmp_path, "a.png", data, to="webp", target=80)
    shown = decode.decode(copy_of(tmp_path, outcome), "webp", None).pixels
    assert isinstance(outcome, Done)
    assert ssimulacra2.score(pixels, shown) == pytest.approx(outcome.facts["score"], abs=0.05)
    assert outcome.facts["score"] >= 80


@pytest.mark.parametrize("to", ["jpeg", "webp", "avif", "heic", "jxl", "png", "tiff"])
def test_a_turned_photo_is_upright_once(tmp_path: Path, to: str) -> None:
    """Pixels are turned, and EXIF does not turn them again."""
    data = media.jpeg(media.scene(96, 64), orientation=6)
    outcome = converted(tmp_path, "a.jpg", data, to=to, quality=95)
    shown = decode.decode(copy_of(tmp_path, outcome), to, None)
    expected = decode.decode(data, "jpeg", None)
    assert (shown.width, shown.height) == (64, 96) == (expected.width, expected.height)
    difference = shown.pixels.mean(axis=2) - expected.pixels.mean(axis=2)
    assert np.abs(difference).mean() < 6


def test_what_cannot_come_along_is_told(tmp_path: Path) -> None:
    """Sixteen bits and transparency in a JPEG."""
    clear = np.random.default_rng(1).integers(0, 256, (32, 32, 4), np.uint8)
    outcome = converted(tmp_path, "a.png", media.saved(clear, "PNG"), to="jpeg", quality=90)
    assert isinstance(outcome, Done), outcome
    assert outcome.facts["left_out"] == ["transparency, now white"]


def test_a_jpeg_becomes_progressive_without_loss(tmp_path: Path) -> None:
    """The same pixels, built up step by step."""
    data = media.jpeg(media.scene(200, 160))
    made = copy_of(tmp_path, converted(tmp_path, "a.jpg", data, to="jpeg", lossless=True))
    with Image.open(io.BytesIO(made)) as image, Image.open(io.BytesIO(data)) as before:
        assert image.info.get("progressive")
        assert image.tobytes() == before.tobytes()


def test_a_jpeg_comes_back_out_of_its_jpeg_xl(tmp_path: Path) -> None:
    """There and back again is the same file."""
    data = media.jpeg(media.scene(200, 160), orientation=8)
    (tmp_path / "there").mkdir()
    inside = copy_of(
        tmp_path / "there",
        converted(tmp_path / "there", "a.jpg", data, to="jxl", lossless=True),
    )
    back = copy_of(tmp_path, converted(tmp_path, "a.jxl", inside, to="jpeg", lossless=True))
    assert back == data


@pytest.mark.parametrize("to", ["webp", "avif", "jpeg"])
def test_copies_for_the_web(tmp_path: Path, to: str) -> None:
    """One for each width that the picture has, without a word about who, when and where."""
    data = media.jpeg(media.scene(640, 480), orientation=6)
    outcome = converted(tmp_path, "a.jpg", data, to=to, widths=[120, 320, 2000], quality=80)
    assert isinstance(outcome, Done), outcome
    assert [made.kind for made in outcome.made] == ["web-120", "web-320"]
    assert [(made.width, made.height) for made in outcome.made] == [(120, 160), (320, 427)]
    for made in outcome.made:
        copy = (tmp_path / "work" / made.name).read_bytes()
        told = containers.read(copy, to)
        assert told.exif is None
        assert told.xmp is None
        shown = decode.decode(copy, to, None)
        assert (shown.width, shown.height) == (made.width, made.height)


def test_a_web_copy_is_never_larger_than_the_picture(tmp_path: Path) -> None:
    """Where all widths are beyond it, there is one of its own."""
    outcome = converted(tmp_path, "a.png", media.SEEDS["picture.png"](), to="webp", widths=[4000])
    assert isinstance(outcome, Done), outcome
    assert [made.kind for made in outcome.made] == ["web-96"]


@pytest.mark.parametrize("to", ["webp", "apng", "avif"])
def test_what_moves_goes_on_moving(tmp_path: Path, to: str) -> None:
    """All frames, all times."""
    data = media.gif(4)
    made = copy_of(tmp_path, converted(tmp_path, "a.gif", data, to=to))
    assert animation.timing(made, to).durations == animation.timing(data, "gif").durations


def test_what_moves_is_not_frozen(tmp_path: Path) -> None:
    """A still format is refused, with those that would do."""
    outcome = converted(tmp_path, "a.gif", media.gif(3), to="jpeg")
    assert isinstance(outcome, Skip)
    assert "WEBP" in outcome.why


@pytest.mark.parametrize("to", ["gif", "apng"])
def test_a_still_picture_as_gif_or_png(tmp_path: Path, to: str) -> None:
    """GIF and PNG hold still pictures too."""
    assert copy_of(tmp_path, converted(tmp_path, "a.png", media.SEEDS["picture.png"](), to=to))


def test_a_gif_says_what_it_cannot_say(tmp_path: Path) -> None:
    """It has no place for dates and cameras: the copy is made, and it is told."""
    words = Image.Exif()
    words[0x010F], words[0x0110] = "Maker", "Model"
    words[0x0132] = "2020:01:02 03:04:05"
    data = media.jpeg(media.scene(), exif=words)
    outcome = converted(tmp_path, "a.jpg", data, to="gif")
    assert isinstance(outcome, Done), outcome
    assert outcome.facts["left_out"]


def test_a_strip_that_does_not_fit_says_so(tmp_path: Path) -> None:
    """WebP ends at 16383 pixels."""
    strip = media.saved(np.zeros((2, 16385, 3), np.uint8), "PNG")
    outcome = converted(tmp_path, "a.png", strip, to="webp")
    assert isinstance(outcome, Reject)
    assert "16,383" in outcome.why


@pytest.mark.parametrize(
    "params",
    [{}, {"to": "bmp"}, {"to": "jpeg", "quality": 0}, {"to": "webp", "widths": [0]}, {"size": 3}],
)
def test_nonsense_is_told_apart(tmp_path: Path, params: JsonObject) -> None:
    """A parameter that makes no sense is named."""
    outcome = converted(tmp_path, "a.jpg", media.jpeg(), **params)
    assert isinstance(outcome, Reject)
    assert "Invalid" in outcome.why
