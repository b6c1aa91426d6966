"""One score of 0 to 100 for a picture, out of parts that a person can follow, and why.

Parts run from 0 (spoilt) to 1 (nothing to complain about), None where there is nothing to judge.
The score is their weighted geometric mean: one bad fault is not made good by everything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import JsonObject
from pipeline.vision.quality import compression, measures, senses

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

WEIGHTS: Mapping[str, float] = {
    "sharpness": 0.35,
    "exposure": 0.25,
    "noise": 0.15,
    "compression": 0.10,
    "faces": 0.15,
}
_WORST = 0.05  # no single part brings the score to nothing
_BAD = 0.5
_SHARP_FACE = 0.5  # what `faces` calls this sharp has nothing to gain
_SMALL_FACE = 0.02  # of the picture's width: too small to be judged, or to matter


@dataclass(frozen=True, slots=True)
class Quality:
    """`parts` by the names of `WEIGHTS`; `why` says what is wrong, or that nothing is."""

    score: int
    parts: Mapping[str, float | None]
    why: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """As the facts of the stage hold it."""
        return {"score": self.score, "parts": dict(self.parts), "why": list(self.why)}


def judge(
    pixels: Pixels,
    faces: Sequence[JsonObject] = (),
    jpeg_quality: float | None = None,
    shrunk: float = 1.0,
) -> Quality:
    """The quality of a picture shown as `pixels` (RGB), `shrunk` times smaller than it is.

    `faces` are those of the stage of that name; `jpeg_quality` is None for what is no JPEG.
    """
    measured = measures.measure(pixels)
    damage = senses.feel(measured)
    pressed = None if jpeg_quality is None else compression.undamaged(jpeg_quality, shrunk)
    parts = {
        "sharpness": 1 - damage[senses.BLUR],
        "exposure": 1 - max(damage[senses.OVER], damage[senses.UNDER]),
        "noise": 1 - damage[senses.NOISE],
        "compression": pressed,
        "faces": _faces(faces),
    }
    told = {name: None if part is None else round(part, 3) for name, part in parts.items()}
    return Quality(_score(told), told, tuple(_why(told, damage, measured, jpeg_quality)))


def _score(parts: Mapping[str, float | None]) -> int:
    known = {name: part for name, part in parts.items() if part is not None}
    total = sum(WEIGHTS[name] for name in known)
    logs = sum(WEIGHTS[name] * math.log(max(_WORST, part)) for name, part in known.items())
    return round(100 * math.exp(logs / total))


def _faces(faces: Sequence[JsonObject]) -> float | None:
    """Sharpness of the faces that matter, each by its size; None where there are none."""
    large = [face for face in faces if face["box"][2] >= _SMALL_FACE]
    sizes = [float(face["box"][2] * face["box"][3]) for face in large]
    if not large:
        return None
    sharp = (min(1.0, float(face["sharpness"]) / _SHARP_FACE) for face in large)
    return sum(s * size for s, size in zip(sharp, sizes, strict=True)) / sum(sizes)


def _why(
    parts: Mapping[str, float | None],
    damage: Mapping[str, float],
    measured: Mapping[str, float],
    jpeg_quality: float | None,
) -> list[str]:
    bad = {name for name, part in parts.items() if part is not None and part < _BAD}
    why = []
    if "sharpness" in bad:
        why.append("It is blurred: even where there is most detail, the finest is missing.")
    if "exposure" in bad:
        is_over = damage[senses.OVER] > damage[senses.UNDER]
        why.append(_too_bright(measured) if is_over else _too_dark(measured))
    if "noise" in bad:
        why.append("It is noisy: even calm areas are grainy.")
    if "compression" in bad and jpeg_quality is not None:
        why.append(f"It was compressed strongly, to JPEG quality {jpeg_quality:.0f}.")
    if "faces" in bad:
        why.append("The faces in it are not sharp.")
    return why or ["Nothing is wrong with it."]


def _too_bright(measured: Mapping[str, float]) -> str:
    blown = measured["blown"] ** 2
    lost = f", and {blown:.0%} of it is white without any detail" if blown >= 0.01 else ""
    return f"It is too bright{lost}."


def _too_dark(measured: Mapping[str, float]) -> str:
    return f"It is too dark: half of it is below {measured['middle']:.0%} brightness."
