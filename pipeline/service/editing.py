"""What people say of files - title, description, stars, when, where - as values.

A change is checked when it is asked for, and decided for each file from what is known of it then.
What is said stands over what is read of a file: `state/edits.py`.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.clock import timestamp
from pipeline.errors import Invalid
from pipeline.metadata import dates, taken
from pipeline.metadata.facts import DateEvidence, TakenFrom
from pipeline.model import Json, JsonObject
from pipeline.state import edits, places
from pipeline.state.edits import Decide, Patch
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core

LONGEST_TITLE, LONGEST_DESCRIPTION = 300, 10_000
_LONGEST_SHIFT_S = 150 * 366 * 86_400
_NO_DATE = "When it was taken is not known."


@dataclass(frozen=True, slots=True)
class Say:
    """Fields by name with their values; None says that there is none. `reset` takes a word back.

    `position` is [latitude, longitude]; `taken_at` is ISO 8601, with its offset where known.
    """

    fields: Mapping[str, Json] = field(default_factory=dict)
    reset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """Taken so many seconds later, or earlier: the camera's clock was wrong."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Zone:
    """Taken in this zone: an IANA name or an offset such as +02:00.

    With `clock` what the camera's clock showed stays, with `moment` the moment does.
    """

    zone: str
    keep: Literal["clock", "moment"] = "clock"


Change = Say | Shift | Zone


def checked(change: Change) -> Change:
    """The change with values as they are stored. Raises `Invalid` for one that makes no sense."""
    match change:
        case Shift(seconds):
            if seconds == 0 or abs(seconds) > _LONGEST_SHIFT_S:
                raise Invalid("Dates can be shifted by a second up to 150 years.")
        case Zone(zone, keep):
            _offset_in(zone, datetime(2000, 1, 1))  # noqa: DTZ001 - only asked whether it exists
            if keep not in ("clock", "moment"):
                raise Invalid(f"{keep!r} cannot be kept.", hint="Keep the clock or the moment.")
        case Say(fields, reset):
            return _checked(fields, reset)
    return change


async def decider(core: Core, change: Change, *, dry_run: bool = False) -> Decide:
    """How a checked change turns out for each file. A rehearsal notes nothing down."""
    match change:
        case Shift(seconds):
            return functools.partial(_shifted, timedelta(seconds=seconds))
        case Zone():
            return functools.partial(_zoned, change)
        case Say(fields, reset):
            patch = {name: _columns(name, value) for name, value in fields.items()}
            if fields.get("position") is not None:
                patch["position"] = await _placed(core, fields["position"], dry_run=dry_run)
            at = fields.get("taken_at")
            return functools.partial(_said, patch | dict.fromkeys(reset), at)


# --- checking ----------------------------------------------------------------------------------


def _checked(fields: Mapping[str, Json], reset: Sequence[str]) -> Say:
    unknown = [name for name in (*fields, *reset) if name not in edits.FIELDS]
    if unknown:
        raise Invalid(f"{unknown[0]!r} cannot be edited.", hint=f"There are: {_names()}.")
    both = sorted(set(fields) & set(reset))
    if both:
        raise Invalid(f"The field {both[0]!r} is both said and taken back.")
    if not fields and not reset:
        raise Invalid("Nothing is said.", hint=f"There are: {_names()}.")
    values = {n: None if v is None else _CHECKS[n](v) for n, v in fields.items()}
    return Say(values, tuple(dict.fromkeys(reset)))


def _names() -> str:
    return ", ".join(edits.FIELDS)


def _line(most: int, value: Json) -> str | None:
    if not isinstance(value, str) or len(value) > most:
        raise Invalid(f"A text of at most {most} characters is wanted.")
    if any(not c.isprintable() and c not in "\n\t" for c in value):
        raise Invalid("A text cannot hold control characters.")
    return unicodedata.normalize("NFC", value).strip() or None


