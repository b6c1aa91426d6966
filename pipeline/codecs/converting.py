"""One picture in another format, or as copies for the web.

Unlike shrinking, converting is asked for: what the new format cannot hold is left out and told.
Only what would be another picture then is refused: frames or pages that have no place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.codecs import animation, frames, lossless, modern, resize, shrinking
from pipeline.codecs.encode import choose, negative
from pipeline.codecs.encode.carrying import carried
from pipeline.codecs.encode.contract import Encoder
from pipeline.codecs.encode.negative import Negative
from pipeline.codecs.shrinking import Copy, Declined, Wish

FORMATS = (*choose.STILLS, "gif", "apng")
_FALLBACK = 95  # where no quality meets the target: as good as makes sense
_LOSSLESS_WAYS = frozenset((("jpeg", "jpeg"), ("jpeg", "jxl"), ("png", "png")))


@dataclass(frozen=True, slots=True)
class Order:
    """To which format: by a fixed `quality`, to a `target`, or `is_exact`, pixel by pixel."""

    to: str
    quality: int | None = None
    target: float = 85.0
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """The copy, and what it could not take along, in words for a person."""

    copy: Copy
    left_out: tuple[str, ...] = ()
    keeps_colours: bool = True


def convert(data: bytes, kind: str, order: Order) -> Converted | Declined:
    """The picture `data` of the format `kind` as ordered. Raises `BadMedia`."""
    if animation.frame_count(data, kind) > 1:
        return _moving(data, kind, order)
    if kind == "tiff" and (frames.count(data, kind) or 1) > 1:
        return Declined("It has more than one page; a copy would hold only the first.")
    if order.is_exact:
        as_file = _as_file(data, kind, order.to)
        if as_file is not None:
            return Converted(Copy(as_file, order.to, "the same picture, packed anew"))
    encoder = choose.encoder("png" if order.to == "apng" else order.to)
    if encoder is None:
        return Declined(f"Pictures are not written as {order.to.upper()}.")
    if order.is_exact and not encoder.is_exact:
        return Declined(f"{order.to.upper()} cannot hold a picture without losing something.")
    sheet = negative.fitted(negative.read(data, kind), encoder)
    copy = _printed(sheet, encoder, order)
    made = carried(data, kind, copy.data, encoder.format, sheet)
    return Converted(replace(copy, data=made), sheet.left_out, sheet.keeps_colours)


def for_web(data: bytes, kind: str, widths: tuple[int, ...], order: Order) -> dict[int, Copy]:
    """Copies for web pages, by width: upright, sRGB, silent about who, when and where.

    Widths beyond the picture's are left out; if all are, there is one of its own width. Raises
    `BadMedia`.
    """
    encoder = choose.encoder(order.to)
    if encoder is None:
        return {}
    sheet = negative.for_screens(negative.fitted(negative.read(data, kind), encoder))
    width, _ = sheet.size
    wanted = sorted({asked for asked in widths if asked <= width}) or [width]
    return {asked: _printed(_narrowed(sheet, asked), encoder, order) for asked in wanted}


def _printed(sheet: Negative, encoder: Encoder, order: Order) -> Copy:
    """The copy without metadata, as good as ordered."""
    if order.is_exact or not encoder.is_lossy:
        exact = encoder.write(sheet.samples, None, sheet.profile)
        return Copy(exact, encoder.format, encoder.name, sheet.size)
    if order.quality is None:
        found = shrinking.by_target(sheet, encoder, Wish(order.to, order.target), None)
        if found is not None:
            return found
        encoder = encoder.in_full_colour or encoder
    quality = encoder.nearest(_FALLBACK if order.quality is None else order.quality)
    made = encoder.finish(encoder.write(sheet.samples, quality, sheet.profile))
    return Copy(made, encoder.format, encoder.name, sheet.size, quality, trials=1)


def _narrowed(sheet: Negative, width: int) -> Negative:
    whole = sheet.size
    if width >= whole[0]:
        return sheet
    size = width, max(1, round(whole[1] * width / whole[0]))
    return replace(sheet, samples=resize.shrink(np.ascontiguousarray(sheet.samples), size))


def _as_file(data: bytes, kind: str, to: str) -> bytes | None:
    """The ways in which not only the pixels but the coded picture itself stays what it is."""
    if (kind, to) == ("jxl", "jpeg") and modern.holds_jpeg(data):
        return lossless.restore(data)
    if (kind, to) not in _LOSSLESS_WAYS:
        return None
    if to == "jxl":
        return lossless.jxl_of(data)
    return lossless.jpeg_of(data) if to == "jpeg" else lossless.png_of(data)


def _moving(data: bytes, kind: str, order: Order) -> Converted | Declined:
    if order.to not in animation.MOVING:
        choice = ", ".join(name.upper() for name in animation.MOVING)
        return Declined(f"It moves, and {order.to.upper()} does not; there are {choice}.")
    made = animation.written(data, kind, order.to, order.quality)
    told = made if order.to == "avif" else carried(data, kind, made, order.to, None)
    left_out = ("more than 256 colours a frame",) if order.to == "gif" and kind != "gif" else ()
    return Converted(Copy(told, order.to, "Pillow", quality=order.quality), left_out)
