"""The audit log: who did what, through which surface, and what it was before and after.

A line is written in the same transaction as the change it tells of, never changed, never deleted
(triggers refuse both), and holds the hash of the line before it: whatever is altered, left out or
put in between is found by `verify`. Lines hold no secrets: who records must leave them out.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.events import Event
from pipeline.model import Actor, JsonObject, Surface
from pipeline.state import events
from pipeline.state.files import storable

BEGINNING = "0" * 64  # what the first line holds for the hash before it
_COLUMNS = "seq, at, user_id, role, surface, action, subject, before, after, previous, hash"
_SURFACES = frozenset(map(str, Surface))
_HASHED = ("seq", "at", "user_id", "role", "surface", "action", "subject", "before", "after")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `before` and `after` are JSON as it was written; None: there was nothing."""

    seq: int
    at: str
    user_id: str
    role: str
    surface: str
    action: str
    subject: str
    before: str | None
    after: str | None
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, and when: stored UTC text."""

    actor: Actor
    at: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines are wanted; None wants any. `since` and `until` are stored UTC text."""

    user_id: str | None = None
    action: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None


EVERYTHING = Asked()


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line that is not as it was written, and what is wrong with it."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How many lines were looked at, and the hash of the last: to be noted down elsewhere.

    Whoever can write to the file itself could write the whole chain anew or cut off its end; held
    against an earlier `head`, that is found too.
    """

    lines: int
    head: str
    fault: Fault | None = None


def record(  # noqa: PLR0913, PLR0917 - these seven facts are the line
    con: sqlite3.Connection,
    actor: Actor,
    action: str,
    subject: str,
    before: JsonObject | None,
    after: JsonObject | None,
    at: str,
) -> int:
    """Write one line, as part of the caller's transaction; its number."""
    last = con.execute("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (1, BEGINNING) if last is None else (last["seq"] + 1, last["hash"])
    facts = {
        "seq": seq,
        "at": at,
        "user_id": storable(actor.user_id),
        "role": actor.role,
        "surface": str(actor.surface),
        "action": action,
        "subject": storable(subject),
        "before": _json(before),
        "after": _json(after),
    }
    con.execute(
        f"INSERT INTO audit_log ({_COLUMNS}) VALUES ({', '.join('?' * 11)})",
        (*facts.values(), previous, _hash(facts, previous)),
    )
    return seq


def tell(
    con: sqlite3.Connection,
    by: By,
    event: Event,
    *,
    before: JsonObject | None = None,
    after: JsonObject | None = None,
) -> None:
    """Write an event and the line of the log that goes with it, under the event's name."""
    events.append(con, event, actor=by.actor.label, at=by.at)
    record(con, by.actor, event.name, event.subject, before, after, by.at)


def tell_as(
    con: sqlite3.Connection,
    label: str,
    event: Event,
    at: str,
    *,
    before: JsonObject | None = None,
    after: JsonObject | None = None,
) -> None:
    """As `tell`, where who asks is known by their label only, as in work that a crash interrupted.

    What Darkroom finds out by itself, under a label that names no user, is an event and no line.
    """
    events.append(con, event, actor=label, at=at)
    note_as(con, label, (event.name, event.subject), at, before=before, after=after)


def note_as(
    con: sqlite3.Connection,
    label: str,
    what: tuple[str, str],
    at: str,
    *,
    before: JsonObject | None = None,
    after: JsonObject | None = None,
) -> None:
    """The line alone, for a change that is no event; `what` is the action and its subject."""
    surface, _, user_id = label.partition(":")
    if user_id and surface in _SURFACES:
        actor = Actor(user_id, _role_of(con, user_id), Surface(surface))
        record(con, actor, *what, before, after, at)


def page(
    con: sqlite3.Connection, asked: Asked = EVERYTHING, *, before: int | None = None, limit: int
) -> list[Line]:
    """Lines that fit, the newest first, from below the number `before` on."""
    where, values = _where(asked)
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM audit_log WHERE (? IS NULL OR seq < ?) AND {where}"
        " ORDER BY seq DESC LIMIT ?",
        (before, before, *values, limit),
    )
    return [Line(**dict(row)) for row in rows]


def after(con: sqlite3.Connection, seq: int, limit: int, asked: Asked = EVERYTHING) -> list[Line]:
    """Lines that fit after the number `seq`, in order."""
    where, values = _where(asked)
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM audit_log WHERE seq > ? AND {where} ORDER BY seq LIMIT ?",
        (seq, *values, limit),
    )
    return [Line(**dict(row)) for row in rows]


def verify(con: sqlite3.Connection, noted: str | None = None) -> Verified:
    """Follow the chain from its beginning. `noted` is a head of an earlier day, if one was kept."""
    head, count, found = BEGINNING, 0, noted in (None, BEGINNING)
    for line in _all(con):
        fault = _fault(line, count + 1, head)
        if fault is not None:
            return Verified(count, head, fault)
        count, head = line.seq, line.hash
        found = found or head == noted
    if not found:
        reason = "the line with the noted hash is gone: the end was cut off, or all written anew"
        return Verified(count, head, Fault(count + 1, reason))
    return Verified(count, head)


def _role_of(con: sqlite3.Connection, user_id: str) -> str:
    row = con.execute("SELECT role FROM users WHERE id = ?", (user_id,)).fetchone()
    return "" if row is None else str(row["role"])


def _all(con: sqlite3.Connection) -> Iterator[Line]:
    rows = con.execute(f"SELECT {_COLUMNS} FROM audit_log ORDER BY seq")
    return (Line(**dict(row)) for row in rows)


def _fault(line: Line, seq: int, previous: str) -> Fault | None:
    if line.seq != seq:
        return Fault(seq, "this line is missing")
    if line.previous != previous:
        return Fault(seq, "it does not follow from the line before it")
    if line.hash != _hash({name: getattr(line, name) for name in _HASHED}, previous):
        return Fault(seq, "it was changed after it was written")
    return None


def _hash(facts: JsonObject, previous: str) -> str:
    told = json.dumps([previous, *(facts[name] for name in _HASHED)], separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def _where(asked: Asked) -> tuple[str, tuple[str, ...]]:
    wishes = (
        ("user_id = ?", asked.user_id),
        ("action = ?", asked.action),
        ("subject = ?", asked.subject),
        ("at >= ?", asked.since),
        ("at < ?", asked.until),
    )
    given = [(clause, value) for clause, value in wishes if value is not None]
    clauses = " AND ".join(clause for clause, _ in given) or "1"
    return clauses, tuple(value for _, value in given)


def _json(value: JsonObject | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))
