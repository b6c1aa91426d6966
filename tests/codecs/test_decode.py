"""Every format through the one door."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import decode, limits, modern
from pipeline.errors import BadMedia, NotMedia, TooBig
from pipeline.intake import kind
from pipeline.model import Category
from tests.kit import bombs, media

STILLS = [name for name in media.SEEDS if not name.startswith(("film", "sound"))]


@pytest.mark.parametrize("name", STILLS)
def test_every_still_format_shows_the_same_picture(name: str) -> None:
    """However it is coded, it is the same scene, and whole."""
    data = media.SEEDS[name]()
    told = kind.sniff(data[: kind.HEAD_BYTES], name=name, size=len(data), read_at=_reader(data))
    assert told is not None
    assert told.category is Category.PHOTO
    picture = decode.decode(data, told.name, None)
    assert picture.damage is None
    if name not in ("moving.gif", "camera.dng"):  # other pictures by construction
        assert np.abs(picture.pixels.astype(int) - media.scene()).mean() < 8


@pytest.mark.parametrize("name", STILLS)
def test_large_files_may_be_streamed(name: str) -> None:
    """A seekable file gives the same pixels as bytes do."""
    data = media.SEEDS[name]()
    told = kind.sniff(data[: kind.HEAD_BYTES], name=name, size=len(data), read_at=_reader(data))
    assert told is not None
    held = decode.decode(data, told.name, 64).fit(64)
    assert np.array_equal(decode.decode(io.BytesIO(data), told.name, 64).fit(64), held)


def test_svg_is_never_rendered() -> None:
    """A drawing can name files and hosts, so it is kept and not shown."""
    with pytest.raises(NotMedia):
        decode.decode(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg", 100)


def test_transparency_is_laid_on_white() -> None:
    """What one could look through shows paper, not black."""
    pixels = np.zeros((20, 20, 4), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(out, "PNG")
    assert decode.decode(out.getvalue(), "png", None).pixels.min() == 255


@pytest.mark.parametrize("top", [4095, 65535])
def test_sixteen_bits_become_eight(top: int) -> None:
    """Deep grey scans look as bright as they are, whether 12 or 16 bits are used."""
    ramp = np.tile(np.linspace(0, top, 64, dtype=np.uint16), (32, 1))
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "TIFF")
    pixels = decode.decode(out.getvalue(), "tiff", None).pixels
    assert pixels[:, 0].max() <= 1
    assert pixels[:, -1].min() >= 254


@pytest.mark.parametrize("kind_", [b"zTXt", b"iTXt", b"iCCP"])
def test_packed_metadata_is_not_unpacked(kind_: bytes) -> None:
    """Megabytes of text beside a small picture costs nothing and hides nothing (T50)."""
    picture = decode.decode(bombs.png_text(kind_, 64 * bombs.MIB), "png", 100)
    assert picture.width == 96


def test_bombs_are_refused_by_their_header() -> None:
    """900 million pixels in 100 kB are never unpacked (T50)."""
    with pytest.raises(TooBig):
        decode.decode(bombs.png(), "png", 1440)


def test_a_bomb_inside_an_icon_is_refused() -> None:
    """The directory of an icon may lie about the picture behind it."""
    inner = bombs.png()
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    with pytest.raises(BadMedia):
        decode.decode(b"\0\0\1\0\1\0" + entry + inner, "ico", 100)


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (64, 48), (255, 300), (1000, 700), (513, 2049)]
)
def test_the_size_of_a_jpeg_xl_is_read_from_its_header(width: int, height: int) -> None:
    """Our own reading agrees with what was encoded: it guards the decoder."""
    import imagecodecs

    data = bytes(imagecodecs.jpegxl_encode(np.zeros((height, width, 3), np.uint8)))
    picture = modern.decode_jxl(data)
    assert (picture.width, picture.height) == (width, height)
    assert modern._jxl_size(modern._codestream(data)) == (width, height)


def test_a_jpeg_xl_bomb_is_refused() -> None:
    """A billion pixels are refused before the decoder sees them."""
    side = (1 << 30) - 1
    bits = 0 | 3 << 1 | side << 3 | 0 << 33 | 3 << 36 | side << 38
    with pytest.raises(TooBig):
        modern.decode_jxl(b"\xff\x0a" + bits.to_bytes(12, "little"))


def test_pillow_may_not_warn_into_our_logs() -> None:
    """Chatter about metadata is silenced; only bombs speak up."""
    data = bytearray(media.SEEDS["plain.tif"]())
    data[8:10] = b"\x30\0"  # more entries than there are
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            decode.decode(bytes(data), "tiff", 64)
        except BadMedia as refusal:
            assert refusal.message.endswith(".")


def test_limits_speak_plainly() -> None:
    """A refusal names the size and the limit."""
    with pytest.raises(TooBig, match="claims 300000 x 2 pixels"):
        limits.require_decodable(300_000, 2)


def _reader(data: bytes) -> kind.ReadAt:
    return lambda offset, length: data[offset : offset + length]
