"""Sidecars: XMP beside a file, Google Takeout's JSON, Apple's AAE.

What they say is about another file; `merge` joins it. `extra["sidecar_for"]` is the name they give
that file, where they do.
"""

from __future__ import annotations

import json
import plistlib
from xml.parsers.expat import ExpatError

from pipeline.metadata import dates, xmp
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings
from pipeline.model import Json

_LONGEST = 8 << 20
_TAKEOUT_DATE = 0.92


def read_xmp(data: Data, found: Findings) -> None:
    """Add what an XMP sidecar says."""
    if len(data) > _LONGEST:
        found.note("This XMP file is larger than any program writes.")
        return
    xmp.read(data[:], found, TakenFrom.SIDECAR)


def read_aae(data: Data, found: Findings) -> None:
    """Apple's edit list says that there was an edit, and when; plistlib refuses entities."""
    if len(data) > _LONGEST:
        return
    try:
        told = plistlib.loads(data[:])
    except (plistlib.InvalidFileException, ExpatError, ValueError, KeyError, OverflowError):
        found.note("This edit list cannot be read; the picture itself is not touched by that.")
        return
    if isinstance(told, dict):
        found.extra["edited_by"] = str(told.get("adjustmentFormatIdentifier", ""))[:200]


def read_takeout(data: Data, found: Findings) -> None:
    """Add what Google Photos knew about one picture."""
    try:
        told = json.loads(data[:_LONGEST])
    except (ValueError, RecursionError):
        found.note("This Google JSON cannot be read.")
        return
    if not isinstance(told, dict):
        return
    found.text("description", _text(told.get("description")))
    title = _text(told.get("title"))
    if title:
        found.extra["sidecar_for"] = title[:1000]
    stamp = _number(_field(told.get("photoTakenTime"), "timestamp"))
    if stamp is not None:
        found.date(TakenFrom.TAKEOUT, _utc(stamp), _TAKEOUT_DATE, str(stamp))
    for name in ("geoData", "geoDataExif"):
        _place(told.get(name), found)
    people = told.get("people")
    found.person(*(_text(_field(p, "name")) for p in people) if isinstance(people, list) else ())
    if told.get("favorited") is True:
        found.extra["favorite"] = True


def _utc(seconds: float) -> dates.Moment | None:
    """Google knows pictures from before 1970, as negative seconds; 0 is its "unknown"."""
    if seconds == 0:
        return None
    return dates.from_unix(seconds) if seconds > 0 else dates.before_unix(seconds)


def _place(geo: Json, found: Findings) -> None:
    """0, 0 is Google's way to say nothing, so it deserves no note."""
    lat, lon, alt = (_number(_field(geo, n)) for n in ("latitude", "longitude", "altitude"))
    if lat is not None and lon is not None and (lat, lon) != (0.0, 0.0):
        found.place(TakenFrom.TAKEOUT, lat, lon, alt or None)


def _field(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
