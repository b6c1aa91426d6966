"""Smaller without losing a bit: a JPEG inside a JPEG XL, and rewritten JPEGs and PNGs.

Nothing counts before it was undone or looked at: the JPEG is taken out of the JPEG XL again and
must be the same file, rewritten pictures must show the same pixels. What cannot be so is None.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.codecs import animation, jpeg, limits, modern
from pipeline.codecs.border import decoding
from pipeline.codecs.encode import jpeg as jpeg_out
from pipeline.codecs.encode.contract import Samples
from pipeline.errors import DecodeFailed
from pipeline.metadata.write import behind
from pipeline.metadata.write.pictures import jpeg_end

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_QUICK, _HARDEST = 6, 12  # libdeflate's levels: to compare by, and for the one that is kept
_COUNTER = 4  # bytes that number the chunks of an animation
_METADATA = (b"Exif", b"xml ")
_DIRECT = (0, 2, 4, 6)  # PNG's kinds of colour that are not an index into a palette
_FILTERS = (0x08, 0x80, 0xF8)  # libpng: none, Paeth, whichever suits a row


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    content: bytes


def jxl_of(data: bytes) -> bytes | None:
    """A JPEG XL that holds this JPEG, to the last byte; None where that cannot be.

    Smaller by a fifth as a rule. `restore` gives the JPEG back, and has, before this returns.
    """
    import imagecodecs

    limits.require_decodable(*jpeg.size(data))
    try:
        made = _readable(
            bytes(imagecodecs.jpegxl_encode_jpeg(data, usecontainer=True, numthreads=1))
        )
        restored = restore(made)
    except (imagecodecs.JpegxlError, DecodeFailed):
        return None  # inks, lossless or arithmetic JPEG: the format has no place for them
    is_same = hashlib.sha256(restored).digest() == hashlib.sha256(data).digest()
    return made if is_same else None


def _readable(data: bytes) -> bytes:
    """A JPEG XL whose metadata is not packed: few programs read it otherwise."""
    import imagecodecs

    from pipeline.metadata import boxes

    made, at = bytearray(), 0
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind == b"brob" and data[start : start + 4] in _METADATA:
            content = bytes(imagecodecs.brotli_decode(data[start + 4 : end]))
            made += (8 + len(content)).to_bytes(4, "big") + data[start : start + 4] + content
        else:
            made += data[at:end]
        at = end
    return bytes(made + data[at:])


def restore(data: bytes) -> bytes:
    """The JPEG inside a JPEG XL that was made by `jxl_of`, bit by bit.

    Raises `DecodeFailed` for a JPEG XL that holds none.
    """
    return modern.jpeg_in(data)


def jpeg_of(data: bytes) -> bytes | None:
    """The same JPEG with progressive scans and tables of its own: equal coefficients, all markers,
    and all that stands behind the picture (a video, a gain map).

    None where the places of these cannot be followed, where the file is damaged or holds inks, or
    where mozjpeg is not installed.
    """
    end = jpeg_end(data, 0)
    made = jpeg_out.rewritten(data[:end]) if end > 0 else None
    if made is not None and end < len(data):
        made = behind.carried(data, made)
    if made is None:
        return None
    before, after = _pixels_of_jpeg(data), _pixels_of_jpeg(made)
    if before is None or after is None:
        return None
    return made if np.array_equal(before, after) else None


def png_of(data: bytes) -> bytes | None:
    """The same PNG, its picture data packed anew, of an animation every frame's; every other chunk
    stays as it is. None for what is damaged.
    """
    with decoding():
        chunks = list(_chunks(data))
    kinds = [chunk.kind for chunk in chunks]
    if b"IDAT" not in kinds or kinds[-1:] != [b"IEND"]:
        return None
    if b"acTL" in kinds:
        made = b"".join((_SIGNATURE, *map(_stored, _repacked(chunks))))
        return made if animation.shows_the_same(data, "apng", made, "apng") else None
    rows = min(_filterings(data, chunks), key=lambda rows: len(_packed(rows, _QUICK)))
    made = _assembled(chunks, _packed(rows, _HARDEST))
    return made if _shows_the_same(made, data) else None


def _pixels_of_jpeg(data: bytes) -> Samples | None:
    """None for inks, and where part of the picture is missing."""
    if jpeg.has_four_inks(data):
        return None
    try:
        stored = jpeg.decode(data, None)
    except DecodeFailed:
        return None
    return stored.pixels if stored.damage is None else None


# --- PNG ---------------------------------------------------------------------------------------


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Chunk by chunk to the last. Raises `DecodeFailed` where one is cut short or was changed."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunk = _Chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        checksum = data[at + 8 + length : at + 12 + length]
        if checksum != zlib.crc32(chunk.kind + chunk.content).to_bytes(4, "big"):
            raise DecodeFailed("The picture is damaged or cut short.")
        yield chunk
        at += 12 + length
        if chunk.kind == b"IEND":
            return


def _filterings(data: bytes, chunks: list[_Chunk]) -> Iterator[bytes]:
    """The rows of this PNG, filtered as they are and in other ways."""
    header = chunks[0].content
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    limits.require_decodable(width, height)
    yield _rows(chunks, header)
    bits, colours, is_woven = header[8], header[9], header[12]
    if bits not in (8, 16) or colours not in _DIRECT or is_woven:
        return
    import imagecodecs

    samples = imagecodecs.png_decode(_bare(chunks))
    for which in _FILTERS:
        again = list(_chunks(bytes(imagecodecs.png_encode(samples, level=1, filter=which))))
        if again[0].content == header:
            yield _rows(again, header)


def _bare(chunks: list[_Chunk]) -> bytes:
    """Without what tells a decoder to change samples: a transparent colour, a gamma."""
    kept = [chunk for chunk in chunks if chunk.kind in (b"IHDR", b"IDAT", b"IEND")]
    return _SIGNATURE + b"".join(_stored(chunk) for chunk in kept)


def _repacked(chunks: list[_Chunk]) -> Iterator[_Chunk]:
    """Each frame's data in one chunk; what counts them is counted anew."""
    header, number = chunks[0].content, 0
    for kind, group in itertools.groupby(chunks, key=lambda chunk: chunk.kind):
        if kind not in (b"IDAT", b"fdAT", b"fcTL"):
            yield from group
            continue
        skipped = 0 if kind == b"IDAT" else _COUNTER
        contents = [chunk.content[skipped:] for chunk in group]
        if kind != b"fcTL":
            rows = _unpacked(b"".join(contents), header)
            contents = [min(_packed(rows, _HARDEST), b"".join(contents), key=len)]
        for content in contents:
            counter = b"" if kind == b"IDAT" else number.to_bytes(_COUNTER, "big")
            number += bool(counter)
            yield _Chunk(kind, counter + content)


