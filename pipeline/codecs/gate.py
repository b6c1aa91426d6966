"""The gate: what must hold before a copy replaces, or stands in for, an original.

The copy is read and decoded anew, as a stranger's file: whole to its last byte, the same picture
the same way up, as large and as long as asked, saying everything its original says, and as good
and as small as was promised. Every fault is a sentence for a person; no fault means it may pass.
Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.codecs import wholeness
from pipeline.errors import BadMedia
from pipeline.intake import kind
from pipeline.metadata import read as reading
from pipeline.metadata.facts import Facts
from pipeline.metadata.window import Window
from pipeline.metadata.write import containers, parity
from pipeline.model import Category, Format

if TYPE_CHECKING:
    from pipeline.codecs.picture import Picture
    from pipeline.metadata.findings import Data

SHORTER_S, SHORTER_SHARE = 0.2, 0.002  # what a video's length may change by: the larger of the two
_ROUNDED = 1  # pixels that a wanted side may differ by: formats want even sides


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is asked of a copy beyond being the same picture and saying the same.

    `size` is upright, None for the original's. `score` is the SSIMULACRA2 that was measured and
    `target` what policy asks for. The others say what the copy was made to leave out.
    """

    size: tuple[int, int] | None = None
    target: float | None = None
    score: float | None = None
    most_bytes: int | None = None
    keeps_colours: bool = True  # False: brought to sRGB
    keeps_hdr: bool = True
    keeps_motion: bool = True  # the video inside a motion photo, and all frames of an animation
    keeps_metadata: bool = True
    is_same_picture: bool = True  # False where it was changed on purpose, as by blurring


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a copy may not pass. `kind` is for programs, `message` for a person."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Side:
    """The original, or the copy."""

    path: Path
    data: Data
    format: Format
    facts: Facts


AS_THE_ORIGINAL = Expectations()


def check(
    original: Path, copy: Path, expectations: Expectations = AS_THE_ORIGINAL
) -> tuple[Fault, ...]:
    """Every fault of `copy`, which was made of `original`; empty when it may pass.

    Raises `BadMedia` only for an original that is itself unreadable, and `OSError`.
    """
    with _opened(original) as before, _opened(copy) as after:
        if before is None:
            raise BadMedia("The original cannot be read, so no copy of it can be judged.")
        if after is None:
            return (Fault("decode", "The copy is empty or no picture or video at all."),)
        return tuple(_faults(before, after, expectations))


def _faults(before: Side, after: Side, wanted: Expectations) -> Iterator[Fault]:
    if not _gives_back(before, after):
        yield from _differences(before, after, wanted)
    yield from _worth(after, wanted)


def _gives_back(before: Side, after: Side) -> bool:
    """True for a JPEG XL out of which comes the original JPEG, byte for byte: nothing is lost."""
    if (before.format.name, after.format.name) != ("jpeg", "jxl"):
        return False
    from pipeline.codecs import modern

    made = bytes(after.data[:])
    try:
        return modern.holds_jpeg(made) and modern.jpeg_in(made) == before.data[:]
    except BadMedia:
        return False


def _differences(before: Side, after: Side, wanted: Expectations) -> Iterator[Fault]:
    if wholeness.is_cut(after.data, after.format.name):
        yield Fault("decode", "The copy ends too early: part of the file is missing.")
    if before.format.category is not after.format.category:
        yield Fault("decode", "The copy is of another kind than its original.")
        return
    if after.format.category is Category.VIDEO:
        from pipeline.codecs import gate_video

        yield from gate_video.faults(before, after, wanted)
    else:
        yield from _picture(before, after, wanted)
    if wanted.keeps_metadata:
        yield from _metadata(before, after, wanted)
    yield from _parts(before.facts, after.facts, wanted)
    if (before.format.name, after.format.name) == ("jpeg", "jpeg"):
        yield from _behind(before, after, wanted)


