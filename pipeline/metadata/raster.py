"""PNG, GIF, WebP, BMP, PSD, JPEG 2000, JPEG XL and their like: size, EXIF and XMP.

Headers and chunk lists only, each bounded; compressed text is unpacked up to a limit.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from pipeline.errors import BadMedia
from pipeline.metadata import boxes, dates, exif, iptc, light, xmp
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings

_MOST_CHUNKS = 5000
_LONGEST_CHUNK = 8 << 20
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_JP2_EXIF = b"JpgTiffExif->JP2"
_GIF_XMP = b"XMP DataXMP"


def _exif(block: bytes, found: Findings) -> None:
    try:
        exif.read(block.removeprefix(b"Exif\0\0"), found)
    except BadMedia as error:
        found.note(error.message)


def png(data: Data, found: Findings) -> None:
    """PNG and APNG."""
    at, size = 8, len(data)
    for _ in range(_MOST_CHUNKS):
        head = data[at : at + 8]
        if len(head) < 8 or at > size:
            return
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IEND":
            return
        if kind in _PNG_CHUNKS and length <= _LONGEST_CHUNK:
            _PNG_CHUNKS[kind](data[at + 8 : at + 8 + length], found)
        at += 12 + length


def _png_header(value: bytes, found: Findings) -> None:
    if len(value) >= 8:
        found.size(*struct.unpack_from(">II", value))


def _png_text(value: bytes, found: Findings) -> None:
    """`iTXt`, `tEXt` or `zTXt`: XMP, or one of PNG's own keywords."""
    keyword, _, rest = value.partition(b"\0")
    if keyword == _XMP_KEYWORD:
        is_packed = rest[:1] == b"\1"
        text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        xmp.read(_unpacked(text) if is_packed else text, found)
    elif keyword == b"Creation Time":
        raw = rest.lstrip(b"\0").decode("latin-1")
        found.date(TakenFrom.XMP, dates.parse(raw), 0.6)
    elif keyword == b"Title":
        found.text("title", rest.decode("latin-1"))
    elif keyword == b"Description":
        found.text("description", rest.decode("latin-1"))
    elif keyword in (b"Raw profile type exif", b"Raw profile type APP1"):
        _raw_profile(_unpacked(rest[1:]), found)


def _png_light(value: bytes, found: Findings) -> None:
    """`cICP`: primaries, transfer, matrix, range (PNG 3, 11.3.2.6)."""
    if len(value) == 4:
        found.set("hdr", light.KINDS.get(value[1]))


