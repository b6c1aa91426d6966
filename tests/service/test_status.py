"""What is happening now, what ran, what it was made of: the looks that every surface shares."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.clock import new_id, timestamp, unix_ms
from pipeline.errors import Conflict, Invalid, NotFound
from pipeline.model import Actor, Priority, Surface
from pipeline.service import jobs, metrics, status, storage, timeline
from pipeline.state import audit, queue, spans
from pipeline.state import jobs as rows
from pipeline.state import metrics as samples
from pipeline.state import storage as counts
from pipeline.state.metrics import Sample
from pipeline.state.progress import Progress
from pipeline.state.queue import NewTask
from pipeline.state.storage import Amount, Counted, Storage
from tests.kit.spans import span
from tests.service.family import Family

STRANGER = Actor("stranger", "owner", Surface.WEB)


async def _job(family: Family, kind: str = "optimise", files: Sequence[str] = ()) -> str:
    """A running job over these paths."""
    core, now = family.core, family.core.clock.now()
    job_id = new_id(now)

    def begin(con: sqlite3.Connection) -> None:
        rows.add(
            con,
            job_id,
            kind,
            owner_id=family.actor.user_id,
            actor="test",
            params={},
            at=timestamp(now),
        )
        owner = family.actor.user_id
        told = [NewTask(family.ids[path], owner, kind, Priority.BACKFILL, job_id) for path in files]
        queue.enqueue(con, told, now)

    await core.db.write(begin)
    return job_id


async def _claim(family: Family, kind: str = "optimise") -> list[str]:
    """What could be claimed now, claimed."""

    def take(con: sqlite3.Connection) -> list[str]:
        owner = family.actor.user_id
        found = [task.id for one in Priority for task in queue.ready(con, one, owner, [kind])]
        queue.take(con, found, "boot", "2024")
        return found

    return await family.core.db.write(take)


async def test_the_status_tells_jobs_queue_machine_and_needs(family: Family) -> None:
    """One look; what the board says of a job goes before what the rows say."""
    first = await _job(family, files=family.photos[:2])
    second = await _job(family, "restudy", files=family.photos)
    family.core.progress.report(Progress(second, 3, 1, files_per_s=2.0, bytes_per_s=9.0))
    told = await status.look(family.actor, family.core)
    assert [one.job.id for one in told.active_jobs] == [second, first]
    assert [one.progress.processed for one in told.active_jobs] == [1, 0]
    assert told.active_jobs[1].progress.total == 2
    assert told.queue_length == 5
    assert told.processing_speed == status.Speed(2.0, 9.0)
    assert told.system_resources.memory_total > 0
    assert told.needs == ()
    assert (await status.look(STRANGER, family.core)).active_jobs == ()


async def test_what_needs_a_person_is_told(family: Family) -> None:
    """A folder that is gone, a question, a job that failed; each only to its owner."""
    job_id = await _job(family)
    now = timestamp(family.core.clock.now())

    def trouble(con: sqlite3.Connection) -> None:
        con.execute("UPDATE roots SET state = 'asking', reason = 'many are missing'")
        rows.finish(con, job_id, "failed", now, "no room")

    await family.core.db.write(trouble)
    needs = (await status.look(family.actor, family.core)).needs
    assert {need.kind for need in needs} == {"root-asking", "job-failed"}
    assert "no room" in needs[-1].message
    assert (await status.look(STRANGER, family.core)).needs == ()


async def test_one_job_can_be_paused_and_goes_on(family: Family) -> None:
    """Nothing of a paused job is claimed, not even after a restart; other jobs go on."""
    paused = await _job(family, files=family.photos[:2])
    await _job(family, "restudy", files=family.photos[:1])
    assert await jobs.pause_job(family.actor, family.core, paused) == 2
    await family.core.db.write(queue.recover, "boot", "2024")
    assert await _claim(family) == []
    assert len(await _claim(family, "restudy")) == 1
    with pytest.raises(Conflict):
        await jobs.pause_job(family.actor, family.core, paused)
    assert await jobs.resume_job(family.actor, family.core, paused) == 2
    assert len(await _claim(family)) == 2


async def test_what_failed_can_be_tried_again(family: Family) -> None:
    """Failed tasks are queued anew, a rejected file's is not, and the job runs again."""
    job_id = await _job(family, files=family.photos)
    claimed = await _claim(family)
    rejected = family.ids[family.photos[0]]

    def end(con: sqlite3.Connection) -> None:
        for task in claimed:
            queue.fail(con, task, "Refused", "no", "2024")
        con.execute("UPDATE media_files SET state = 'rejected' WHERE id = ?", (rejected,))
        rows.finish(con, job_id, "done", "2024")

    await family.core.db.write(end)
    assert await jobs.retry(family.actor, family.core, job_id) == 2
    job = await jobs.get(family.actor, family.core, job_id)
    assert (job.status, job.error_count, job.processed_count) == ("running", 1, 1)
    assert len(await _claim(family)) == 2
    with pytest.raises(Conflict):
        await jobs.retry(family.actor, family.core, job_id)


async def test_steering_is_written_down(family: Family) -> None:
    """Who paused, hurried or let go of a job stands in the log; a stranger finds no such job."""
    job_id = await _job(family, files=family.photos)
    await jobs.prioritise(family.actor, family.core, job_id, Priority.INTERACTIVE)
    await jobs.pause_job(family.actor, family.core, job_id)
    await jobs.resume_job(family.actor, family.core, job_id)
    lines = await family.core.db.read(audit.page, limit=10)
    assert [line.action for line in lines] == ["job.resumed", "job.paused", "job.prioritised"]
    for steer in (jobs.pause_job, jobs.resume_job, jobs.retry, jobs.tree, jobs.progress):
        with pytest.raises(NotFound):
            await steer(STRANGER, family.core, job_id)


