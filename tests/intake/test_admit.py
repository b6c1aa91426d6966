"""Admission: each file once, with its event, task and bundle, in one transaction or not at all."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from pipeline.clock import timestamp
from pipeline.errors import Invalid
from pipeline.intake import joining
from pipeline.intake.admit import Request, admit
from pipeline.intake.sweep import Extent, Sweeper, sweep_once
from pipeline.model import Candidate, Root
from pipeline.state.connection import Database
from tests.intake.conftest import OWNER, Make, rows
from tests.kit.clock import FakeClock

OLD_NS = 10**18  # 2001


def put(path: Path, content: bytes = b"x", mtime_ns: int = OLD_NS) -> Path:
    """A file that is old by its mtime."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


async def bundles(db: Database) -> list[set[tuple[str, str]]]:
    """The bundles as sets of (name, role)."""
    found = await db.read(
        rows,
        "SELECT bundle_id, CAST(source_path AS TEXT) AS name, bundle_role FROM media_files"
        " WHERE bundle_id IS NOT NULL",
    )
    by_id: dict[str, set[tuple[str, str]]] = {}
    for row in found:
        by_id.setdefault(row["bundle_id"], set()).add((row["name"], row["bundle_role"]))
    return sorted(by_id.values(), key=sorted)


async def ids(db: Database) -> dict[str, str]:
    """The id of each source path."""
    found = await db.read(rows, "SELECT id, CAST(source_path AS TEXT) AS n FROM media_files")
    return {row["n"]: row["id"] for row in found}


async def sweep(db: Database, clock: FakeClock, root: Root, **extent: object) -> tuple[int, int]:
    """How many files one run found new, and how many it knew."""
    found = await sweep_once(db, clock, Request(root, "test"), Extent(**extent))  # type: ignore[arg-type]
    return len(found.new), len(found.known)


