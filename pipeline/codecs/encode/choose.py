"""Which encoder writes a format."""

from __future__ import annotations

from pipeline.codecs.encode.contract import Encoder

STILLS = ("jpeg", "png", "webp", "avif", "heic", "jxl", "tiff")


def encoder(name: str) -> Encoder | None:
    """The encoder for a format by its stable name; None where it is not written here."""
    if name == "jpeg":
        from pipeline.codecs.encode import jpeg

        return jpeg.encoder()
    if name == "heic":
        from pipeline.codecs.encode import heic

        return heic.HEIC
    if name == "jxl":
        from pipeline.codecs.encode import jxl

        return jxl.JXL
    from pipeline.codecs.encode import pillow

    known = (pillow.PNG, pillow.WEBP, pillow.AVIF, pillow.TIFF, pillow.GIF)
    return next((encoder for encoder in known if encoder.format == name), None)
