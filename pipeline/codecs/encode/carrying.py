"""What an original says about itself, put into a copy of it that was made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metadata.write import containers, copy
from pipeline.metadata.write.copy import Fitting

if TYPE_CHECKING:
    from pipeline.codecs.encode.negative import Negative


def carried(original: bytes, kind: str, made: bytes, to: str, negative: Negative | None) -> bytes:
    """`made`, of the format `to`, with what the original says about itself.

    `negative` is what it was made of, None where its size and colours are the original's. Nothing
    is said where the format has no place for it. Raises `BadMedia`.
    """
    if to not in containers.CARRIES:
        return made
    size = negative.size if negative is not None else None
    keeps_colours = negative is None or negative.keeps_colours
    fitting = Fitting(1, size, keeps_colours=keeps_colours)
    data, _ = copy.carried(original, kind, made, to, fitting)
    return data
