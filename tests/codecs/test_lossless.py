"""Smaller without losing a bit."""

from __future__ import annotations

import hashlib
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipeline.codecs import animation, lossless
from pipeline.errors import DecodeFailed
from pipeline.metadata.write import containers
from tests.kit import media
from tests.kit.corpus import corpus

__all__ = ["corpus"]


def sha(data: bytes) -> str:
    """The identity of bytes."""
    return hashlib.sha256(data).hexdigest()


def pixels(data: bytes) -> tuple[str, bytes]:
    """Mode and samples as Pillow reads them."""
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        media.jpeg(),
        media.jpeg(progressive=True),
        media.jpeg(orientation=6),
        media.jpeg(media.scene(7, 3)),
        media.jpeg(media.scene(1, 1)),
        media.jpeg(subsampling=0, quality=97),
        media.saved(media.scene()[..., 0], "JPEG"),
        media.jpeg() + b"a film, or whatever else lies behind the picture",
    ],
)
def test_a_jpeg_comes_back_from_its_jpeg_xl_bit_by_bit(data: bytes) -> None:
    """Whatever there is of it: also what stands behind the picture."""
    made = lossless.jxl_of(data)
    assert made is not None
    assert sha(lossless.restore(made)) == sha(data)


def test_what_a_jpeg_says_can_be_read_in_its_jpeg_xl() -> None:
    """EXIF lies open in the file, not packed."""
    data = media.jpeg(orientation=6)
    made = lossless.jxl_of(data)
    assert made is not None
    assert b"brob" not in made
    assert containers.read(made, "jxl").exif == containers.read(data, "jpeg").exif


def test_an_honest_answer_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that gives back another file is not believed."""
    monkeypatch.setattr(lossless, "restore", lambda data: b"another file")
    assert lossless.jxl_of(media.jpeg()) is None


def test_inks_cannot_go_into_a_jpeg_xl() -> None:
    """CMYK has no place there: None, not a crash."""
    inks = _cmyk()
    made = lossless.jxl_of(inks)
    assert made is None or sha(lossless.restore(made)) == sha(inks)


def _cmyk() -> bytes:
    out = io.BytesIO()
    Image.fromarray(media.scene()).convert("CMYK").save(out, "JPEG")
    return out.getvalue()


def test_only_a_jpeg_xl_with_a_jpeg_is_restored() -> None:
    """Any other says so."""
    with pytest.raises(DecodeFailed):
        lossless.restore(media.SEEDS["picture.jxl"]())


def test_a_jpeg_is_rewritten_with_equal_coefficients() -> None:
    """Progressive, smaller, the same markers and the same pixels."""
    data = media.jpeg(media.scene(300, 200), orientation=6, icc_profile=b"x" * 300)
    made = lossless.jpeg_of(data)
    assert made is not None
    assert len(made) < len(data)
    assert pixels(made) == pixels(data)
    assert containers.read(made, "jpeg") == containers.read(data, "jpeg")
    with Image.open(io.BytesIO(made)) as image:
        assert image.info.get("progressive")


def test_what_stands_behind_a_jpeg_goes_along() -> None:
    """Byte for byte, behind the smaller picture."""
    made = lossless.jpeg_of(media.jpeg() + b"more")
    assert made is not None
    assert made.endswith(b"\xff\xd9more")


def test_an_animated_png_is_packed_better() -> None:
    """Every frame shows the same for as long; its chunks are counted without a gap."""
    frames = [Image.fromarray(np.roll(media.scene(96, 64), 5 * n, axis=1)) for n in range(4)]
    out = io.BytesIO()
    options = {"duration": [40, 80, 120, 40], "loop": 3, "compress_level": 1}
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], **options)
    made = lossless.png_of(out.getvalue())
    assert made is not None
    assert len(made) < len(out.getvalue())
    assert animation.shows_the_same(out.getvalue(), "apng", made, "apng")
    assert not animation.shows_the_same(media.SEEDS["moving.gif"](), "gif", made, "apng")


def test_half_a_jpeg_is_not_rewritten() -> None:
    """Nothing is made of what is damaged."""
    data = media.jpeg(media.scene(300, 200))
    assert lossless.jpeg_of(data[: len(data) // 2]) is None
    assert lossless.jpeg_of(data[: len(data) // 2] + b"\xff\xd9") is None


def _png(kind: str) -> bytes:
    image = Image.fromarray(media.scene(120, 90))
    words = PngInfo()
    words.add_text("Title", "A title")
    options = {"pnginfo": words, "dpi": (300, 300), "compress_level": 1}
    made = {
        "rgb": image,
        "grey": image.convert("L"),
        "palette": image.quantize(40),
        "bits": image.convert("1"),
        "clear": image.convert("RGBA"),
        "deep": Image.fromarray(np.arange(120 * 90, dtype=np.uint16).reshape(90, 120)),
    }[kind]
    out = io.BytesIO()
    made.save(out, "PNG", **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["rgb", "grey", "palette", "bits", "clear", "deep"])
def test_a_png_is_packed_anew(kind: str) -> None:
    """The same pixels in the same mode, every other chunk byte for byte, fewer bytes."""
    data = _png(kind)
    made = lossless.png_of(data)
    assert made is not None
    assert len(made) < len(data)
    assert pixels(made) == pixels(data)
    before, after = (
        [(c.kind, c.content) for c in lossless._chunks(d) if c.kind != b"IDAT"]
        for d in (data, made)
    )
    assert before == after


def test_a_png_that_lies_about_its_size_is_no_bomb() -> None:
    """No more is unpacked than its header allows."""
    data = _png("grey")
    head, tail = data[:33], b"\0\0\0\0IEND\xaeB`\x82"
    packed = zlib.compress(bytes(40_000_000), 9)
    body = b"IDAT" + packed
    bomb = head + len(packed).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big") + tail
    with pytest.raises(DecodeFailed):
        lossless.png_of(bomb)


@pytest.mark.parametrize("at", [40, 100, -20])
def test_a_flipped_bit_in_a_png_is_seen(at: int) -> None:
    """By its checksums, before anything is made of it."""
    data = bytearray(_png("rgb"))
    data[at] ^= 1
    with pytest.raises(DecodeFailed):
        lossless.png_of(bytes(data))


@pytest.mark.corpus
def test_cameras_jpegs_shrink_and_come_back(corpus: Path) -> None:
    """A few of the corpus: every one bit by bit, at most 0.81 of the bytes together."""
    before = after = 0
    for path in sorted((corpus / "camera_6mp").glob("*.jpg"))[::6]:
        data = path.read_bytes()
        made = lossless.jxl_of(data)
        assert made is not None
        assert sha(lossless.restore(made)) == sha(data)
        before, after = before + len(data), after + len(made)
    assert after <= 0.81 * before
