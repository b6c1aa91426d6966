"""Were two pictures taken at the same moment? What clocks, cameras, bursts and brackets say.

Seconds apart is another shot, however alike it looks; so is another exposure or another frame of a
burst. Where the clocks are silent, as in a copy out of a chat, only the pixels can tell.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from pipeline.metadata.facts import TakenFrom
from pipeline.state.signatures import Shot

# Sources that go back to the camera's own clock.
_CAMERA_CLOCK = frozenset({
    TakenFrom.SIDECAR, TakenFrom.TAKEOUT, TakenFrom.EXIF_OFFSET, TakenFrom.EXIF_GPS,
    TakenFrom.EXIF, TakenFrom.QUICKTIME, TakenFrom.XMP, TakenFrom.GPS,
})  # fmt: skip
_SECOND = timedelta(seconds=1)
_ZONES = timedelta(hours=26)  # the farthest that two clocks on the same moment can be apart
_ZONE_STEP = timedelta(minutes=15)


class Moment(Enum):
    """The relation of two pictures in time."""

    SAME = auto()  # one shutter: same camera, same fraction of a second
    SECOND = auto()  # same camera and second, the fraction not known
    CLOSE = auto()  # same camera, less than a second apart
    OTHER = auto()  # certainly two shots
    UNKNOWN = auto()  # the clocks say nothing, or one of them is missing


def relation(one: Shot, other: Shot) -> Moment:
    """How the two stand in time, as far as is certain."""
    if _is_series(one, other) or _differ(one.camera, other.camera):
        return Moment.OTHER
    apart = _apart(one, other)
    if apart is None or _is_zone_shift(apart):
        return Moment.UNKNOWN
    if apart >= _SECOND:
        return Moment.OTHER
    if one.taken_from == TakenFrom.NAME:
        return Moment.UNKNOWN  # an equal name says little: chats and exports number by the day
    if not (_has_fraction(one) and _has_fraction(other)):
        return Moment.SECOND
    return Moment.CLOSE if apart else Moment.SAME


def is_dated(shot: Shot) -> bool:
    """Whether a camera's clock tells when it was taken: the mark of an original."""
    return shot.camera is not None and shot.taken_from in _CAMERA_CLOCK


def _is_series(one: Shot, other: Shot) -> bool:
    """Two frames of one burst, or two exposures of a bracket."""
    is_burst = one.burst_id is not None and one.burst_id == other.burst_id
    same_frame = is_burst and one.taken_at == other.taken_at and _has_fraction(one)
    return (is_burst and not same_frame) or _is_bracket(one.exposure_bias, other.exposure_bias)


def _is_bracket(one: float | None, other: float | None) -> bool:
    """Cameras bracket in thirds, halves or tenths of a stop; phones note their slider freely."""
    if one is None or other is None or one == other:
        return False
    return _is_step(one) and _is_step(other)


def _is_step(bias: float) -> bool:
    return any(abs(bias * parts - round(bias * parts)) < 0.02 for parts in (3, 2, 20))


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _apart(one: Shot, other: Shot) -> timedelta | None:
    """Between the local times; None unless both come from clocks that can be compared."""
    by_camera = is_dated(one) and is_dated(other)
    by_name = one.taken_from == other.taken_from == TakenFrom.NAME
    if not by_camera and not by_name:
        return None
    first, second = _local(one), _local(other)
    if first is None or second is None:
        return None
    if by_name and not (_has_time(first) and _has_time(second)):
        return None
    return abs(first - second)


def _is_zone_shift(apart: timedelta) -> bool:
    """A whole number of quarter hours: the same moment told in two time zones, perhaps."""
    steps = round(apart / _ZONE_STEP)
    return steps > 0 and apart <= _ZONES and abs(apart - steps * _ZONE_STEP) < _SECOND


def _local(shot: Shot) -> datetime | None:
    try:
        return datetime.fromisoformat(shot.taken_at or "").replace(tzinfo=None)
    except ValueError:
        return None


def _has_time(at: datetime) -> bool:
    return bool(at.hour or at.minute or at.second)


def _has_fraction(shot: Shot) -> bool:
    return "." in (shot.taken_at or "")
