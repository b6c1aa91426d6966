"""Tiers by age: which files are due, and what is told before anything is done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.service.tiers import _months_before, _spread


@pytest.mark.parametrize(
    ("moment", "months", "wanted"),
    [
        ("2026-11-23", 6, "2026-05-23"),
        ("2026-01-31", 2, "2025-11-30"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2026-12-15", 24, "2024-12-15"),
    ],
)
def test_months_are_counted_as_on_a_calendar(moment: str, months: int, wanted: str) -> None:
    """The day stays; where the month has no such day, its last one."""
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert _months_before(at, months).date().isoformat() == wanted


def test_a_sample_is_spread_over_all_sizes() -> None:
    """Small and large files are both in it, none twice."""
    ids = [f"{n:03d}" for n in range(100)]
    chosen = _spread(ids, 8)
    assert len(set(chosen)) == 8
    assert chosen[0] < "013" and chosen[-1] > "087"
    assert _spread(ids[:3], 8) == ids[:3]
