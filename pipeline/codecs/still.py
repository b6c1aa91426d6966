"""Still pictures that Pillow decodes: PNG, GIF, WebP, TIFF, BMP, JPEG 2000, PSD, ICO, AVIF, and
JPEGs that libjpeg-turbo would not take.

Each file is opened as the one format its content showed, never by guessing. Only the first frame
of anything that moves is decoded. A file that breaks off gives what is there, with `damage`.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin

from pipeline.codecs import colour, limits
from pipeline.codecs.border import decoding, said
from pipeline.codecs.picture import Stored
from pipeline.codecs.samples import as_rgb
from pipeline.errors import BadMedia, DecodeFailed, TooBig
from pipeline.metadata import heif, light

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content, Develop

# Our format name to the only Pillow plug-in that may look at the file.
PLUGINS = {
    "jpeg": "JPEG",
    "thm": "JPEG",
    "png": "PNG",
    "apng": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "jp2": "JPEG2000",
    "j2k": "JPEG2000",
    "psd": "PSD",
    "ico": "ICO",
    "avif": "AVIF",
}
_CODED = {"avif": heif.colour_codes, "png": light.of_png, "apng": light.of_png}
_ORIENTATION = 0x0112
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")

Image.MAX_IMAGE_PIXELS = limits.MOST_PIXELS  # for pictures inside pictures; ours are checked first
PngImagePlugin.MAX_TEXT_CHUNK = limits.MOST_TEXT
PngImagePlugin.MAX_TEXT_MEMORY = limits.MOST_METADATA


def decode(content: Content, kind: str, at_least: int | None) -> Stored:
    """The first picture in the file; may be averaged down to about twice `at_least`.

    Raises `BadMedia`.
    """
    with quiet():
        try:
            return _decoded(content, kind, at_least)
        except DecodeFailed as failure:
            complaint = failure
        with _lenient():
            try:
                stored = _decoded(content, kind, at_least)
            except BadMedia:
                raise complaint from None
    damage = "The file is damaged or ends too early; what can be seen of it is shown."
    return replace(stored, damage=damage)


def _decoded(content: Content, kind: str, at_least: int | None) -> Stored:
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    source.seek(0)
    with decoding(), _no_bombs(), Image.open(source, formats=[PLUGINS[kind]]) as image:
        limits.require_decodable(*image.size)
        profile = image.info.get("icc_profile")
        image.load()
        width, height = image.size
        turned = orientation(image)
        small = _reduced(image, at_least)
        pixels = _rgb(small, profile)
        return Stored(pixels, width, height, turned, _develop(content, kind, image, profile))


def _develop(content: Content, kind: str, image: Any, profile: Any) -> Develop | None:
    if kind in _CODED and isinstance(content, bytes) and (kind == "png" or not profile):
        codes = _CODED[kind](content)
        if kind == "avif" or codes != light.UNKNOWN:  # `cICP` goes before a profile (PNG 3, 4.3)
            return colour.from_codes(*codes)
    is_coloured = image.mode not in ("CMYK", "LAB", "L", "1", "I", "F")
    return colour.from_icc(profile) if is_coloured and isinstance(profile, bytes) else None


def orientation(image: Any) -> int:
    """From EXIF; Pillow has turned AVIF's own rotation into an EXIF one by then."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception as error:  # border: EXIF of a stranger's file must not cost its picture
        said(error)
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _reduced(image: Any, at_least: int | None) -> Any:
    """Whole steps down while the picture is still Pillow's: halves the peak of memory."""
    if at_least is None:
        return image
    steps = max(image.size) // (2 * at_least)
    if steps < 2:
        return image
    if image.mode in ("P", "PA", "1"):
        image = image.convert("RGBA" if has_alpha(image) else "RGB")
    return image.reduce(steps) if not image.mode.startswith("I;16") else image


def _rgb(image: Any, profile: Any) -> Any:
    if has_alpha(image):
        return as_rgb(np.asarray(image.convert("RGBA")))
    converter = _CONVERTERS.get(image.mode)
    if converter is not None:
        return as_rgb(converter(image, profile))
    return as_rgb(np.asarray(image if image.mode in ("RGB", "L") else image.convert("RGB")))


def has_alpha(image: Any) -> bool:
    """True where a Pillow image has transparent parts, or could have."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def _inks(image: Any, profile: Any) -> Any:
    is_profile = isinstance(profile, bytes)
    return np.asarray(colour.cmyk_to_rgb(image, profile if is_profile else None))


def _lightness(image: Any, _: Any) -> Any:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))


def _deep(image: Any, _: Any) -> Any:
    samples = np.asarray(image)
    if samples.dtype.kind != "i":
        return samples
    return np.clip(samples, 0, 65535).astype(np.uint16)


_CONVERTERS: dict[str, Callable[[Any, Any], Any]] = {
    "CMYK": _inks,
    "LAB": _lightness,
    "I": _deep,
    "F": _deep,
    "I;16": _deep,
    "I;16B": _deep,
    "I;16L": _deep,
    "I;16N": _deep,
}


@contextmanager
def _no_bombs() -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = limits.MOST_PIXELS // 1_000_000
        raise TooBig(f"The picture claims more than {most} million pixels.") from error


@contextmanager
def quiet() -> Iterator[None]:
    """For every use of Pillow: it warns of metadata, and once of a bomb, which is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextmanager
def _lenient() -> Iterator[None]:
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
