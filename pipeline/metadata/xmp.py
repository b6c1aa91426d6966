"""XMP: what photo programs and phones write beside EXIF, inside a file or in a sidecar.

`read` adds what a packet says about the shot; `Hints` is what it says about the file around it
(an embedded video, a gain map), which only the reader of that file can follow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import BadMedia
from pipeline.metadata import dates, rdf
from pipeline.metadata.facts import Region, TakenFrom
from pipeline.metadata.findings import Findings
from pipeline.metadata.rdf import Value

_DATES = (
    ("exif:DateTimeOriginal", 0.0),
    ("photoshop:DateCreated", 0.01),
    ("exif:DateTimeDigitized", 0.05),
    ("xmp:CreateDate", 0.08),
)
_INSIDE, _BESIDE = 0.76, 0.95  # confidence of an embedded packet and of a sidecar
_PERCENT_STARS = {1: 1, 25: 2, 50: 3, 75: 4, 99: 5}  # Windows writes percents


@dataclass(frozen=True, slots=True)
class Hints:
    """What a packet says about the bytes around it."""

    video_length: int | None = None  # bytes of an embedded video ...
    video_padding: int = 0  # ... followed by this many bytes of something else
    is_motion: bool = False
    has_gain_map: bool = False
    extension_id: str | None = None  # digest under which the rest of a long packet is stored


NO_HINTS = Hints()


def read(packet: bytes, found: Findings, source: TakenFrom = TakenFrom.XMP) -> Hints:
    """Add what a packet says; a packet that cannot be read becomes a note."""
    try:
        values = rdf.properties(packet)
    except BadMedia as error:
        found.note(error.message)
        return NO_HINTS
    _dates(values, found, source)
    _position(values, found, source)
    _words(values, found)
    _camera(values, found, source)
    for region in (*_mwg_regions(values), *_microsoft_regions(values)):
        found.region(region)
        if region.name and region.kind == "Face":
            found.person(region.name)
    return _hints(values)


def position(packet: bytes) -> tuple[float, float] | None:
    """Latitude and longitude that a packet tells. Raises `BadMedia` for one that cannot be read."""
    values = rdf.properties(packet)
    lat = _coordinate(values.get("exif:GPSLatitude"), values.get("exif:GPSLatitudeRef"))
    lon = _coordinate(values.get("exif:GPSLongitude"), values.get("exif:GPSLongitudeRef"))
    if lat is None or lon is None or not (abs(lat) <= 90 and abs(lon) <= 180):
        return None
    return lat, lon


def _dates(values: dict[str, Value], found: Findings, source: TakenFrom) -> None:
    surest = _BESIDE if source is TakenFrom.SIDECAR else _INSIDE
    for name, doubt in _DATES:
        raw = _text(values.get(name))
        if raw:
            found.date(source, dates.parse(raw), surest - doubt, raw)
    stamp = _text(values.get("exif:GPSTimeStamp") or values.get("exif:GPSDateTime"))
    if stamp and ":" in stamp and len(stamp) > 10:
        moment = dates.parse(stamp)
        found.date(TakenFrom.GPS, (moment[0], moment[1] or 0) if moment else None, 0.6, stamp)


def _position(values: dict[str, Value], found: Findings, source: TakenFrom) -> None:
    lat = _coordinate(values.get("exif:GPSLatitude"), values.get("exif:GPSLatitudeRef"))
    lon = _coordinate(values.get("exif:GPSLongitude"), values.get("exif:GPSLongitudeRef"))
    if lat is not None and lon is not None:
        found.place(source, lat, lon, _altitude(values))


def _altitude(values: dict[str, Value]) -> float | None:
    alt = _number(values.get("exif:GPSAltitude"))
    return -alt if alt is not None and _text(values.get("exif:GPSAltitudeRef")) == "1" else alt


def _coordinate(value: Value, reference: Value) -> float | None:
    """ "48,51.5N", "48,51,30N" or a decimal with its reference beside it."""
    text = _text(value)
    if not text:
        return None
    side = text[-1:].upper() if text[-1:].isalpha() else _text(reference)[:1].upper()
    parts = [_number(p) for p in text.rstrip("NSEWnsew").split(",")]
    if len(parts) > 3 or any(p is None for p in parts):
        return math.nan
    whole = float(sum((p or 0.0) / 60.0**n for n, p in enumerate(parts)))
    return -abs(whole) if side in ("S", "W") else whole


def _words(values: dict[str, Value], found: Findings) -> None:
    found.text("title", _text(values.get("dc:title")))
    found.text("description", _text(values.get("dc:description")))
    found.keyword(*_texts(values.get("dc:subject")))
    for name, divider in (("lr:hierarchicalSubject", "|"), ("digiKam:TagsList", "/")):
        found.keyword(*(t.rpartition(divider)[2] for t in _texts(values.get(name))))
    found.person(*_texts(values.get("Iptc4xmpExt:PersonInImage")))
    found.set("rating", _rating(values))
    if _text(values.get("fstop:favorite")) == "1":
        found.extra["favorite"] = True
    if projection := _text(values.get("GPano:ProjectionType")):
        found.extra["projection"] = projection


def _rating(values: dict[str, Value]) -> int | None:
    stars = _number(values.get("xmp:Rating"))
    if stars is not None and -1 <= stars <= 5:
        return round(stars) or None
    percent = _number(values.get("MicrosoftPhoto:Rating"))
    return _PERCENT_STARS.get(round(percent)) if percent is not None else None


def _camera(values: dict[str, Value], found: Findings, source: TakenFrom) -> None:
    found.text("make", _text(values.get("tiff:Make")))
    found.text("model", _text(values.get("tiff:Model")))
    found.text("lens", _text(values.get("exifEX:LensModel") or values.get("aux:Lens")))
    if source is TakenFrom.SIDECAR:
        orientation = _number(values.get("tiff:Orientation"))
        found.orientation(round(orientation) if orientation else None)
        if raw_name := _text(values.get("crs:RawFileName")):
            found.extra["sidecar_for"] = raw_name
        if extension := _text(values.get("photoshop:SidecarForExtension")):
            found.extra["sidecar_extension"] = extension


def _mwg_regions(values: dict[str, Value]) -> Iterator[Region]:
    """Metadata Working Group 2.0, section 5.9: centre based, relative to the stored picture."""
    regions = _field(values.get("mwg-rs:Regions"), "mwg-rs:RegionList")
    for item in regions if isinstance(regions, list) else ():
        area = _field(item, "mwg-rs:Area")
        x, y, w, h = (_number(_field(area, f"stArea:{key}")) for key in "xywh")
        if x is None or y is None or not 0 <= x <= 1 or not 0 <= y <= 1:
            continue
        kind = _text(_field(item, "mwg-rs:Type")) or "Face"
        name = _text(_field(item, "mwg-rs:Name"))
        yield Region(name, kind, x, y, _unit(w), _unit(h))


def _microsoft_regions(values: dict[str, Value]) -> Iterator[Region]:
    """Windows: "left, top, width, height", turned here into centre based."""
    regions = _field(values.get("MP:RegionInfo"), "MPRI:Regions")
    for item in regions if isinstance(regions, list) else ():
        parts = [_number(p) for p in _text(_field(item, "MPReg:Rectangle")).split(",")]
        numbers = [p for p in parts if p is not None and 0 <= p <= 1]
        if len(parts) != 4 or len(numbers) != 4:
            continue
        x, y, w, h = numbers
        name = _text(_field(item, "MPReg:PersonDisplayName"))
        yield Region(name, "Face", round(x + w / 2, 6), round(y + h / 2, 6), w, h)


def _hints(values: dict[str, Value]) -> Hints:
    length, padding, has_gain_map = _container(values)
    micro = _number(values.get("GCamera:MicroVideoOffset"))
    flags = (values.get("GCamera:MotionPhoto"), values.get("GCamera:MicroVideo"))
    has_map_by_name = "hdrgm:Version" in values or "HDRGainMap:HDRGainMapVersion" in values
    has_map_by_type = "hdrgainmap" in _text(values.get("apdi:AuxiliaryImageType"))
    return Hints(
        video_length=length or (round(micro) if micro else None),
        video_padding=padding,
        is_motion=any(_text(flag) == "1" for flag in flags),
        has_gain_map=has_gain_map or has_map_by_name or has_map_by_type,
        extension_id=_text(values.get("xmpNote:HasExtendedXMP")) or None,
    )


def _container(values: dict[str, Value]) -> tuple[int | None, int, bool]:
    """Google's directory: the items lie behind the picture in this order, so count from the end."""
    directory = values.get("Container:Directory")
    length, behind, has_gain_map = None, 0, False
    for entry in directory if isinstance(directory, list) else ():
        item = _field(entry, "Container:Item") or entry
        size = _number(_field(item, "Item:Length")) or 0
        semantic = _text(_field(item, "Item:Semantic"))
        has_gain_map = has_gain_map or semantic == "GainMap"
        if semantic == "MotionPhoto" and size > 0:
            length, behind = round(size), 0
        elif length is not None:
            behind += round(size)
    return length, behind, has_gain_map


def _field(value: Value, name: str) -> Value:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Value) -> str:
    """The text of a value; the first of an array, nothing of a structure."""
    while isinstance(value, list):
        value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Value) -> list[str]:
    if isinstance(value, list):
        return [t for t in map(_text, value) if t]
    return [value] if isinstance(value, str) and value else []


def _number(value: Value) -> float | None:
    """A decimal or a rational like "3500/100"."""
    text = _text(value)
    if not re.fullmatch(
        r"[+-]?\d{1,18}(?:\.\d{0,18})?(?:e[+-]?\d{1,2})?(?:/\d{1,18})?", text, re.I
    ):
        return None
    whole, _, part = text.partition("/")
    divisor = float(part) if part else 1.0
    return float(whole) / divisor if divisor else None


def _unit(value: float | None) -> float:
    return min(max(value or 0.0, 0.0), 1.0)
