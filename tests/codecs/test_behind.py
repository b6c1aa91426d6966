"""What stands behind a JPEG's picture survives when the picture is made smaller."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from pipeline.codecs import decode, gate, lossless, orient, shrinking
from pipeline.codecs.shrinking import Copy, Wish
from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.metadata.write import behind, blocks, containers
from pipeline.metadata.write.jpeg import segment
from pipeline.metadata.write.pictures import jpeg_end
from tests.codecs.test_target import photo
from tests.kit import media

GAIN_MAPS = (
    "Ultra_HDR_Samples_Originals_05.jpg",
    "apple_gainmap_new.jpg",
    "paris_exif_xmp_gainmap_littleendian.jpg",
    "seine_sdr_gainmap_srgb.jpg",
)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def with_gain_map(orientation: int = 1, quality: int = 98) -> bytes:
    """A JPEG with a gain map behind it and an index (CIPA DC-007) that says where."""
    base = media.jpeg(photo(480, 320), orientation=orientation, quality=quality)
    base = containers.write(base, "jpeg", blocks.Blocks(xmp=_XMP))
    light = media.jpeg(np.full((80, 120, 3), 90, np.uint8))
    head = b"MPF\0II*\0\x08\0\0\0" + struct.pack("<HHHI4s", 2, 0xB000, 7, 4, b"0100")
    head += struct.pack("<HHIII", 0xB002, 7, 32, 38, 0)
    listed = struct.pack("<IIIHHIIIHH", 0x30000, 0, 0, 0, 0, 0, len(light), 0, 0, 0)
    index = bytearray(segment(0xE2, head + listed))
    place = len(base) + len(index) - (2 + 4 + 4)
    struct.pack_into("<I", index, len(index) - 8, place)
    return base[:2] + bytes(index) + base[2:] + light


def smaller(data: bytes) -> Copy:
    """The copy as JPEG that keeps all parts."""
    made = shrinking.shrink(data, "jpeg", Wish("jpeg", 70.0, keeps_parts=True, min_gain=0.0))
    assert isinstance(made, Copy), made
    return made


def faults(folder: Path, data: bytes, copy: bytes) -> list[str]:
    """What the gate says."""
    (folder / "a.jpg").write_bytes(data)
    (folder / "b.jpg").write_bytes(copy)
    return [fault.kind for fault in gate.check(folder / "a.jpg", folder / "b.jpg")]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_gain_map_lies_where_the_smaller_copy_says(tmp_path: Path, orientation: int) -> None:
    """Byte for byte, told as HDR, turned as before: base and map still fit; the gate agrees."""
    data = with_gain_map(orientation)
    assert len(behind.pictures(data)) == 1
    made = smaller(data)
    assert len(made.data) < len(data)
    assert behind.pictures(made.data) == behind.pictures(data)
    told = kind.sniff(made.data[: kind.HEAD_BYTES], size=len(made.data), name="a.jpg")
    assert told is not None
    assert read(made.data, told).hdr == "gainmap"
    stored = decode.stored(made.data, "jpeg", None)
    assert stored.orientation == orientation
    assert made.size == (stored.height, stored.width)[:: 1 if orientation > 4 else -1]
    assert faults(tmp_path, data, made.data) == []


@pytest.mark.parametrize("name", GAIN_MAPS)
def test_real_gain_maps_survive(corpus: Path, tmp_path: Path, name: str) -> None:
    """Google's, Apple's and Adobe's: the second picture is found where the index says."""
    data = (corpus / "hdr_gainmap" / name).read_bytes()
    (light,) = behind.pictures(data)
    made = shrinking.shrink(data, "jpeg", Wish("jpeg", 60.0, keeps_parts=True, min_gain=0.0))
    assert isinstance(made, Copy), made
    assert behind.pictures(made.data) == (light,)
    assert decode.decode(light, "jpeg", None).damage is None
    assert faults(tmp_path, data, made.data) == []


def test_a_motion_photo_keeps_its_video(corpus: Path, tmp_path: Path) -> None:
    """The film behind a smaller picture is the same, and is found."""
    data = (corpus / "motion_photo" / "PXL_20200710_061629144.MP.jpg").read_bytes()
    told = kind.sniff(data[: kind.HEAD_BYTES], size=len(data), name="a.jpg")
    assert told is not None
    film = read(data, told).motion
    made = smaller(data)
    now = read(made.data, told).motion
    assert film is not None
    assert now is not None
    assert made.data[now.offset :][: now.length] == data[film.offset :][: film.length]
    assert faults(tmp_path, data, made.data) == []


def test_the_gate_sees_a_gain_map_that_is_not_the_originals(tmp_path: Path) -> None:
    """Seeded faults: one byte of the map changed; the index left as it was."""
    data = with_gain_map()
    made = smaller(data).data
    end = jpeg_end(made, 0)
    changed = bytearray(made)
    changed[end + 200] ^= 1
    assert "hdr" in faults(tmp_path, data, bytes(changed))
    stale = data[:2] + made[2:end] + b"\0" * 3 + made[end:]
    assert "hdr" in faults(tmp_path, data, stale)


def test_packed_better_with_its_gain_map() -> None:
    """The lossless rewrite keeps coefficients and all that stands behind."""
    data = with_gain_map(quality=90)
    made = lossless.jpeg_of(data)
    assert made is not None
    assert behind.pictures(made) == behind.pictures(data)


def test_an_index_that_points_elsewhere_is_not_followed() -> None:
    """A picture inside the coded data cannot be carried; nothing is promised."""
    data = bytearray(with_gain_map())
    at = data.find(b"MPF\0") + 4 + 38 + 16
    struct.pack_into("<I", data, at + 8, 300)
    assert behind.carried(bytes(data), media.jpeg(photo())) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_with_the_picture(orientation: int) -> None:
    """A marked region of the upright picture is marked at the same place as stored."""
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[4:12, 30:48] = 255
    stored = orient.as_stored(upright, orientation)
    assert np.array_equal(orient.upright(stored, orientation), upright)
    x, y, w, h = orient.box_as_stored((30 / 60, 4 / 40, 18 / 60, 8 / 40), orientation)
    height, width = stored.shape[:2]
    part = stored[
        round(y * height) : round((y + h) * height), round(x * width) : round((x + w) * width)
    ]
    assert part.size == 18 * 8 * 3
    assert part.min() == 255
