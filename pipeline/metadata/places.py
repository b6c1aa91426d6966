"""Where was it taken? One position from all the evidence, and what a position may look like.

Impossible positions (latitude 213, 0/0, the 0,0 in the Gulf of Guinea that receivers without a fix
write) never become evidence: `position` refuses them and says why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pipeline.metadata.facts import PlaceEvidence, TakenFrom

_RANK = {
    TakenFrom.PERSON: 0,
    TakenFrom.SIDECAR: 1,
    TakenFrom.EXIF: 2,
    TakenFrom.QUICKTIME: 2,
    TakenFrom.XMP: 3,
    TakenFrom.TAKEOUT: 4,  # Google guesses a place where the camera knew none
}
# ISO 6709 as in QuickTime's "+48.8125+002.4862+035.1/"; degrees, or degrees with minutes.
_ISO6709 = re.compile(r"([+-]\d{1,6}(?:\.\d*)?)([+-]\d{1,7}(?:\.\d*)?)([+-]\d+(?:\.\d*)?)?")


def decide(evidence: Sequence[PlaceEvidence]) -> PlaceEvidence | None:
    """The most trusted position, independent of the order of the evidence."""
    possible = [p for p in evidence if why_impossible(p.lat, p.lon) is None]
    return min(possible, key=_strength, default=None)


def why_impossible(lat: float, lon: float) -> str | None:
    """Why nobody took a photo there, for a person; None if somebody may have."""
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return "The position is not a number."
    if abs(lat) > 90 or abs(lon) > 180:
        return f"The position {lat:.6g}, {lon:.6g} is not on Earth."
    if abs(lat) < 1e-5 and abs(lon) < 1e-5:
        return "The position 0, 0 is what receivers write when they know none."
    return None


def zone_of(lat: float, lon: float) -> str | None:
    """The time zone of a position on land or near its coast; None on the high sea."""
    import tzfpy

    zone: str = tzfpy.get_tz(lon, lat)
    return None if not zone or zone.startswith("Etc/") else zone


def from_iso6709(text: str) -> tuple[float, float, float | None] | None:
    """Latitude, longitude and altitude from ISO 6709 text, unchecked; None if it is none."""
    found = _ISO6709.search(text)
    if found is None:
        return None
    alt = float(found[3]) if found[3] else None
    return _degrees(found[1], 2), _degrees(found[2], 3), alt


def _degrees(text: str, width: int) -> float:
    """ "+4848.75" is 48 degrees 48.75 minutes; "+484845" also has seconds."""
    sign, digits = (-1 if text[0] == "-" else 1), text[1:]
    whole, _, fraction = digits.partition(".")
    rest = whole[width:]
    if not rest:
        return sign * float(digits)
    minutes, seconds = (rest[:2], rest[2:]) if len(rest) > 2 else (rest, "")
    tail = f".{fraction or 0}"
    minutes_value = float(minutes) if seconds else float(minutes + tail)
    return sign * (
        int(whole[:width]) + minutes_value / 60 + (float(seconds + tail) / 3600 if seconds else 0)
    )


def _strength(place: PlaceEvidence) -> tuple[int, float, float, float, str]:
    alt = place.alt if place.alt is not None else math.inf
    return (_RANK.get(place.source, 9), place.lat, place.lon, alt, place.source)
