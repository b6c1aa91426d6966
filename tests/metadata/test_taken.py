"""When was it taken: one answer from all the evidence."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata.facts import DateEvidence, TakenFrom
from pipeline.metadata.taken import decide

PARIS = (48.8584, 2.2919)
BERLIN = (52.46, 13.33)
NEBRASKA = (41.2203, -96.0716)


def claim(
    source: TakenFrom, local: str, offset: int | None = None, confidence: float = 0.85
) -> DateEvidence:
    """A claim as readers make it."""
    return DateEvidence(source, local, offset, confidence)


moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
    lambda at: at.replace(microsecond=0).isoformat()
)
claims = st.builds(
    DateEvidence,
    st.sampled_from(list(TakenFrom)),
    moments | st.text(max_size=20),
    st.none() | st.integers(-900, 900),
    st.floats(0, 1),
)
positions = st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(claims, max_size=6), positions, st.randoms(use_true_random=False))
def test_total_deterministic_and_independent_of_order(
    evidence: list[DateEvidence],
    position: tuple[float, float] | None,
    shuffle: random.Random,
) -> None:
    """Whatever the evidence, there is an answer or None, and its order does not matter."""
    first = decide(evidence, position)
    shuffled = list(evidence)
    shuffle.shuffle(shuffled)
    assert decide(shuffled, position) == first
    if first is not None:
        assert datetime.fromisoformat(first.iso)
        assert 0 <= first.confidence <= 1


@given(moments, st.integers(-48, 56).map(lambda quarters: quarters * 15))
def test_own_offset_is_kept(local: str, offset: int) -> None:
    """A wall time with its own offset keeps both, wherever the picture was taken."""
    taken = decide([claim(TakenFrom.EXIF_OFFSET, local, offset)], NEBRASKA)
    assert taken is not None
    assert (taken.local, taken.offset_min) == (local, offset)
    assert taken.utc.replace(tzinfo=None) == datetime.fromisoformat(local) - timedelta(
        minutes=offset
    )


def test_zone_of_the_position() -> None:
    """EXIF local time takes its offset from where the picture was taken, summer time included."""
    for month, offset in (("01", "+01:00"), ("07", "+02:00")):
        taken = decide([claim(TakenFrom.EXIF, f"2020-{month}-01T17:28:23")], BERLIN)
        assert taken is not None
        assert taken.iso == f"2020-{month}-01T17:28:23{offset}"
        assert taken.source is TakenFrom.EXIF_GPS


def test_container_time_is_local_where_the_place_is_known() -> None:
    """A video shot in Nebraska late on the 20th belongs to the 20th, although UTC says 21st."""
    taken = decide([claim(TakenFrom.CONTAINER, "2019-03-21T02:30:00", 0, 0.7)], NEBRASKA)
    assert taken is not None
    assert taken.iso == "2019-03-20T21:30:00-05:00"


def test_container_time_without_a_place_is_utc_and_doubted() -> None:
    """Without a place or another clock, the container's UTC is all there is, and said so."""
    taken = decide([claim(TakenFrom.CONTAINER, "2019-03-21T02:30:00", 0, 0.7)])
    assert taken is not None
    assert taken.iso == "2019-03-21T02:30:00+00:00"
    assert taken.confidence < 0.5


def test_name_and_container_together_tell_the_zone() -> None:
    """VID_20190320_213000.mp4 with 02:30 UTC inside was shot at UTC-5."""
    evidence = [
        claim(TakenFrom.CONTAINER, "2019-03-21T02:30:04", 0, 0.7),
        claim(TakenFrom.NAME, "2019-03-20T21:30:00", None, 0.55),
    ]
    taken = decide(evidence)
    assert taken is not None
    assert taken.iso == "2019-03-20T21:30:00-05:00"


def test_long_recording_keeps_the_day_of_its_name() -> None:
    """When the container says when recording ended, the name still knows the day."""
    evidence = [
        claim(TakenFrom.CONTAINER, "2019-03-21T02:47:40", 0, 0.7),
        claim(TakenFrom.NAME, "2019-03-20T21:30:00", None, 0.55),
    ]
    taken = decide(evidence)
    assert taken is not None
    assert taken.iso == "2019-03-20T21:30:00"


def test_android_that_writes_local_time_as_utc() -> None:
    """Equal digits in name and container in Berlin mean that the container lies."""
    evidence = [
        claim(TakenFrom.CONTAINER, "2020-07-01T12:00:01", 0, 0.7),
        claim(TakenFrom.NAME, "2020-07-01T12:00:00", None, 0.55),
    ]
    taken = decide(evidence, BERLIN)
    assert taken is not None
    assert taken.iso == "2020-07-01T12:00:00+02:00"


def test_takeout_lends_its_instant_to_exif() -> None:
    """Google knows UTC, the camera knew the wall clock: together they know the zone."""
    evidence = [
        claim(TakenFrom.EXIF, "2023-10-06T08:30:00"),
        claim(TakenFrom.TAKEOUT, "2023-10-06T06:30:00", 0, 0.92),
    ]
    taken = decide(evidence)
    assert taken is not None
    assert taken.iso == "2023-10-06T08:30:00+02:00"


def test_a_date_corrected_in_google_photos_wins() -> None:
    """A scan whose date a person set in Google Photos goes to that date, not to the scanner's."""
    evidence = [
        claim(TakenFrom.EXIF, "2015-05-01T10:00:00"),
        claim(TakenFrom.TAKEOUT, "1994-08-01T12:00:00", 0, 0.92),
    ]
    taken = decide(evidence, PARIS)
    assert taken is not None
    assert taken.local.startswith("1994-08-01")


def test_sidecar_borrows_the_offset_of_exif() -> None:
    """A sidecar that repeats EXIF's local time does not lose its offset."""
    evidence = [
        claim(TakenFrom.SIDECAR, "2023-10-06T08:30:00", None, 0.95),
        claim(TakenFrom.EXIF_OFFSET, "2023-10-06T08:30:00.139", 120, 0.9),
    ]
    taken = decide(evidence)
    assert taken is not None
    assert taken.iso == "2023-10-06T08:30:00+02:00"


def test_habitual_z_of_xmp_is_not_believed() -> None:
    """XMP's Z behind a copied local time does not beat the zone of the place."""
    evidence = [
        claim(TakenFrom.EXIF, "2019-06-09T12:57:32"),
        claim(TakenFrom.XMP, "2019-06-09T12:57:32", 0, 0.76),
    ]
    taken = decide(evidence, BERLIN)
    assert taken is not None
    assert taken.offset_min == 120


@pytest.mark.parametrize(
    "local", ["0000-00-00T00:00:00", "171546-01-01T00:00:00", "2020-13-01T00:00:00", ""]
)
def test_impossible_claims_do_not_count(local: str) -> None:
    """What no calendar has is passed over for what it has."""
    good = claim(TakenFrom.MTIME, "2020-01-01T00:00:00", 0, 0.1)
    taken = decide([claim(TakenFrom.EXIF, local), good])
    assert taken is not None
    assert taken.source is TakenFrom.MTIME


def test_no_evidence_no_answer() -> None:
    """Nobody invents a date."""
    assert decide([]) is None
