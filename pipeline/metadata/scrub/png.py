"""PNGs without what is private: chunks rewritten or left out. Nothing in a PNG counts positions."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from pipeline.errors import Invalid
from pipeline.metadata.findings import Data
from pipeline.metadata.scrub import exif, iptc, names, xmp
from pipeline.metadata.scrub.wishes import Orders
from pipeline.metadata.write import png
from pipeline.metadata.write.patch import Patch, apply

_KEPT = frozenset(
    (
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT"),
        *(b"sRGB", b"cICP", b"mDCV", b"cLLI", b"mDCv", b"cLLi", b"bKGD", b"hIST", b"pHYs"),
        *(b"sPLT", b"tIME", b"acTL", b"fcTL", b"fdAT", b"iDOT", b"oFFs", b"sCAL", b"pCAL"),
        *(b"sTER", b"gIFg", b"vpAg"),
    )
)
_RAW = b"Raw profile type "
_WORDS = (b"Title", b"Description", b"Copyright", b"Creation Time", b"Software", b"Disclaimer")


def patches(data: Data, orders: Orders) -> Iterator[Patch]:
    """What to change in a PNG. Raises `Invalid` for one without an end."""
    at = len(png.SIGNATURE)
    kind = b""
    for kind, start, end in png.chunks(data):
        if kind not in _KEPT:
            content = data[start:end]
            new = _changed(kind, content, orders)
            if new is None:
                yield Patch(start - 8, end + 4, b"")
            elif new != content:
                yield Patch(start - 8, end + 4, png.chunk(kind, new))
        at = end + 4
    if kind != b"IEND":
        raise Invalid("The picture is cut short, so what hides at its end cannot be told.")
    if at < len(data):
        yield Patch(at, len(data), b"")


def _changed(kind: bytes, content: bytes, orders: Orders) -> bytes | None:
    """The chunk's new content; None where it goes. What cannot be looked into goes."""
    if kind == b"eXIf":
        return apply(content, exif.patches(content, orders, _tiff_at(content), len(content)))
    if kind in (b"iTXt", b"tEXt", b"zTXt"):
        return _text(kind, content, orders)
    return None


def _tiff_at(content: bytes) -> int:
    return 6 if content.startswith(b"Exif\0\0") else 0


def _text(kind: bytes, content: bytes, orders: Orders) -> bytes | None:
    keyword, _, rest = content.partition(b"\0")
    if keyword + b"\0" == png.XMP:
        packet = png.text(content)
        clean = xmp.scrubbed(packet, orders) if packet is not None else None
        if clean is None or clean == packet:
            return content if clean is not None else None
        return png.XMP + b"\0\0\0\0" + clean
    if keyword.startswith(_RAW):
        return _raw_profile(kind, keyword, rest, orders)
    name = "png:" + keyword.decode("latin-1").replace(" ", "")
    return None if names.is_private_name(name, orders) else content


def _raw_profile(kind: bytes, keyword: bytes, rest: bytes, orders: Orders) -> bytes | None:
    """ImageMagick's way: name, length and hexadecimal digits, each on lines of their own."""
    text = png.unpacked(rest[1:]) if kind == b"zTXt" else rest if kind == b"tEXt" else None
    lines = text.split(maxsplit=2) if text else []
    try:
        block = bytes.fromhex(b"".join(lines[2].split()).decode("ascii"))
    except (IndexError, ValueError):
        return None
    of = keyword.removeprefix(_RAW)
    clean = _profile(of, block, orders)
    if clean is None or text is None:
        return None
    if clean == block:
        return keyword + b"\0" + rest
    digits = clean.hex().encode()
    wrapped = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    new = b"\n" + lines[0] + b"\n%8d\n" % len(clean) + wrapped + b"\n"
    return keyword + b"\0" + (b"\0" + zlib.compress(new) if kind == b"zTXt" else new)


def _profile(of: bytes, block: bytes, orders: Orders) -> bytes | None:
    size = len(block)
    if of in (b"exif", b"APP1"):
        if block.startswith(b"http://"):
            return None  # XMP under EXIF's name
        return apply(block, exif.patches(block, orders, _tiff_at(block), size))
    if of == b"iptc":
        return apply(block, iptc.resource_patches(block, 0, size, orders))
    if of == b"xmp":
        return xmp.scrubbed(block, orders, length=size)
    return block if of in (b"icc", b"icm") else None
