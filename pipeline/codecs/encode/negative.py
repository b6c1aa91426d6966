"""What copies are made from: an original decoded whole, in its own colours and depth, upright.

A preview may be made of half a picture, a copy may not: what is damaged is refused here. Colours
stay as stored while their profile can go with them; what only this program could interpret (codes
of HEIF and AVIF, inks) is brought to sRGB.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.codecs import colour, decode, limits, modern, orient
from pipeline.codecs.border import decoding
from pipeline.codecs.encode.contract import Encoder, Samples
from pipeline.codecs.samples import as_rgb
from pipeline.errors import BadMedia, DecodeFailed, NotMedia, TooBig
from pipeline.metadata import heif, light
from pipeline.metadata.write import containers

if TYPE_CHECKING:
    from pipeline.codecs.picture import Content, Pixels

_CODES = {
    **dict.fromkeys(("heic", "heif", "avif"), heif.colour_codes),
    "png": light.of_png,
    "jxl": light.of_jxl,
}
_IN_WORDS = {8: "eight", 10: "ten"}
_WITH_ALPHA = frozenset(("png", "apng", "gif", "webp", "avif", "tiff", "ico"))
_BITS = 24  # where a PNG says how many
_SAMPLES_OF_A_TIFF, _BITS_OF_A_TIFF, _KIND_OF_A_TIFF = 339, 258, 262


@dataclass(frozen=True, slots=True)
class Negative:
    """Samples (H x W x 1, 3 or 4; uint8 or uint16), and the ICC profile their colours are meant in.

    `bits` of a sample mean something. `left_out` says for a person what of the original could not
    be kept. `keeps_colours` is False where they were brought to sRGB, so that the original's
    profile is not true of them any more.
    """

    samples: Samples
    profile: bytes | None = None
    left_out: tuple[str, ...] = ()
    keeps_colours: bool = True
    bits: int = 8

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        height, width = self.samples.shape[:2]
        return int(width), int(height)

    def shown(self) -> Pixels:
        """As a screen shows it: sRGB, eight bits, on white."""
        pixels = as_rgb(_eight_bits(self.samples))
        develop = colour.from_icc(self.profile)
        return develop(pixels) if develop else pixels


def read(content: Content, kind: str) -> Negative:
    """The first picture of a file of the format named `kind`.

    Raises `NotMedia` for what is not decoded, `BadMedia` for what is damaged.
    """
    if kind not in decode.DECODED:
        raise NotMedia("Pictures of this kind are kept but not converted.")
    data = content if isinstance(content, bytes) else _held(content)
    if kind == "jxl" and modern.holds_jpeg(data):
        data, kind = modern.jpeg_in(data), "jpeg"
    return _deep(data, kind) or _clear(data, kind) or _plain(data, kind)


def fitted(negative: Negative, encoder: Encoder) -> Negative:
    """The same, brought down to what the encoder's format can hold.

    Raises `TooBig` where its sides are too short for the picture.
    """
    if max(negative.size) > encoder.longest:
        width, height = negative.size
        raise TooBig(
            f"A picture of {width} x {height} pixels does not fit into this format, "
            f"whose sides end at {encoder.longest:,}."
        )
    samples, profile, left_out = negative.samples, negative.profile, list(negative.left_out)
    keeps_colours = negative.keeps_colours
    depth = encoder.depth if profile is None or encoder.has_deep_profile else 8
    if negative.bits > depth:
        left_out.append(f"colours finer than {_IN_WORDS[depth]} bits")
    if samples.dtype != np.uint8 and depth == 8:
        samples = _eight_bits(samples)
    if samples.shape[2] == 4 and not encoder.has_alpha:
        samples = as_rgb(samples)
        left_out.append("transparency, now white")
    if profile is not None and not (encoder.has_profile or encoder.speaks(profile)):
        if colour.from_icc(profile) is not None:
            samples, keeps_colours = _in_srgb(samples, profile), False
            left_out.append("colours outside of sRGB")
        profile = None
    bits = min(negative.bits, depth)
    return Negative(samples, profile, tuple(left_out), keeps_colours, bits)


def as_stored(negative: Negative, orientation: int) -> Negative:
    """The same turned back to how a file with this orientation stores it."""
    turned = orient.as_stored(negative.samples, orientation)
    return replace(negative, samples=np.ascontiguousarray(turned))


def for_screens(negative: Negative) -> Negative:
    """Eight bits, sRGB, transparency kept: what web pages want."""
    if negative.profile is None:
        return replace(negative, samples=_eight_bits(negative.samples))
    samples = _in_srgb(negative.samples, negative.profile)
    return replace(negative, samples=samples, profile=None, keeps_colours=False)


def _plain(data: bytes, kind: str) -> Negative:
    """Eight bits, no transparency: what the decoders of previews give."""
    stored = decode.stored(data, kind, None)
    if stored.damage is not None:
        raise DecodeFailed(stored.damage)
    told = _profile(data, kind)
    profile = _for_rgb(told)
    pixels = orient.upright(stored.pixels, stored.orientation)
    if profile is None and stored.develop is not None:
        pixels = stored.develop(pixels)
    if told and not profile:
        return Negative(pixels, None, ("the profile of its inks or greys",), keeps_colours=False)
    return Negative(pixels, profile, keeps_colours=stored.develop is None or profile is not None)


def _clear(data: bytes, kind: str) -> Negative | None:
    """With transparency, through Pillow; None where there is none."""
    if kind not in _WITH_ALPHA:
        return None
    from PIL import Image

    from pipeline.codecs import still

    with (
        decoding(),
        still.quiet(),
        Image.open(io.BytesIO(data), formats=[still.PLUGINS[kind]]) as image,
    ):
        limits.require_decodable(*image.size)
        if not still.has_alpha(image):
            return None
        samples = np.asarray(image.convert("RGBA"))
        turned = still.orientation(image)
    return Negative(orient.upright(samples, turned), _for_rgb(_profile(data, kind)))


def _deep(data: bytes, kind: str) -> Negative | None:
    """PNG, TIFF and JPEG XL of 16 bits, HEIC and AVIF of 10 and 12, as sRGB or with a profile; None
    for all else.
    """
    codes = _CODES.get(kind)
    if codes is not None and colour.from_codes(*codes(data)) is not None:
        return None  # what only this program interprets, HDR among them, is developed by `_plain`
    if kind in ("heic", "heif", "avif"):
        return _deep_heif(data) if kind != "avif" else _deep_avif(data)
    reader = {"png": _deep_png, "tiff": _deep_tiff, "jxl": _deep_jxl}.get(kind)
    if reader is None:
        return None
    with decoding():
        samples = reader(data)
    if samples is None:
        return None
    exif = containers.read(data, kind).exif if kind != "jxl" else None
    profile = _for_rgb(_profile(data, kind)) if samples.shape[2] > 1 else None
    return Negative(orient.upright(samples, orient.from_tiff(exif or b"")), profile, bits=16)


def _deep_heif(data: bytes) -> Negative | None:
    """libheif turns it upright, and hands over its bits at the upper end of sixteen."""
    import pillow_heif

    with decoding():
        image = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, reload_size=True)
        limits.require_decodable(*image.size)
        bits = int(image.info.get("bit_depth") or 8)
        if bits <= 8:
            return None
        samples = _channels(np.asarray(image))
    if samples is None:
        return None
    return Negative(
        _spread(samples >> (16 - bits), bits), _for_rgb(_profile(data, "heic")), bits=bits
    )


def _deep_avif(data: bytes) -> Negative | None:
    from PIL import Image

    from pipeline.codecs import still

    bits = heif.bits(data)
    if bits <= 8:
        return None
    with decoding(), still.quiet(), Image.open(io.BytesIO(data), formats=["AVIF"]) as image:
        limits.require_decodable(*image.size)
        if int(getattr(image, "n_frames", 1)) > 1:
            return None
        turned = still.orientation(image)
    import imagecodecs

    with decoding():
        samples = _channels(imagecodecs.avif_decode(data, numthreads=1))
    if samples is None:
        return None
    upright = orient.upright(_spread(samples, bits), turned)
    return Negative(upright, _for_rgb(_profile(data, "avif")), bits=bits)


def _spread(samples: Samples, bits: int) -> Samples:
    """From `bits` to all sixteen."""
    most = (1 << bits) - 1
    return ((samples.astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)


def _deep_png(data: bytes) -> Samples | None:
    import imagecodecs

    if data[_BITS : _BITS + 1] != b"\x10" or b"tRNS" in data[: limits.MOST_TEXT]:
        return None
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    limits.require_decodable(width, height)
    return _channels(imagecodecs.png_decode(data))


def _deep_tiff(data: bytes) -> Samples | None:
    from PIL import Image, TiffImagePlugin

    from pipeline.codecs import still

    with still.quiet(), Image.open(io.BytesIO(data), formats=["TIFF"]) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        limits.require_decodable(*image.size)
        tags = image.tag_v2
        is_whole = set(tags.get(_SAMPLES_OF_A_TIFF, (1,))) == {1}
        is_light = tags.get(_KIND_OF_A_TIFF) in (1, 2)  # black is zero, or RGB
        if set(tags.get(_BITS_OF_A_TIFF, ())) != {16} or not (is_whole and is_light):
            return None
    import imagecodecs

    return _channels(imagecodecs.tiff_decode(data))


def _deep_jxl(data: bytes) -> Samples | None:
    import imagecodecs

    modern.require_decodable_jxl(data)
    return _channels(imagecodecs.jpegxl_decode(data, index=0, numthreads=1))


def _channels(array: Any) -> Samples | None:
    samples = np.asarray(array)
    samples = samples[..., None] if samples.ndim == 2 else samples
    is_usual = samples.ndim == 3 and samples.shape[2] in (1, 3, 4)
    return samples if samples.dtype == np.uint16 and is_usual else None


def _eight_bits(samples: Samples) -> Samples:
    if samples.dtype == np.uint8:
        return samples
    eight = ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else eight


def _in_srgb(samples: Samples, profile: bytes) -> Samples:
    develop = colour.from_icc(profile)
    eight = _eight_bits(samples)
    if develop is None:
        return eight
    shown = develop(np.ascontiguousarray(eight[..., :3]))
    return np.concatenate([shown, eight[..., 3:]], axis=2)


def _profile(data: bytes, kind: str) -> bytes | None:
    try:
        return containers.read(data, kind).icc
    except BadMedia:  # damaged metadata must not cost the picture
        return None


def _for_rgb(profile: bytes | None) -> bytes | None:
    return profile if profile and profile[16:20] == b"RGB " else None


def _held(content: Any) -> bytes:
    content.seek(0)
    data: bytes = content.read(limits.MOST_READ)
    return data
