"""A smaller copy of a photo that looks the same, on request; the original stays where it is.

Params (all optional):
  lane        "keep", "lossless", "jpeg" (default), "webp", "avif", "heic" or "jxl"
  target      SSIMULACRA2 that the copy must reach, 50..98 (82): 80 is hard to tell apart side by
              side, 90 is what nobody sees
  min_gain    the part of the bytes a copy must save to be kept, 0..1 (0.1)
  same_format without loss: True keeps the format (JPEG stays JPEG) where the lane "lossless" would
              put a JPEG into a JPEG XL (False)

Content decides too: screenshots, documents and drawings are never made worse, whatever the lane.
Gain maps and videos behind a JPEG's picture go along, as JPEG byte for byte; pictures that move are
packed better, frame by frame the same. Where a way cannot keep all of it (other HDR, pages, raw
data) the original is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import Invalid
from pipeline.intake.formats import FORMATS, RAW
from pipeline.model import Category, Done, Format, Json, JsonObject, Made, Outcome, Skip
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pipeline.codecs.shrinking import Copy, Declined, Wish
    from pipeline.stages.subject import Subject

_NAME = "optimise"
LANES = ("keep", "lossless", "jpeg", "webp", "avif", "heic", "jxl")
_KEEPS_ALL = ("webp", "jxl")  # lanes whose format can also hold a picture exactly
_SHARP = frozenset(("screenshot", "document", "drawing"))
_SURE = 0.5


@dataclass(frozen=True, slots=True)
class _Asked:
    lane: str = "jpeg"
    target: float = 82.0
    min_gain: float = 0.1
    same_format: bool = False


def run(subject: Subject) -> Outcome:
    """Facts: `lane`, `encoder`, `quality`, `target`, `score`, `worst`, `no_closer_step` (the next
    quality of the encoder misses the target), `trials`, `sketches`, `bytes_before`, `bytes_after`,
    `why`. A picture that had better stay as it is is skipped.
    """
    from pipeline.codecs import shrinking

    asked = _asked(subject.params.get(_NAME, {}))
    told = subject.format.name
    wish, reason = _wish(told, asked, subject.facts)
    why = _left_alone(subject, asked, wish)
    if why is not None:
        return Skip(why)
    made = _moving(subject, asked, wish) or shrinking.shrink(subject.data(), told, wish)
    if isinstance(made, shrinking.Declined) and asked.lane == told and not wish.is_exact:
        made, reason = _packed_better(subject, wish, made), "packed better without loss"
    if isinstance(made, shrinking.Declined):
        return Skip(made.why)
    return _checked(subject, asked, wish, made, reason)


def _asked(params: JsonObject) -> _Asked:
    """The parameters, checked. Raises `Invalid`."""
    unknown = params.keys() - set(_Asked.__dataclass_fields__)
    if unknown:
        raise Invalid(f"Optimising knows no parameter “{min(unknown)}”.")
    asked = _Asked(**params)
    if asked.lane not in LANES:
        raise Invalid(f"There is no lane “{asked.lane}”; there are {', '.join(LANES)}.")
    if not (50 <= asked.target <= 98 and 0 <= asked.min_gain < 1):
        raise Invalid("The target must be 50 to 98 points and the gain 0 to 1.")
    return asked


def _left_alone(subject: Subject, asked: _Asked, wish: Wish) -> str | None:
    """Why this picture is no business of ours, before anything is decoded."""
    told, facts = subject.format.name, subject.facts.get("facts", {})
    if asked.lane == "keep":
        return "its policy is to keep it as it is"
    if told in RAW:
        return "a camera's raw data stays as it is"
    if not _keeps_parts(told, wish):
        if facts.get("hdr"):
            return f"its HDR would be lost as {wish.format.upper()}"
        if facts.get("motion"):
            return f"it holds a short video, which would be lost as {wish.format.upper()}"
    if not subject.is_held:
        return "the file is too large to be held in memory"
    if told == "tiff" and _frames(subject) > 1:
        return "it has more than one page"
    return None


def _keeps_parts(told: str, wish: Wish) -> bool:
    """True for ways that keep more than the picture: the file in a JPEG XL, the file rewritten,
    a JPEG of a JPEG.
    """
    if wish.is_exact:
        return told == wish.format or (told, wish.format) == ("jpeg", "jxl")
    return wish.keeps_parts


def _moving(subject: Subject, asked: _Asked, wish: Wish) -> Copy | Declined | None:
    """Pictures that move, without loss; None for those that do not."""
    from pipeline.codecs import animation, shrinking

    told = subject.format.name
    if told not in animation.MOVING or _frames(subject) < 2:
        return None
    if asked.lane == "webp" or (asked.lane == "lossless" and not asked.same_format):
        return shrinking.repacked(subject.data(), told, wish, (told, "webp"))
    return shrinking.repacked(subject.data(), told, wish, (told,))


def _frames(subject: Subject) -> int:
    from pipeline.codecs import frames

    return frames.count(subject.data(), subject.format.name) or 1


def _wish(told: str, asked: _Asked, facts: JsonObject) -> tuple[Wish, str]:
    """What to make of a picture of the format `told`, and why."""
    from pipeline.codecs.shrinking import Wish

    content = facts.get("kind", {})
    is_sharp = content.get("kind") in _SHARP and content.get("confidence", 1.0) >= _SURE
    if asked.lane == "lossless" or (is_sharp and asked.lane not in _KEEPS_ALL):
        is_inside = told == "jpeg" and asked.lane == "lossless" and not asked.same_format
        why = f"a {content['kind']}: without loss" if is_sharp else "without loss"
        return Wish("jxl" if is_inside else told, is_exact=True, min_gain=asked.min_gain), why
    parts = facts.get("facts", {})
    keeps_parts = told == asked.lane == "jpeg" and bool(
        parts.get("hdr") == "gainmap" or parts.get("motion")
    )
    if is_sharp:
        why = f"a {content['kind']}: without loss"
        return Wish(asked.lane, is_exact=True, min_gain=asked.min_gain), why
    regions = tuple(_boxes(facts))
    closely = f", looking closely at {len(regions)} faces and texts" if regions else ""
    why = f"the smallest that reaches {asked.target:g} points{closely}"
    return Wish(asked.lane, asked.target, False, asked.min_gain, regions, keeps_parts), why


def _boxes(facts: JsonObject) -> list[tuple[float, float, float, float]]:
    """Faces first, then lines of text; what is no box is passed over."""
    found = [*facts.get("faces", {}).get("faces", ()), *facts.get("text", {}).get("lines", ())]
    boxes = (tuple(thing.get("box") or ()) for thing in found)
    return [(box[0], box[1], box[2], box[3]) for box in boxes if len(box) == 4]


def _packed_better(subject: Subject, wish: Wish, declined: Declined) -> Copy | Declined:
    """The same pixels in fewer bytes, where the lossy way gains nothing."""
    from pipeline.codecs import shrinking

    made = shrinking.rewritten(subject.data(), subject.format.name)
    most = subject.size * (1 - wish.min_gain)
    return made if made is not None and len(made.data) <= most else declined


def _checked(subject: Subject, asked: _Asked, wish: Wish, made: Copy, why: str) -> Outcome:
    """Write the copy, and let the gate say whether it may stand for the original."""
    from pipeline.codecs import gate

    told = FORMATS[made.format]
    path = subject.workdir / f"optimised{told.extension}"
    path.write_bytes(made.data)
    expected = gate.Expectations(
        target=None if made.quality is None else wish.target,
        score=made.worst,
        most_bytes=subject.size - 1,
    )
    faults = gate.check(subject.path, path, expected)
    subject.check()
    if faults:
        return Skip(" ".join(fault.message for fault in faults))
    width, height = made.size or _size(subject)
    facts: dict[str, Json] = {
        "lane": asked.lane,
        "encoder": made.encoder,
        "quality": made.quality,
        "target": None if made.quality is None else wish.target,
        "score": _rounded(made.score),
        "worst": _rounded(made.worst),
        "no_closer_step": made.is_next_step,
        "trials": made.trials,
        "sketches": made.sketches,
        "bytes_before": subject.size,
        "bytes_after": len(made.data),
        "why": why + _beyond(made, wish.target),
    }
    return Done(facts, (Made("optimised", path.name, told.mime, width, height),))


def _size(subject: Subject) -> tuple[int, int]:
    facts = subject.facts.get("preview", {})
    return int(facts.get("width", 0)), int(facts.get("height", 0))


def _beyond(made: Copy, target: float) -> str:
    """Why a copy is better, and so larger, than was asked for."""
    from pipeline.codecs.hunt import TOLERANCE

    if made.worst is None or made.worst <= target + TOLERANCE or not made.is_next_step:
        return ""
    return f"; {made.encoder} has no step between {made.worst:.1f} points and less than asked"


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 2)


def applies(told: Format) -> bool:
    """Every photo that is decoded at all."""
    from pipeline.codecs.decode import DECODED

    return told.name in DECODED


STAGE = Stage(
    _NAME,
    2,
    run,
    frozenset((Category.PHOTO,)),
    applies,
    after=("facts", "preview", "faces", "kind", "text"),
    is_on_request=True,
)