def _raw_profile(text: bytes, found: Findings) -> None:
    """ImageMagick's way: name, length and hexadecimal digits, each on lines of their own."""
    digits = b"".join(text.split()[2:])
    try:
        block = bytes.fromhex(digits.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        return
    _exif(block, found)


_PNG_CHUNKS = {
    b"IHDR": _png_header,
    b"cICP": _png_light,
    b"eXIf": _exif,
    b"iTXt": _png_text,
    b"tEXt": _png_text,
    b"zTXt": _png_text,
}


def webp(data: Data, found: Findings) -> None:
    """WebP, still or animated."""
    for kind, start, end in riff_chunks(data, 12, len(data)):
        head = data[start : start + 10]
        if kind == b"VP8X" and len(head) == 10:
            width, height = (int.from_bytes(head[n : n + 3], "little") + 1 for n in (4, 7))
            found.size(width, height)
        elif kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", head[6:10])
            found.size(width & 0x3FFF, height & 0x3FFF)
        elif kind == b"VP8L" and head[:1] == b"\x2f":
            bits = int.from_bytes(head[1:5], "little")
            found.size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif kind == b"EXIF" and end - start <= _LONGEST_CHUNK:
            _exif(data[start:end].removeprefix(b"Exif\0\0"), found)
        elif kind == b"XMP " and end - start <= _LONGEST_CHUNK:
            xmp.read(data[start:end], found)


def riff_chunks(data: Data, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a RIFF list as (type, start, end)."""
    for _ in range(_MOST_CHUNKS):
        head = data[start : start + 8]
        if len(head) < 8 or start + 8 > end:
            return
        length = int.from_bytes(head[4:], "little")
        yield head[:4], start + 8, min(start + 8 + length, end)
        start += 8 + length + length % 2


def gif(data: Data, found: Findings) -> None:
    """GIF: the screen's size, and XMP where Adobe put it (in front of the pictures)."""
    found.size(*struct.unpack("<HH", data[6:10].ljust(4, b"\0")))
    at = data.find(_GIF_XMP, 0, 1 << 16)
    if at >= 0:
        packet = data[at + len(_GIF_XMP) : at + len(_GIF_XMP) + (1 << 20)]
        end = packet.find(b"<?xpacket end")
        if end > 0:
            xmp.read(packet[:end], found)


def bmp(data: Data, found: Findings) -> None:
    """BMP: a negative height only means that rows run from the top."""
    head = data[14:26].ljust(12, b"\0")
    if int.from_bytes(head[:4], "little") == 12:
        found.size(*struct.unpack_from("<HH", head, 4))
    else:
        width, height = struct.unpack_from("<ii", head, 4)
        found.size(width, abs(height))


def ico(data: Data, found: Findings) -> None:
    """ICO: the largest of its pictures; 0 stands for 256."""
    count = int.from_bytes(data[4:6], "little")
    table = data[6 : 6 + 16 * min(count, 256)]
    sizes = [(table[n] or 256, table[n + 1] or 256) for n in range(0, len(table) - 15, 16)]
    if sizes:
        found.size(*max(sizes))


def psd(data: Data, found: Findings) -> None:
    """Photoshop: the header, then its image resources."""
    height, width = struct.unpack(">II", data[14:22].ljust(8, b"\0"))
    found.size(width, height)
    at = 26 + 4 + int.from_bytes(data[26:30], "big")
    length = min(int.from_bytes(data[at : at + 4], "big"), _LONGEST_CHUNK)
    for number, value in iptc.resources(data[at + 4 : at + 4 + length]):
        if number == 0x0404:
            iptc.read(value, found)
        elif number == 0x0422:
            _exif(value, found)
        elif number == 0x0424:
            xmp.read(value, found)


def jp2(data: Data, found: Findings) -> None:
    """JPEG 2000 in its boxes."""
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind == b"jp2h":
            ihdr = boxes.find(data, (start, end), b"ihdr")
            if ihdr:
                found.size(boxes.number(data, ihdr[0] + 4, 4), boxes.number(data, ihdr[0], 4))
        elif kind == b"uuid" and end - start <= _LONGEST_CHUNK:
            label = data[start : start + 16]
            if label == _XMP_UUID:
                xmp.read(data[start + 16 : end], found)
            elif label == _JP2_EXIF:
                _exif(data[start + 16 : end], found)


def j2k(data: Data, found: Findings) -> None:
    """A bare JPEG 2000 codestream: the SIZ segment stands first."""
    right, bottom, left, top = struct.unpack(">IIII", data[8:24].ljust(16, b"\0"))
    found.size(right - left, bottom - top)


def jxr(data: Data, found: Findings) -> None:
    """JPEG XR is built like a TIFF, with tags of its own for the size."""
    from pipeline.metadata.tiff import Tiff

    try:
        tiff = Tiff(b"II*\0" + data[4 : 1 << 20])
    except BadMedia:
        return
    main, _ = tiff.ifd(tiff.first)
    found.size(tiff.integer(main.get(0xBC80)) or 0, tiff.integer(main.get(0xBC81)) or 0)
    exif.read_main(tiff, main, found)


def jxl(data: Data, found: Findings) -> None:
    """JPEG XL: a codestream, alone or in boxes; `extra["turned"]` as in HEIF."""
    if data[:2] == b"\xff\x0a":
        _jxl_size(data[2:64], found)
        found.set("hdr", light.KINDS.get(light.of_jxl(data)[1]))
        return
    has_size = False
    for kind, start, end in boxes.walk(data, 0, len(data)):
        if kind in (b"jxlc", b"jxlp") and not has_size:
            at = start + (0 if kind == b"jxlc" else 4)
            _jxl_size(data[at + 2 : at + 64], found)
            has_size = True
        elif end - start > _LONGEST_CHUNK:
            continue
        elif kind == b"Exif":
            _exif(data[start + 4 + boxes.number(data, start, 4) : end], found)
        elif kind == b"xml ":
            xmp.read(data[start:end], found)
        elif kind == b"jhgm":
            found.set("hdr", "gainmap")
    found.set("hdr", light.KINDS.get(light.of_jxl(data)[1]))


class _Bits:
    """Bits as JPEG XL packs them: from the lowest of each byte upwards."""

    def __init__(self, data: bytes) -> None:
        self.rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self.rest & (1 << count) - 1
        self.rest >>= count
        return value


_JXL_RATIOS = ((0, 0), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _jxl_size(head: bytes, found: Findings) -> None:
    """SizeHeader and the orientation of ImageMetadata (ISO/IEC 18181-1, D.2 and D.3)."""
    bits = _Bits(head)
    is_small = bits.take(1)

    def side() -> int:
        if is_small:
            return (bits.take(5) + 1) * 8
        return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1

    height = side()
    ratio = bits.take(3)
    width = height * _JXL_RATIOS[ratio][0] // _JXL_RATIOS[ratio][1] if ratio else side()
    found.size(width, height)
    is_default = bits.take(1)
    if not is_default and bits.take(1):
        turned = bits.take(3) + 1
        found.fields["orientation"] = turned
        found.extra["turned"] = turned


def _unpacked(packed: bytes) -> bytes:
    """Deflated text up to a limit; what is damaged or larger says nothing."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _LONGEST_CHUNK)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else text
