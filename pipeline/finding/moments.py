"""Dates as people write them: "2023", "july 2023", "last summer", "2021..2023".

The answer is a span of local time, as prefixes of ISO 8601 with both ends inclusive. What is
relative is reckoned from the day that is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from pipeline.finding.query import During

_PREFIX = re.compile(r"(1[89]\d\d|20\d\d)(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?")
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASON_NAMES = ("winter", "spring", "summer", "autumn fall")
_MONTHS = {
    spelling: number
    for number, name in enumerate(_MONTH_NAMES, 1)
    for spelling in (name, name[:3])
} | {
    "sept": 9, "januar": 1, "jänner": 1, "februar": 2, "märz": 3, "mai": 5, "juni": 6, "juli": 7,
    "oktober": 10, "dezember": 12,
}  # fmt: skip
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # northern first month
_DAYS_BACK = {"today": 0, "yesterday": 1}
LONGEST = 3  # words of a date: "14 july 2023"


def span(words: Sequence[str], today: date) -> During | None:
    """The time that these words name together; None if they name none."""
    lower = [word.casefold().strip(",") for word in words]
    text = " ".join(lower)
    if ".." in text:
        return _between(text, today)
    found = _written(lower) or _relative(lower, today)
    return During(*found) if found else None


def before(period: str) -> str:
    """The period of the same length that ends where `period` begins."""
    return _moved(period, -1)


def after(period: str) -> str:
    """The period of the same length that begins where `period` ends."""
    return _moved(period, 1)


def words_of(taken_at: str, *, is_south: bool) -> str:
    """Month, season and day of the week of a local time, as words to be found by."""
    try:
        day = date.fromisoformat(taken_at[:10])
    except ValueError:
        return ""
    shifted = (day.month + (6 if is_south else 0)) % 12
    return f"{_MONTH_NAMES[day.month - 1]} {_SEASON_NAMES[shifted // 3]} {_DAYS[day.weekday()]}"


def _between(text: str, today: date) -> During | None:
    """ "2021..2023", or open at one end."""
    first, _, last = (end.strip() for end in text.partition(".."))
    begin, end = span(first.split(), today), span(last.split(), today)
    if (first and begin is None) or (last and end is None) or not (begin or end):
        return None
    since = begin.since if begin else None
    until = end.until if end else None
    if since and until and since > f"{until}~":
        return None
    return During(since, until)


def _written(words: Sequence[str]) -> tuple[str, str] | None:
    """ "2023-07-14", "july 2023", "14 july 2023", "july 14 2023"."""
    if len(words) == 1:
        found = _PREFIX.fullmatch(words[0])
        return (words[0], words[0]) if found and _exists(words[0]) else None
    months = [word for word in words if word.strip(".") in _MONTHS]
    years = [word for word in words if re.fullmatch(r"1[89]\d\d|20\d\d", word)]
    days = [w.rstrip(".") for w in words if re.fullmatch(r"(0?[1-9]|[12]\d|3[01])\.?", w)]
    if (len(months), len(years)) != (1, 1) or len(words) != 2 + len(days) or len(days) > 1:
        return None
    month = f"{years[0]}-{_MONTHS[months[0].strip('.')]:02d}"
    if not days:
        return month, month
    day = f"{month}-{int(days[0]):02d}"
    return (day, day) if _exists(day) else None


def _relative(words: Sequence[str], today: date) -> tuple[str, str] | None:
    """ "yesterday", "this month", "last week", "last summer", "last july"."""
    if len(words) == 1 and words[0] in _DAYS_BACK:
        day = (today - timedelta(_DAYS_BACK[words[0]])).isoformat()
        return day, day
    if len(words) != 2 or words[0] not in ("last", "this"):
        return None
    back = int(words[0] == "last")
    match words[1]:
        case "year":
            return (str(today.year - back),) * 2
        case "month":
            month = _moved(today.isoformat()[:7], -back)
            return month, month
        case "week":
            monday = today - timedelta(today.weekday() + 7 * back)
            return monday.isoformat(), (monday + timedelta(6)).isoformat()
        case name if name in _SEASONS:
            return _season(_SEASONS[name], back, today)
        case name if name in _MONTHS:
            return _month(_MONTHS[name], back, today)
    return None


def _season(first: int, back: int, today: date) -> tuple[str, str]:
    """Three months; "last" is the newest that is over, "this" that of this year."""
    year = today.year
    begin = year * 12 + first - 1
    if back:
        while begin + 3 > today.year * 12 + today.month - 1:
            begin -= 12
    elif first == 12 and today.month < 3:
        begin -= 12
    return _year_month(begin), _year_month(begin + 2)


def _month(number: int, back: int, today: date) -> tuple[str, str]:
    """ "last july" is the newest July that is over."""
    year = today.year - int(bool(back) and number >= today.month)
    month = f"{year}-{number:02d}"
    return month, month


def _moved(period: str, by: int) -> str:
    if len(period) == 4:
        return f"{int(period) + by:04d}"
    if len(period) == 7:
        return _year_month(int(period[:4]) * 12 + int(period[5:]) - 1 + by)
    return (date.fromisoformat(period) + timedelta(by)).isoformat()


def _year_month(months: int) -> str:
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def _exists(prefix: str) -> bool:
    try:
        date.fromisoformat(f"{prefix}-01-01"[:10])
    except ValueError:
        return False
    return True
