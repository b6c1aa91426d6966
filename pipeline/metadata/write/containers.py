"""Which format carries which block, and which module reads and writes it.

`CARRIES` is the one table of what cannot be carried; the gate asks for no more than it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.errors import Invalid
from pipeline.intake.kind import RAW
from pipeline.metadata.findings import Data
from pipeline.metadata.write import heif, jpeg, jxl, png, tiff, webp
from pipeline.metadata.write.blocks import Blocks

_ALL = frozenset(("exif", "xmp", "iptc", "icc"))
_NO_IPTC = _ALL - {"iptc"}  # its words go into XMP instead

# Format -> what it can carry at all. Anything else (GIF, BMP, JPEG 2000 ...) carries nothing.
CARRIES: Mapping[str, frozenset[str]] = {
    "jpeg": _ALL,
    "tiff": _ALL,
    "png": _NO_IPTC,
    "apng": _NO_IPTC,
    "webp": _NO_IPTC,
    "jxl": _NO_IPTC,
    "avif": _NO_IPTC,
    "heic": _NO_IPTC,
    "heif": _NO_IPTC,
}
# Where the profile is part of the coded picture or of its properties: only an encoder writes it.
PROFILE_BY_ENCODER = frozenset(("jxl", "avif", "heic", "heif", "tiff"))
PROFILE_IN_PICTURE = frozenset(("jxl",))  # ... and only a decoder could read it again

_READERS: Mapping[str, Callable[[Data], Blocks]] = {
    **dict.fromkeys(("jpeg", "thm"), jpeg.read),
    **dict.fromkeys(("png", "apng"), png.read),
    "webp": webp.read,
    "jxl": jxl.read,
    **dict.fromkeys(("avif", "heic", "heif"), heif.read),
    **dict.fromkeys(("tiff", *RAW), tiff.read),
}
_WRITERS: Mapping[str, Callable[[bytes, Blocks], bytes]] = {
    "jpeg": jpeg.write,
    **dict.fromkeys(("png", "apng"), png.write),
    "webp": webp.write,
    "jxl": jxl.write,
    **dict.fromkeys(("avif", "heic", "heif"), heif.write),
    "tiff": tiff.write,
}


def read(data: Data, kind: str) -> Blocks:
    """What a file of the format `kind` says about itself; nothing for formats not listed."""
    reader = _READERS.get(kind)
    return reader(data) if reader else Blocks()


def write(target: bytes, kind: str, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own. Raises `Invalid` where it cannot take any."""
    writer = _WRITERS.get(kind)
    if writer is None:
        raise Invalid(f"Files of the kind {kind} cannot say where and when they were taken.")
    return writer(target, blocks)
