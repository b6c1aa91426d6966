"""Metadata of an original onto a re-encoded copy of it, in any pair of formats.

What describes the shot goes along unchanged, maker note and pairing ids included. What describes
the original's bytes does not: thumbnails, sizes, the turn that the pixels have already made, and
claims of an embedded video or gain map that the copy does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import BadMedia, NotMedia
from pipeline.intake import kind
from pipeline.intake.formats import FORMATS
from pipeline.metadata import read as reading
from pipeline.metadata.write import block, containers, packet, words
from pipeline.metadata.write.blocks import Blocks

# Claims about other pictures and videos in the file.
PARTS = (
    *("GCamera:MotionPhoto", "GCamera:MotionPhotoVersion", "GCamera:MicroVideo"),
    *("GCamera:MotionPhotoPresentationTimestampUs", "GCamera:MicroVideoOffset"),
    *("GCamera:MicroVideoVersion", "GCamera:MicroVideoPresentationTimestampUs"),
    *("Container:Directory", "HDRGainMap:HDRGainMapVersion", "HDRGainMap:HDRGainMapHeadroom"),
    *("apdi:AuxiliaryImageType", "apdi:NativeFormat", "apdi:StoredFormat"),
)
# Formats that say part of it in ways of their own, which `metadata.read` understands.
_SPEAKS_OTHERWISE = frozenset(("png", "apng", "gif", "jp2", "j2k", "psd"))
THUMBNAILS = ("xmp:Thumbnails", "xmpGImg:image", "photoshop:DocumentAncestors")


@dataclass(frozen=True, slots=True)
class Fitting:
    """How the copy differs from its original.

    `orientation` is what the copy's EXIF shall say: 1 where the encoder got upright pixels, None
    where it got them as stored. `size` is the copy's, as stored, where it is another one.
    `keeps_colours` is False where the pixels were brought to sRGB. `keeps_parts` is True where the
    copy holds the same embedded video and gain map.
    """

    orientation: int | None = 1
    size: tuple[int, int] | None = None
    keeps_colours: bool = True
    keeps_parts: bool = False


AS_UPRIGHT = Fitting()


def copy_metadata(source: Path, target: Path, fitting: Fitting = AS_UPRIGHT) -> tuple[str, ...]:
    """Give `target`, a copy we made of `source`, what `source` says about itself.

    Writes `target` only. Answers which blocks it has no place for ("iptc", "icc" ...). Raises
    `Invalid` or `BadMedia`, and then leaves `target` as it was.
    """
    original, copy = source.read_bytes(), target.read_bytes()
    made, lost = carried(original, _format(source), copy, _format(target), fitting)
    target.write_bytes(made)
    return lost


def carried(
    original: bytes, original_kind: str, copy: bytes, copy_kind: str, fitting: Fitting = AS_UPRIGHT
) -> tuple[bytes, tuple[str, ...]]:
    """`copy` with what `original` says about itself, and the names of what it has no place for."""
    blocks = prepared(original, original_kind, copy_kind, fitting)
    able = containers.CARRIES.get(copy_kind, frozenset())
    named = {name: getattr(blocks, name) for name in ("exif", "xmp", "iptc", "icc")}
    lost = [name for name, value in named.items() if value and name not in able]
    if blocks.icc and copy_kind in containers.PROFILE_BY_ENCODER:
        written = containers.read(copy, copy_kind).icc if copy_kind != "jxl" else None
        lost += [] if written == blocks.icc else ["icc"]
        blocks = replace(blocks, icc=None)
    return containers.write(copy, copy_kind, blocks), tuple(lost)


def prepared(
    original: bytes, original_kind: str, copy_kind: str, fitting: Fitting = AS_UPRIGHT
) -> Blocks:
    """The original's blocks as a copy of the format `copy_kind` should carry them.

    For encoders that take metadata themselves (animations, profiles of HEIC and JPEG XL).
    """
    blocks = containers.read(original, original_kind)
    if copy_kind != "jpeg":
        blocks = blocks.with_one_packet()
    exif = _exif(blocks.exif, fitting) if blocks.exif else None
    xmp = _xmp(blocks.xmp, fitting) if blocks.xmp else None
    if blocks.iptc and "iptc" not in containers.CARRIES.get(copy_kind, frozenset()):
        xmp = words.told_in_xmp(xmp, blocks.iptc)
    if original_kind in _SPEAKS_OTHERWISE and exif is None:
        xmp = words.facts_in_xmp(xmp, reading.read(original, FORMATS[original_kind]))
    icc = blocks.icc if fitting.keeps_colours else None
    return replace(blocks, exif=exif, xmp=xmp, icc=icc)


def _exif(exif: bytes, fitting: Fitting) -> bytes | None:
    try:
        return block.for_copy(
            exif, fitting.orientation, fitting.size, is_srgb=not fitting.keeps_colours
        )
    except BadMedia:
        return None  # no reader makes anything of it


def _xmp(xmp: bytes, fitting: Fitting) -> bytes:
    """A packet that is not well-formed goes along as it is: some reader may make sense of it."""
    width, height = fitting.size or (0, 0)
    turn = str(fitting.orientation) if fitting.orientation else ""
    values = {
        "tiff:Orientation": turn,
        "tiff:ImageWidth": str(width or ""),
        "tiff:ImageLength": str(height or ""),
        "exif:PixelXDimension": str(width or ""),
        "exif:PixelYDimension": str(height or ""),
        "exif:ColorSpace": "" if fitting.keeps_colours else "1",
    }

    def edit(name: str, text: str) -> str | None:
        is_part = name in PARTS or name.startswith("hdrgm:")
        if name in THUMBNAILS or (is_part and not fitting.keeps_parts):
            return None
        return values.get(name) or text

    try:
        return packet.edited(xmp, edit)
    except BadMedia:
        return xmp


def _format(path: Path) -> str:
    told = kind.sniff_file(path)
    if told is None:
        raise NotMedia("This is not a kind of file Darkroom keeps.", path=path)
    return told.name
