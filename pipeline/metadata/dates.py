"""Dates as text and numbers, from every spelling that cameras and programs use.

Every function answers `(local, offset_min)` with `local` like "2023-10-06T08:30:00.123", or None
for what no clock can have shown. Nothing here asks what time it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

Moment = tuple[str, int | None]  # local wall time as ISO text, offset from UTC in minutes

FIRST_YEAR = 1826  # the oldest photograph there is
LAST_YEAR = 2100
_FIRST_DIGITAL_YEAR = 1990  # no container format is older

_TEXT = re.compile(
    r"""\s*(\d{4})[-:/. ]?(\d{2})[-:/. ]?(\d{2})
        (?:[T\s_]+(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?
        \s*(Z|[+-]\d{2}:?(?:\d{2})?)?""",
    re.VERBOSE,
)
_PARTIAL = re.compile(r"\s*(\d{4})(?:[-:](\d{2}))?\s*$")
_OFFSET = re.compile(r"\s*([+-])(\d{1,2}):?(\d{2})?")
_PDF = re.compile(r"D?:?(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(Z|[+-]\d{2}'?(?:\d{2})?)?")

_UNIX = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: arithmetic on UTC wall time
_QUICKTIME_TO_UNIX_S = 2_082_844_800  # 1904-01-01 to 1970-01-01
_FILETIME_TO_UNIX_S = 11_644_473_600  # 1601-01-01 to 1970-01-01
_MATROSKA_TO_UNIX_S = 978_307_200  # 2001-01-01


def parse(text: str) -> Moment | None:
    """An EXIF, XMP, ISO 8601 or IPTC date, with or without time, fraction and offset."""
    found = _TEXT.match(text)
    if found is None:
        partial = _PARTIAL.match(text)
        return moment(int(partial[1]), int(partial[2] or 1), 1) if partial else None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    return moment(
        int(year), int(month), int(day),
        int(hour or 0), int(minute or 0), int(second or 0),
        fraction=fraction or "", offset=offset(zone) if zone else None,
    )  # fmt: skip


def moment(  # noqa: PLR0913 - the parts of a date
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    *,
    fraction: str = "",
    offset: int | None = None,
) -> Moment | None:
    """The parts as a moment, or None if no calendar or no camera ever had them."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        whole = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - local
    except ValueError:
        return None
    return whole.isoformat() + _fraction(fraction), offset


def offset(text: str | None) -> int | None:
    """ "+02:00", "-0330" or "Z" in minutes; None for what no zone on Earth has."""
    if not text:
        return None
    if text.strip() == "Z":
        return 0
    found = _OFFSET.match(text)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return _possible_offset(-minutes if found[1] == "-" else minutes)


def from_pdf(text: str) -> Moment | None:
    """PDF's "D:20201125215328+01'00'" (ISO 32000-1, 7.9.4); everything after the year may lack."""
    found = _PDF.match(text)
    if found is None:
        return parse(text)
    year, month, day, hour, minute, second = (int(g) if g else None for g in found.groups()[:6])
    zone = (found[7] or "").replace("'", "")
    return moment(
        year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0, offset=offset(zone)
    )


def from_quicktime(seconds: int) -> Moment | None:
    """Seconds since 1904 as in `mvhd`, in UTC; some cameras count from 1970 instead."""
    if seconds in (0, _QUICKTIME_TO_UNIX_S):
        return None
    if seconds < _QUICKTIME_TO_UNIX_S:
        return from_unix(seconds)
    return from_unix(seconds - _QUICKTIME_TO_UNIX_S)


def from_filetime(ticks: int) -> Moment | None:
    """Windows' 100 ns since 1601, in UTC."""
    return from_unix(ticks / 1e7 - _FILETIME_TO_UNIX_S)


def from_matroska(nanoseconds: int) -> Moment | None:
    """Matroska's DateUTC: nanoseconds since 2001."""
    return from_unix(nanoseconds / 1e9 + _MATROSKA_TO_UNIX_S)


def from_unix(seconds: float) -> Moment | None:
    """Seconds since 1970 as a UTC moment; None for zero and for times before digital media."""
    if not 0 < seconds < 4_133_980_800:  # the end of LAST_YEAR
        return None
    at = _UNIX + timedelta(seconds=round(seconds, 3))
    if at.year < _FIRST_DIGITAL_YEAR:
        return None
    return at.isoformat(timespec="milliseconds").removesuffix(".000"), 0


def before_unix(seconds: float) -> Moment | None:
    """Negative seconds since 1970 as a UTC moment: dates that people gave to scanned pictures."""
    if seconds >= 0 or seconds < -4_544_208_000:  # the beginning of FIRST_YEAR
        return None
    return (_UNIX + timedelta(seconds=round(seconds))).isoformat(), 0


def instant(local: str, offset_min: int) -> datetime:
    """The aware UTC time of a local time and its offset."""
    return datetime.fromisoformat(local).replace(tzinfo=UTC) - timedelta(minutes=offset_min)


def _fraction(digits: str) -> str:
    """A fraction as `datetime.fromisoformat` reads it back: nothing, 3 or 6 digits."""
    kept = digits[:6].rstrip("0")
    return f".{kept:0<3}" if 0 < len(kept) <= 3 else (f".{kept:0<6}" if kept else "")


def _possible_offset(minutes: int) -> int | None:
    """Zones reach from -12:00 to +14:00 in quarters of an hour."""
    return minutes if -720 <= minutes <= 840 and minutes % 15 == 0 else None
