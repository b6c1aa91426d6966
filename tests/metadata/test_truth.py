"""What independent sources say of real files is what we read, at least 99 times in 100.

Rows whose only source is ExifTool are scored beside it, as a second oracle that proves nothing
alone. The score is printed and every miss is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.intake import kind
from pipeline.metadata.columns import columns
from pipeline.metadata.facts import Facts, TakenFrom
from pipeline.metadata.read import read
from tests.kit.corpus import Truth, truths

pytestmark = pytest.mark.corpus

_BAR = 0.99
_REGRESSION_BAR = 0.96
_DEGREES = 2e-4  # sources round to seconds of arc or five digits
_EXIF = (TakenFrom.EXIF, TakenFrom.EXIF_OFFSET)
_TURNS = {  # what dumps call the eight orientations; `metadata-extractor` names sides
    "Horizontal (normal)": 1,
    "Mirrored horizontal": 2,
    "Rotated 180": 3,
    "Mirrored vertical": 4,
    "Mirrored horizontal then rotated 90 CCW": 5,
    "Rotated 90 CW": 6,
    "Mirrored horizontal then rotated 90 CW": 7,
    "Rotated 90 CCW": 8,
    "Top, left side (Horizontal / normal)": 1,
    "Bottom, right side (Rotate 180)": 3,
    "Right side, top (Rotate 90 CW)": 6,
}
_JAVA_ZONES = {"AEDT": 660, "AEST": 600}


@dataclass(frozen=True)
class Seen:
    """One file as we read it."""

    path: Path
    facts: Facts
    columns: dict[str, Any]


Check = Callable[[Seen, str], bool]


def test_truth_of_independent_sources(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dates, positions and orientations are right in 99 of 100 independent statements."""
    rows = [t for t in truths(corpus) if not t.source.startswith("exiftool") and t.key in _CHECKS]
    right, misses = _score(corpus, rows)
    with capsys.disabled():
        _report("independent truth", right, misses)
    assert len(rows) > 250
    assert right / len(rows) >= _BAR


