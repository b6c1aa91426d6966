"""The way of files through the flow, whatever they do to their readers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, time
from pathlib import Path

import pytest

from pipeline.errors import ChangedWhileRead, IntegrityBroken, Refused, StorageFull
from pipeline.model import Priority
from pipeline.state import events
from pipeline.work import flow as flow_room
from pipeline.work import queue as queue_room
from pipeline.work import record, resources, settling, study
from pipeline.work.resources import Disk, Policy, Reading
from pipeline.work.workers.contract import VisitReply, VisitRequest, Workers
from tests.kit.clock import FakeClock
from tests.work.deeds import picture
from tests.work.rig import Rig, add_owner, hurrying, open_rig, running


class Spy:
    """Workers that remember what they were asked."""

    def __init__(self, real: Workers) -> None:
        self._real = real
        self.slots = real.slots
        self.release = real.release
        self.requests: list[VisitRequest] = []

    async def visit(self, request: VisitRequest) -> VisitReply:
        """Note and visit."""
        self.requests.append(request)
        return await self._real.visit(request)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, for at most half a minute."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def hashes_by_name(con: sqlite3.Connection) -> dict[str, str]:
    rows = con.execute("SELECT source_path, sha256 FROM media_files")
    return {bytes(row[0]).decode(): row[1] for row in rows}


def derivatives(con: sqlite3.Connection) -> list[sqlite3.Row]:
    return con.execute("SELECT * FROM derivatives").fetchall()


def pictures(rig: Rig, count: int, deed: str = "") -> list[Path]:
    return [picture(rig.root.path / f"{deed[:4].strip()}{n:04}.png", deed) for n in range(count)]


async def test_files_go_all_the_way(tmp_path: Path) -> None:
    """Every admitted file is studied, recorded and placed; the job counts it and closes."""
    async with open_rig(tmp_path) as rig:
        counts = await rig.process(pictures(rig, 40))
        assert (counts.status, counts.processed, counts.errors) == ("done", 40, 0)
        assert set((await rig.states()).values()) == {"done"}


async def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    """Equal contents, arriving together or later, become duplicates of one file."""
    async with open_rig(tmp_path) as rig:
        twins = [picture(rig.root.path / f"twin{n}.png", salt="same") for n in range(30)]
        await rig.process(twins)
        late = picture(rig.root.path / "late.png", salt="same")
        await rig.process([late])
        states = list((await rig.states()).values())
        assert states.count("done") == 1
        assert states.count("duplicate") == 30


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries of crashed visits follow at once."""
    monkeypatch.setattr(record, "CASUALTY_S", 0.01)
    monkeypatch.setattr(flow_room, "IDLE_S", 0.02)


async def test_a_poison_file_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    """T07: crash, hang and nonsense end with the file after three attempts; 497 others are done."""
    async with open_rig(tmp_path, timeout_s=2.0) as rig:
        deeds = ("crash", "hang", "pickle")
        bad = [picture(rig.root.path / f"{deed}.png", deed) for deed in deeds]
        counts = await rig.process([*pictures(rig, 497), *bad])
        states = await rig.states()
        assert [states.pop(f"{deed}.png") for deed in deeds] == ["rejected"] * 3
        assert set(states.values()) == {"done"}
        assert len(rig.quarantined) == counts.errors == 3
        told = await rig.db.read(events.read_after, 0, None)
        assert len([event for event in told if event.name == "file.rejected"]) == 3


async def test_a_file_that_eats_memory_is_kept_and_flagged(tmp_path: Path) -> None:
    """T07: a stage that needs too much fails; the file is placed, with the reason beside it."""
    async with open_rig(tmp_path) as rig:
        path = picture(rig.root.path / "eat.png", "eat")
        await rig.process([path, *pictures(rig, 5)])
        assert set((await rig.states()).values()) == {"done"}
        told = await rig.db.read(events.read_after, 0, None)
        (damage,) = [event for event in told if event.name == "file.damaged"]
        assert "memory" in damage.data["reason"]


async def among_assassins(folder: Path, files: int, kills: int) -> tuple[int, set[str]]:
    """Process files while random children are killed; the job's errors, and how files ended."""
    dice = random.Random(6)

    async def assassinate(rig: Rig) -> None:
        left = kills
        while left:
            await asyncio.sleep(0.03)
            if pids := rig.workers.child_pids:
                with contextlib.suppress(ProcessLookupError):  # it ended at this very moment
                    os.kill(dice.choice(pids), signal.SIGKILL)
                    left -= 1

    async with open_rig(folder, slots=4) as rig, asyncio.TaskGroup() as group:
        group.create_task(assassinate(rig))
        counts = await rig.process(pictures(rig, files, "hang 0.02"))
        assert counts.processed == files
        return counts.errors, set((await rig.states()).values())