async def test_a_job_opens_into_tasks_visits_and_stages(family: Family) -> None:
    """Job -> task -> visit -> stage, page by page."""
    job_id = await _job(family, files=family.photos)
    file_id = family.ids[family.photos[0]]
    told = [span(job_id=job_id, file_id=file_id, owner_id=family.actor.user_id, kind="optimise")]
    await family.core.db.write(spans.add, told)
    first = await jobs.tree(family.actor, family.core, job_id, limit=2)
    rest = await jobs.tree(family.actor, family.core, job_id, after=first[-1].task.id)
    assert len(first + rest) == 3
    (branch,) = [one for one in first + rest if one.task.file_id == file_id]
    assert [stage.stage for stage in branch.spans[0].stages] == ["hash", "facts"]


async def test_the_timeline_is_a_window_with_pages(family: Family) -> None:
    """What ran between two moments: its jobs, its spans, and where to go on."""
    core, now = family.core, family.core.clock.now()
    job_id = await _job(family)
    base = span(owner_id=family.actor.user_id, job_id=job_id)
    at = unix_ms(now)
    told = [replace(base, began_ms=at + n, ended_ms=at + n + 5) for n in range(10)]
    await core.db.write(spans.add, told)
    until = now + timedelta(minutes=1)
    page = await timeline.window(family.actor, core, now, until, limit=6)
    assert [job.id for job in page.jobs] == [job_id]
    assert page.following is not None
    rest = await timeline.window(family.actor, core, now, until, after=page.following)
    assert len(page.spans + rest.spans) == 10
    assert rest.following is None
    assert (await timeline.window(STRANGER, core, now, until)).spans == ()
    with pytest.raises(Invalid):
        await timeline.window(family.actor, core, until, now)


async def test_graphs_are_thinned_and_stages_have_medians(family: Family) -> None:
    """A day of samples is shown in a few hundred points; what was counted stays the same."""
    core = family.core
    now = unix_ms(core.clock.now()) // 1000
    ran = {"hash": [10, 100, {"13": 9, "40": 1}]}
    told = [
        Sample(10, now - now % 10 - 10 * n, {"cpu": 50.0, "files": 1, "stages": ran})
        for n in range(3000)
    ]
    await core.db.write(samples.add, told)
    series = await metrics.series(family.actor, core, 24 * 3600)
    assert len(series.samples) <= metrics.POINTS
    assert sum(sample.readings["files"] for sample in series.samples) == 3000
    (speed,) = await metrics.stages(family.actor, core, 24 * 3600)
    assert speed.count == 30_000
    assert speed.p50_ms == pytest.approx(10, rel=0.1)
    assert speed.p95_ms == pytest.approx(1024, rel=0.1)
    with pytest.raises(Invalid):
        await metrics.series(family.actor, core, 31 * 24 * 3600)


async def test_the_last_run_is_held_against_those_before(family: Family) -> None:
    """A run half as fast as the usual one is told as such."""
    core, now = family.core, family.core.clock.now()

    def runs(con: sqlite3.Connection) -> None:
        for n in range(9):
            began = now + timedelta(hours=n)
            job_id = new_id(began)
            rows.add(
                con,
                job_id,
                "process",
                owner_id=family.actor.user_id,
                actor="test",
                params={},
                at=timestamp(began),
            )
            ids = [family.ids[path] for path in family.photos]
            told = [
                NewTask(one, family.actor.user_id, f"k{n}", Priority.NEW, job_id) for one in ids
            ]
            queue.enqueue(con, told, began)
            seconds = 20 if n == 8 else 10
            rows.finish(con, job_id, "done", timestamp(began + timedelta(seconds=seconds)))

    await core.db.write(runs)
    told = await metrics.trends(family.actor, core)
    assert len(told.runs) == metrics.RUNS + 1
    assert told.files_per_s is not None
    assert told.files_per_s.change == -0.5
    assert (await metrics.trends(STRANGER, core)).files_per_s is None


async def test_storage_is_counted_once_and_kept(family: Family) -> None:
    """By category, year and codec every file is counted once; the count of a day is kept."""
    told = await storage.look(family.actor, family.core)
    stored = told.storage
    for parts in (stored.by_category, stored.by_year, stored.by_codec):
        assert sum(part.files for part in parts.values()) == stored.total.files == 6
        assert sum(part.bytes for part in parts.values()) == stored.total.bytes
    again = await storage.look(family.actor, family.core)
    assert again.at == told.at
    assert len(again.history) == 1
    nobody = await family.core.db.read(counts.count, "nobody")
    assert nobody.total == Amount(0, 0)


def test_a_full_disk_is_foretold_with_a_range() -> None:
    """Two GB a day lately, one before: full in five to ten days. Without growth nothing is said."""
    nothing = Amount(0, 0)

    def counted(day: int, size: float) -> Counted:
        amount = Amount(1, int(size * 1e9))
        empty = Storage(amount, {}, {}, {}, nothing, nothing, nothing)
        return Counted(f"2024-05-{day:02}", "", empty)

    growing = [counted(30, 30), counted(23, 16), counted(10, 10)]
    told = storage.forecast(growing, int(10e9))
    assert told == storage.Forecast(5, 10)
    assert storage.forecast(growing[:1], int(10e9)) is None
    assert storage.forecast([counted(30, 5), counted(20, 5)], int(10e9)) is None
    assert counts.KEEP_DAYS > storage.HISTORY_DAYS
