"""One picture made smaller: by a visual target, or without losing a bit.

`Wish` says what is wanted, `shrink` answers with a copy or with the reason why the original had
better stay. A copy is never larger than its original, and never lacks what the original shows or
says; what cannot be kept in a format is a reason not to use it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.codecs import animation, jpeg, lossless, orient, target
from pipeline.codecs.encode import choose, negative
from pipeline.codecs.encode.carrying import carried
from pipeline.codecs.encode.contract import Encoder
from pipeline.codecs.encode.negative import Negative
from pipeline.codecs.orient import Box
from pipeline.codecs.target import Sitter
from pipeline.metadata.write import behind
from pipeline.metadata.write.pictures import jpeg_end

_UNSPOILT = frozenset(("png", "bmp", "tiff", "gif"))  # nothing was lost in these yet
_HOLDS_ALL = frozenset(("webp", "jxl"))  # formats that can be lossy or exact


@dataclass(frozen=True, slots=True)
class Wish:
    """`format` is that of the copy, `regions` are what is looked at closely (faces, lines of text).

    `is_exact` asks for the same pixels, `min_gain` is the part of the bytes that must be saved.
    `keeps_parts` asks for what stands behind the picture of a JPEG: its gain map, its video.
    """

    format: str
    target: float = 82.0
    is_exact: bool = False
    min_gain: float = 0.1
    regions: tuple[Box, ...] = ()
    keeps_parts: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy. `quality`, `score` (the whole) and `worst` (with its regions) are None where exact;
    `score` was measured on every pixel of exactly this picture. `is_next_step` is True where the
    encoder has no quality between this one and the next, which misses the target.
    """

    data: bytes
    format: str
    encoder: str
    size: tuple[int, int] | None = None
    quality: float | None = None
    score: float | None = None
    worst: float | None = None
    trials: int = 0
    sketches: int = 0
    is_next_step: bool = False


@dataclass(frozen=True, slots=True)
class Declined:
    """Why the original had better stay as it is: a sentence for a person."""

    why: str


def shrink(data: bytes, kind: str, wish: Wish) -> Copy | Declined:
    """A smaller copy of the picture `data`, which is of the format `kind`. Raises `BadMedia`."""
    most = int(len(data) * (1 - wish.min_gain))
    if wish.is_exact:
        made = _exact(data, kind, wish.format)
    else:
        made = _lossy(data, kind, wish, most)
        if kind in _UNSPOILT and wish.format in _HOLDS_ALL:
            made = _smaller(made, _exact(data, kind, wish.format))
    if isinstance(made, Copy) and len(made.data) > most:
        share = 100 * (1 - len(made.data) / len(data))
        return Declined(f"A copy would save only {max(share, 0):.0f} % of the bytes.")
    return made


def repacked(data: bytes, kind: str, wish: Wish, to: tuple[str, ...]) -> Copy | Declined:
    """A picture that moves in the smallest of the formats `to` that show every frame of it exactly,
    each for as long, as often. Raises `BadMedia`.
    """
    copies = [copy for name in to if (copy := _moving(data, kind, name)) is not None]
    most = int(len(data) * (1 - wish.min_gain))
    best = min(copies, key=lambda copy: len(copy.data), default=None)
    if best is None or len(best.data) > most:
        return Declined("It moves, and there is no way to make it smaller without loss.")
    return best


def _moving(data: bytes, kind: str, to: str) -> Copy | None:
    if to == kind:
        return rewritten(data, kind)
    made = animation.written(data, kind, to)
    if not animation.shows_the_same(data, kind, made, to):
        return None
    return Copy(carried(data, kind, made, to, None), to, "Pillow")


def rewritten(data: bytes, kind: str) -> Copy | None:
    """The same file with the same pixels, packed better; None where there is no such way."""
    if kind == "jpeg":
        made, encoder = lossless.jpeg_of(data), "mozjpeg"
    elif kind in ("png", "apng"):
        made, encoder = lossless.png_of(data), "libdeflate"
    else:
        return None
    return Copy(made, kind, encoder) if made is not None else None


