"""EXIF: what a TIFF structure says about the shot. CIPA DC-008 (Exif 3.0).

Reads the main directory, the Exif and GPS directories and Apple's maker note (which names the Live
Photo and the burst). `read` never raises for values, only for a block that is none.
"""

from __future__ import annotations

import math

from pipeline.errors import BadMedia
from pipeline.metadata import dates, iptc, xmp
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Data, Findings
from pipeline.metadata.tiff import Ifd, Tiff

EXIF, GPS = 0x8769, 0x8825
# (date, fraction, offset, confidence): original, digitized, last changed
_DATES = (
    (0x9003, 0x9291, 0x9011, 0.85),
    (0x9004, 0x9292, 0x9012, 0.8),
    (0x0132, 0x9290, 0x9010, 0.4),
)
_WITH_OFFSET = 0.05  # a date that knows its zone is that much surer
_CLOCK_NEVER_SET = 0.25  # midnight of a New Year's Day: what cameras show after a dead battery


def read(data: Data, found: Findings, base: int = 0, end: int | None = None) -> None:
    """Add what the EXIF block at `base` says. Raises `BadMedia` if there is none."""
    tiff = Tiff(data, base, end)
    main, _ = tiff.ifd(tiff.first)
    read_main(tiff, main, found)


def read_main(tiff: Tiff, main: Ifd, found: Findings) -> None:
    """Add what the main directory and those it points to say."""
    exif, _ = tiff.ifd(tiff.integer(main.get(EXIF)) or 0)
    gps, _ = tiff.ifd(tiff.integer(main.get(GPS)) or 0)
    _camera(tiff, {**exif, **main}, found)
    _words(tiff, {**exif, **main}, found)
    found.orientation(tiff.integer(main.get(0x0112)))
    _dates(tiff, {**main, **exif}, found)
    if gps:
        position(tiff, gps, found)
    if 0x927C in exif:
        _apple(tiff, exif, found)
    if 0x02BC in main:
        xmp.read(tiff.raw(main[0x02BC]), found)
    if 0x83BB in main:
        iptc.read(tiff.raw(main[0x83BB]), found)


def position(tiff: Tiff, gps: Ifd, found: Findings) -> None:
    """Add the position and the satellites' time of a GPS directory."""
    lat, lon = _degrees(tiff, gps, 2, 1), _degrees(tiff, gps, 4, 3)
    if lat is not None and lon is not None:
        found.place(TakenFrom.EXIF, lat, lon, _altitude(tiff, gps))
    day, clock = tiff.text(gps.get(29)), tiff.numbers(gps.get(7), 3)
    if day and len(clock) == 3 and all(map(math.isfinite, clock)):
        hour, minute, second = clock
        raw = f"{day} {int(hour):02d}:{int(minute):02d}:{second:06.3f}Z"
        found.date(TakenFrom.GPS, dates.parse(raw), 0.65, raw)


def coordinates(tiff: Tiff, gps: Ifd) -> tuple[float, float] | None:
    """Latitude and longitude of a GPS directory; None where there are none, or impossible ones."""
    lat, lon = _degrees(tiff, gps, 2, 1), _degrees(tiff, gps, 4, 3)
    if lat is None or lon is None or not (abs(lat) <= 90 and abs(lon) <= 180):
        return None
    return lat, lon


def _camera(tiff: Tiff, tags: Ifd, found: Findings) -> None:
    found.text("make", tiff.text(tags.get(0x010F)))
    found.text("model", tiff.text(tags.get(0x0110)))
    lens = tiff.text(tags.get(0xA434))
    if lens and lens.strip("- ."):
        found.text("lens", lens)
    bias = tiff.numbers(tags.get(0x9204), 1)
    if bias and math.isfinite(bias[0]) and abs(bias[0]) < 20:
        found.set("exposure_bias", round(bias[0], 3))


def _words(tiff: Tiff, tags: Ifd, found: Findings) -> None:
    rating = tiff.integer(tags.get(0x4746))
    if rating is not None and 0 < rating <= 5:
        found.set("rating", rating)
    found.text("description", tiff.text(tags.get(0x010E)))
    found.text("title", _utf16(tiff.raw(tags.get(0x9C9B))))
    words = _utf16(tiff.raw(tags.get(0x9C9E)))
    if words:
        found.keyword(*words.split(";"))


def _dates(tiff: Tiff, tags: Ifd, found: Findings) -> None:
    for tag, fraction, zone, confidence in _DATES:
        raw = tiff.text(tags.get(tag))
        if not raw:
            continue
        digits = (tiff.text(tags.get(fraction)) or "").strip()
        moment = dates.parse(f"{raw}.{digits}" if digits.isdecimal() and len(raw) == 19 else raw)
        offset = dates.offset(tiff.text(tags.get(zone)))
        if moment is not None and offset is not None:
            moment = (moment[0], offset)
        has_zone = moment is not None and moment[1] is not None
        sure = confidence + (_WITH_OFFSET if has_zone else 0)
        if moment is not None and moment[0][4:] == "-01-01T00:00:00":
            sure = min(confidence, _CLOCK_NEVER_SET)
        found.date(TakenFrom.EXIF_OFFSET if has_zone else TakenFrom.EXIF, moment, sure, raw)


def _degrees(tiff: Tiff, gps: Ifd, value: int, reference: int) -> float | None:
    """Degrees, minutes and seconds as degrees; nan where one of them is 0/0, None if absent."""
    parts = tiff.numbers(gps.get(value), 3)
    if not parts:
        return None
    if not all(map(math.isfinite, parts[:1])):
        return math.nan
    whole = float(sum(p / 60.0**n for n, p in enumerate(parts) if math.isfinite(p)))
    is_negative = (tiff.text(gps.get(reference)) or "")[:1].upper() in ("S", "W")
    return -abs(whole) if is_negative else whole


def _altitude(tiff: Tiff, gps: Ifd) -> float | None:
    value = tiff.numbers(gps.get(6), 1)
    if not value or not math.isfinite(value[0]):
        return None
    height = float(value[0])
    return -height if tiff.integer(gps.get(5)) == 1 else height


def _apple(tiff: Tiff, exif: Ifd, found: Findings) -> None:
    """Apple's maker note: a directory of its own whose offsets count from the note."""
    start, length = tiff.span(exif[0x927C])
    if tiff.data[start : start + 10] != b"Apple iOS\0":
        return
    # The note has no TIFF header; its byte order stands at 12 and its directory begins at 14.
    note = b"MM\0*\0\0\0\x0e" if tiff.data[start + 12 : start + 14] == b"MM" else b"II*\0\x0e\0\0\0"
    try:
        apple = Tiff(note + b"\0" * 6 + tiff.data[start + 14 : start + length])
    except BadMedia:
        return
    tags, _ = apple.ifd(apple.first)
    found.text("content_id", apple.text(tags.get(0x0011)))
    found.text("burst_id", apple.text(tags.get(0x000B)))


def _utf16(value: bytes) -> str | None:
    """Windows' XP tags."""
    return value.decode("utf-16-le", "ignore").partition("\0")[0].strip() or None
