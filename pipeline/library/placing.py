"""The commit protocol: how files get into the library so that no instant can lose one.

For a batch of bundles: rows `placing` (1 commit) > copies, synced and read back > names given,
never over another > folders synced > rows `placed` (1 commit) > sources released > their folders
synced > rows `done` (1 commit). A bundle gets all its names or none. What a crash leaves is put
right by `recover.py`. Blocking work runs in threads.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.clock import Clock, timestamp
from pipeline.errors import ChangedWhileRead, Conflict, DarkroomError
from pipeline.library import carrying, names
from pipeline.library.carrying import Blocked, Copied, Named, Stopped, stopped
from pipeline.library.fsops import Verified
from pipeline.library.names import Template
from pipeline.library.planning import Numbers, Placement, Unit, plan
from pipeline.model import Home, Root, Take
from pipeline.state import placements
from pipeline.state.connection import Database
from pipeline.state.placements import Claim, Settled

BATCH = 32  # files per three commits: measured ten times faster than one by one, and as safe
_ROUNDS = 100  # names tried against somebody who takes each just before us


@dataclass(frozen=True, slots=True)
class Placed:
    """The file lies in the library. `kept` says why its source could not be released yet."""

    file_id: str
    path: str
    kept: DarkroomError | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The file is as it was before: `studied`, source whole, nothing in the library."""

    file_id: str
    error: DarkroomError


@dataclass(frozen=True, slots=True)
class Release:
    """A placed file whose source may go, with the proof that it may."""

    settled: Settled
    verified: Verified
    root: Root


async def place(
    db: Database,
    clock: Clock,
    home: Home,
    template: Template,
    file_ids: Sequence[str],
    *,
    actor: str = "library",
) -> Mapping[str, DarkroomError | None]:
    """Place these files and the studied members of their bundles; by file, what kept it out.

    Files that are only indexed are `done` where they lie; a sidecar that lies beside the twin of
    its photo already is a duplicate. A file that needs nothing has no error.
    """
    at = timestamp(clock.now())
    await db.write(placements.indexed, file_ids, at)
    await db.write(placements.known_sidecars, file_ids, at, actor=actor)
    units = await plan(db, home, template, file_ids)
    results = await commit(db, clock, home, units, actor=actor)
    failed = {r.file_id: r.error for r in results if isinstance(r, Failed)}
    return {file_id: failed.get(file_id) for file_id in file_ids}


async def commit(
    db: Database, clock: Clock, home: Home, units: Sequence[Unit], *, actor: str = "library"
) -> list[Placed | Failed]:
    """Place units in batches of about 32 files; one result per file, in no particular order.

    Raises only what the state raises; then `recover.settle` finds out how far it came.
    """
    results: list[Placed | Failed] = []
    for batch in _batches(units):
        results += await _commit(db, clock, home, batch, actor)
    return results


async def release(
    db: Database, clock: Clock, releases: Sequence[Release], *, actor: str
) -> Mapping[str, DarkroomError]:
    """Let go of the sources of placed files where they are moved, and call all of them `done`.

    By file, what kept its source. Such a file stays `placed` and is released again later, unless
    its source holds other bytes by now: that is another file, and this one is done with.
    """
    moved = [one for one in releases if one.root.take is Take.MOVE]
    files = [(one.verified, one.root) for one in moved]
    outcome = await asyncio.to_thread(carrying.release_all, files)
    kept = {
        one.settled.file_id: error
        for one, error in zip(moved, outcome, strict=True)
        if error is not None
    }
    let_go = {one.settled.file_id for one in moved} - kept.keys()
    settled = [
        replace(one.settled, is_released=one.settled.file_id in let_go)
        for one in releases
        if isinstance(kept.get(one.settled.file_id), ChangedWhileRead | None)
    ]
    await db.write(placements.done, settled, timestamp(clock.now()), actor=actor)
    return kept


async def _commit(
    db: Database, clock: Clock, home: Home, batch: Sequence[Unit], actor: str
) -> list[Placed | Failed]:
    claimed, failed = await _claim(db, clock, batch)
    outcome = await asyncio.to_thread(carrying.copy_all, home, claimed)
    copied = [one for one in outcome if isinstance(one, Copied)]
    failed += [one for one in outcome if isinstance(one, Stopped)]
    named = await _name(db, clock, home, copied, failed)
    await _withdraw(db, clock, failed)
    releases = [release for one in named for release in _releases(one)]
    settled = [one.settled for one in releases]
    await db.write(placements.placed, settled, clock, actor=actor)
    kept = await release(db, clock, releases, actor=actor)
    placed = [Placed(one.file_id, one.path, kept.get(one.file_id)) for one in settled]
    return [*placed, *_failures(failed)]


