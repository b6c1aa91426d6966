"""What a file's name says about when: phones, cameras, messengers and screenshots all write it.

A name with a time of day is good evidence, a bare date weak. Names that count UTC (Pixel, epoch
milliseconds) say so by offset 0. Pure, total, and never older than digital photography.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from pipeline.metadata import dates
from pipeline.metadata.facts import DateEvidence, TakenFrom

_WITH_TIME = 0.55
_WITH_TIME_ELSEWHERE = 0.45  # no known prefix: digits that happen to look like a time
_EPOCH = 0.45
_DATE_ONLY = 0.35

_DATE = (
    r"(?P<year>19[89]\d|20\d\d)(?P<s>[-_. ]?)(?P<month>0[1-9]|1[0-2])(?P=s)(?P<day>[0-2]\d|3[01])"
)
_TIME = r"(?P<hour>[01]\d|2[0-3])(?P<t>[-_.:h꞉ ]?)(?P<minute>[0-5]\d)(?P=t)m?(?P<second>[0-5]\d)"
_BETWEEN = r"(?:[-_. T]{1,3}| at | um | à |, | - )"


class _Pattern(NamedTuple):
    regex: re.Pattern[str]
    read: Callable[[re.Match[str]], dates.Moment | None]
    confidence: float


def evidence(name: str) -> DateEvidence | None:
    """The date in `name`, if it holds one that a camera, phone or program would write."""
    for pattern in _PATTERNS:
        found = pattern.regex.search(name)
        moment = pattern.read(found) if found else None
        if moment is not None:
            return DateEvidence(TakenFrom.NAME, moment[0], moment[1], pattern.confidence)
    return None


def _utc(found: re.Match[str]) -> dates.Moment | None:
    local = _local(found)
    return (local[0], 0) if local else None


def _local(found: re.Match[str]) -> dates.Moment | None:
    part = found.groupdict()
    return dates.moment(
        int(part["year"]),
        int(part["month"]),
        int(part["day"]),
        int(part.get("hour") or 0),
        int(part.get("minute") or 0),
        int(part.get("second") or 0),
        fraction=part.get("fraction") or "",
    )


def _twelve_hours(found: re.Match[str]) -> dates.Moment | None:
    """ "10.45.52 PM", as macOS writes in American."""
    hour = int(found["hour"]) % 12 + (12 if found["half"].lower() == "p" else 0)
    return dates.moment(
        int(found["year"]),
        int(found["month"]),
        int(found["day"]),
        hour,
        int(found["minute"]),
        int(found["second"]),
    )


def _epoch(found: re.Match[str]) -> dates.Moment | None:
    return dates.from_unix(int(found["ms"]) / 1000)


def _pattern(
    regex: str, read: Callable[[re.Match[str]], dates.Moment | None], confidence: float
) -> _Pattern:
    return _Pattern(re.compile(regex, re.IGNORECASE | re.ASCII), read, confidence)


_PATTERNS: tuple[_Pattern, ...] = (
    # Pixel: PXL_20231006_063000139.MP.jpg, in UTC to the millisecond.
    _pattern(rf"(?<![a-z])PXL_{_DATE}_{_TIME}(?P<fraction>\d{{3}})", _utc, _WITH_TIME),
    # Screenshot 2019-05-21 at 10.45.52 PM
    _pattern(
        rf"{_DATE}{_BETWEEN}(?P<hour>0?\d|1[0-2])[.:-](?P<minute>[0-5]\d)[.:-](?P<second>[0-5]\d)"
        r"[\s_]*(?P<half>[ap])\.?m\b",
        _twelve_hours,
        _WITH_TIME,
    ),
    # WhatsApp's and Signal's names carry the day of sending; WhatsApp's "WA0001" has no time.
    _pattern(rf"(?:IMG|VID|AUD|PTT|DOC|STK|GIF)[-_]{_DATE}[-_]WA\d{{3,}}", _local, _DATE_ONLY),
    _pattern(
        r"(?:IMG|VID|MVIMG|PANO|BURST|DJI|Screenshot|Screen[ _-]?recording|Screencast"
        r"|Bildschirmfoto|Capture d.{1,3}cran|signal"
        r"|WhatsApp (?:Image|Video|Audio|Ptt)|Telegram|video|photo|image"
        r"|Zrzut ekranu|Schermafbeelding|Captura de pantalla|InShot|Snapchat|TRIM|LRV|GX|WIN"
        rf"|Skitch|IMAG|JPEG|MTXX|B612|C360|SAVE|FB_IMG|received|Photo on|CIMG)[^0-9]{{0,8}}{_DATE}"
        rf"{_BETWEEN}?{_TIME}(?:[._-]?(?P<fraction>\d{{3}})(?!\d))?",
        _local,
        _WITH_TIME,
    ),
    # Telegram Desktop: photo_5@21-05-2019_10-45-52
    _pattern(
        r"(?<!\d)(?P<day>[0-2]\d|3[01])(?P<s>[-_.])(?P<month>0[1-9]|1[0-2])(?P=s)"
        rf"(?P<year>19[89]\d|20\d\d){_BETWEEN}{_TIME}(?!\d)",
        _local,
        _WITH_TIME,
    ),
    _pattern(rf"(?<!\d){_DATE}{_BETWEEN}?{_TIME}(?!\d)", _local, _WITH_TIME_ELSEWHERE),
    _pattern(rf"(?<!\d){_DATE}{_BETWEEN}{_TIME}", _local, _WITH_TIME_ELSEWHERE),
    # 1570000000000.jpg, FB_IMG_1570000000000.jpg, mmexport1570000000000.jpg, received_...
    _pattern(r"(?<!\d)(?P<ms>1[0-9]\d{11}|9\d{11})(?!\d)", _epoch, _EPOCH),
    _pattern(rf"(?<!\d){_DATE}(?!\d)", _local, _DATE_ONLY),
)
