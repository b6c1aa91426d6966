"""When was it taken? One answer from all the evidence, and how sure it is.

Evidence comes in two kinds. A wall time (EXIF, most names) shows what a clock on the spot showed
and may lack its offset; an instant (containers, GPS, Takeout) is UTC and lacks the local day. The
most confident claim wins; the others and the position lend it what it lacks. Total, deterministic,
and independent of the order of the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from pipeline.metadata import dates
from pipeline.metadata.facts import DateEvidence, TakenFrom

_INSTANTS = frozenset({TakenFrom.CONTAINER, TakenFrom.GPS, TakenFrom.TAKEOUT, TakenFrom.MTIME})
_RANK = {source: rank for rank, source in enumerate(TakenFrom)}
_ZONE_UNKNOWN = 0.9  # what is left of the confidence when the offset is not known ...
_DAY_UNKNOWN = 0.6  # ... and when not even the local day is
_SAME_MOMENT_S = 2.0
_CLOCK_DRIFT_S = 150.0  # GPS stamps and container times lag behind the shutter by this at most


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer. `local` is naive ISO text; `offset_min` is None where nobody knows the zone."""

    local: str
    offset_min: int | None
    utc: datetime  # exact with an offset; else the local time read as UTC, good for sorting
    source: TakenFrom
    confidence: float

    @property
    def iso(self) -> str:
        """Local ISO 8601 time, with the offset where it is known."""
        if self.offset_min is None:
            return self.local
        sign = "-" if self.offset_min < 0 else "+"
        hours, minutes = divmod(abs(self.offset_min), 60)
        return f"{self.local}{sign}{hours:02d}:{minutes:02d}"


def decide(
    evidence: Sequence[DateEvidence], position: tuple[float, float] | None = None
) -> Taken | None:
    """The best answer the evidence allows, or None without any usable evidence.

    `position` is (latitude, longitude) where the file was taken; its zone tells local time and UTC
    from each other.
    """
    claims = sorted((e for e in evidence if _is_possible(e)), key=_strength)
    if not claims:
        return None
    best = claims[0]
    if _is_instant(best):
        return _from_instant(best, claims, position)
    return _from_wall(best, claims, position)


def zone_offset(local: str, position: tuple[float, float]) -> int | None:
    """The offset in minutes that the zone at `position` had at this local time."""
    zone = _zone_name(round(position[0], 2), round(position[1], 2))
    return _wall_offset(zone, datetime.fromisoformat(local)) if zone else None


def _from_wall(
    best: DateEvidence, claims: Sequence[DateEvidence], position: tuple[float, float] | None
) -> Taken:
    """A wall time keeps its digits; its offset is its own, a twin's, the zone's or a difference."""
    source, offset = best.source, best.offset_min
    if offset is None:
        offset = _borrowed_offset(best, claims)
    if offset is None and position is not None:
        offset = zone_offset(best.local, position)
        source = TakenFrom.EXIF_GPS if source is TakenFrom.EXIF and offset is not None else source
    if offset is None:
        offset = _offset_by_instant(best, claims)
    share = 1.0 if offset is not None else _ZONE_UNKNOWN
    return _taken(best.local, offset, source, best.confidence * share)


def _from_instant(
    best: DateEvidence, claims: Sequence[DateEvidence], position: tuple[float, float] | None
) -> Taken:
    """An instant takes its wall time from a claim that agrees with it, else from the zone."""
    for wall in claims:
        if _is_instant(wall):
            continue
        offset = wall.offset_min if wall.offset_min is not None else _difference(wall, best)
        if offset is not None and _agree(wall, offset, best):
            if position is not None and wall.offset_min is None:
                offset = _camera_in_utc(wall, best, offset, position)
            source = wall.source if _RANK[wall.source] <= _RANK[TakenFrom.XMP] else best.source
            return _taken(wall.local, offset, source, best.confidence)
    utc = dates.instant(best.local, best.offset_min or 0)
    if position is not None:
        local, offset = _local_at(utc, position)
        return _taken(local, offset, best.source, best.confidence)
    wall_by_name = _same_day_name(best, claims)
    if wall_by_name is not None:
        return _taken(wall_by_name.local, None, best.source, best.confidence * _ZONE_UNKNOWN)
    return _taken(best.local, best.offset_min or 0, best.source, best.confidence * _DAY_UNKNOWN)


def _camera_in_utc(
    wall: DateEvidence, instant: DateEvidence, offset: int, position: tuple[float, float]
) -> int:
    """Some Android cameras write local time into a container that should hold UTC.

    Then name and container show the same digits although the place is not in UTC: its zone is
    right.
    """
    zone = zone_offset(wall.local, position)
    return zone if offset == 0 and instant.source is TakenFrom.CONTAINER and zone else offset


