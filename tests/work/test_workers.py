"""Visits in child processes: what they may do, and what a bad one costs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import signal
import socket
from pathlib import Path

import psutil
import pytest

from pipeline.errors import DecodeFailed
from pipeline.model import Done, Later, Made, Outcome, Reject
from pipeline.work.workers.contract import WorkerKilled
from pipeline.work.workers.local import LocalWorkers
from tests.work.deeds import evil_workers, picture, request


async def deed_of(workers: LocalWorkers, folder: Path, deed: str) -> Outcome:
    reply = await workers.visit(request(picture(folder / "evil.png", deed)))
    return reply.outcomes["misdeed"]


async def test_a_visit_answers_every_stage(tmp_path: Path) -> None:
    """All stages asked for come back, with the format told from content."""
    async with evil_workers(tmp_path) as workers:
        reply = await workers.visit(request(picture(tmp_path / "a.png")))
        assert reply.format == "png"
        assert set(reply.outcomes) == {"hash", "misdeed"}
        assert all(isinstance(outcome, Done) for outcome in reply.outcomes.values())


async def test_children_are_isolated(tmp_path: Path) -> None:
    """T28: no descriptor of the core, no sockets, an empty environment, limits, no state code."""
    with (tmp_path / "darkroom.sqlite").open("wb") as database:
        os.set_inheritable(database.fileno(), True)
        async with evil_workers(tmp_path) as workers:
            outcome = await deed_of(workers, tmp_path, "probe")
    assert isinstance(outcome, Done)
    seen = outcome.facts
    targets = list(seen["descriptors"].values())
    assert not [t for t in targets if "sqlite" in t or t.startswith("socket:")]
    assert len([t for t in targets if t.startswith("pipe:")]) == 2
    assert not {"HOME", "PATH", "USER", "DARKROOM_HOME"} & set(seen["environment"])
    assert seen["limits"]["RLIMIT_CORE"] == 0
    assert seen["limits"]["RLIMIT_NOFILE"] <= 64
    assert 0 < seen["limits"]["RLIMIT_AS"] <= 1 << 30
    assert seen["nice"] >= 10
    assert not {"aiosqlite", "sqlite3", "pydantic"} & set(seen["modules"])
    assert not [m for m in seen["modules"] if m.startswith(("pipeline.state", "pipeline.library"))]


@pytest.mark.parametrize("deed", ["pickle", "long", "schema", "twice", "path ../escape"])
async def test_nonsense_costs_only_its_own_visit(tmp_path: Path, deed: str) -> None:
    """T52: an answer that breaks the protocol is refused, and the next file goes on."""
    async with evil_workers(tmp_path) as workers:
        with pytest.raises(DecodeFailed):
            await deed_of(workers, tmp_path, deed)
        assert isinstance(await deed_of(workers, tmp_path, ""), Done)


async def test_a_child_that_speaks_later_is_not_believed(tmp_path: Path) -> None:
    """T52: what a child says between visits is never taken for the answer to the next one."""
    async with evil_workers(tmp_path) as workers:
        with pytest.raises(
            DecodeFailed, match=r"more than it was asked|without being asked|nonsense"
        ):
            await deed_of(workers, tmp_path, "twice")
        assert isinstance(await deed_of(workers, tmp_path, ""), Done)


async def test_a_dead_child_costs_one_visit(tmp_path: Path) -> None:
    """T07: a file that kills its reader fails alone; a fresh child serves the next."""
    async with evil_workers(tmp_path) as workers:
        with pytest.raises(WorkerKilled):
            await deed_of(workers, tmp_path, "kill")
        assert isinstance(await deed_of(workers, tmp_path, ""), Done)
        with pytest.raises(DecodeFailed) as crash:
            await deed_of(workers, tmp_path, "crash")
        assert not isinstance(crash.value, WorkerKilled)
        assert workers.started == 3


async def test_a_hanging_visit_is_ended(tmp_path: Path) -> None:
    """T07, T52: a visit that never ends is killed at its time limit."""
    async with evil_workers(tmp_path, timeout_s=0.6) as workers:
        await deed_of(workers, tmp_path, "")
        with pytest.raises(DecodeFailed, match="longer than"):
            await deed_of(workers, tmp_path, "hang")
        assert isinstance(await deed_of(workers, tmp_path, ""), Done)


async def test_endless_computing_is_ended_by_the_kernel(tmp_path: Path) -> None:
    """T07: CPU time is limited even if the core were not watching."""
    async with evil_workers(tmp_path, timeout_s=30.0, cpu_s=1) as workers:
        with pytest.raises(DecodeFailed, match="ended before"):
            await deed_of(workers, tmp_path, "burn")


async def test_a_visit_that_eats_memory_is_refused(tmp_path: Path) -> None:
    """T07: memory is limited; the stage fails, the hash stays, the child is replaced."""
    async with evil_workers(tmp_path) as workers:
        reply = await workers.visit(request(picture(tmp_path / "evil.png", "eat")))
        assert isinstance(reply.outcomes["hash"], Done)
        outcome = reply.outcomes["misdeed"]
        assert isinstance(outcome, Reject)
        assert "memory" in outcome.why
        assert isinstance(await deed_of(workers, tmp_path, ""), Done)
        assert workers.started == 2


async def test_a_raising_stage_fails_only_itself(tmp_path: Path) -> None:
    """Errors of the tree and bugs alike become this stage's outcome, and the child lives on."""
    async with evil_workers(tmp_path) as workers:
        assert isinstance(await deed_of(workers, tmp_path, "raise bad"), Reject)
        assert isinstance(await deed_of(workers, tmp_path, "raise bug"), Reject)
        assert isinstance(await deed_of(workers, tmp_path, "raise changed"), Later)
        assert isinstance(await deed_of(workers, tmp_path, "raise later"), Later)
        assert workers.started == 1


