"""May two pictures be the same shot? The clocks (`moment`) and the details (`second_look`) decide.

The thresholds were measured on copies (resized, recompressed, brightened, grey, marked), crops,
and simulated bursts of 128 photos: see tests/library/test_duplicates_synthetic.py. In doubt the
answer is no: a burst called a duplicate costs more trust than a copy overlooked.
"""

from __future__ import annotations

from pipeline.codecs import phash
from pipeline.library import second_look
from pipeline.library.moment import Moment, is_dated, relation
from pipeline.library.second_look import Look
from pipeline.state.signatures import Shot

# Motions of the frame in percent of its side: copies stay below, shots from the hand above.
_FRAME = 0.5
_CROP = 4.5
_ICON = 32  # pixels; on smaller pictures too little is drawn to tell two of them apart
_BENT = 0.06  # tone curve of an HDR picture beside the plain one; a burst is developed alike


def could_be(one: Shot, other: Shot) -> bool:
    """Whether a second look is worth it: cheap, needs no detail."""
    is_bundle = one.bundle_id is not None and one.bundle_id == other.bundle_id
    return not is_bundle and relation(one, other) is not Moment.OTHER


def is_same_shot(one: Shot, other: Shot, orientation: int = 1) -> bool:
    """Whether to ask a person about the two. `orientation` turns `one` before the second look."""
    if not could_be(one, other):
        return False
    first = second_look.turned(phash.unpack(one.detail), orientation)
    second = phash.unpack(other.detail)
    smallest = min(first.width, first.height, second.width, second.height)
    if smallest < _ICON:
        return False
    moment = relation(one, other)
    if first.flat or second.flat:
        is_certain = moment in (Moment.SAME, Moment.SECOND) and orientation == 1
        return is_certain and second_look.is_twin(first, second)
    if one.detail == other.detail and orientation == 1:
        return moment is not Moment.CLOSE  # every other rule below says yes
    look = second_look.compare(first, second)
    if look is None:
        return False
    frame = max(_FRAME, 100 / smallest)  # less than a pixel cannot be told
    if orientation != 1:
        return _is_framed_alike(look, frame)
    return _is_alike(look, moment, frame, is_one_original=is_dated(one) != is_dated(other))


def _is_alike(look: Look, moment: Moment, frame: float, *, is_one_original: bool) -> bool:
    """The thresholds, by what the clocks say; measured on copies, crops and simulated bursts."""
    if moment is Moment.SAME:
        return look.moved <= _CROP and look.misfit <= 0.35
    if moment is Moment.CLOSE:
        return _is_developed_otherwise(look)
    if _is_framed_alike(look, frame):
        return True
    if moment is Moment.SECOND:
        return _is_developed_otherwise(look) or _is_cropped(look)
    return is_one_original and _is_cropped(look)


def _is_framed_alike(look: Look, frame: float) -> bool:
    return look.moved <= frame and look.changed <= 0.08 and look.misfit <= 0.25


def _is_cropped(look: Look) -> bool:
    return look.is_nested() and look.moved <= _CROP and look.changed <= 0.15 and look.misfit <= 0.2


def _is_developed_otherwise(look: Look) -> bool:
    """The HDR picture beside the plain one that phones keep: taken at once, toned differently."""
    return abs(look.curve) >= _BENT and look.moved <= 2.5 and look.misfit <= 0.2
