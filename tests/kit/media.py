"""The media factory: real little files of every kind, made in code, and ways to spoil them.

`SEEDS` makes one good file per format; `mutations` spoils it in the ways disks, cables and enemies
do, the same way each time for one seed. Bombs stand in `bombs.py`, playlists in `disguises.py`.
"""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
import cv2
import imagecodecs
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def scene(width: int = 96, height: int = 64, seed: int = 1) -> Pixels:
    """A picture with a sky, a ground, shapes and grain: nothing in it is symmetric."""
    rng = np.random.default_rng(seed)
    down = np.linspace(0, 1, height)[:, None, None]
    across = np.linspace(0, 1, width)[None, :, None]
    canvas = np.array([90, 140, 230]) * (1 - down) + np.array([60, 120, 40]) * down
    canvas = canvas + 40 * across
    image = np.ascontiguousarray(np.clip(canvas, 0, 255).astype(np.uint8))
    for _ in range(6):
        centre = int(rng.integers(width)), int(rng.integers(height))
        colour = tuple(int(c) for c in rng.integers(0, 255, 3))
        cv2.circle(image, centre, max(2, min(width, height) // 8), colour, -1)
    cv2.rectangle(image, (2, 2), (width // 4, height // 4), (250, 30, 30), -1)
    grain = rng.normal(0, 4, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def exif(orientation: int) -> bytes:
    """The smallest EXIF block that says how the camera was held."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x112, 3, 1, orientation, 0, 0)


def saved(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """`pixels` as Pillow writes them."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def jpeg(pixels: Pixels | None = None, orientation: int | None = None, **options: Any) -> bytes:
    """A JPEG, with EXIF's orientation where one is given (the pixels are stored as they come)."""
    if orientation is not None:
        options["exif"] = exif(orientation)
    return saved(scene() if pixels is None else pixels, "JPEG", **{"quality": 90, **options})


def heic(pixels: Pixels | None = None, **options: Any) -> bytes:
    """A HEIC as phones write it."""
    out = io.BytesIO()
    image = pillow_heif.from_pillow(Image.fromarray(scene() if pixels is None else pixels))
    image.save(out, quality=60, **options)
    return out.getvalue()


def gif(frames: int = 3, side: int = 48) -> bytes:
    """An animation."""
    images = [Image.fromarray(scene(side, side, n)).quantize(32) for n in range(frames)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=80)
    return out.getvalue()


def dng(width: int = 64, height: int = 48) -> bytes:
    """A DNG with an uncompressed Bayer mosaic: the least LibRaw takes for a camera's file."""
    mosaic = cv2.resize(scene(width, height)[:, :, 1], (width, height)).astype("<u2") * 16
    model = b"Darkroom Test\0"
    identity = struct.pack("<18i", *(v for i in range(9) for v in (int(i % 4 == 0), 1)))
    entries: list[tuple[int, int, int, bytes]] = [
        (254, 4, 1, struct.pack("<I", 0)),
        (256, 4, 1, struct.pack("<I", width)),
        (257, 4, 1, struct.pack("<I", height)),
        (258, 3, 1, struct.pack("<H", 16)),
        (259, 3, 1, struct.pack("<H", 1)),
        (262, 3, 1, struct.pack("<H", 32803)),
        (271, 2, len(model), model),
        (272, 2, len(model), model),
        (273, 4, 1, b"DATA"),
        (274, 3, 1, struct.pack("<H", 1)),
        (277, 3, 1, struct.pack("<H", 1)),
        (278, 4, 1, struct.pack("<I", height)),
        (279, 4, 1, struct.pack("<I", mosaic.nbytes)),
        (33421, 3, 2, struct.pack("<HH", 2, 2)),
        (33422, 1, 4, bytes((0, 1, 1, 2))),
        (50706, 1, 4, bytes((1, 4, 0, 0))),
        (50708, 2, len(model), model),
        (50717, 4, 1, struct.pack("<I", 4095)),
        (50721, 10, 9, identity),
        (50728, 5, 3, struct.pack("<6I", 1, 1, 1, 1, 1, 1)),
    ]
    return tiff(entries, mosaic.tobytes())


def tiff(entries: list[tuple[int, int, int, bytes]], data: bytes) -> bytes:
    """A little-endian TIFF of one directory; the value b"DATA" becomes the offset of `data`."""
    heap_at = 8 + 2 + 12 * len(entries) + 4
    long_values = [value for _, _, _, value in entries if len(value) > 4]
    data_at = heap_at + sum(len(v) + len(v) % 2 for v in long_values)
    heap, rows = b"", b""
    for tag, kind, count, value in entries:
        field = struct.pack("<I", data_at) if value == b"DATA" else value
        if len(field) > 4:
            at, heap = heap_at + len(heap), heap + field + b"\0" * (len(field) % 2)
            field = struct.pack("<I", at)
        rows += struct.pack("<HHI", tag, kind, count) + field.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return head + rows + struct.pack("<I", 0) + heap + data


def video(
    container: str = "mp4",
    frames: int = 12,
    codec: str = "libx264",
    rotate: int = 0,
    size: tuple[int, int] = (128, 96),
    **options: str,
) -> bytes:
    """Twelve frames a second of a moving square; `rotate` is what the player must turn."""
    width, height = size
    out = io.BytesIO()
    with av.open(out, "w", format=container) as output:
        stream = output.add_stream(
            codec, rate=12, options={"preset": "ultrafast", "g": "6", **options}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if rotate:
            stream.set_display_rotation(rotate)
        for number in range(frames):
            pixels = scene(width, height)
            pixels[40:60, 4 * number : 4 * number + 20] = (255, 255, 0)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 12)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return out.getvalue()


def _wav() -> bytes:
    samples = (np.sin(np.arange(8000) / 8) * 8000).astype("<i2").tobytes()
    header = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    body = b"WAVE" + header + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


# One good file per format, by a name with the extension it deserves.
SEEDS: Mapping[str, Callable[[], bytes]] = {
    "photo.jpg": jpeg,
    "progressive.jpg": lambda: jpeg(progressive=True),
    "picture.png": lambda: saved(scene(), "PNG"),
    "picture.webp": lambda: saved(scene(), "WEBP"),
    "moving.gif": gif,
    "scan.tif": lambda: saved(scene(), "TIFF", compression="tiff_lzw"),
    "plain.tif": lambda: saved(scene(), "TIFF"),
    "phone.heic": heic,
    "picture.avif": lambda: saved(scene(), "AVIF", speed=10),
    "camera.dng": dng,
    "picture.jxl": lambda: bytes(imagecodecs.jpegxl_encode(scene())),
    "picture.jp2": lambda: saved(scene(), "JPEG2000"),
    "picture.bmp": lambda: saved(scene(), "BMP"),
    "film.mp4": video,
    "film.mov": lambda: video("mov"),
    "film.mkv": lambda: video("matroska"),
    "sound.wav": _wav,
}


# --- Spoiling -----------------------------------------------------------------------------------


def mutations(seed: bytes, rng: random.Random, count: int) -> Iterator[bytes]:
    """`count` spoilt copies of `seed`."""
    for _ in range(count):
        spoilt = bytearray(seed)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            rng.choice(_SPOILERS)(spoilt, rng)
        yield bytes(spoilt)


def _flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4, 32))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _flip_head(data: bytearray, rng: random.Random) -> None:
    """Most parsers' bugs lie in headers."""
    for _ in range(rng.choice((1, 2, 6))):
        data[rng.randrange(min(len(data), 512))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))


def _huge_number(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data) + 1) :]


def _drop_chunk(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    if len(data) > 64:
        del data[at : min(at + rng.randrange(1, 64), len(data) - 1)]


def _repeat_chunk(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randrange(1, 256)]


def _blank_chunk(data: bytearray, rng: random.Random) -> None:
    """A lost sector."""
    at = rng.randrange(len(data))
    end = min(at + 512, len(data))
    data[at:end] = bytes(end - at)


_SPOILERS = (
    _flip_bits,
    _flip_head,
    _huge_number,
    _cut,
    _drop_chunk,
    _repeat_chunk,
    _blank_chunk,
)