async def test_random_kills_cost_only_attempts(tmp_path: Path) -> None:
    """T06: 100 random SIGKILLs to children during 300 files: all 300 are done."""
    assert await among_assassins(tmp_path, 300, 100) == (0, {"done"})


async def test_the_assassins_are_dangerous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness of T06 can fail: where every kill is blamed at once, files are rejected."""
    monkeypatch.setattr(study, "KILLED_ATTEMPTS", 1)
    errors, states = await among_assassins(tmp_path, 60, 20)
    assert errors > 0
    assert "rejected" in states


async def test_what_can_wait_is_tried_again_without_blame(tmp_path: Path) -> None:
    """A stage that answers Later brings the file back after its time, attempts uncounted."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        path = picture(rig.root.path / "later.png", "wait 0.1")
        (file_id,) = await rig.admit([path])
        flow = rig.flow()
        async with running(flow):
            await until(lambda: flow.tally.retried >= 3)
            picture(path)
            await until(lambda: rig.placed == [file_id])


async def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    """T19, T20: the hash that is recorded belongs to one content of the file, the last one."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        paths = pictures(rig, 20)
        job_id = await rig.job()
        await rig.admit(paths, job_id)
        for path in paths[::2]:  # between admission and visit
            picture(path)
        counts = await rig.finish(rig.flow(), job_id)
        assert counts.errors == 0
        hashes = await rig.db.read(hashes_by_name)
    assert hashes == {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


async def test_a_vanished_source_is_missing_not_rejected(tmp_path: Path) -> None:
    """A file that was deleted before its visit is told as missing; nothing is done about it."""
    async with open_rig(tmp_path) as rig:
        kept, gone = pictures(rig, 2)
        job_id = await rig.job()
        await rig.admit([kept, gone], job_id)
        gone.unlink()
        await rig.finish(rig.flow(), job_id)
        assert await rig.states() == {kept.name: "done", gone.name: "missing"}


async def test_placing_that_must_wait_is_repeated(tmp_path: Path) -> None:
    """TryLater repeats, Refused fails at once, changed bytes are studied anew."""
    async with open_rig(tmp_path) as rig:
        paths = pictures(rig, 3)
        job_id = await rig.job()
        busy, refused, changed = await rig.admit(paths, job_id)
        rig.refusals = {
            busy: StorageFull("no room", after_s=0.05),
            refused: Refused("not there"),
            changed: ChangedWhileRead("other bytes"),
        }
        flow = rig.flow()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settling, "CHANGED_S", 0.05)
            patch.setattr(queue_room, "FIRST_RETRY_S", 0.05)
            counts = await rig.finish(flow, job_id)
        assert (counts.processed, counts.errors) == (3, 1)
        assert sorted(rig.placed) == sorted([busy, changed])


async def test_something_broken_stops_the_flow_and_says_so(tmp_path: Path) -> None:
    """Broken: the file fails, the flow pauses with a reason as an event, the rest stays queued."""
    async with open_rig(tmp_path) as rig:
        (file_id,) = await rig.admit(pictures(rig, 1))
        rig.refusals = {file_id: IntegrityBroken("bytes differ")}
        flow = rig.flow()
        async with running(flow):
            await until(lambda: flow.tally.failed == 1)
            await until(lambda: flow.waiting_for is not None)
            await rig.admit([picture(rig.root.path / "next.png")])
            flow.poke()
            await asyncio.sleep(0.1)
        assert (await rig.states())["next.png"] == "found"
        told = await rig.db.read(events.read_after, 0, None)
        assert [e.data["reason"] for e in told if e.name == "flow.paused"]


async def test_a_pause_survives_a_restart(tmp_path: Path) -> None:
    """Paused means nothing is claimed, by this core and by the next one, until somebody resumes."""
    async with open_rig(tmp_path) as rig:
        job_id = await rig.job()
        await rig.admit(pictures(rig, 5), job_id)
        first = rig.flow()
        await first.pause("dinner", actor="test")
        async with running(first):
            await asyncio.sleep(0.1)
        second = rig.flow()
        async with running(second):
            await until(lambda: second.waiting_for == "dinner")
            assert set((await rig.states()).values()) == {"found"}
            assert await second.resume(actor="test")
            assert not await second.resume(actor="test")
            await second.drain(job_id)
        assert set((await rig.states()).values()) == {"done"}


async def test_a_pause_for_minutes_ends_by_itself(tmp_path: Path) -> None:
    """When its time is over the work goes on, and the log says both."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig:
        await rig.admit(pictures(rig, 1))
        flow = rig.flow()
        await flow.pause("nap", actor="test", minutes=10)
        async with running(flow):
            for _ in range(200):
                await clock.advance(30)
                await asyncio.sleep(0.01)
                if rig.placed:
                    break
        names = [e.name for e in await rig.db.read(events.read_after, 0, None)]
        assert (
            names.index("flow.paused") < names.index("flow.resumed") < names.index("file.studied")
        )


