"""Time and ids."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from pipeline.clock import new_id, timestamp

NOON = datetime(2026, 7, 14, 12, 0, 0, 123456, tzinfo=UTC)


def test_ids_sort_as_they_were_made() -> None:
    """Ids of one moment and of later ones sort in the order they were made, all different."""
    ids = [new_id(NOON) for _ in range(5000)] + [new_id(NOON + timedelta(milliseconds=1))]
    assert ids == sorted(set(ids))


def test_ids_are_uuid_version_7_and_hold_their_time() -> None:
    """Other programs read version, variant and time out of an id."""
    value = uuid.UUID(new_id(NOON))
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == int(NOON.timestamp() * 1000)


def test_timestamps_sort_as_time_and_read_back() -> None:
    """What is stored orders like time does, whatever zone it came in."""
    earlier, later = timestamp(NOON), timestamp(NOON.astimezone() + timedelta(milliseconds=1))
    assert earlier == "2026-07-14T12:00:00.123Z"
    assert earlier < later
    assert datetime.fromisoformat(earlier) == NOON.replace(microsecond=123000)
