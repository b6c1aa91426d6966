"""The audit log: a chain that only grows, and whose every change is found."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from pipeline.model import Actor, Surface
from pipeline.state import audit
from pipeline.state.audit import Asked
from pipeline.state.connection import Database

ACTOR = Actor("anna", "admin", Surface.WEB)
AT = "2026-01-01T00:00:00.000Z"


def _write(con: sqlite3.Connection, count: int = 3) -> None:
    for number in range(count):
        audit.record(con, ACTOR, "share.made", f"s{number}", None, {"views": number}, AT)


def _forge(con: sqlite3.Connection, statement: str) -> None:
    """What somebody with the file itself in hand could do."""
    for name in ("keeps", "loses_nothing", "grows_at_its_end"):
        con.execute(f"DROP TRIGGER audit_log_{name}")
    con.execute(statement)


async def test_a_line_tells_who_what_where_before_and_after(db: Database) -> None:
    """The actor, the surface, the subject and both states stand in the line."""
    actor = replace(ACTOR, surface=Surface.CHAT)
    await db.write(audit.record, actor, "role.set", "ben", {"role": "viewer"}, {"role": "x"}, AT)
    (line,) = await db.read(audit.page, limit=10)
    assert (line.user_id, line.role, line.surface) == ("anna", "admin", "chat")
    assert (line.before, line.after) == ('{"role":"viewer"}', '{"role":"x"}')


async def test_an_untouched_log_is_sound(db: Database) -> None:
    """Nothing is wrong with a log nobody touched, and its head is the last line's hash."""
    await db.write(_write)
    verified = await db.read(audit.verify)
    (last,) = await db.read(audit.page, limit=1)
    assert (verified.lines, verified.head, verified.fault) == (3, last.hash, None)
    assert (await db.read(audit.verify, verified.head)).fault is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'nothing' WHERE seq = 2",
        "DELETE FROM audit_log WHERE seq = 2",
        "DELETE FROM audit_log WHERE seq = 3",
        "INSERT OR REPLACE INTO audit_log SELECT 2, at, user_id, role, surface, 'nothing', subject,"
        " before, after, previous, hash FROM audit_log WHERE seq = 2",
        "INSERT INTO audit_log SELECT 9, at, user_id, role, surface, action, subject, before,"
        " after, previous, hash FROM audit_log WHERE seq = 2",
    ],
)
async def test_lines_are_never_changed_or_deleted(db: Database, statement: str) -> None:
    """The database itself refuses, in whatever way it is tried."""
    await db.write(_write)
    with pytest.raises(Exception, match="audit log"):
        await db.write(lambda con: con.execute(statement))
    assert (await db.read(audit.verify)).lines == 3


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE audit_log SET action = 'nothing' WHERE seq = 2", 2),
        ("UPDATE audit_log SET user_id = 'ben' WHERE seq = 1", 1),
        ("UPDATE audit_log SET before = '{}' WHERE seq = 3", 3),
        ("DELETE FROM audit_log WHERE seq = 2", 2),
        ("DELETE FROM audit_log WHERE seq = 1", 1),
        ("UPDATE audit_log SET seq = 10 - seq", 1),
    ],
)
async def test_a_forged_line_is_found(db: Database, statement: str, seq: int) -> None:
    """Whoever gets round the triggers is found at the first line that is not right."""
    await db.write(_write)
    await db.write(_forge, statement)
    fault = (await db.read(audit.verify)).fault
    assert fault is not None
    assert fault.seq == seq


async def test_a_cut_off_end_is_found_by_a_noted_head(db: Database) -> None:
    """The chain alone cannot tell that its end is gone; a hash kept elsewhere can."""
    await db.write(_write)
    noted = (await db.read(audit.verify)).head
    await db.write(_forge, "DELETE FROM audit_log WHERE seq = 3")
    assert (await db.read(audit.verify)).fault is None
    fault = (await db.read(audit.verify, noted)).fault
    assert fault is not None


async def test_a_change_that_fails_leaves_no_line(db: Database) -> None:
    """The line belongs to the change: both are there, or neither."""

    def fails(con: sqlite3.Connection) -> None:
        _write(con, 1)
        raise ValueError("the change itself")

    with pytest.raises(ValueError, match="itself"):
        await db.write(fails)
    await db.write(_write, 1)
    verified = await db.read(audit.verify)
    assert (verified.lines, verified.fault) == (1, None)


async def test_pages_and_filters(db: Database) -> None:
    """Lines are read newest first page by page, or in order, narrowed by what is asked for."""
    await db.write(_write, 5)
    await db.write(audit.record, Actor("ben", "guest", Surface.WEB), "left", "s1", None, None, AT)
    first = await db.read(audit.page, limit=2)
    second = await db.read(audit.page, before=first[-1].seq, limit=2)
    assert [line.seq for line in (*first, *second)] == [6, 5, 4, 3]
    assert [line.seq for line in await db.read(audit.page, Asked(subject="s1"), limit=9)] == [6, 2]
    assert [line.seq for line in await db.read(audit.page, Asked(user_id="ben"), limit=9)] == [6]
    assert [line.seq for line in await db.read(audit.after, 3, 2)] == [4, 5]
