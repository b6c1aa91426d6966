"""What people do to files leaves its line in the audit log, in the transaction of the change."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from pipeline.events import FileMoved
from pipeline.model import Json
from pipeline.service import audit, deduplicating, jobs, metadata, people, trash
from pipeline.service.editing import Say
from pipeline.service.requests import Move, Retag
from pipeline.state import audit as stored
from tests.service.family import Family


async def _lines(family: Family) -> list[tuple[str, str, Json, Json]]:
    found = await audit.page(family.actor, family.core, limit=100)
    assert {(line.user_id, line.role, line.surface) for line in found} <= {
        (family.actor.user_id, "owner", "script")
    }
    return [
        (
            line.action,
            line.subject,
            None if line.before is None else json.loads(line.before),
            None if line.after is None else json.loads(line.after),
        )
        for line in reversed(found)
    ]


async def test_an_edit_tells_what_was_said_before(family: Family) -> None:
    """Title, stars, date and tags: before and after, of the file they are about."""
    path = family.photos[0]
    one = family.ids[path]
    await metadata.edit(family.actor, family.core, one, Say({"title": "Sea", "rating": 4}))
    await metadata.edit(
        family.actor, family.core, one, Say({"title": "Lake"}, ("rating",)), given=["x"]
    )
    edits = [line for line in await _lines(family) if line[0].startswith("file.")]
    assert edits == [
        ("file.edited", one, {"rating": None, "title": None}, {"rating": 4, "title": "Sea"}),
        (
            "file.edited",
            one,
            {"rating": 4, "title": "Sea"},
            {"rating": None, "title": "Lake"},
        ),
        ("file.retagged", one, {"tags": []}, {"tags": ["x"]}),
    ]


async def test_batches_tell_what_was_asked_and_what_came_of_each_file(family: Family) -> None:
    """The job with its parameters, a line for each file, and the undo with its lines."""
    path = family.photos[0]
    one = family.ids[path]
    moved = await family.run(Move("Holidays"), path)
    tagged = await family.run(Retag(add=("beach",)), one)
    await jobs.undo(family.actor, family.core, moved.job_id or "")
    name = path.rpartition("/")[2]
    there, back = {"path": f"Holidays/{name}"}, {"path": path}
    assert await _lines(family) == [
        ("job.started", moved.job_id, None, {"target": "Holidays", "type": "batch-move"}),
        ("file.moved", one, back, there),
        (
            "job.started",
            tagged.job_id,
            None,
            {"add": ["beach"], "remove": [], "type": "batch-retag"},
        ),
        ("file.retagged", one, {"tags": []}, {"tags": ["beach"]}),
        ("file.moved", one, there, back),
        ("job.undone", moved.job_id, None, {"reversed": 1}),
    ]


async def test_the_trash_tells_who_put_and_who_emptied_it(family: Family) -> None:
    """Trashed, restored, trashed again, purged: a line for each file, with where it was."""
    path = family.photos[0]
    one = family.ids[path]
    await trash.put(family.actor, family.core, [path], reason="blurred")
    await trash.restore(family.actor, family.core, [one])
    await trash.put(family.actor, family.core, [one])
    plan = await trash.purge_plan(family.actor, family.core, everything=True)
    gone, _ = await trash.purge(family.actor, family.core, plan)
    was = {"path": path, "bytes": gone[0].size, "sha256": gone[0].sha256}
    assert await _lines(family) == [
        ("file.trashed", one, {"path": path}, {"reason": "blurred"}),
        ("file.restored", one, None, {"path": path}),
        ("file.trashed", one, {"path": path}, {"reason": ""}),
        ("file.purged", one, was, None),
    ]
    assert (await audit.verify(family.actor, family.core)).fault is None


async def test_what_is_said_of_look_alikes_and_people_is_told(family: Family) -> None:
    """A decision with its pair, and that it was taken back; of people no name stands in the log."""
    one, other = sorted(family.ids[path] for path in family.photos[:2])
    job = await deduplicating.remember(family.actor, family.core, [(one, other)], "different")
    await jobs.undo(family.actor, family.core, job)
    said = {"decided_by": family.actor.label, "decision": "different", "other": other}
    open_ = {"decided_by": None, "decision": None, "other": other}
    lines = await _lines(family)
    assert [line for line in lines if line[0] == "similar.decided"] == [
        ("similar.decided", one, open_, said),
        ("similar.decided", one, said, open_),
    ]
    await family.core.db.write(_add_person, family.actor.user_id)
    await people.name(family.actor, family.core, "p1", "Ada")
    (named,) = [line for line in await _lines(family) if line[0] == "person.named"]
    assert named[1] == "p1"
    assert "Ada" not in json.dumps(named[2:])


async def test_what_nobody_asked_for_is_no_line(family: Family) -> None:
    """Taking in, placing and grouping are events; the log tells of persons only."""
    await family.world.db.write(_told_by_itself, family.ids[family.photos[0]])
    assert await _lines(family) == []


async def test_another_library_is_told_under_who_asked(family: Family) -> None:
    """Whoever acts in a library that is lent to them stands in the log themselves."""
    guest = replace(family.actor, user_id="ben", role="editor", library=family.actor.user_id)
    await trash.put(guest, family.core, [family.photos[0]])
    (line,) = await audit.page(family.actor, family.core, limit=10)
    assert (line.user_id, line.role, line.action) == ("ben", "", "file.trashed")


def _add_person(con: sqlite3.Connection, owner_id: str) -> None:
    con.execute(
        "INSERT INTO people (id, owner_id, created_at) VALUES ('p1', ?, '2026-01-01')", (owner_id,)
    )


def _told_by_itself(con: sqlite3.Connection, file_id: str) -> None:
    for label in ("flow", "test:somebody", "watch"):
        stored.tell_as(con, label, FileMoved(file_id, "a", "b"), "2026-01-01T00:00:00.000Z")