def _smaller(lossy: Copy | Declined, exact: Copy | Declined) -> Copy | Declined:
    """Flat colours and sharp edges are often smaller without loss."""
    if isinstance(lossy, Declined) or isinstance(exact, Declined):
        return exact if isinstance(lossy, Declined) else lossy
    return min(exact, lossy, key=lambda copy: len(copy.data))


def _exact(data: bytes, kind: str, to: str) -> Copy | Declined:
    """The same pixels: by the one way that keeps the file itself, else by an exact encoder."""
    if kind == to:
        return rewritten(data, kind) or Declined(
            f"There is no way to make this {kind.upper()} smaller without losing something."
        )
    if (kind, to) == ("jpeg", "jxl"):
        inside = lossless.jxl_of(data)
        if inside is not None:
            return Copy(inside, "jxl", "libjxl")
        return Declined("This JPEG is of a kind that JPEG XL cannot give back bit by bit.")
    encoder = choose.encoder(to)
    if encoder is None or not encoder.is_exact:
        return Declined(f"{to.upper()} cannot hold a picture without losing something.")
    sheet = negative.fitted(negative.read(data, kind), encoder)
    if sheet.left_out:
        return _would_lose(sheet, to)
    made = encoder.write(sheet.samples, None, sheet.profile)
    return Copy(carried(data, kind, made, to, sheet), to, encoder.name, sheet.size)


def _lossy(data: bytes, kind: str, wish: Wish, most: int) -> Copy | Declined:
    encoder = choose.encoder(wish.format)
    if encoder is None or not encoder.is_lossy:
        return Declined(f"{wish.format.upper()} has no quality to search for.")
    sheet = negative.fitted(negative.read(data, kind), encoder)
    if sheet.left_out:
        return _would_lose(sheet, wish.format)
    if wish.keeps_parts:
        return _with_parts(data, sheet, encoder, wish, most)
    copy = by_target(sheet, encoder, wish, most)
    if copy is None:
        return _too_large(wish)
    return replace(copy, data=carried(data, kind, copy.data, copy.format, sheet))


def _with_parts(
    data: bytes, sheet: Negative, encoder: Encoder, wish: Wish, most: int
) -> Copy | Declined:
    """A JPEG of a JPEG, turned as that is: its gain map fits the picture as it is stored."""
    end = jpeg_end(data, 0)
    turned = jpeg.read_head(data).orientation or 1
    stored = negative.as_stored(sheet, turned)
    regions = tuple(orient.box_as_stored(box, turned) for box in wish.regions)
    copy = by_target(stored, encoder, replace(wish, regions=regions), most - (len(data) - end))
    if end < 0 or copy is None:
        return _too_large(wish)
    told = carried(data, "jpeg", copy.data, "jpeg", stored, is_as_stored=True)
    whole = behind.carried(data, told)
    if whole is None:
        return Declined("What the file holds behind its picture cannot be taken along.")
    return replace(copy, data=whole, size=sheet.size)


def _too_large(wish: Wish) -> Declined:
    return Declined(
        f"No {wish.format.upper()} that looks as good ({wish.target:g} points) is small enough."
    )


def by_target(sheet: Negative, encoder: Encoder, wish: Wish, most: int | None) -> Copy | None:
    """The smallest copy of `sheet` that meets the target, saying nothing about itself yet.

    None where none of `most` bytes does.
    """
    found = target.search(Sitter(sheet, wish.regions), encoder, wish.target, most)
    if found is None:
        return None
    best, encoder = found.trial, found.encoder
    return Copy(
        best.data,
        encoder.format,
        encoder.name,
        sheet.size,
        best.quality,
        best.score,
        best.worst,
        found.trials,
        found.sketches,
        found.is_next_step,
    )


def _would_lose(sheet: Negative, to: str) -> Declined:
    return Declined(f"A copy as {to.upper()} would lose {', '.join(sheet.left_out)}.")
