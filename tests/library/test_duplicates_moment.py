"""What clocks, cameras, bursts and brackets say about two pictures."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.codecs.phash import Signature
from pipeline.library.moment import Moment, relation
from tests.kit.lookalike import shot

NOTHING = Signature(0, b"", flat=False)
PHONE = {"camera": "Maker One", "taken_at": "2024-05-01T10:00:00.250", "taken_from": "exif"}


def between(theirs: dict[str, Any], mine: dict[str, Any] = PHONE) -> Moment:
    """The relation of a phone's picture and another."""
    one, other = shot(1, NOTHING, **mine), shot(2, NOTHING, **theirs)
    assert relation(one, other) is relation(other, one)
    return relation(one, other)


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({}, Moment.SAME),
        ({"taken_from": "takeout"}, Moment.SAME),
        ({"taken_at": "2024-05-01T10:00:00.250+02:00"}, Moment.SAME),
        ({"taken_at": "2024-05-01T10:00:00"}, Moment.SECOND),
        ({"taken_at": "2024-05-01T10:00:00.750"}, Moment.CLOSE),
        ({"taken_at": "2024-05-01T10:00:01.250"}, Moment.OTHER),
        ({"taken_at": "2024-05-01T10:00:05"}, Moment.OTHER),
        ({"taken_at": "2024-05-01T12:00:00.250"}, Moment.UNKNOWN),  # two hours: a zone
        ({"taken_at": "2024-05-03T10:00:00.250"}, Moment.OTHER),  # two days are none
        ({"camera": "Maker Two"}, Moment.OTHER),
        ({"camera": None}, Moment.UNKNOWN),
        ({"taken_at": None, "taken_from": None}, Moment.UNKNOWN),
        ({"taken_at": "2031-01-01T00:00:00", "taken_from": "mtime"}, Moment.UNKNOWN),
        ({"taken_at": "no date"}, Moment.UNKNOWN),
        ({"burst_id": "B"}, Moment.SAME),
    ],
)
def test_relation(theirs: dict[str, Any], expected: Moment) -> None:
    """Seconds apart is another shot; zones, lost cameras and file dates leave it open."""
    assert between({**PHONE, **theirs}) is expected


def test_frames_of_one_burst_are_other_shots() -> None:
    """The same burst, another frame; a copy of the very frame is the same."""
    first = {**PHONE, "burst_id": "B"}
    assert between({**first, "taken_at": "2024-05-01T10:00:00.350"}, first) is Moment.OTHER
    assert between({**first, "taken_at": "2024-05-01T10:00:00"}, first) is Moment.OTHER
    assert between(first, first) is Moment.SAME


@pytest.mark.parametrize(
    ("one", "other", "is_other"),
    [
        (0.0, 0.7, True),
        (-0.333, 0.333, True),
        (0.0, 1.0, True),
        (0.67, 0.0, True),
        (0.3, None, False),
        (0.0, 0.0, False),
        (1.326, 0.0, False),  # a phone's slider, moved for one picture
    ],
)
def test_exposures_of_a_bracket_are_other_shots(
    one: float | None, other: float | None, is_other: bool
) -> None:
    """Steps of thirds, halves or tenths between two pictures are a bracket."""
    first = {**PHONE, "exposure_bias": one}
    found = between({**PHONE, "exposure_bias": other}, first)
    assert (found is Moment.OTHER) == is_other


def test_names_tell_only_other_moments() -> None:
    """File names with different times are two shots; dates alone, or equal names, say nothing."""
    first = {"taken_at": "2024-05-01T10:00:00", "taken_from": "name"}
    assert between({**first, "taken_at": "2024-05-01T10:05:07"}, first) is Moment.OTHER
    assert between(first, first) is Moment.UNKNOWN
    day = {**first, "taken_at": "2024-05-01T00:00:00"}
    assert between({**day, "taken_at": "2024-05-09T00:00:00"}, day) is Moment.UNKNOWN
