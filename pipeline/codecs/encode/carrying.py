"""What an original says about itself, put into a copy of it that was made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metadata.write import containers, copy
from pipeline.metadata.write.copy import Fitting

if TYPE_CHECKING:
    from pipeline.codecs.encode.negative import Negative


def carried(original: bytes, kind: str, made: bytes, to: str, negative: Negative) -> bytes:
    """`made`, of the format `to` and of these pixels, with what the original says about itself.

    Nothing is said where the format has no place for it. Raises `BadMedia`.
    """
    if to not in containers.CARRIES:
        return made
    fitting = Fitting(1, negative.size, keeps_colours=negative.keeps_colours)
    data, _ = copy.carried(original, kind, made, to, fitting)
    return data
