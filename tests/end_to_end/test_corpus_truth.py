"""What the report says of real files is what independent sources say, at least 99 times in 100.

The room of metadata is judged by `tests/metadata/test_truth.py`; here its facts have gone through
worker, state, bundle and report, and must have arrived as they were. Only what a report shows is
asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.end_to_end.conftest import Run
from tests.kit.corpus import truths
from tests.metadata.test_truth import _TURNS

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(300)]

_BAR = 0.99
_DEGREES = 2e-4  # sources round to seconds of arc or five digits
Row = dict[str, Any]


def test_report_tells_the_truth(corpus_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Dates, positions and orientations of the report are right in 99 of 100 statements."""
    misses, total = [], 0
    for truth in truths(corpus_run.corpus):
        check = _CHECKS.get(truth.key)
        if check is None or truth.source.startswith("exiftool"):
            continue
        total += 1
        row = corpus_run.row(truth.path)
        if not check(row, truth.value):
            shown = {key: row[key] for key in _SHOWN}
            misses.append(f"{truth.path}: {truth.key} = {truth.value}, reported {shown}")
    with capsys.disabled():
        print(f"\ntruth in the report: {total - len(misses)} of {total} right")
        print(*(f"  missed {miss}" for miss in misses), sep="\n")
    assert total > 200
    assert 1 - len(misses) / total >= _BAR


_SHOWN = ("taken_at", "taken_from", "lat", "lon", "orientation", "width", "height", "duration_s")


def _local(row: Row, value: str) -> bool:
    """The local time to the second; 0000 says there is no date worth having."""
    if value.startswith("0000"):
        return row["taken_from"] not in ("exif", "exif+offset")
    return row["taken_at"] is not None and _digits(row["taken_at"]) == _digits(value)


def _instant(row: Row, value: str) -> bool:
    return row["taken_at"] is not None and _epoch_of(row["taken_at"]) == _epoch_of(value)


def _epoch(row: Row, value: str) -> bool:
    return row["taken_at"] is not None and _epoch_of(row["taken_at"]) == int(value)


def _zone(row: Row, value: str) -> bool:
    at = datetime.fromisoformat(row["taken_at"])
    return at.utcoffset() == at.replace(tzinfo=ZoneInfo(value)).utcoffset()


def _offset(row: Row, value: str) -> bool:
    return row["taken_at"] is not None and row["taken_at"].endswith(value.replace("Z", "+00:00"))


def _degrees(name: str, sign: Callable[[float], float] = float) -> Callable[[Row, str], bool]:
    """0.0 is how some sources print that there is no position."""

    def check(row: Row, value: str) -> bool:
        told = row[name]
        if value == "none" or float(value) == 0.0:
            return told is None
        return told is not None and abs(sign(told) - sign(float(value))) <= _DEGREES

    return check


def _orientation(row: Row, value: str) -> bool:
    """0 says nothing; 1 and nothing mean the same picture."""
    return (row["orientation"] or 1) == (int(value) or 1)


def _orientation_text(row: Row, value: str) -> bool:
    return (row["orientation"] or 1) == _TURNS[value]


def _rotation(row: Row, value: str) -> bool:
    return (row["orientation"] or 1) == {0: 1, -90: 6, 180: 3, 90: 8}[int(value)]


def _size(name: str) -> Callable[[Row, str], bool]:
    return lambda row, value: row[name] == int(value)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)[:14]


def _epoch_of(text: str) -> int:
    text = text.replace(" +0000 UTC", "Z")
    at = datetime.fromisoformat(text.replace(":", "-", 2) if text[4] == ":" else text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


_CHECKS: dict[str, Callable[[Row, str], bool]] = {
    "exif_date_original": _local,
    "date_original": _local,
    "date_local": _local,
    "date_utc": _instant,
    "date_as_immich_stores_it_zone_unknown": _local,
    "qt_creation_date": _instant,
    "photo_taken_epoch_utc": _epoch,
    "timezone": _zone,
    "offset_time_original": _offset,
    "gps_lat": _degrees("lat"),
    "gps_lon": _degrees("lon"),
    "gps_lat_golden": _degrees("lat", abs),  # this source prints degrees without hemisphere
    "gps_lon_golden": _degrees("lon", abs),
    "orientation": _orientation,
    "orientation_text": _orientation_text,
    "qt_rotation": _rotation,
    "width": _size("width"),
    "height": _size("height"),
}