def _picture(before: Side, after: Side, wanted: Expectations) -> Iterator[Fault]:
    from pipeline.codecs import frames, likeness

    shown = _decoded(before)
    try:
        made = _decoded(after)
    except BadMedia as error:
        yield Fault("decode", f"The copy cannot be shown. {error.message}")
        return
    if made.damage is not None and shown.damage is None:
        yield Fault("decode", f"The copy is damaged. {made.damage}")
    yield from sizes((shown.width, shown.height), (made.width, made.height), wanted)
    if wanted.is_same_picture:
        found = likeness.compare(shown.pixels, made.pixels)
        if found.turned != 1:
            yield Fault("picture", "The copy is turned or mirrored against its original.")
        elif not found.is_same:
            yield Fault("picture", "The copy does not show what its original shows.")
    if wanted.keeps_motion:
        lost = frames.count(before.data, before.format.name)
        kept = frames.count(after.data, after.format.name)
        if lost is not None and kept is not None and kept != lost:
            yield Fault("motion", f"The copy has {kept} of its original's {lost} frames.")


def sizes(before: tuple[int, int], after: tuple[int, int], wanted: Expectations) -> Iterator[Fault]:
    """Upright width and height: the original's, or what was asked for."""
    asked = wanted.size or before
    slack = _ROUNDED if wanted.size else 0
    if any(abs(a - b) > slack for a, b in zip(after, asked, strict=True)):
        told = "{} x {}".format
        yield Fault("size", f"The copy has {told(*after)} pixels instead of {told(*asked)}.")


def _metadata(before: Side, after: Side, wanted: Expectations) -> Iterator[Fault]:
    losses = list(parity.of_facts(before.facts, after.facts))
    if after.format.category is Category.PHOTO:
        old = containers.read(before.data, before.format.name)
        new = containers.read(after.data, after.format.name)
        losses += parity.of_blocks(old, new, after.format.name, keeps_colours=wanted.keeps_colours)
    for what, detail in dict.fromkeys((loss.what, loss.detail) for loss in losses):
        yield Fault(what, f"The copy does not say {detail}.")


def _parts(before: Facts, after: Facts, wanted: Expectations) -> Iterator[Fault]:
    if wanted.keeps_hdr and before.hdr and not after.hdr:
        yield Fault("hdr", "The copy has lost the brightness of its original's HDR.")
    if wanted.keeps_motion and before.motion and not after.motion:
        yield Fault("motion", "The copy has lost the short video that is part of its original.")


def _behind(before: Side, after: Side, wanted: Expectations) -> Iterator[Fault]:
    """What stands behind a JPEG's picture is there byte for byte, and where the copy says it is."""
    from pipeline.metadata.write import behind

    if wanted.keeps_hdr and before.facts.hdr and after.facts.hdr:
        told = (behind.pictures(side.data[:]) for side in (before, after))
        if next(told) != next(told):
            yield Fault("hdr", "The copy's gain map is not the one of its original.")
    if wanted.keeps_motion and _film(before) and _film(after) and _film(before) != _film(after):
        yield Fault("motion", "The short video in the copy is not the one of its original.")


def _film(side: Side) -> bytes:
    film = side.facts.motion
    return bytes(side.data[film.offset : film.offset + film.length]) if film else b""


def _worth(after: Side, wanted: Expectations) -> Iterator[Fault]:
    if wanted.most_bytes is not None and len(after.data) > wanted.most_bytes:
        yield Fault("larger", f"The copy has {len(after.data)} bytes, which is no gain.")
    if wanted.target is None:
        return
    if wanted.score is None:
        yield Fault("target", "Nobody measured how good the copy looks.")
    elif wanted.score < wanted.target:
        yield Fault(
            "target",
            f"The copy looks worse than allowed: {wanted.score:.1f} instead of {wanted.target:g}.",
        )


def _decoded(side: Side) -> Picture:
    """All pixels."""
    from pipeline.codecs import decode

    return decode.decode(bytes(side.data[:]), side.format.name, None)


@contextmanager
def _opened(path: Path) -> Iterator[Side | None]:
    """The file and what it says; None for one that is empty or of no kind we keep."""
    told = kind.sniff_file(path)
    if told is None:
        yield None
        return
    with path.open("rb") as file:
        data = Window(file.fileno()) if told.category is Category.VIDEO else file.read()
        yield Side(path, data, told, reading.read(data, told))
