"""A family for benches: people who can sign in, each with a library of many files and its past.

Files are rows as `bench.find` makes them, in proportions as they are in families: thumbnails,
people with faces, an album, jobs with their visits, and a day of samples. No file lies on the disk.
"""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass

from bench import find
from pipeline.access.rights import ROLE_RIGHTS
from pipeline.clock import new_id, timestamp, unix_ms
from pipeline.core import Core
from pipeline.events import FilePlaced
from pipeline.model import Actor, Surface
from pipeline.service import albums, api_keys, users
from pipeline.state import events, jobs, metrics, search, spans
from pipeline.state.albums import Words
from pipeline.state.metrics import FINE_S, Sample
from pipeline.state.spans import NewSpan, StageSpan
from tests.kit import media

PICTURES = 20  # thumbnails, shared by all files: what they show is no part of this
FACES_EVERY, FACED = 3, ("Anna", "Ben", "Clara", "David", "Emil", "Frida", "Grandma", "Hugo")
VISITS, TOLD, IN_ALBUM, DAY_S = 2_000, 500, 200, 24 * 3600
_READ = {
    "cpu": 20.0, "own_cpu": 2.0, "memory": 2 << 30, "memory_total": 8 << 30, "own_memory": 1 << 28,
    "files": 3, "bytes": 1 << 20, "failed": 0, "visit_cpu_ms": 90, "queue": 4,
    "disks": {"library": [1 << 36, 1 << 40]}, "stages": {"hash": [3, 30, {"13": 3}]},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the family, and what they can ask about."""

    user_id: str
    key: str
    files: tuple[str, ...]
    album: str
    job: str
    seq: int  # of the last event before theirs


async def somebody(core: Core, name: str) -> tuple[Actor, str]:
    """An administrator of that name, and a key of theirs."""
    invited = await users.invite(core.household(Surface.CLI), core, name, "admin")
    actor = Actor(invited.user.id, "admin", Surface.CLI)
    return actor, await key_of(actor, core)


async def key_of(actor: Actor, core: Core) -> str:
    """A key that can do all that keys can."""
    return (await api_keys.make(actor, core, "bench", sorted(ROLE_RIGHTS["admin"]))).secret


async def member(core: Core, name: str, files: int, first: int = 0) -> Member:
    """Somebody with a library of so many files, numbered from `first` on."""
    actor, key = await somebody(core, name)
    numbers = range(first, first + files)
    seq = await core.db.read(events.latest_seq)
    job = await core.db.write(_fill, core, actor.user_id, numbers)
    while await core.db.write(search.waiting):
        pass
    ids = tuple(f"{number:036d}" for number in numbers)
    album = (await albums.make(actor, core, Words("Summer"))).album.id
    await albums.add(actor, core, album, ids[:IN_ALBUM])
    return Member(actor.user_id, key, ids, album, job, seq)


async def past(core: Core) -> None:
    """A day of samples."""
    now = unix_ms(core.clock.now()) // 1000
    first = now - now % FINE_S - DAY_S
    samples = [Sample(FINE_S, at, _READ) for at in range(first, now, FINE_S)]
    await core.db.write(metrics.add, samples)


def _fill(con: sqlite3.Connection, core: Core, owner: str, numbers: range) -> str:
    dice, at = random.Random(numbers.start), timestamp(core.clock.now())
    root = con.execute("SELECT id FROM roots WHERE kind = 'inbox'").fetchone()[0]
    for number in numbers:
        find.add(con, dice, number, owner, root)
        if number < numbers.start + TOLD:
            told = FilePlaced(f"{number:036d}", f"IMG_{number:05d}.jpg", "")
            events.append(con, told, actor="bench", at=at)
    _thumbnails(con, core, numbers)
    _faces(con, owner, numbers, at)
    return _jobs(con, core, owner, numbers)


def _thumbnails(con: sqlite3.Connection, core: Core, numbers: range) -> None:
    paths = [core.home.cache / f"thumb-{number}.jpg" for number in range(PICTURES)]
    for seed, path in enumerate(paths):
        path.write_bytes(media.jpeg(media.scene(320, 240, seed=seed), quality=80))
    shown = [(path.name, path.stat().st_size) for path in paths]
    con.executemany(
        "INSERT INTO derivatives VALUES (?, 'thumbnail', 1, ?, 'image/jpeg', 320, 240, ?)",
        ((f"{number:036d}", *shown[number % PICTURES]) for number in numbers),
    )


def _faces(con: sqlite3.Connection, owner: str, numbers: range, at: str) -> None:
    people = [f"{owner}-{name}" for name in FACED]
    con.executemany(
        "INSERT INTO people (id, owner_id, name, created_at) VALUES (?, ?, ?, ?)",
        [(person, owner, name, at) for person, name in zip(people, FACED, strict=True)],
    )
    con.executemany(
        "INSERT INTO faces (id, file_id, owner_id, x, y, w, h, score, sharpness, person_id,"
        " assigned_by) VALUES (?, ?, ?, 0.4, 0.4, 0.2, 0.2, 0.9, 0.5, ?, 'grouping')",
        (
            (f"face-{number}", f"{number:036d}", owner, people[number % len(people)])
            for number in numbers[::FACES_EVERY]
        ),
    )


def _jobs(con: sqlite3.Connection, core: Core, owner: str, numbers: range) -> str:
    """A job that is over, with its visits of the last hour, and one that goes on."""
    now = core.clock.now()
    at = timestamp(now)
    over, runs = new_id(now), new_id(now)
    for job in (over, runs):
        jobs.add(con, job, "optimise", owner_id=owner, actor="bench", params={}, at=at)
    end = unix_ms(now)
    stages = tuple(StageSpan(name, i * 40, 40, 30, "done") for i, name in enumerate("abcde"))
    spans.add(
        con,
        [
            NewSpan(
                end - (VISITS - i) * 1_000, end - (VISITS - i) * 1_000 + 200, over, f"task-{i}",
                f"{numbers[i % len(numbers)]:036d}", owner, "visit", i % 2, 150, 3 << 20, "done",
                stages,
            )
            for i in range(VISITS)
        ],
    )  # fmt: skip
    jobs.count(con, over, VISITS, 0)
    jobs.finish(con, over, "done", at)
    return runs
