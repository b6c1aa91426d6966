"""The one door to still pictures: from bytes whose format is known to a `Picture`.

A decoder is chosen by the format that the content showed, never by a name, and each is asked for
no more than `limits` allow. SVG is never rendered: it can name other files and hosts.
"""

from __future__ import annotations

from pipeline.codecs import limits
from pipeline.codecs.picture import Content, Picture, Stored
from pipeline.errors import DecodeFailed, NotMedia
from pipeline.intake.kind import RAW

_JPEGS = ("jpeg", "thm")
_STILLS = frozenset(("png", "apng", "gif", "webp", "tiff", "bmp"))
_STILLS_TOO = frozenset(("jp2", "j2k", "psd", "ico", "avif"))
DECODED = frozenset((*_JPEGS, "heic", "heif", "jxl", "jxr")) | _STILLS | _STILLS_TOO | RAW


def decode(content: Content, kind: str, at_least: int | None) -> Picture:
    """The picture in `content`, which is of the format named `kind`.

    Its long side has `at_least` pixels where the original has; None asks for every pixel. Raises
    `NotMedia` for formats that are not decoded, else `BadMedia` with the reason.
    """
    if kind not in DECODED:
        raise NotMedia("Pictures of this kind are kept but not shown.")
    return Picture(stored(content, kind, at_least))


def stored(content: Content, kind: str, at_least: int | None) -> Stored:
    """The same as the decoder gave it: not yet upright, in its own colours."""
    if kind in _JPEGS:
        return _jpeg(_held(content), kind, at_least)
    if kind in RAW:
        from pipeline.codecs import raw

        return raw.decode(content, at_least)
    if kind in ("heic", "heif"):
        from pipeline.codecs import heif

        return heif.decode(content, at_least)
    if kind in ("jxl", "jxr"):
        return _modern(_held(content), kind, at_least)
    from pipeline.codecs import still

    return still.decode(content, kind, at_least)


def _modern(data: bytes, kind: str, at_least: int | None) -> Stored:
    """A JPEG XL that holds a JPEG is decoded as that: its profile counts, and scaling is cheap."""
    from pipeline.codecs import modern

    if kind == "jxr":
        return modern.decode_jxr(data)
    if modern.holds_jpeg(data):
        return _jpeg(modern.jpeg_in(data), "jpeg", at_least)
    return modern.decode_jxl(data)


def _jpeg(data: bytes, kind: str, at_least: int | None) -> Stored:
    """libjpeg-turbo first; what it refuses Pillow may still read."""
    from pipeline.codecs import jpeg

    if not jpeg.has_four_inks(data):
        try:
            return jpeg.decode(data, at_least)
        except DecodeFailed:
            pass  # Pillow has the last word, and its own sentence
    from pipeline.codecs import still

    return still.decode(data, kind, at_least)


def _held(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read(limits.MOST_READ)