def _stars(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= 5:
        raise Invalid("Stars are 0 to 5; -1 is a rejected picture.")
    return value


def _when(value: Json) -> str:
    moment = _moment(value) if isinstance(value, str) else None
    if moment is None or taken.decide([moment]) is None:
        raise Invalid(
            f"{value!r} is no date and time that a photo could have.",
            hint="Write it like 2023-10-06T08:30:00+02:00, without the offset if it is not known.",
        )
    return str(value)


def _where(value: Json) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Invalid("A position is latitude and longitude.")
    lat, lon = (float(one) if isinstance(one, int | float) else math.nan for one in value)
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise Invalid("A latitude is -90 to 90 degrees, a longitude -180 to 180.")
    return [lat, lon]


_CHECKS: Mapping[str, Callable[[Json], Json]] = {
    "title": functools.partial(_line, LONGEST_TITLE),
    "description": functools.partial(_line, LONGEST_DESCRIPTION),
    "rating": _stars,
    "taken_at": _when,
    "position": _where,
}


# --- deciding ----------------------------------------------------------------------------------


def _columns(name: str, value: Json) -> JsonObject:
    """The columns of a field; of a date they need the file, see `_said`."""
    columns = edits.FIELDS[name] or (name,)
    return dict.fromkeys(columns) | ({columns[0]: value} if len(columns) == 1 else {})


async def _placed(core: Core, position: Json, *, dry_run: bool) -> JsonObject:
    from pipeline.work import where

    lat, lon = position
    city = await where.city_at(core.home.cache, lat, lon)
    if city is not None and not dry_run:
        await core.db.write(places.know, [city])
    return {"lat": lat, "lon": lon, "place": None if city is None else city.label}


def _said(patch: Patch, at: str | None, row: FileRow) -> Patch:
    """A date without an offset takes it from where the file is said, or known, to be taken."""
    if at is None:
        return patch
    moment = _moment(at)
    assert moment is not None, "it was checked"
    where = patch.get("position") or {"lat": row.lat, "lon": row.lon}
    lat, lon = where["lat"], where["lon"]
    when = taken.decide([moment], None if lat is None or lon is None else (lat, lon))
    assert when is not None, "it was checked"
    return {**patch, "taken_at": _taken(when.iso, when.utc)}


def _shifted(by: timedelta, row: FileRow) -> Patch | str:
    if row.taken_at is None:
        return _NO_DATE
    try:
        local = datetime.fromisoformat(row.taken_at) + by
        utc = _utc(row, row.taken_at) + by
    except OverflowError:
        return "Its date would be before all calendars, or behind them."
    return _possible(local, utc)


def _zoned(change: Zone, row: FileRow) -> Patch | str:
    if row.taken_at is None:
        return _NO_DATE
    local = datetime.fromisoformat(row.taken_at)
    if change.keep == "clock":
        naive = local.replace(tzinfo=None)
        offset = _offset_in(change.zone, naive)
    elif local.tzinfo is None:
        return "The moment is not known, only what the clock showed."
    else:
        utc = _utc(row, row.taken_at)
        offset = _offset_at(change.zone, utc)
        naive = (utc + timedelta(minutes=offset)).replace(tzinfo=None)
    utc = dates.instant(naive.isoformat(), offset)
    return _possible(utc.astimezone(_fixed(offset)), utc)


def _utc(row: FileRow, taken_at: str) -> datetime:
    """The moment as it is sorted by: of a time without its zone, as if it were UTC."""
    local = datetime.fromisoformat(row.taken_utc or taken_at)
    return local if local.tzinfo else local.replace(tzinfo=UTC)


def _possible(local: datetime, utc: datetime) -> Patch | str:
    text = local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")
    if dates.parse(text) is None:
        return "No photo can be of that time."
    return {"taken_at": _taken(text, utc)}


def _taken(iso: str, utc: datetime) -> JsonObject:
    return {
        "taken_at": iso,
        "taken_utc": timestamp(utc),
        "taken_from": str(TakenFrom.PERSON),
        "taken_confidence": 1.0,
    }


def _moment(text: str) -> DateEvidence | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    offset = at.utcoffset()
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    local = at.replace(tzinfo=None)
    told = local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")
    return DateEvidence(TakenFrom.PERSON, told, minutes, 1.0)


# --- zones -------------------------------------------------------------------------------------


def _offset_in(zone: str, local: datetime) -> int:
    """The zone's offset in minutes at what its clocks show. Raises `Invalid`."""
    return _minutes(local.replace(tzinfo=_named(zone)))


def _offset_at(zone: str, utc: datetime) -> int:
    return _minutes(utc.astimezone(_named(zone)))


def _minutes(at: datetime) -> int:
    offset = at.utcoffset()
    assert offset is not None, "it has a zone"
    return round(offset.total_seconds() / 60)


def _named(zone: str) -> ZoneInfo | timezone:
    offset = dates.offset(zone) if zone[:1] in ("+", "-", "Z") else None
    if offset is not None:
        return _fixed(offset)
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "Write it like Europe/Vienna or +02:00."
        raise Invalid(f"There is no time zone {zone!r}.", hint=hint) from error


def _fixed(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))