async def test_pausing_now_interrupts_without_blame(tmp_path: Path) -> None:
    """What runs is stopped at once and later repeated; its attempt does not count."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        path = picture(rig.root.path / "slow.png", "hang 30")
        (file_id,) = await rig.admit([path])
        flow = rig.flow()
        async with running(flow):
            await until(lambda: rig.workers.busy == 1)
            await flow.pause("now", actor="test", now=True)
            await until(lambda: rig.workers.busy == 0)
            picture(path)
            await flow.resume(actor="test")
            await until(lambda: rig.placed == [file_id])


async def test_cancelling_a_job_leaves_its_other_files_alone(tmp_path: Path) -> None:
    """What the job had not begun is cancelled, what runs is stopped, sources stay as they are."""
    async with open_rig(tmp_path, slots=1) as rig:
        paths = pictures(rig, 20, "hang 30")
        job_id = await rig.job()
        await rig.admit(paths, job_id)
        flow = rig.flow()
        async with running(flow):
            await until(lambda: rig.workers.busy == 1)
            await flow.cancel(job_id)
            counts = await flow.drain(job_id)
            other = await rig.admit([picture(rig.root.path / "other.png")])
            flow.poke()
            await until(lambda: rig.placed == list(other))
        assert counts is not None
        assert counts.open_tasks == 0
        assert all(path.exists() for path in paths)


async def test_results_are_remembered_by_content(tmp_path: Path) -> None:
    """Another owner's file with the same bytes is kept, and nothing is computed twice for it."""
    async with open_rig(tmp_path) as rig:
        mine = picture(rig.root.path / "mine.png", salt="same")
        await rig.process([mine])
        aunt = await add_owner(rig, "aunt")
        hers = picture(aunt.path / "hers.png", salt="same")
        await rig.admit([hers], root=aunt)
        spy = Spy(rig.workers)
        rig.workers = spy
        flow = rig.flow()
        async with running(flow):
            await until(lambda: len(rig.placed) == 2)
        asked = {call.name for request in spy.requests for call in request.stages}
        assert asked == {"hash", "misdeed"}  # of another person nothing is known at first
        late = picture(aunt.path / "late.png", salt="same")
        await rig.admit([late], root=aunt)
        spy.requests.clear()
        flow = rig.flow()
        async with running(flow):
            await until(lambda: flow.tally.duplicates == 1)
        assert [call.name for request in spy.requests for call in request.stages] == ["hash"]


async def test_derivatives_are_adopted(tmp_path: Path) -> None:
    """What a stage made lies in the cache under its content's name, and has a row."""
    async with open_rig(tmp_path) as rig:
        await rig.process([picture(rig.root.path / "a.png", "make thumb.jpg")])
        (row,) = await rig.db.read(derivatives)
        assert (rig.home.cache / row["path"]).read_bytes() == b"made"
        assert (row["kind"], row["mime"], row["bytes"]) == ("thumbnail", "image/jpeg", 4)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_may_not_be_read_fails_at_once(tmp_path: Path) -> None:
    """Nobody waits for ever for a right that only a person can give; the file stays found."""
    async with open_rig(tmp_path) as rig:
        path = picture(rig.root.path / "secret.png")
        path.chmod(0)
        counts = await rig.process([path])
        assert counts.errors == 1
        assert set((await rig.states()).values()) == {"found"}


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF></rdf:RDF></x:xmpmeta>'


