"""A whole flow over small files and misbehaving stages; placing is a mark in the state."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

from pipeline.clock import Clock, SystemClock, new_id, timestamp
from pipeline.errors import DarkroomError
from pipeline.intake import admit
from pipeline.model import Candidate, Home, Priority, Root, RootKind, Take
from pipeline.state import roots
from pipeline.state.connection import Database, open_database
from pipeline.state.progress import Board
from pipeline.state.queue import JobCounts
from pipeline.work.alongside import alongside
from pipeline.work.asked import Kind
from pipeline.work.flow import Flow, Means
from pipeline.work.gate import Gate
from pipeline.work.resources import Policy
from pipeline.work.study import DueStage
from pipeline.work.workers.contract import Workers
from tests.kit.clock import FakeClock
from tests.work.deeds import evil_workers

OWNER = "owner-1"
EVIL = (DueStage("hash", 1), DueStage("misdeed", 1))


@dataclass
class Rig:
    """What a test of the flow holds on to."""

    home: Home
    db: Database
    clock: Clock
    workers: Workers
    root: Root
    quarantined: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    refusals: dict[str, DarkroomError] = field(default_factory=dict)  # by file id, told once

    def flow(
        self,
        stages: Sequence[DueStage] = EVIL,
        policy: Policy | None = None,
        asked: Sequence[Kind] = (),
        board: Board | None = None,
    ) -> Flow:
        """A flow over this rig, not running yet."""
        gate = Gate(self.db, self.clock, policy or Policy(min_memory=0, min_free=0), [], UTC)
        means = Means(
            db=self.db,
            clock=self.clock,
            workers=self.workers,
            home=self.home,
            stages=stages,
            gate=gate,
            keep=lambda _con, _known, _at: None,
            place=self.place,
            quarantine=self.quarantine,
            asked=asked,
            board=board,
        )
        return Flow(means)

    async def place(self, file_ids: Sequence[str]) -> Mapping[str, DarkroomError | None]:
        """Mark whole bundles as done."""
        errors = {file_id: self.refusals.pop(file_id, None) for file_id in file_ids}
        good = [file_id for file_id, error in errors.items() if error is None]
        await self.db.write(_mark_done, good)
        self.placed.extend(good)
        return errors

    async def quarantine(self, file_ids: Sequence[str]) -> None:
        """Note who was rejected."""
        self.quarantined.extend(file_ids)

    async def job(self) -> str:
        """A job to which files can be admitted."""
        job_id = new_id(self.clock.now())
        await self.db.write(_add_job, job_id, timestamp(self.clock.now()))
        return job_id

    async def admit(
        self,
        paths: Sequence[Path],
        job_id: str | None = None,
        priority: Priority = Priority.NEW,
        root: Root | None = None,
    ) -> tuple[str, ...]:
        """Rows and tasks for these files; their ids."""
        root = root or self.root
        request = admit.Request(root, "test", priority, job_id)
        seen = [_candidate(root, path) for path in paths]
        return (await admit.admit(self.db, self.clock, request, seen)).new

    async def states(self) -> dict[str, str]:
        """State by source path."""
        return await self.db.read(_states)

    async def process(self, paths: Sequence[Path], **means: object) -> JobCounts:
        """Admit, run until everything is over, stop."""
        job_id = await self.job()
        await self.admit(paths, job_id)
        counts = await self.finish(self.flow(**means), job_id)  # type: ignore[arg-type]  # forwarded
        return counts

    async def finish(self, flow: Flow, job_id: str) -> JobCounts:
        """Run `flow` until the job is over."""
        async with running(flow):
            counts = await flow.drain(job_id)
        assert counts is not None
        return counts


def running(flow: Flow) -> contextlib.AbstractAsyncContextManager[None]:
    """The flow runs while the context is open; what ended it otherwise is raised."""
    return alongside(flow.run(), "flow")


@contextlib.asynccontextmanager
async def hurrying(clock: FakeClock) -> AsyncIterator[None]:
    """Virtual time runs a hundred times as fast as the real one while the context is open."""

    async def hurry() -> None:
        while True:
            await clock.advance(1.0)
            await asyncio.sleep(0.01)

    async with alongside(hurry(), "hurry"):
        yield


@contextlib.asynccontextmanager
async def open_rig(
    folder: Path, slots: int = 2, clock: Clock | None = None, **changes: object
) -> AsyncIterator[Rig]:
    """State, one root and workers below `folder`."""
    clock = clock or SystemClock()
    home = Home.at(folder / "home")
    source = folder / "source"
    for path in (home.state, home.cache, source):
        path.mkdir(parents=True, exist_ok=True)
    root = Root("root-1", source, RootKind.INBOX, Take.COPY, OWNER)
    async with open_database(home.database, clock) as db:
        await db.write(_add_owner, OWNER, root, timestamp(clock.now()))
        async with evil_workers(folder, slots, **changes) as workers:
            yield Rig(home, db, clock, workers, root)


async def add_owner(rig: Rig, name: str) -> Root:
    """Another person with a root of their own over the same folder."""
    folder = rig.root.path.parent / name
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    root = replace(rig.root, id=f"root-{name}", owner_id=name, path=folder)
    await rig.db.write(_add_owner, name, root, timestamp(rig.clock.now()))
    return root


def _candidate(root: Root, path: Path) -> Candidate:
    stat = path.stat()
    relative = str(path.relative_to(root.path))
    return Candidate(root.id, relative, stat.st_size, stat.st_mtime_ns, stat.st_ino)


def _add_owner(con: sqlite3.Connection, owner: str, root: Root, at: str) -> None:
    con.execute(
        "INSERT OR IGNORE INTO users (id, username, role, created_at) VALUES (?, ?, 'owner', ?)",
        (owner, owner, at),
    )
    if roots.by_id(con, root.id) is None:
        roots.add(con, root, None, at)


def _add_job(con: sqlite3.Connection, job_id: str, at: str) -> None:
    con.execute(
        "INSERT INTO processing_jobs (id, job_type, status, created_at, owner_id, actor)"
        " VALUES (?, 'process', 'running', ?, ?, 'test')",
        (job_id, at, OWNER),
    )


def _mark_done(con: sqlite3.Connection, file_ids: Sequence[str]) -> None:
    con.executemany(
        "UPDATE media_files SET state = 'done' WHERE state = 'studied' AND (id = ?1 OR bundle_id ="
        " (SELECT bundle_id FROM media_files WHERE id = ?1))",
        [(file_id,) for file_id in file_ids],
    )


def _states(con: sqlite3.Connection) -> dict[str, str]:
    rows = con.execute("SELECT source_path, state FROM media_files")
    return {bytes(row[0]).decode(): row[1] for row in rows}