async def test_each_file_has_a_row_an_event_and_a_task(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """The three are written together, names that are no text included."""
    put(tmp_path / "a.jpg")
    put(tmp_path / "sub" / os.fsdecode(b"caf\xe9\n.jpg"), b"four")
    root = await make_root(tmp_path)
    assert await sweep(db, clock, root) == (2, 0)
    files = await db.read(rows, "SELECT * FROM media_files ORDER BY source_path")
    assert [file["source_path"] for file in files] == [b"a.jpg", b"sub/caf\xe9\n.jpg"]
    assert [file["source_dir"] for file in files] == [b"", b"sub"]
    assert {(file["state"], file["take"], file["owner_id"]) for file in files} == {
        ("found", "copy", OWNER)
    }
    assert files[1]["size"] == 4
    found = await db.read(rows, "SELECT subject FROM events WHERE name = 'file.found'")
    tasks = await db.read(rows, "SELECT file_id, kind, status FROM tasks")
    assert {row["subject"] for row in found} == {file["id"] for file in files}
    assert {(row["file_id"], row["kind"], row["status"]) for row in tasks} == {
        (file["id"], "visit", "queued") for file in files
    }


async def test_nothing_is_admitted_twice(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """A second sweep knows everything; a changed file that was studied is a new one."""
    path = put(tmp_path / "a.jpg")
    root = await make_root(tmp_path)
    assert await sweep(db, clock, root) == (1, 0)
    assert await sweep(db, clock, root) == (0, 1)
    put(path, b"longer")
    assert await sweep(db, clock, root) == (0, 1)  # not studied yet: the row follows the file
    (row,) = await db.read(rows, "SELECT size FROM media_files")
    assert row["size"] == 6
    await db.write(_set_state, "done")
    assert await sweep(db, clock, root) == (0, 1)
    put(path, b"longest")
    assert await sweep(db, clock, root) == (1, 0)
    assert len(await db.read(rows, "SELECT 1 FROM tasks WHERE status = 'queued'")) == 2


async def test_a_replaced_inode_counts_only_where_inodes_are_stable(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """FAT and SMB number anew at each mount: there size and time decide."""
    put(tmp_path / "a.jpg")
    root = await make_root(tmp_path)
    await sweep(db, clock, root)
    await db.write(_set_state, "done")
    other = put(tmp_path / "other.jpg")
    other.rename(tmp_path / "a.jpg")
    unstable = Request(root, "test", inodes_are_stable=False)
    assert len((await sweep_once(db, clock, unstable)).new) == 0
    assert await sweep(db, clock, root) == (1, 0)


async def test_a_job_adopts_what_waits_already(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """A file that the watch found first is still part of the job that a person started."""
    put(tmp_path / "a.jpg")
    put(tmp_path / "b.jpg")
    root = await make_root(tmp_path)
    await sweep(db, clock, root, only=("a.jpg",))
    await db.write(_add_job, timestamp(clock.now()))
    swept = await sweep_once(db, clock, Request(root, "test", job_id="job"))
    assert (len(swept.new), len(swept.known)) == (1, 1)
    tasks = await db.read(rows, "SELECT job_id FROM tasks")
    assert [task["job_id"] for task in tasks] == ["job", "job"]


async def test_only_the_files_given(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """A file given singly brings neither its neighbours nor its sidecars."""
    for name in ("a.jpg", "a.xmp", "b.jpg"):
        put(tmp_path / name)
    root = await make_root(tmp_path)
    assert await sweep(db, clock, root, only=("a.jpg",)) == (1, 0)
    assert list(await ids(db)) == ["a.jpg"]


@pytest.mark.parametrize("path", ["../a.jpg", "/etc/passwd", "a/../../b", "a//b", "a\0b", ""])
async def test_a_path_that_leaves_the_root_is_refused(
    path: str, tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """Nobody talks intake into reading elsewhere."""
    root = await make_root(tmp_path)
    with pytest.raises(Invalid):
        await admit(db, clock, Request(root, "test"), [Candidate(root.id, path, 1, 1, 1)])
    assert await ids(db) == {}


async def test_a_batch_that_fails_leaves_nothing(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """Rows, events, tasks and bundles come together or not at all."""
    root = await make_root(tmp_path)
    request = Request(root, "test", job_id="no such job")
    with pytest.raises(Exception, match=r"FOREIGN KEY|mistake"):
        await admit(db, clock, request, [Candidate(root.id, "a.jpg", 1, 1, 1)])
    assert await ids(db) == {}
    assert await db.read(rows, "SELECT 1 FROM events WHERE name = 'file.found'") == []


async def test_many_files_in_bounded_transactions(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """More than one batch is admitted whole."""
    root = await make_root(tmp_path)
    many = [Candidate(root.id, f"{n}.jpg", 1, 1, n) for n in range(1201)]
    admitted = await admit(db, clock, Request(root, "test"), many)
    assert len(set(admitted.new)) == 1201


# --- waiting for what is being written ---------------------------------------------------------


async def test_a_run_waits_for_a_young_file_but_not_for_ever(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T20 in one run: old files at once, young ones when quiet, restless ones reported."""
    wall_ns = int(clock.now().timestamp() * 1e9)
    put(tmp_path / "young.jpg", mtime_ns=wall_ns)
    sweeper = Sweeper(db, clock, Request(await make_root(tmp_path), "test"), 10.0)
    assert (await sweeper.sweep()).new == []
    await clock.advance(9)
    put(tmp_path / "young.jpg", b"more", mtime_ns=wall_ns)
    assert (await sweeper.settle()).new == []
    await clock.advance(9)
    assert (await sweeper.settle()).new == []
    assert [problem.path for problem in sweeper.unfinished()] == ["young.jpg"]
    await clock.advance(2)
    assert len((await sweeper.settle()).new) == 1
    assert sweeper.next_at is None


async def test_a_file_that_vanishes_while_waiting_is_forgotten(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """An upload that was given up holds nobody up."""
    path = put(tmp_path / "a.jpg")
    sweeper = Sweeper(db, clock, Request(await make_root(tmp_path), "test"), 10.0)
    await sweeper.sweep()
    path.unlink()
    await clock.advance(11)
    assert (await sweeper.settle()).new == []
    assert sweeper.next_at is None


# --- bundles in the state ----------------------------------------------------------------------


async def test_bundles_are_made_when_files_are_admitted(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """Names are enough to keep a pair together from the start."""
    for name in ("IMG_1.HEIC", "IMG_1.MOV", "IMG_2.HEIC", "IMG_1.HEIC.json"):
        put(tmp_path / name)
    await sweep(db, clock, await make_root(tmp_path))
    assert await bundles(db) == [
        {("IMG_1.HEIC", "primary"), ("IMG_1.MOV", "live_video"), ("IMG_1.HEIC.json", "sidecar")}
    ]


async def test_a_late_member_joins_what_is_placed(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """A sidecar that arrives a week later belongs to the photo that is in the library."""
    put(tmp_path / "IMG_1.HEIC")
    root = await make_root(tmp_path)
    await sweep(db, clock, root)
    await db.write(_set_state, "done")
    put(tmp_path / "IMG_1.MOV")
    await sweep(db, clock, root)
    put(tmp_path / "img_1.xmp")
    await sweep(db, clock, root)
    assert await bundles(db) == [
        {("IMG_1.HEIC", "primary"), ("IMG_1.MOV", "live_video"), ("img_1.xmp", "sidecar")}
    ]


async def test_a_visit_splits_what_names_joined(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """Half a minute of film is no Live Photo; the empty bundle is forgotten."""
    put(tmp_path / "IMG_1.JPG")
    put(tmp_path / "IMG_1.MP4")
    await sweep(db, clock, await make_root(tmp_path))
    assert len(await bundles(db)) == 1
    film = (await ids(db))["IMG_1.MP4"]
    await db.write(_learn, film, "mp4", duration_s=30.0)
    await db.write(joining.confirm, [film], timestamp(clock.now()))
    assert await bundles(db) == []
    assert await db.read(rows, "SELECT 1 FROM bundles") == []


async def test_identifiers_join_across_folders(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """The halves of a Live Photo find each other wherever they were put."""
    put(tmp_path / "photos" / "Rome.heic")
    put(tmp_path / "films" / "clip.mov")
    await sweep(db, clock, await make_root(tmp_path))
    known = await ids(db)
    for name, told in (("photos/Rome.heic", "heic"), ("films/clip.mov", "mov")):
        await db.write(_learn, known[name], told, content_id="X")
        await db.write(joining.confirm, [known[name]], timestamp(clock.now()))
    assert await bundles(db) == [
        {("photos/Rome.heic", "primary"), ("films/clip.mov", "live_video")}
    ]
    (bundle,) = await db.read(rows, "SELECT content_id FROM bundles")
    assert bundle["content_id"] == "X"


async def test_a_rejected_file_leaves_its_bundle(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """The film of an empty photo is placed alone."""
    put(tmp_path / "IMG_1.HEIC")
    put(tmp_path / "IMG_1.MOV")
    await sweep(db, clock, await make_root(tmp_path))
    photo = (await ids(db))["IMG_1.HEIC"]
    await db.write(_set_state, "rejected", photo)
    await db.write(joining.confirm, [photo], timestamp(clock.now()))
    assert await bundles(db) == []


async def test_what_was_placed_as_one_is_not_taken_apart(
    tmp_path: Path, db: Database, clock: FakeClock, make_root: Make
) -> None:
    """T16, the part of intake: later knowledge never separates a bundle in the library."""
    put(tmp_path / "IMG_1.JPG")
    put(tmp_path / "IMG_1.MP4")
    await sweep(db, clock, await make_root(tmp_path))
    before = await bundles(db)
    film = (await ids(db))["IMG_1.MP4"]
    await db.write(_learn, film, "mp4", duration_s=30.0)
    await db.write(_set_state, "done")
    await db.write(joining.confirm, [film], timestamp(clock.now()))
    assert await bundles(db) == before


def _set_state(con: sqlite3.Connection, state: str, file_id: str | None = None) -> None:
    con.execute(
        "UPDATE media_files SET state = ? WHERE ? IS NULL OR id = ?", (state, file_id, file_id)
    )


def _learn(
    con: sqlite3.Connection,
    file_id: str,
    told: str,
    *,
    duration_s: float | None = None,
    content_id: str | None = None,
) -> None:
    """A row as the flow leaves it after a visit."""
    facts = f'{{"content_id": "{content_id}"}}' if content_id else "{}"
    con.execute(
        "UPDATE media_files SET state = 'studied', format = ?, duration_s = ?, facts = ?"
        " WHERE id = ?",
        (told, duration_s, facts, file_id),
    )


def _add_job(con: sqlite3.Connection, at: str) -> None:
    con.execute(
        "INSERT INTO processing_jobs (id, job_type, status, created_at, owner_id, actor)"
        " VALUES ('job', 'process', 'running', ?, ?, 'test')",
        (at, OWNER),
    )
