"""Spans of visits, and what is asked of them."""

from __future__ import annotations

from pipeline.state import spans
from pipeline.state.connection import Database
from tests.kit.spans import NOW_MS, STAGES, span


def _window(began_s: float, ended_s: float) -> tuple[int, int]:
    return NOW_MS + int(began_s * 1000), NOW_MS + int(ended_s * 1000)


async def test_a_visit_is_told_as_it_was(db: Database) -> None:
    """Beginning, end, CPU, slot, outcome and every stage come back, also of simultaneous ends."""
    await db.write(spans.add, [span(0, 2), span(1, 2, file_id="other", stages=())])
    first, second = await db.read(spans.within, "owner", _window(0, 3))
    assert (first.began_ms, first.ended_ms) == _window(0, 2)
    assert first.stages == STAGES
    assert (first.slot, first.cpu_ms, first.bytes, first.outcome) == (1, 14, 2048, "done")
    assert second.stages == ()
    assert second.id > first.id


async def test_a_window_holds_what_overlaps_it(db: Database) -> None:
    """What ended before or began after is left out; what reaches in from either side is not."""
    told = [span(a, b, file_id=f"{a}-{b}") for a, b in ((0, 1), (0, 3), (2, 5), (4, 9), (7, 8))]
    await db.write(spans.add, told)
    found = await db.read(spans.within, "owner", _window(2, 5))
    assert {one.file_id for one in found} == {"0-3", "2-5", "4-9"}


async def test_questions_name_a_job_a_file_and_always_an_owner(db: Database) -> None:
    """By job, by file, page by page; nobody is told of another's files."""
    await db.write(spans.add, [span(n, n + 1, file_id=f"f{n}") for n in range(5)])
    await db.write(spans.add, [span(9, 10, job_id="other"), span(9, 10, owner_id="stranger")])
    page = await db.read(spans.within, "owner", _window(0, 99), job_id="job", limit=3)
    rest = await db.read(spans.within, "owner", _window(0, 99), job_id="job", after=page[-1].id)
    assert [one.file_id for one in page + rest] == [f"f{n}" for n in range(5)]
    assert len(await db.read(spans.of_file, "f3", "owner")) == 1
    assert await db.read(spans.of_file, "f3", "stranger") == []


async def test_old_spans_are_forgotten(db: Database) -> None:
    """What is older than a month goes, and the oldest beyond the bound."""
    await db.write(spans.add, [span(n, n + 1, file_id=f"f{n}") for n in range(10)])
    assert await db.write(spans.prune, NOW_MS, 4) == 6
    left = await db.read(spans.within, "owner", _window(0, 99))
    assert [one.file_id for one in left] == ["f6", "f7", "f8", "f9"]
    assert await db.write(spans.prune, NOW_MS + spans.KEEP_US // 1000 + 60_000) == 4
