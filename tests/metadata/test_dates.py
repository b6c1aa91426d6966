"""Dates in text, numbers and file names."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata import dates, filename

days = st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)


@given(st.text(max_size=60) | st.from_regex(r"[0-9:\-/T. +Z]{0,40}"))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """No text makes the parsers fail, and what they answer is a real moment."""
    for found in (dates.parse(text), dates.from_pdf(text)):
        if found is not None:
            assert dates.FIRST_YEAR <= datetime.fromisoformat(found[0]).year <= dates.LAST_YEAR


@given(days, st.none() | st.integers(-48, 56).map(lambda quarter: quarter * 15))
def test_iso_text_round_trips(at: datetime, offset: int | None) -> None:
    """What we write we read again, fraction and offset included."""
    written = dates.moment(
        at.year, at.month, at.day, at.hour, at.minute, at.second,
        fraction=f"{at.microsecond:06d}", offset=offset,
    )  # fmt: skip
    assert written is not None
    zone = "" if offset is None else _zone(offset)
    assert dates.parse(written[0] + zone) == written
    assert datetime.fromisoformat(written[0]) == at


@given(st.integers())
def test_any_number_is_a_date_or_none(number: int) -> None:
    """Clocks of containers may hold anything."""
    for read in (dates.from_quicktime, dates.from_filetime, dates.from_unix, dates.from_matroska):
        found = read(number)
        assert found is None or datetime.fromisoformat(found[0])


@pytest.mark.parametrize(
    "seconds",
    [0, 2_082_844_800, 86_400, 5_412_906_000_000],
    ids=["1904", "1970", "counted from 1970", "year 171546"],
)
def test_zeros_of_clocks_are_no_dates(seconds: int) -> None:
    """1904, 1970 and the year 171546 are not when somebody filmed."""
    assert dates.from_quicktime(seconds) is None


@given(days)
def test_names_of_phones_round_trip(at: datetime) -> None:
    """The date that a phone, camera, messenger or screenshot wrote into a name comes back."""
    for form in (
        f"IMG_{at:%Y%m%d_%H%M%S}.jpg",
        f"VID_{at:%Y%m%d_%H%M%S}.mp4",
        f"{at:%Y%m%d_%H%M%S}.jpg",
        f"{at:%Y-%m-%d %H.%M.%S}.jpg",
        f"Screenshot_{at:%Y%m%d-%H%M%S}_Chrome.png",
        f"Screenshot {at:%Y-%m-%d at %H.%M.%S}.png",
        f"signal-{at:%Y-%m-%d-%H%M%S}.jpg",
        f"WhatsApp Image {at:%Y-%m-%d at %H.%M.%S}.jpeg",
        f"photo_5@{at:%d-%m-%Y_%H-%M-%S}.jpg",
        f"DJI_{at:%Y%m%d%H%M%S}_0001_D.JPG",
    ):
        found = filename.evidence(form)
        assert found is not None, form
        assert found.local == at.replace(microsecond=0).isoformat(), form
        assert found.offset_min is None


@given(days)
def test_pixel_names_are_utc(at: datetime) -> None:
    """Pixel counts UTC, to the millisecond, and the evidence says so."""
    found = filename.evidence(f"PXL_{at:%Y%m%d_%H%M%S}{at.microsecond // 1000:03d}.MP.jpg")
    assert found is not None
    assert datetime.fromisoformat(found.local) == at
    assert found.offset_min == 0


@given(st.text(max_size=80))
def test_any_name_is_evidence_or_none(name: str) -> None:
    """No name makes us fail."""
    found = filename.evidence(name)
    assert found is None or datetime.fromisoformat(found.local)


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("VID-20200101-WA0001.mp4", "2020-01-01T00:00:00"),
        ("Screenshot 2019-05-21 at 10.45.52 PM.png", "2019-05-21T22:45:52"),
        ("Bildschirmfoto 2019-05-21 um 10.45.52.png", "2019-05-21T10:45:52"),
        ("telegram_2020-01-30_09-57-18.jpg", "2020-01-30T09:57:18"),
        ("FB_IMG_1570000000000.jpg", "2019-10-02T07:06:40"),
        ("00000IMG_00000_BURST20190521104552123_COVER.jpg", "2019-05-21T10:45:52.123"),
        ("IMG_4120.JPG", None),
        ("138d3b9e0d9fbf641b8135981e597c3a.jpg", None),
        ("20231332_999999.jpg", None),
    ],
)
def test_known_names(name: str, local: str | None) -> None:
    """Names from real phones, and names that only look like dates."""
    found = filename.evidence(name)
    assert (found.local if found else None) == local


def _zone(offset: int) -> str:
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"