async def test_chatter_of_libraries_is_kept_from_the_pipe(tmp_path: Path) -> None:
    """What a decoder prints neither breaks the protocol nor fills the disk."""
    async with evil_workers(tmp_path) as workers:
        for _ in range(3):
            assert isinstance(await deed_of(workers, tmp_path, "chatter"), Done)
        assert (tmp_path / "work" / "slot-0.log").stat().st_size <= 3 << 20


async def test_made_files_lie_in_the_visits_own_directory(tmp_path: Path) -> None:
    """A derivative waits where the reply says, until the reply is released."""
    async with evil_workers(tmp_path) as workers:
        reply = await workers.visit(request(picture(tmp_path / "a.png", "make thumb.jpg")))
        outcome = reply.outcomes["misdeed"]
        assert outcome == Done({}, (Made("thumbnail", "thumb.jpg", "image/jpeg", 2, 3),))
        assert (reply.workdir / "thumb.jpg").read_bytes() == b"made"
        await workers.release(reply)
    assert not reply.workdir.exists()
    assert not (tmp_path / "work" / "slot-0").exists()


async def test_children_write_only_where_they_may(tmp_path: Path) -> None:
    """Landlock: a decoder that was taken over cannot touch the library."""
    async with evil_workers(tmp_path) as workers:
        if not (await workers.protections())["landlock"]:
            pytest.skip("this kernel has no Landlock")
        target = tmp_path / "library.txt"
        assert await deed_of(workers, tmp_path, f"escape {target}") == Reject("PermissionError")
        assert not target.exists()


async def test_children_reach_no_network(tmp_path: Path) -> None:
    """No decoder connects anywhere, not even to this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        async with evil_workers(tmp_path) as workers:
            if not {"seccomp", "network-namespace"} & {
                name for name, holds in (await workers.protections()).items() if holds
            }:
                pytest.skip("this kernel lets nobody give up the network")
            assert isinstance(await deed_of(workers, tmp_path, f"connect {port}"), Reject)


async def test_cancelling_a_visit_kills_its_child(tmp_path: Path) -> None:
    """Nothing goes on behind the back of somebody who cancelled."""
    async with evil_workers(tmp_path) as workers:
        await deed_of(workers, tmp_path, "")
        (before,) = workers.child_pids
        visit = asyncio.create_task(deed_of(workers, tmp_path, "hang"))
        await asyncio.sleep(0.1)
        visit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visit
        assert not psutil.pid_exists(before)
        assert isinstance(await deed_of(workers, tmp_path, ""), Done)


async def test_closing_leaves_nothing_behind(tmp_path: Path) -> None:
    """No process and no work directory outlives the workers."""
    async with evil_workers(tmp_path, slots=2) as workers:
        visits = [request(picture(tmp_path / f"{n}.png")) for n in range(4)]
        await asyncio.gather(*(workers.visit(visit) for visit in visits))
        pids = workers.child_pids
        assert pids
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert not [path for path in (tmp_path / "work").iterdir() if path.is_dir()]


async def test_children_are_replaced_after_their_share(tmp_path: Path) -> None:
    """A child serves a bounded number of visits, so that what a library leaks is given back."""
    async with evil_workers(tmp_path, visits_per_child=3) as workers:
        for _ in range(7):
            assert isinstance(await deed_of(workers, tmp_path, ""), Done)
        assert workers.started == 3


async def test_killing_children_costs_one_visit_each(tmp_path: Path) -> None:
    """T06: random kills during many visits: no visit is lost, each kill costs at most one."""
    dice = random.Random(6)
    files = [picture(tmp_path / f"{n}.png", "hang 0.02") for n in range(90)]
    failures, kills, done = 0, 0, 0

    async def serve(path: Path) -> None:
        nonlocal failures, done
        while True:
            try:
                await workers.visit(request(path))
            except DecodeFailed:
                failures += 1
                continue
            done += 1
            return

    async def assassinate() -> None:
        nonlocal kills
        while kills < 30:
            await asyncio.sleep(0.03)
            if workers.child_pids:
                with contextlib.suppress(ProcessLookupError):  # it may end by itself just now
                    os.kill(dice.choice(workers.child_pids), signal.SIGKILL)
                    kills += 1

    async with evil_workers(tmp_path, slots=4) as workers, asyncio.TaskGroup() as group:
        group.create_task(assassinate())
        for path in files:
            group.create_task(serve(path))
    assert done == 90
    assert kills == 30
    assert failures <= kills


@pytest.mark.parametrize("turns", range(0, 40, 4))
async def test_closing_while_children_start_leaves_none(tmp_path: Path, turns: int) -> None:
    """However early somebody changes their mind, no half-started child stays behind."""
    before = set(psutil.Process().children(recursive=True))
    async with evil_workers(tmp_path, slots=2):
        for _ in range(turns):
            await asyncio.sleep(0.0005)
    gc.collect()  # an unwaited process would warn here, and fail the test
    assert set(psutil.Process().children(recursive=True)) <= before
