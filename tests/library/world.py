"""A small Darkroom to place files in: a home, its state, an inbox, and files as if just studied."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.clock import Clock, SystemClock, new_id, timestamp
from pipeline.intake import kind, roots
from pipeline.library import fsops
from pipeline.library.names import DEFAULT, parse
from pipeline.model import BundleRole, Home, Root, RootKind, Take
from pipeline.state.connection import Database, open_database

TEMPLATE = parse(DEFAULT)
_FORMATS = {
    ext: name for name, row in kind.FORMATS.items() for ext in (row.extension, *row.aliases)
}
_FORMATS |= {".jpg": "jpeg", ".json": "takeout-json", ".heic": "heic", ".mp4": "mp4", ".mov": "mov"}


@dataclass
class World:
    """What a test needs at hand."""

    home: Home
    db: Database
    clock: Clock
    owner: str
    library: Root
    inbox: Root
    roots: dict[str, Root] = field(default_factory=dict)

    async def root(self, path: Path, kind: RootKind, take: Take) -> Root:
        """Another root beside the inbox."""
        path.mkdir(parents=True, exist_ok=True)
        return await roots.ensure(self.db, self.clock, roots.Wanted(path, kind, take, self.owner))

    async def add(
        self,
        name: str,
        data: bytes,
        *,
        root: Root | None = None,
        bundle: str | None = None,
        role: BundleRole | None = None,
        taken_at: str | None = "2023-10-06T08:30:00+02:00",
        job: str | None = None,
    ) -> str:
        """Write a source file and its row, state `studied`; the row's id."""
        root = root or self.inbox
        write(root.path / name, data)
        return await self.admit(
            name, root=root, bundle=bundle, role=role, taken_at=taken_at, job=job
        )

    async def admit(self, name: str, *, root: Root, **more: str | None) -> str:
        """A row for a file that lies there already."""
        path = root.path / name
        found = path.stat()
        row = {
            "id": new_id(self.clock.now()),
            "owner_id": self.owner,
            "root_id": root.id,
            "source_path": os.fsencode(name),
            "source_dir": os.fsencode(str(Path(name).parent)),
            "bucket": "",
            "take": root.take,
            "size": found.st_size,
            "mtime_ns": found.st_mtime_ns,
            "inode": found.st_ino,
            "state": "studied",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "format": _FORMATS.get(path.suffix.lower(), "jpeg"),
            "bundle_id": more.get("bundle"),
            "bundle_role": more.get("role"),
            "taken_at": more.get("taken_at"),
            "facts": json.dumps({}),
        }
        row["category"] = kind.FORMATS[str(row["format"])].category
        await self.db.write(_insert, row, more.get("job"), timestamp(self.clock.now()))
        return str(row["id"])

    async def bundle(self, *members: tuple[str, bytes, BundleRole], **more: str) -> list[str]:
        """Files that belong together."""
        bundle_id = new_id(self.clock.now())
        await self.db.write(_bundle, bundle_id, self.owner, timestamp(self.clock.now()))
        return [
            await self.add(name, data, bundle=bundle_id, role=role, **more)
            for name, data, role in members
        ]

    async def job(self, job_type: str = "process") -> str:
        """A running job."""
        job_id = new_id(self.clock.now())
        await self.db.write(_job, job_id, job_type, self.owner, timestamp(self.clock.now()))
        return job_id

    async def rows(self) -> dict[str, sqlite3.Row]:
        """All files by id."""
        return {row["id"]: row for row in await self.query("SELECT * FROM media_files ORDER BY id")}

    async def row(self, file_id: str) -> sqlite3.Row:
        """One file."""
        return (await self.rows())[file_id]

    async def query(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Whatever a test wants to look at."""
        return await self.db.read(lambda con: con.execute(sql, values).fetchall())

    async def execute(self, sql: str, *values: object) -> None:
        """Whatever a test wants to set up."""
        await self.db.write(lambda con: (con.execute(sql, values), None)[1])

    async def events(self, name: str) -> list[str]:
        """The subjects of all events of a name."""
        rows = await self.query("SELECT subject FROM events WHERE name = ? ORDER BY seq", name)
        return [row["subject"] for row in rows]

    def path(self, relative: str) -> Path:
        """A place in the library."""
        return self.home.library / relative


def write(path: Path, data: bytes) -> Path:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def make_home(base: Path) -> Home:
    """The folders of a home."""
    home = Home.at(base)
    for folder in (home.inbox, home.library, home.trash, home.quarantine, home.state, home.cache):
        folder.mkdir(parents=True, exist_ok=True)
    return home


def listing(base: Path) -> list[str]:
    """Relative paths of all files below, without our own (staging, marker)."""
    return sorted(
        str(path.relative_to(base))
        for path in base.rglob("*")
        if path.is_file() and not str(path.relative_to(base)).startswith(".")
    )


@asynccontextmanager
async def open_world(
    home: Home, clock: Clock | None = None, take: Take = Take.MOVE
) -> AsyncIterator[World]:
    """Open (or open again) the small Darkroom at `home`."""
    clock = clock or SystemClock()
    async with open_database(home.database, clock) as db:
        owner = await db.write(_owner, new_id(clock.now()), timestamp(clock.now()))
        shelf = roots.Wanted(home.library, RootKind.LIBRARY, Take.INDEX, owner)
        library = await roots.ensure(db, clock, shelf)
        inbox = await roots.ensure(db, clock, roots.Wanted(home.inbox, RootKind.INBOX, take, owner))
        fsops.make_folders(home.library, ".staging")
        yield World(home, db, clock, owner, library, inbox)


def _owner(con: sqlite3.Connection, user_id: str, at: str) -> str:
    con.execute(
        "INSERT OR IGNORE INTO users (id, username, role, created_at)"
        " VALUES (?, 'ann', 'owner', ?)",
        (user_id, at),
    )
    return str(con.execute("SELECT id FROM users WHERE username = 'ann'").fetchone()[0])


def _bundle(con: sqlite3.Connection, bundle_id: str, owner: str, at: str) -> None:
    con.execute("INSERT INTO bundles VALUES (?, ?, NULL, ?)", (bundle_id, owner, at))


def _job(con: sqlite3.Connection, job_id: str, job_type: str, owner: str, at: str) -> None:
    con.execute(
        "INSERT INTO processing_jobs (id, job_type, status, created_at, owner_id, actor)"
        " VALUES (?, ?, 'running', ?, ?, 'cli:ann')",
        (job_id, job_type, at, owner),
    )


def _insert(con: sqlite3.Connection, row: dict[str, object], job: str | None, at: str) -> None:
    row = {**row, "found_at": at, "updated_at": at}
    names = ", ".join(row)
    con.execute(
        f"INSERT INTO media_files ({names}) VALUES ({', '.join('?' * len(row))})",
        tuple(row.values()),
    )
    if job is not None:
        con.execute(
            "INSERT INTO tasks (id, job_id, file_id, owner_id, kind, priority, status, created_at,"
            " updated_at) VALUES (?, ?, ?, ?, 'place', 'new', 'claimed', ?, ?)",
            (f"task-{row['id']}", job, row["id"], row["owner_id"], at, at),
        )


async def add_many(world: World, count: int, size: int = 2000, folder: str = "") -> Sequence[str]:
    """Different files of `size` bytes, admitted in one transaction."""
    rows = []
    for index in range(count):
        name = f"{folder}/IMG_{index:04d}.jpg" if folder else f"IMG_{index:04d}.jpg"
        data = (f"{folder}{index:08d}".encode() * size)[:size]
        path = write(world.inbox.path / name, data)
        found = path.stat()
        rows.append({
            "id": new_id(world.clock.now()), "owner_id": world.owner, "root_id": world.inbox.id,
            "source_path": os.fsencode(name), "source_dir": b"", "bucket": "",
            "take": world.inbox.take, "size": found.st_size, "mtime_ns": found.st_mtime_ns,
            "inode": found.st_ino, "state": "studied",
            "sha256": hashlib.sha256(data).hexdigest(), "format": "jpeg", "category": "photo",
            "taken_at": f"2023-{index % 12 + 1:02d}-06T08:30:00", "facts": "{}",
        })  # fmt: skip
    at = timestamp(world.clock.now())
    await world.db.write(lambda con: [_insert(con, row, None, at) for row in rows])
    return [str(row["id"]) for row in rows]
