"""What an original says about itself, put into a copy of it that was made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metadata.write import containers, copy
from pipeline.metadata.write.copy import Fitting

if TYPE_CHECKING:
    from pipeline.codecs.encode.negative import Negative


def carried(
    original: bytes,
    kind: str,
    made: bytes,
    to: str,
    negative: Negative | None,
    *,
    is_as_stored: bool = False,
) -> bytes:
    """`made`, of the format `to`, with what the original says about itself.

    `negative` is what it was made of, None where its size and colours are the original's. Where it
    `is_as_stored`, the copy keeps the original's turn and what it says of its gain map and video.
    Nothing is said where the format has no place for it. Raises `BadMedia`.
    """
    if to not in containers.CARRIES:
        return made
    size = negative.size if negative is not None else None
    keeps_colours = negative is None or negative.keeps_colours
    turn = None if is_as_stored else 1
    fitting = Fitting(turn, size, keeps_colours=keeps_colours, keeps_parts=is_as_stored)
    data, _ = copy.carried(original, kind, made, to, fitting)
    return data
