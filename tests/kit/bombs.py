"""Small files that would fill a machine if they were believed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import pillow_heif
from PIL import Image

from tests.kit import media

MIB = 1 << 20


def png(side: int = 30_000) -> bytes:
    """A valid PNG of `side` x `side` black pixels: 900 million of them in about 100 kB."""
    rows = _deflated(b"\0" * (1 + side // 8), side)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return _png((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))


def png_text(kind: bytes, unpacked: int = 128 * MIB) -> bytes:
    """A small picture with 128 MB of text or profile packed beside it."""
    packed = _deflated(b"A" * MIB, unpacked // MIB)
    lead = {b"zTXt": b"Comment\0\0", b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0", b"iCCP": b"icc\0\0"}
    parts = _png_parts(media.saved(media.scene(), "PNG"))
    return _png(parts[0], (kind, lead[kind] + packed), *parts[1:])


def gif(frames: int = 400, side: int = 4_000) -> bytes:
    """`frames` screens of 16 million pixels each, a few kB every one."""
    image = Image.new("P", (side, side))
    out = io.BytesIO()
    image.save(out, "GIF")
    single = out.getvalue()
    head = 13 + 3 * 2 ** ((single[10] & 7) + 1) if single[10] & 0x80 else 13
    frame = single[head:-1]
    return single[:head] + frame * frames + b";"


def tiff_strips(count: int = 20_000_000) -> bytes:
    """A directory that claims one strip per row for twenty million rows."""
    entries = [
        (256, 4, 1, struct.pack("<I", 1)),
        (257, 4, 1, struct.pack("<I", count)),
        (258, 3, 1, struct.pack("<H", 8)),
        (259, 3, 1, struct.pack("<H", 8)),
        (262, 3, 1, struct.pack("<H", 1)),
        (273, 4, count, struct.pack("<I", 8)),
        (277, 3, 1, struct.pack("<H", 1)),
        (278, 4, 1, struct.pack("<I", 1)),
        (279, 4, count, struct.pack("<I", 8)),
    ]
    return media.tiff(entries, b"\0" * 64)


def heic_grid(side: int = 60_000) -> bytes:
    """A HEIC whose picture is a grid of tiles that claims to be `side` x `side`."""
    before = pillow_heif.options.GRID_TILE_SIZE
    pillow_heif.options.GRID_TILE_SIZE = 256
    try:
        data = media.heic(media.scene(512, 512))
    finally:
        pillow_heif.options.GRID_TILE_SIZE = before
    data = data.replace(struct.pack(">II", 512, 512), struct.pack(">II", side, side))
    return data.replace(struct.pack(">HH", 512, 512), struct.pack(">HH", side, side))


def mp4_samples(count: int = 1_000_000) -> bytes:
    """A film whose tables claim `count` samples."""
    data = bytearray(media.video(frames=2))
    for box, offset, value in (
        (b"stsz", 8, 16),  # one size for all: no table is needed
        (b"stsz", 12, count),
        (b"stts", 12, count),
        (b"stsc", 16, count),
    ):
        at = data.index(box) + offset
        data[at : at + 4] = struct.pack(">I", value)
    return bytes(data)


def zip42() -> bytes:
    """Zeros in a ZIP in a ZIP: four gigabytes in some kilobytes."""
    inner = _zipped("0.bin", b"\0" * (64 * MIB))
    return _zipped("1.zip", inner)


def jpeg_scans(scans: int = 4_000, side: int = 8_000) -> bytes:
    """A progressive JPEG with thousands of scans, each a pass over 64 million pixels."""
    data = media.jpeg(np.zeros((64, 64, 3), np.uint8), progressive=True)
    frame = data.index(b"\xff\xc2")
    data = data[: frame + 5] + struct.pack(">HH", side, side) + data[frame + 9 :]
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


# What each must end as: refused by its header, or shown without harm.
BOMBS: Mapping[str, Callable[[], bytes]] = {
    "side.png": png,
    "ztxt.png": lambda: png_text(b"zTXt"),
    "itxt.png": lambda: png_text(b"iTXt"),
    "iccp.png": lambda: png_text(b"iCCP"),
    "frames.gif": gif,
    "strips.tif": tiff_strips,
    "grid.heic": heic_grid,
    "samples.mp4": mp4_samples,
    "42.zip": zip42,
    "scans.jpg": jpeg_scans,
}


def _deflated(block: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(block) for _ in range(times)) + packer.flush()


def _png(*parts: tuple[bytes, bytes]) -> bytes:
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _png_parts(data: bytes) -> list[tuple[bytes, bytes]]:
    parts, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return parts


def _zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()