def _borrowed_offset(best: DateEvidence, claims: Sequence[DateEvidence]) -> int | None:
    """The offset of another claim that shows the same wall time, such as EXIF beside a sidecar."""
    at = datetime.fromisoformat(best.local)
    for other in claims:
        if other.offset_min is None or _is_instant(other) or _is_habitual_z(other):
            continue
        if abs((datetime.fromisoformat(other.local) - at).total_seconds()) <= _SAME_MOMENT_S:
            return other.offset_min
    return None


def _is_habitual_z(claim: DateEvidence) -> bool:
    """Programs that copy EXIF into XMP often put a Z behind local time."""
    return claim.offset_min == 0 and claim.source in (TakenFrom.XMP, TakenFrom.SIDECAR)


def _offset_by_instant(best: DateEvidence, claims: Sequence[DateEvidence]) -> int | None:
    """Wall time minus UTC, where an instant of the same shot lies a whole zone away."""
    instants = (c for c in claims if _is_instant(c) and c.source is not TakenFrom.MTIME)
    return next((o for c in instants if (o := _difference(best, c)) is not None), None)


def _difference(wall: DateEvidence, instant: DateEvidence) -> int | None:
    """`wall` minus `instant` in minutes if some zone has that offset, forgiving a little drift."""
    utc = dates.instant(instant.local, instant.offset_min or 0)
    seconds = (dates.instant(wall.local, 0) - utc).total_seconds()
    minutes = round(seconds / 1800) * 30
    is_zone = -720 <= minutes <= 840 and abs(seconds - minutes * 60) <= _CLOCK_DRIFT_S
    return minutes if is_zone else None


def _agree(wall: DateEvidence, offset: int, instant: DateEvidence) -> bool:
    utc = dates.instant(instant.local, instant.offset_min or 0)
    return abs((dates.instant(wall.local, offset) - utc).total_seconds()) <= _CLOCK_DRIFT_S


def _same_day_name(best: DateEvidence, claims: Sequence[DateEvidence]) -> DateEvidence | None:
    """A wall time within any zone's reach of an instant knows the day better than UTC does."""
    utc = dates.instant(best.local, best.offset_min or 0)
    for wall in claims:
        if _is_instant(wall) or wall.local.endswith("T00:00:00"):
            continue
        away = (dates.instant(wall.local, 0) - utc).total_seconds()
        if -12 * 3600 <= away <= 14 * 3600:
            return wall
    return None


def _local_at(utc: datetime, position: tuple[float, float]) -> tuple[str, int | None]:
    zone = _zone_name(round(position[0], 2), round(position[1], 2))
    if zone is None:
        return _naive_text(utc), 0
    offset = _utc_offset(zone, utc)
    return _naive_text(utc + timedelta(minutes=offset)), offset


def _naive_text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds").removesuffix(".000")


def _taken(local: str, offset: int | None, source: TakenFrom, confidence: float) -> Taken:
    return Taken(local, offset, dates.instant(local, offset or 0), source, round(confidence, 3))


def _is_instant(claim: DateEvidence) -> bool:
    """Is it UTC rather than what a clock on the wall showed?"""
    if claim.source is TakenFrom.NAME:
        return claim.offset_min == 0
    return claim.source in _INSTANTS


def _is_possible(claim: DateEvidence) -> bool:
    moment = dates.parse(claim.local)
    is_zone = claim.offset_min is None or -720 <= claim.offset_min <= 840
    return moment is not None and moment[0][:19] == claim.local[:19] and is_zone


def _strength(claim: DateEvidence) -> tuple[float, int, str, int]:
    """Sorts the strongest first; the rest of the key only makes the order total."""
    offset = claim.offset_min if claim.offset_min is not None else 10_000
    return (-claim.confidence, _RANK[claim.source], claim.local, offset)


@lru_cache(maxsize=4096)
def _zone_name(lat: float, lon: float) -> str | None:
    """The IANA zone at a place. The table (4 MB on disk) loads at the first call only."""
    import tzfpy

    return tzfpy.get_tz(lon, lat) or None


def _wall_offset(zone: str, local: datetime) -> int | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        delta = local.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    except ZoneInfoNotFoundError:
        return None  # a zone newer than this machine's table
    return round(delta.total_seconds() / 60) if delta is not None else None


def _utc_offset(zone: str, utc: datetime) -> int:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        delta = utc.astimezone(ZoneInfo(zone)).utcoffset()
    except ZoneInfoNotFoundError:
        return 0
    return round(delta.total_seconds() / 60) if delta is not None else 0