def _rows(chunks: list[_Chunk], header: bytes) -> bytes:
    """The filtered rows, unpacked; never more than the header allows."""
    return _unpacked(b"".join(chunk.content for chunk in chunks if chunk.kind == b"IDAT"), header)


def _unpacked(packed: bytes, header: bytes) -> bytes:
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    unpacker = zlib.decompressobj()
    rows = unpacker.decompress(packed, height * (1 + 8 * width) + 8 * (width + height) + 64)
    if not unpacker.eof:
        raise DecodeFailed("The picture is damaged or cut short.")
    return rows


def _packed(rows: bytes, level: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.deflate_encode(rows, level=level))


def _assembled(chunks: list[_Chunk], packed: bytes) -> bytes:
    """The same chunks in the same order with one IDAT in place of all."""
    out, is_written = [_SIGNATURE], False
    for chunk in chunks:
        if chunk.kind != b"IDAT":
            out.append(_stored(chunk))
        elif not is_written:
            out.append(_stored(_Chunk(b"IDAT", packed)))
            is_written = True
    return b"".join(out)


def _stored(chunk: _Chunk) -> bytes:
    checked = chunk.kind + chunk.content
    length, checksum = len(chunk.content), zlib.crc32(checked)
    return length.to_bytes(4, "big") + checked + checksum.to_bytes(4, "big")


def _shows_the_same(made: bytes, data: bytes) -> bool:
    from PIL import Image

    from pipeline.codecs import still

    with still.quiet(), decoding():
        both = []
        for png in (data, made):
            with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
                image.load()
                both.append((image.mode, image.size, image.tobytes(), image.info))
    return both[0] == both[1]
