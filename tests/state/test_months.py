"""The grid's months: their sums are kept, whatever happens to files."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.state import migrate, months
from tests.kit.state import OWNER, add_file, add_household


def _open() -> sqlite3.Connection:
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.row_factory = sqlite3.Row
    migrate.migrate(con, at="2024-01-01T00:00:00.000Z", keep=lambda: None)
    add_household(con)
    add_household(con, "anna")
    return con


_CHANGE = st.tuples(
    st.integers(0, 5),
    st.sampled_from(
        [
            ("state", "done"),
            ("state", "trashed"),
            ("state", "placing"),
            ("category", "photo"),
            ("category", "document"),
            ("bundle_role", "live_video"),
            ("bundle_role", None),
            ("taken_utc", "2023-01-31T23:59:59Z"),
            ("taken_utc", "2023-02-01T00:00:00Z"),
            ("taken_utc", None),
            ("width", 4000),
            ("height", 100),
            ("orientation", 6),
            ("owner_id", "anna"),
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_CHANGE, max_size=30), st.sets(st.integers(0, 5)))
def test_the_sums_are_those_of_the_files(
    changes: list[tuple[int, tuple[str, object]]], removed: set[int]
) -> None:
    """After any history the months hold what a count over all files says."""
    con = _open()
    for number in range(6):
        add_file(con, f"f{number}", width=3000, height=2000)
    for number, (column, value) in changes:
        con.execute(f"UPDATE media_files SET {column} = ? WHERE id = ?", (value, f"f{number}"))
    for number in removed:
        con.execute("DELETE FROM media_files WHERE id = ?", (f"f{number}",))
    for owner in (OWNER, "anna"):
        counted = con.execute(
            "SELECT shown_month, count(*), sum(shown_ratio) / 1000.0 FROM media_files"
            " WHERE owner_id = ? AND shown_month IS NOT NULL GROUP BY 1 ORDER BY 1 DESC",
            (owner,),
        ).fetchall()
        told = [(one.month, one.files, one.ratios) for one in months.months(con, owner)]
        assert told == [tuple(row) for row in counted]


def test_a_month_is_read_page_by_page() -> None:
    """Pages meet without a gap or a double, also among files of one second."""
    con = _open()
    for number in range(7):
        add_file(con, f"f{number}", taken_utc="2023-05-01T10:00:00Z")
    add_file(con, "later", taken_utc="2023-05-02T10:00:00Z")
    add_file(con, "other", taken_utc="2023-06-01T00:00:00Z")
    seen: list[months.Tile] = []
    while page := months.tiles(
        con, OWNER, "2023-05", 3, (seen[-1].taken_utc, seen[-1].id) if seen else None
    ):
        seen += page
    assert [one.id for one in seen] == ["later", *(f"f{n}" for n in reversed(range(7)))]


def test_pictures_are_as_wide_as_they_are_shown() -> None:
    """A picture lying on its side stands upright in the grid; nothing is endlessly wide."""
    con = _open()
    add_file(con, "upright", width=3000, height=2000, orientation=6)
    add_file(con, "panorama", width=30_000, height=1000)
    add_file(con, "unknown")
    found = {one.id: one.ratio for one in months.tiles(con, OWNER, "", 10)}
    assert found == {"upright": pytest.approx(0.666, abs=0.001), "panorama": 4.0, "unknown": 1.0}
