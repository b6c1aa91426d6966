"""TIFF's way, through exiv2: its tags and the picture's own stand in the same directory.

Also takes EXIF out of TIFF and of cameras' RAW files, as the block that other containers carry.
"""

from __future__ import annotations

from typing import Any

from pipeline.errors import BadMedia, Invalid
from pipeline.metadata import iptc
from pipeline.metadata.findings import Data
from pipeline.metadata.tiff import Tiff
from pipeline.metadata.write import jpeg
from pipeline.metadata.write.blocks import Blocks

_XMP, _IPTC, _PHOTOSHOP, _ICC = 0x02BC, 0x83BB, 0x8649, 0x8773
# What describes how the picture lies in the file, or is carried as a block of its own.
_STRUCTURE = frozenset(
    (
        *("NewSubfileType", "SubfileType", "ImageWidth", "ImageLength", "BitsPerSample"),
        *("Compression", "PhotometricInterpretation", "FillOrder", "StripOffsets"),
        *("SamplesPerPixel", "RowsPerStrip", "StripByteCounts", "PlanarConfiguration"),
        *("TransferFunction", "Predictor", "WhitePoint", "PrimaryChromaticities", "ColorMap"),
        *("HalftoneHints", "TileWidth", "TileLength", "TileOffsets", "TileByteCounts"),
        *("SubIFDs", "InkSet", "InkNames", "NumberOfInks", "DotRange", "TargetPrinter"),
        *("ExtraSamples", "SampleFormat", "SMinSampleValue", "SMaxSampleValue"),
        *("TransferRange", "JPEGTables", "JPEGProc", "JPEGInterchangeFormat"),
        *("JPEGInterchangeFormatLength", "YCbCrCoefficients", "YCbCrSubSampling"),
        *("YCbCrPositioning", "ReferenceBlackWhite", "InterColorProfile", "XMLPacket"),
        *("IPTCNAA", "ImageResources", "ExifTag", "GPSTag", "ImageResourceBlock"),
    )
)

_OTHER_PICTURES = ("Image2", "Image3", "SubImage", "SubThumb", "Thumbnail", "PanasonicRaw")


def read(data: Data) -> Blocks:
    """What the main directory holds; EXIF is taken out of it as a block of its own."""
    try:
        tiff = Tiff(data)
    except BadMedia:
        return Blocks(exif=_exif(data))  # RAW files that only begin otherwise
    main, _ = tiff.ifd(tiff.first)
    records = tiff.raw(main.get(_IPTC)).rstrip(b"\0")
    resources = dict(iptc.resources(tiff.raw(main.get(_PHOTOSHOP))))
    return Blocks(
        exif=_exif(data),
        xmp=tiff.raw(main.get(_XMP)) or None,
        iptc=records or resources.get(jpeg.IIM),
        icc=tiff.raw(main.get(_ICC)) or None,
    )


def _exif(data: Data) -> bytes | None:
    """EXIF as it would stand in a JPEG: written into an empty one by exiv2, and taken out again."""
    import exiv2

    exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)
    try:
        source = exiv2.ImageFactory.open(bytes(data[:]))
        source.readMetadata()
        carrier = exiv2.ImageFactory.create(exiv2.ImageType.jpeg)
        carrier.setExifData(_described(source.exifData()))
        carrier.writeMetadata()
        return jpeg.read(_bytes(carrier)).exif
    except exiv2.Exiv2Error:
        return None


def _described(exif: Any) -> Any:
    """Only what speaks about the shot: nothing of how the picture is stored."""
    import exiv2

    kept = exiv2.ExifData()
    for datum in exif:
        group, name = datum.groupName(), datum.tagName()
        is_layout = group == "Image" and (name in _STRUCTURE or name.startswith("0x"))
        if not is_layout and not group.startswith(_OTHER_PICTURES):
            kept.add(datum)
    return kept


def write(target: bytes, blocks: Blocks) -> bytes:
    """`target` with these blocks in place of its own; what is None stays. A profile counts as part
    of the picture, which the encoder writes. Raises `Invalid`.
    """
    import exiv2

    exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)
    try:
        image = exiv2.ImageFactory.open(target)
        image.readMetadata()
        _fill(image, blocks)
        image.writeMetadata()
        return _bytes(image)
    except exiv2.Exiv2Error as error:
        raise Invalid("What the original says about itself cannot be written here.") from error


def _fill(image: Any, blocks: Blocks) -> None:
    exif = image.exifData()
    if blocks.exif is not None:
        carrier = _held(Blocks(exif=blocks.exif))
        for datum in _described(carrier.exifData()):
            exif[datum.key()] = datum.value()
    if blocks.xmp is not None:
        image.setXmpPacket(blocks.xmp.decode("utf-8", "replace"))
        image.writeXmpFromPacket(True)
    if blocks.iptc is not None:
        image.setIptcData(_held(Blocks(iptc=blocks.iptc)).iptcData())


def _held(blocks: Blocks) -> Any:
    """Blocks in a JPEG, as exiv2 reads them."""
    import exiv2

    carrier = exiv2.ImageFactory.create(exiv2.ImageType.jpeg)
    carrier.writeMetadata()
    image = exiv2.ImageFactory.open(jpeg.write(_bytes(carrier), blocks))
    image.readMetadata()
    return image


def _bytes(image: Any) -> bytes:
    image.io().open()
    return bytes(image.io().mmap())