def test_agreement_with_exiftool(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """We agree with ExifTool about dates, positions and orientations nearly everywhere."""
    rows = [
        t for t in truths(corpus) if t.source == "exiftool 12.57" and t.key in _CHECKS
        and not t.path.startswith("corrupt/")
    ]  # fmt: skip
    right, misses = _score(corpus, rows)
    with capsys.disabled():
        _report("agreement with ExifTool", right, misses)
    assert right / len(rows) >= _REGRESSION_BAR


def test_embedded_videos_to_the_byte(corpus: Path) -> None:
    """A motion photo's video is found exactly; a photo without one has none."""
    import hashlib

    rows = [t for t in truths(corpus) if t.key.startswith("embedded_video")]
    by_path: dict[str, dict[str, str]] = {}
    for row in rows:
        by_path.setdefault(row.path, {})[row.key] = row.value
    assert by_path
    for path, told in by_path.items():
        motion = _seen(corpus, path).facts.motion
        if told.get("embedded_video") == "none":
            assert motion is None, path
            continue
        assert motion is not None, path
        assert motion.offset == int(told["embedded_video_offset"]), path
        assert motion.length == int(told["embedded_video_bytes"]), path
        video = (corpus / path).read_bytes()[motion.offset : motion.offset + motion.length]
        assert hashlib.sha256(video).hexdigest() == told["embedded_video_sha256"], path


def test_live_photo_pair_shares_its_identifier(corpus: Path) -> None:
    """Both halves of a Live Photo carry the identifier that joins them."""
    photo, video = (_seen(corpus, f"live_photo/train.{ext}").facts for ext in ("jpg", "mov"))
    assert photo.content_id is not None
    assert photo.content_id == video.content_id


def test_hdr_kinds(corpus: Path) -> None:
    """Gain maps, PQ, HLG and Dolby Vision are told apart."""
    expected = {
        "video_hdr/dolbyVision-hdr.MOV": "dolby-vision",
        "video_hdr/hdr10-av1.mp4": "pq",
        "video_hdr/hlg10-color-test.mp4": "hlg",
        "heic/Canon.HIF": "pq",
        **{
            str(path.relative_to(corpus)): "gainmap"
            for path in sorted((corpus / "hdr_gainmap").iterdir())
        },
        "camera_6mp/Nikon D70.jpg": None,
    }
    assert {path: _seen(corpus, path).facts.hdr for path in expected} == expected


def _score(corpus: Path, rows: list[Truth]) -> tuple[int, list[str]]:
    misses = []
    for row in rows:
        seen = _seen(corpus, row.path)
        if not _CHECKS[row.key](seen, row.value):
            shown = {k: v for k, v in seen.columns.items() if k in _SHOWN}
            misses.append(f"{row.path}: {row.key} = {row.value} [{row.source[:40]}], read {shown}")
    return len(rows) - len(misses), misses


_SHOWN = ("taken_at", "taken_from", "lat", "lon", "orientation", "duration_s", "width", "height")


def _report(what: str, right: int, misses: list[str]) -> None:
    total = right + len(misses)
    print(f"\n{what}: {right} of {total} right ({right / total:.2%})")
    for miss in misses:
        print("  missed", miss)


@cache
def _seen(corpus: Path, path: str) -> Seen:
    full = corpus / path
    told = kind.sniff_file(full)
    facts = read(full.read_bytes(), told, name=full.name) if told else Facts()
    return Seen(full, facts, columns(facts))


# --- What each key of the table means ------------------------------------------------------------


def _local(seen: Seen, value: str) -> bool:
    """The decided local time, to the second; some sources write a bogus Z behind it."""
    at = seen.columns["taken_at"]
    return at is not None and _digits(at)[:14] == _digits(value)[:14]


def _any_exif(seen: Seen, value: str) -> bool:
    """A tag's own value: some EXIF, XMP or document evidence shows this wall time."""
    if value.startswith("0000"):
        return not any(d.source in _EXIF for d in seen.facts.dates)
    return any(_digits(d.local)[:14] == _digits(value)[:14] for d in seen.facts.dates)


def _utc(seen: Seen, value: str) -> bool:
    at = seen.columns["taken_utc"]
    return at is not None and _digits(at)[:14] == _digits(value)[:14]


def _gps_time(seen: Seen, value: str) -> bool:
    return any(
        d.source is TakenFrom.GPS and _digits(d.local)[:14] == _digits(value)[:14]
        for d in seen.facts.dates
    )


def _container_time(seen: Seen, value: str) -> bool:
    """ "Sat Nov 21 01:04:36 AEDT 2020": Java's way to print an instant."""
    words = value.split()
    minutes = _JAVA_ZONES.get(words[4])
    if minutes is None:
        sign, hours, rest = words[4][0], words[4][1:3], words[4][4:6]
        minutes = (int(hours) * 60 + int(rest)) * (-1 if sign == "-" else 1)
    local = datetime.strptime(" ".join((*words[1:4], words[5])), "%b %d %H:%M:%S %Y")
    expected = (local - timedelta(minutes=minutes)).isoformat()
    return any(
        d.source is TakenFrom.CONTAINER and d.local[:19] == expected for d in seen.facts.dates
    )


def _quicktime_date(seen: Seen, value: str) -> bool:
    at = seen.columns["taken_at"]
    return at is not None and _instant(at) == _instant(value)


def _epoch(seen: Seen, value: str) -> bool:
    return bool(seen.columns["taken_utc"]) and _instant(seen.columns["taken_utc"]) == int(value)


def _zone(seen: Seen, value: str) -> bool:
    """The offset we found is the one this zone had then."""
    at = datetime.fromisoformat(seen.columns["taken_at"])
    return at.utcoffset() == at.replace(tzinfo=ZoneInfo(value)).utcoffset()


def _offset(seen: Seen, value: str) -> bool:
    at = seen.columns["taken_at"]
    return at is not None and at.endswith(value.replace("Z", "+00:00"))


def _degrees(column: str) -> Check:
    """0.0 is how some sources print that there is no position; we drop it."""

    def check(seen: Seen, value: str) -> bool:
        read_value = seen.columns[column]
        if value == "none" or float(value) == 0.0:
            return read_value is None
        return read_value is not None and abs(read_value - float(value)) <= _DEGREES

    return check


def _golden_degrees(column: str) -> Check:
    """This source prints degrees without their hemisphere."""

    def check(seen: Seen, value: str) -> bool:
        read_value = seen.columns[column]
        return read_value is not None and abs(abs(read_value) - abs(float(value))) <= _DEGREES

    return check


def _orientation(seen: Seen, value: str) -> bool:
    """0 says nothing, and so do we; 1 and nothing mean the same picture."""
    read_value = seen.columns["orientation"] or 1
    return read_value == (int(value) or 1)


def _orientation_text(seen: Seen, value: str) -> bool:
    return (seen.columns["orientation"] or 1) == _TURNS[value]


def _rotation(seen: Seen, value: str) -> bool:
    """Degrees against the clock, as this source prints a track's matrix."""
    return (seen.columns["orientation"] or 1) == {0: 1, -90: 6, 180: 3, 90: 8}[int(value)]


def _duration(seen: Seen, value: str) -> bool:
    read_value = seen.columns["duration_s"]
    if ":" in value:
        hours, minutes, seconds = map(int, value.split(":"))
        return (
            read_value is not None and abs(read_value - (hours * 60 + minutes) * 60 - seconds) <= 1
        )
    return read_value is not None and abs(read_value - float(value)) <= 0.06 * float(value) + 0.1


def _size(column: str) -> Check:
    return lambda seen, value: seen.columns[column] == int(value)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _instant(text: str) -> int:
    at = datetime.fromisoformat(text.replace(":", "-", 2) if text[4] == ":" else text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


_CHECKS: dict[str, Check] = {
    "exif_date_original": _any_exif,
    "date_original": _local,
    "create_date": _any_exif,
    "date_local": _local,
    "date_utc": _utc,
    "date_as_immich_stores_it_zone_unknown": _local,
    "gps_datetime": _gps_time,
    "qt_creation_date": _quicktime_date,
    "qt_creation_time": _container_time,
    "photo_taken_epoch_utc": _epoch,
    "timezone": _zone,
    "offset_time_original": _offset,
    "gps_lat": _degrees("lat"),
    "gps_lon": _degrees("lon"),
    "gps_lat_golden": _golden_degrees("lat"),
    "gps_lon_golden": _golden_degrees("lon"),
    "orientation": _orientation,
    "orientation_text": _orientation_text,
    "qt_rotation": _rotation,
    "qt_duration_in_seconds": _duration,
    "duration_s": _duration,
    "width": _size("width"),
    "height": _size("height"),
}


def test_decided_dates_are_those_of_the_shot(corpus: Path) -> None:
    """Where EXIF's original date is known independently, it is also the one we decide for."""
    rows = [
        t for t in truths(corpus)
        if t.key == "exif_date_original" and not t.source.startswith("exiftool")
    ]  # fmt: skip
    wrong = [r.path for r in rows if not _local(_seen(corpus, r.path), r.value)]
    assert wrong == []