async def test_a_bundle_is_placed_as_one_when_all_of_it_is_read(tmp_path: Path) -> None:
    """T16: whatever member is late, nothing of the bundle is placed before it, and all together."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        photo = picture(rig.root.path / "IMG_1.png")
        late = rig.root.path / "IMG_1.xmp"
        late.write_bytes(XMP + b"#!wait 5")
        job_id = await rig.job()
        await rig.admit([photo, late], job_id)
        flow = rig.flow()
        async with running(flow):
            await until(lambda: flow.tally.studied == 1 and flow.tally.retried >= 1)
            assert rig.placed == []
            late.write_bytes(XMP)
            counts = await flow.drain(job_id)
        assert counts is not None
        assert (counts.processed, counts.open_tasks) == (2, 0)
        assert set((await rig.states()).values()) == {"done"}
        assert len(rig.placed) == 1


async def test_quiet_hours_hold_back_only_background_work(tmp_path: Path) -> None:
    """What a person waits for is claimed in quiet hours, new files wait for their end."""
    policy = Policy(min_memory=0, min_free=0, quiet_from=time(11), quiet_until=time(13))
    clock = FakeClock()  # noon
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        await rig.admit([picture(rig.root.path / "new.png")])
        asked = await rig.admit(
            [picture(rig.root.path / "asked.png")], priority=Priority.INTERACTIVE
        )
        flow = rig.flow(policy=policy)
        async with running(flow):
            await until(lambda: rig.placed == list(asked))
            await until(lambda: flow.waiting_for is not None and "quiet" in flow.waiting_for)
        assert (await rig.states())["new.png"] == "found"


async def within_a_minute(clock: FakeClock, holds: Callable[[], bool]) -> None:
    """Let at most a minute of virtual time pass until it holds; real time is given plenty."""
    for _ in range(60):
        await clock.advance(1)
        for _ in range(30):
            if holds():
                return
            await asyncio.sleep(0.01)
    pytest.fail("a minute was not enough")


async def test_a_full_disk_is_told_and_left_within_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T09: alarm and pause within 60 s of a disk filling, work within 60 s of room, unaided."""
    clock, free, told = FakeClock(), [10], []

    def reading(_: object, local: datetime) -> Reading:
        return Reading(0.0, 1 << 30, (Disk(tmp_path, free[0], 100 << 30),), False, local.time())

    monkeypatch.setattr(resources, "read", reading)
    async with open_rig(tmp_path, clock=clock) as rig:
        stop = rig.db.listen(lambda fresh: told.extend(event.name for event in fresh))
        await rig.admit(pictures(rig, 1))
        flow = rig.flow(policy=Policy())
        async with running(flow):
            await within_a_minute(clock, lambda: "storage.full" in told)
            await within_a_minute(clock, lambda: flow.waiting_for is not None)
            await clock.advance(600)
            assert set((await rig.states()).values()) == {"found"}
            free[0] = 50 << 30
            await within_a_minute(clock, lambda: "storage.freed" in told)
            await within_a_minute(clock, lambda: flow.waiting_for is None)
            async with hurrying(clock):
                await until(lambda: len(rig.placed) == 1)
        stop()


async def test_a_file_on_an_absent_disk_waits_for_it(tmp_path: Path) -> None:
    """P6: a root that is away makes its files late, never missing or rejected."""
    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        (path,) = pictures(rig, 1)
        await rig.admit([path])
        away = rig.root.path.with_name("away")
        rig.root.path.rename(away)
        flow = rig.flow()
        async with running(flow):
            await until(lambda: flow.tally.retried >= 2)
            assert set((await rig.states()).values()) == {"found"}
            away.rename(rig.root.path)
            await until(lambda: len(rig.placed) == 1)


async def test_of_equal_files_that_come_together_the_first_is_kept(tmp_path: Path) -> None:
    """T17: whichever reader is faster, the first of equal files is kept, and only it is studied."""
    async with open_rig(tmp_path, slots=4) as rig:
        paths = [picture(rig.root.path / f"{n:02}.png", salt=n // 10) for n in range(40)]
        spy = Spy(rig.workers)
        rig.workers = spy
        counts = await rig.process(paths)
        assert counts.errors == 0
        states = await rig.states()
        asked = [call.name for request in spy.requests for call in request.stages]
        assert [name for name, state in states.items() if state == "done"] == [
            "00.png",
            "10.png",
            "20.png",
            "30.png",
        ]
        assert asked.count("misdeed") == 4


async def test_what_can_be_recorded_now_waits_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file alone, the last of many, and one that its twin waits for are recorded at once."""
    monkeypatch.setattr(flow_room, "GATHER_S", 3600.0)
    async with asyncio.timeout(30), open_rig(tmp_path, slots=3) as rig:
        await rig.process(pictures(rig, 1))
        twins = [
            picture(rig.root.path / f"twin{n:02}.png", salt=f"pair {n // 2}") for n in range(80)
        ]
        await rig.process(twins)
        states = list((await rig.states()).values())
        assert (states.count("done"), states.count("duplicate")) == (41, 40)


async def test_studies_are_recorded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that come one after the other share their transactions, up to a batch."""
    monkeypatch.setattr(flow_room, "GATHER_S", 3600.0)
    batches: list[int] = []
    real = record.Recorder.record_all

    def noted(
        self: record.Recorder,
        con: sqlite3.Connection,
        recordings: Sequence[record.Recording],
        at: str,
    ) -> list[record.Next]:
        batches.append(len(recordings))
        return real(self, con, recordings, at)

    monkeypatch.setattr(record.Recorder, "record_all", noted)
    async with open_rig(tmp_path) as rig:
        await rig.process(pictures(rig, 80))
    assert sum(batches) == 80
    assert len(batches) <= 8
    assert max(batches) <= flow_room.BATCH
