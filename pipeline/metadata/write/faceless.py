"""What a picture says about itself without anything that shows or names a face in it.

Previews hide in many places: thumbnails, makers' notes, extended XMP with whole pictures in it,
IPTC's preview. Named regions tell who was blurred.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from pipeline.errors import BadMedia
from pipeline.metadata import iptc
from pipeline.metadata.exif import EXIF
from pipeline.metadata.tiff import Tiff
from pipeline.metadata.write import block, copy, packet, patch
from pipeline.metadata.write.blocks import Blocks

_PREVIEW_SETS = frozenset((200, 201, 202))
_APPLE = b"Apple iOS\0"
_NAMES = frozenset(
    (
        *copy.THUMBNAILS,
        *("mwg-rs:Regions", "MP:RegionInfo", "Iptc4xmpExt:PersonInImage"),
        *("Iptc4xmpExt:PersonInImageWDetails", "Iptc4xmpExt:ImageRegion", "ICS:XMPPRegion"),
        *("GCamera:HdrPlusMakernote", "GCamera:hdrp_makernote", "GCamera:shot_log_data"),
    )
)
_PICTURES = ("GImage:", "GDepth:", "GFocus:", "xmpGImg:", "apple-fi:", "digiKam:ImageRegion")
_LONGEST_VALUE = 20_000  # no text that people write; a picture in disguise


def faceless(blocks: Blocks) -> Blocks:
    """`blocks` without previews and without names of people in regions."""
    return replace(
        blocks,
        exif=_exif(blocks.exif) if blocks.exif else None,
        xmp=_xmp(blocks.xmp) if blocks.xmp else None,
        extended_xmp=None,
        iptc=_iptc(blocks.iptc) if blocks.iptc else None,
    )


def _exif(exif: bytes) -> bytes | None:
    """Without makers' notes but Apple's, which holds no picture; the thumbnail is gone already."""
    try:
        tiff = Tiff(exif)
    except BadMedia:
        return None
    main, following = tiff.ifd(tiff.first)
    if following:
        return None  # a second directory is a thumbnail's, and should not be here any more
    offset = tiff.integer(main.get(EXIF)) or 0
    entries, _ = tiff.ifd(offset)
    if tiff.raw(entries.get(block.MAKER_NOTE)).startswith(_APPLE):
        return exif
    return patch.apply(exif, block.directory(tiff, offset, lambda tag: tag == block.MAKER_NOTE))


def _xmp(xmp: bytes) -> bytes | None:
    def edit(name: str, text: str) -> str | None:
        is_picture = name.startswith(_PICTURES) or len(text) > _LONGEST_VALUE
        is_link = name == "xmpNote:HasExtendedXMP"
        return None if name in _NAMES or is_picture or is_link else text

    try:
        return packet.edited(xmp, edit)
    except BadMedia:
        return None  # what cannot be read cannot be promised


def _iptc(records: bytes) -> bytes:
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, dataset, len(value)) + value
        for record, dataset, value in iptc.records(records)
        if record != 8 and not (record == 2 and dataset in _PREVIEW_SETS)
    )
