"""How good an encoder must be for this one picture: the quality that just meets a target.

A first guess stands in what is known about the encoder (`curves`); `hunt` corrects it on a mosaic
of tiles where the picture is large, and then on the whole picture, which alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.codecs.encode import curves
from pipeline.codecs.encode.contract import Encoder
from pipeline.codecs.encode.negative import Negative
from pipeline.codecs.encode.outlook import look
from pipeline.codecs.hunt import AIM, Found, Hunt
from pipeline.codecs.judge import Judge
from pipeline.codecs.orient import Box

_HEADROOM = 4.0  # points that halved chroma alone must leave above the target


@dataclass(frozen=True, slots=True)
class Sitter:
    """A picture ready to be tried: samples that fit the encoder, and where to look closely."""

    negative: Negative
    regions: tuple[Box, ...] = field(default=())


def search(
    sitter: Sitter, encoder: Encoder, target: float, most_bytes: int | None = None
) -> Found | None:
    """The smallest copy that meets `target`, within `hunt.TOLERANCE` or as near as the encoder's
    scale comes.

    Where halved chroma alone would cost too much, the encoder's form in full colour writes it. None
    where no quality meets the target, or only one that needs more than `most_bytes`.
    """
    judge = Judge(sitter.negative, encoder, sitter.regions)
    outlook = look(judge.sample)
    if encoder.in_full_colour is not None and outlook.ceiling < target + _HEADROOM:
        encoder = judge.encoder = encoder.in_full_colour
    curve = curves.of(encoder.name)
    hunt = Hunt(judge, curve, outlook, target, most_bytes)
    return hunt.run(target + AIM - curve.shift(outlook))
