"""A photo in another format, or copies of it for the web, on request; the original stays.

Params:
  to        "jpeg", "png", "webp", "avif", "heic", "jxl", "tiff", "gif" or "apng"; needed
  target    SSIMULACRA2 that a lossy copy shall reach, 50..98 (85)
  quality   the encoder's own quality, 1..100, instead of a target
  lossless  True: the same pixels, or where there is a way the same coded picture: a JPEG becomes a
            progressive JPEG or a JPEG XL that gives it back, such a JPEG XL the JPEG (False)
  widths    a list of widths in pixels: copies for web pages in place of one conversion, in sRGB
            and without metadata; none is larger than the original

Pictures that move become GIF, APNG, WebP or AVIF with all their frames and their timing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import Invalid
from pipeline.intake.formats import FORMATS
from pipeline.model import Category, Done, Json, JsonObject, Made, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.optimise import applies

if TYPE_CHECKING:
    from pipeline.codecs.converting import Order
    from pipeline.codecs.gate import Expectations
    from pipeline.codecs.shrinking import Copy
    from pipeline.stages.subject import Subject

_NAME = "convert"
_MOST_WIDTHS = 12
_WIDEST = 16_384


@dataclass(frozen=True, slots=True)
class _Asked:
    to: str = ""
    target: float = 85.0
    quality: int | None = None
    lossless: bool = False
    widths: tuple[int, ...] = ()


def run(subject: Subject) -> Outcome:
    """Facts: `to`, `encoder`, `quality`, `target`, `score`, `no_closer_step`, `trials`,
    `bytes_before`, `bytes_after`, `left_out` (words), and for the web `widths`: each width's own
    of these.
    """
    asked = _asked(subject.params.get(_NAME, {}))
    if not subject.is_held:
        return Skip("the file is too large to be held in memory")
    return _web(subject, asked) if asked.widths else _one(subject, asked)


def _asked(params: JsonObject) -> _Asked:
    """The parameters, checked. Raises `Invalid`."""
    from pipeline.codecs import converting

    unknown = params.keys() - set(_Asked.__dataclass_fields__)
    if unknown:
        raise Invalid(f"Converting knows no parameter “{min(unknown)}”.")
    asked = _Asked(**{**params, "widths": tuple(params.get("widths") or ())})
    if asked.to not in converting.FORMATS:
        known = ", ".join(converting.FORMATS)
        raise Invalid(f"Pictures are not converted to “{asked.to}”; there are {known}.")
    if (
        not 50 <= asked.target <= 98
        or not 1 <= (1 if asked.quality is None else asked.quality) <= 100
    ):
        raise Invalid("The target must be 50 to 98 points and the quality 1 to 100.")
    if len(asked.widths) > _MOST_WIDTHS or not all(1 <= w <= _WIDEST for w in asked.widths):
        raise Invalid(f"There may be {_MOST_WIDTHS} widths of up to {_WIDEST} pixels.")
    return asked


def _order(asked: _Asked) -> Order:
    from pipeline.codecs.converting import Order

    return Order(asked.to, asked.quality, asked.target, asked.lossless)


def _one(subject: Subject, asked: _Asked) -> Outcome:
    from pipeline.codecs import animation, converting, gate
    from pipeline.codecs.shrinking import Declined
    from pipeline.metadata.write import containers

    data, told = subject.data(), subject.format.name
    made = converting.convert(data, told, _order(asked))
    if isinstance(made, Declined):
        return Skip(made.why)
    is_moving = animation.frame_count(data, told) > 1
    expected = gate.Expectations(
        keeps_colours=made.keeps_colours,
        keeps_hdr=False,
        keeps_motion=is_moving,
        keeps_metadata=asked.to in containers.CARRIES,
    )
    name = f"converted{FORMATS[asked.to].extension}"
    faults = _written(subject, name, made.copy, expected)
    if faults:
        return Skip(faults)
    facts = {
        "to": asked.to,
        **_facts(made.copy, asked),
        "bytes_before": subject.size,
        "left_out": [*made.left_out, *_parts(subject.facts.get("facts", {}), made.copy)],
    }
    return Done(facts, (_made(subject, "converted", name, made.copy),))


def _web(subject: Subject, asked: _Asked) -> Outcome:
    from pipeline.codecs import converting, gate

    data, told = subject.data(), subject.format.name
    copies = converting.for_web(data, told, asked.widths, _order(asked))
    made: list[Made] = []
    for width, copy in copies.items():
        expected = gate.Expectations(
            size=copy.size,
            keeps_colours=False,
            keeps_hdr=False,
            keeps_motion=False,
            keeps_metadata=False,
        )
        name = f"web-{width}{FORMATS[asked.to].extension}"
        faults = _written(subject, name, copy, expected)
        if faults:
            return Skip(faults)
        made.append(_made(subject, f"web-{width}", name, copy))
    widths = {str(width): _facts(copy, asked) for width, copy in copies.items()}
    return Done({"to": asked.to, "bytes_before": subject.size, "widths": widths}, tuple(made))


def _written(subject: Subject, name: str, copy: Copy, expected: Expectations) -> str:
    """Write the copy and let the gate judge it: its faults as one text, empty for none."""
    from pipeline.codecs import gate

    path = subject.workdir / name
    path.write_bytes(copy.data)
    faults = gate.check(subject.path, path, expected)
    subject.check()
    return " ".join(fault.message for fault in faults)


def _made(subject: Subject, kind: str, name: str, copy: Copy) -> Made:
    shown = subject.facts.get("preview", {})
    width, height = copy.size or (int(shown.get("width", 0)), int(shown.get("height", 0)))
    return Made(kind, name, FORMATS[copy.format].mime, width, height)


def _facts(copy: Copy, asked: _Asked) -> dict[str, Json]:
    return {
        "encoder": copy.encoder,
        "quality": copy.quality,
        "target": None if copy.score is None else asked.target,
        "score": None if copy.score is None else round(copy.score, 2),
        "no_closer_step": copy.is_next_step,
        "trials": copy.trials,
        "bytes_after": len(copy.data),
    }


def _parts(facts: JsonObject, copy: Copy) -> list[str]:
    """What lay in the file beside its picture, unless the file itself went along."""
    if copy.size is None and copy.format in ("jpeg", "jxl"):
        return []
    named = {"hdr": "the brightness of its HDR", "motion": "the short video in it"}
    if copy.format == "gif":  # has no place for metadata
        named |= {"dates": "when it was taken", "places": "where", "make": "with what"}
    return [words for key, words in named.items() if facts.get(key)]


STAGE = Stage(
    _NAME,
    2,
    run,
    frozenset((Category.PHOTO,)),
    applies,
    after=("facts", "preview"),
    is_on_request=True,
)
