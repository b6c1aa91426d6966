"""Progress of jobs: by bytes, never backwards, and honest about the time that is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.clock import timestamp
from pipeline.state import jobs, queue
from pipeline.state.progress import Board, Progress
from pipeline.state.reports import Standing
from pipeline.work import headway
from pipeline.work.alongside import alongside
from pipeline.work.headway import Headway, Speed
from pipeline.work.ledger import Ledger
from tests.kit.clock import FakeClock
from tests.kit.spans import span
from tests.work.deeds import picture
from tests.work.rig import OWNER, open_rig, running


def _standing(**more: object) -> Standing:
    values: dict[str, object] = {
        "owner_id": OWNER,
        "is_over": False,
        "total": 10,
        "studied": 0,
        "done": 0,
        "bytes_total": 10_000_000,
        "bytes_studied": 0,
        "bytes_done": 0,
        "errors": 0,
        "put_off": 0,
        "why": None,
    }
    return Standing(**(values | more))  # type: ignore[arg-type]  # values are those of the fields


def test_a_large_file_is_more_of_the_job_than_a_small_one() -> None:
    """A job of one film and nine photos is not nine tenths done without the film."""
    photos = headway.share_of(_standing(), 9, 1_000_000, 9)
    film = headway.share_of(_standing(), 1, 9_000_000, 1)
    assert photos < 0.3
    assert film > 0.7
    assert headway.share_of(_standing(), 10, 10_000_000, 10) == 1.0
    assert headway.share_of(_standing(total=0), 0, 0, 0) == 0.0


def test_a_speed_follows_what_was_done_lately() -> None:
    """The old fades within a minute; before there is enough work, and in a stall, none is told."""
    speed = Speed(0.0)
    speed.note(1.0, 10, 1000)
    assert not speed.is_known
    for second in range(2, 62):
        speed.note(float(second), 10, 1000)
    assert speed.is_known
    assert speed.files_per_s == pytest.approx(10)
    for second in range(62, 122):
        speed.note(float(second), 20, 2000)
    assert speed.files_per_s == pytest.approx(20, rel=0.06)
    speed.note(160.0, 0, 0)
    assert not speed.is_known


def test_rows_that_were_read_too_early_are_read_again_soon() -> None:
    """A job whose files were not there yet is not taken for done, however long the look took."""
    course = headway._Course(Speed(0.0), _standing(total=0), read_at=0.0, cost_s=1.0)
    assert course.is_due(headway.LOOK_S)
    course.standing = _standing(total=3, studied=1)
    assert not course.is_due(headway.LOOK_S)
    course.studied = 3
    assert course.is_due(headway.LOOK_S)


async def test_what_is_told_of_a_run_only_grows_and_ends(tmp_path: Path) -> None:
    """Files are found while others are done: share and counts never fall, the last is the whole."""
    told: list[Progress] = []
    async with open_rig(tmp_path) as rig:
        board = Board(rig.clock)
        board.listen(told.append)
        flow = rig.flow(board=board)
        job_id = await rig.job()
        async with running(flow):
            for group in range(4):
                names = [rig.root.path / f"{group}-{n}.png" for n in range(6)]
                await rig.admit([picture(path) for path in names], job_id)
                flow.poke()
                await asyncio.sleep(0.1)
            await flow.drain(job_id)
            await _until(lambda: told[-1].is_over)
    assert board.latest(job_id) is None
    shares, processed = [one.share for one in told], [one.processed for one in told]
    assert shares == sorted(shares)
    assert processed == sorted(processed)
    assert {one.owner_id for one in told} == {OWNER}


async def test_the_rows_are_read_seldom_and_what_happens_is_counted_between(tmp_path: Path) -> None:
    """A hundred visits in a second are told four times, from few looks at the state."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig:
        job_id = await rig.job()
        await rig.admit([picture(rig.root.path / f"{n}.png") for n in range(100)], job_id)
        board, told = Board(clock), list[Progress]()
        board.listen(told.append)
        heads = Headway(Ledger(rig.db, clock), board)
        async with alongside(heads.run(), "progress"):
            heads.begin(job_id, "a.png")
            await _until(lambda: bool(told))
            for _ in range(100):
                heads.visited(span(job_id=job_id), is_over=True)
                await clock.advance(0.01)
            await _until(lambda: told[-1].studied > 50)
            assert told[-1].stages["hash"] >= 50
    assert len(told) <= 7
    assert told[0].total == 100
    assert told[0].current == "a.png"


async def test_the_end_is_told_once_and_nothing_is_kept(tmp_path: Path) -> None:
    """A job that is over leaves the board, whoever ended it."""
    async with open_rig(tmp_path) as rig:
        board, told = Board(rig.clock), list[Progress]()
        board.listen(told.append)
        heads = Headway(Ledger(rig.db, rig.clock), board)
        job_id = await rig.job()
        await rig.admit([picture(rig.root.path / "a.png")], job_id)
        async with alongside(heads.run(), "progress"):
            heads.begin(job_id, "a.png")
            await _until(lambda: bool(told))
            now = timestamp(rig.clock.now())
            await rig.db.write(queue.cancel_job, job_id, now)
            await rig.db.write(jobs.finish, job_id, "cancelled", now)
            await _until(lambda: told[-1].is_over)
        assert [one.is_over for one in told].count(True) == 1
        assert not heads._courses


async def _until(is_so: object) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # type: ignore[operator]
            await asyncio.sleep(0.005)