async def _claim(
    db: Database, clock: Clock, batch: Sequence[Unit]
) -> tuple[list[Unit], list[Stopped]]:
    """Rows `studied` -> `placing` under names that are free in the state."""
    found = await db.write(_claim_all, batch, [None] * len(batch), timestamp(clock.now()))
    elsewhere = Conflict("This file is being taken care of elsewhere; nothing was done here.")
    return (
        [unit for unit in found if unit is not None],
        [
            stopped(u, elsewhere, is_ours=False)
            for u, got in zip(batch, found, strict=True)
            if got is None
        ],
    )


async def _name(
    db: Database, clock: Clock, home: Home, copied: Sequence[Copied], failed: list[Stopped]
) -> list[Named]:
    """Names in the library, lasting; where one was taken on disk meanwhile, the next is tried."""
    named: list[Named] = []
    for _ in range(_ROUNDS):
        outcome = await asyncio.to_thread(carrying.name_all, home, copied)
        named += [one for one in outcome if isinstance(one, Named)]
        failed += [one for one in outcome if isinstance(one, Stopped)]
        blocked = [one for one in outcome if isinstance(one, Blocked)]
        if not blocked:
            break
        copied = await _claim_again(db, clock, blocked, failed)
    else:
        error = Conflict("Another program takes every name just before Darkroom does.")
        await asyncio.to_thread(_drop_all, copied)
        failed += [stopped(one.unit, error) for one in copied]
    lasting = await asyncio.to_thread(carrying.make_last, home, named)
    failed += [one for one in lasting if isinstance(one, Stopped)]
    return [one for one in lasting if isinstance(one, Named)]


async def _claim_again(
    db: Database, clock: Clock, blocked: Sequence[Blocked], failed: list[Stopped]
) -> list[Copied]:
    held = [one.copied.unit for one in blocked]
    wanted = [one.copied.unit.numbered(one.number) for one in blocked]
    found = await db.write(_claim_all, wanted, held, timestamp(clock.now()))
    lost = [one.copied for one, unit in zip(blocked, found, strict=True) if unit is None]
    await asyncio.to_thread(_drop_all, lost)
    error = Conflict("This file was taken care of elsewhere meanwhile.")
    failed += [stopped(one.unit, error, is_ours=False) for one in lost]
    pairs = zip(blocked, found, strict=True)
    return [replace(one.copied, unit=unit) for one, unit in pairs if unit is not None]


def _claim_all(
    con: sqlite3.Connection, units: Sequence[Unit], held: Sequence[Unit | None], at: str
) -> list[Unit | None]:
    """The units under the names they now hold; None for one that is not ours to place."""
    numbers = Numbers()
    found: list[Unit | None] = []
    for unit, before in zip(units, held, strict=True):
        named = numbers.free(con, unit)
        old = before.paths() if before else (None,) * len(unit.members)
        claims = [
            Claim(one.file_id, one.sha256, path, names.key(path), was)
            for one, path, was in zip(named.members, named.paths(), old, strict=True)
        ]
        found.append(named if placements.claim(con, claims, at) else None)
    return found


async def _withdraw(db: Database, clock: Clock, failed: Sequence[Stopped]) -> None:
    """Rows back to `studied`: nothing of them is in the library."""
    ours = (stop.unit for stop in failed if stop.is_ours)
    file_ids = [one.file_id for unit in ours for one in unit.members]
    if file_ids:
        await db.write(placements.withdraw, file_ids, timestamp(clock.now()))


def _failures(failed: Sequence[Stopped]) -> Iterator[Failed]:
    for stop in failed:
        for one, error in zip(stop.unit.members, stop.errors, strict=True):
            yield Failed(one.file_id, error)


def _releases(named: Named) -> Iterator[Release]:
    for one, file in zip(named.unit.members, named.files, strict=True):
        yield Release(settled(one, file.copy.relative), file, replace(one.root, take=one.take))


def settled(one: Placement, path: str) -> Settled:
    """What the state is told of a file that lies at `path`."""
    before = {"root": one.root.id, "take": one.take}
    return Settled(one.file_id, path, one.sha256, before)


def _drop_all(copied: Sequence[Copied]) -> None:
    for one in copied:
        carrying.drop(one)


def _batches(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Whole units, about `BATCH` files at a time."""
    batch: list[Unit] = []
    for unit in units:
        batch.append(unit)
        if sum(len(one.members) for one in batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
