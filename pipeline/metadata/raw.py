"""TIFF pictures and the RAW files built like them, CR3, RAF, and the rest through Exiv2.

A RAW file's size is the largest picture in it; a TIFF's is its first page. Formats with a structure
of their own (CRW, MRW, X3F) are given to Exiv2, the one reader that is not ours.
"""

from __future__ import annotations

from pipeline.errors import BadMedia
from pipeline.metadata import boxes, dates, exif, jpeg
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings
from pipeline.metadata.tiff import Ifd, Tiff

_CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_MOST_SUBIFDS = 16
_LARGEST_FOR_EXIV2 = 256 << 20


def read_tiff(data: Data, found: Findings) -> None:
    """Add what a TIFF says, with the number of its pages."""
    tiff = _opened(data, found)
    if tiff is None:
        return
    pages = list(tiff.chain())
    if pages:
        found.size(_side(tiff, pages[0], 0x0100), _side(tiff, pages[0], 0x0101))
        exif.read_main(tiff, pages[0], found)
        found.set("page_count", sum(1 for page in pages if not _is_thumbnail(tiff, page)) or 1)


def read_raw(data: Data, found: Findings) -> None:
    """Add what a RAW file built like a TIFF says."""
    tiff = _opened(data, found)
    if tiff is None:
        return
    directories = [ifd for _, ifd in zip(range(_MOST_SUBIFDS), tiff.chain(), strict=False)]
    if not directories:
        return
    exif.read_main(tiff, directories[0], found)
    offsets = tiff.numbers(directories[0].get(0x014A), _MOST_SUBIFDS)
    directories.extend(tiff.ifd(int(offset))[0] for offset in offsets)
    exif_ifd, _ = tiff.ifd(tiff.integer(directories[0].get(0x8769)) or 0)
    sizes = [(_side(tiff, d, 0x0100), _side(tiff, d, 0x0101)) for d in directories]
    sizes.append((_side(tiff, exif_ifd, 0xA002), _side(tiff, exif_ifd, 0xA003)))
    if 0x0002 in directories[0] and 0x0007 in directories[0]:  # RW2: borders on its sensor
        top, left, bottom, right = (_side(tiff, directories[0], tag) for tag in (4, 5, 6, 7))
        sizes = [(right - left, bottom - top)]
    found.size(*max(sizes, key=lambda size: size[0] * size[1]))


def read_cr3(data: Data, found: Findings) -> None:
    """Add what Canon's CR3 says: TIFF structures in boxes of the movie header."""
    for kind, start, end in boxes.walk(
        data, *(boxes.find(data, (0, len(data)), b"moov") or (0, 0))
    ):
        if kind != b"uuid" or data[start : start + 16] != _CANON_UUID:
            continue
        for name, at, after in boxes.walk(data, start + 16, end):
            if name == b"CMT4":
                _position(data, at, after, found)
            elif name in (b"CMT1", b"CMT2"):
                _canon(data, at, after, found)
        return


def read_raf(data: Data, found: Findings) -> None:
    """Add what Fujifilm's RAF says: its EXIF is that of the JPEG it carries."""
    offset = int.from_bytes(data[84:88], "big")
    if data[offset : offset + 2] == b"\xff\xd8":
        jpeg.read(data[: offset + int.from_bytes(data[88:92], "big")], found, offset)
    else:
        found.note("The preview that holds this RAW file's EXIF block is missing.")


def read_by_exiv2(data: Data, found: Findings) -> None:
    """Add what Exiv2 finds in a RAW file with a structure of its own."""
    import exiv2

    if len(data) > _LARGEST_FOR_EXIV2:
        return
    try:
        image = exiv2.ImageFactory.open(data[:])
        image.readMetadata()
    except exiv2.Exiv2Error:
        found.note("What this RAW file says about itself is damaged.")
        return
    found.size(image.pixelWidth(), image.pixelHeight())
    values = {datum.key(): datum.toString() for datum in image.exifData()}
    found.text("make", values.get("Exif.Image.Make"))
    found.text("model", values.get("Exif.Image.Model"))
    orientation = values.get("Exif.Image.Orientation", "")
    found.orientation(int(orientation) if orientation.isdecimal() else None)
    raw = values.get("Exif.Photo.DateTimeOriginal") or values.get("Exif.Image.DateTime") or ""
    found.date(TakenFrom.EXIF, dates.parse(raw), 0.85, raw)


def _opened(data: Data, found: Findings) -> Tiff | None:
    try:
        return Tiff(data)
    except BadMedia as error:
        found.note(error.message)
        return None


def _canon(data: Data, start: int, end: int, found: Findings) -> None:
    """CMT1 holds the main tags and CMT2 those of the Exif directory, each as a first directory."""
    try:
        tiff = Tiff(data, start, end)
    except BadMedia as error:
        found.note(error.message)
        return
    main, _ = tiff.ifd(tiff.first)
    found.size(_side(tiff, main, 0xA002), _side(tiff, main, 0xA003))
    found.size(_side(tiff, main, 0x0100), _side(tiff, main, 0x0101))
    exif.read_main(tiff, main, found)


def _position(data: Data, start: int, end: int, found: Findings) -> None:
    try:
        tiff = Tiff(data, start, end)
    except BadMedia as error:
        found.note(error.message)
        return
    exif.position(tiff, tiff.ifd(tiff.first)[0], found)


def _side(tiff: Tiff, ifd: Ifd, tag: int) -> int:
    return tiff.integer(ifd.get(tag)) or 0


def _is_thumbnail(tiff: Tiff, ifd: Ifd) -> bool:
    return bool((tiff.integer(ifd.get(0x00FE)) or 0) & 1)
