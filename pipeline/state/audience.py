"""Whose an event is: who may be told of it, and what is told, made once for all receivers.

An event belongs to the owner of what it is about; a few are for everybody in the house, and what
nobody else should see is for whoever did it. What is no longer there belongs to nobody.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.events import Recorded
from pipeline.state.connection import Database

EVERYBODY = "*"
REMEMBERED = 2_000  # of the newest events it is known whose they are
BULLETINS = 16  # kept for those who see the same
PIECE = 32_768  # characters told at once, unless one event alone is longer

_OWNERS: Mapping[str, str] = {  # the subject's owner, by what the name begins with
    "file": "SELECT id, owner_id FROM media_files WHERE id IN",
    "similar": "SELECT id, owner_id FROM media_files WHERE id IN",
    "job": "SELECT id, owner_id FROM processing_jobs WHERE id IN",
    "root": "SELECT id, owner_id FROM roots WHERE id IN",
    "person": "SELECT id, owner_id FROM people WHERE id IN",
    "people": (
        "SELECT id, owner_id FROM people WHERE id IN (SELECT value FROM told)"
        " UNION ALL SELECT id, owner_id FROM people_journal WHERE id IN (SELECT value FROM told)"
        " UNION ALL SELECT id, id FROM users WHERE id IN"
    ),
    "faces": "SELECT id, owner_id FROM people WHERE id IN",
    "album": "SELECT id, owner_id FROM albums WHERE id IN",
    "share": "SELECT id, owner_id FROM shares WHERE id IN",
    "user": "SELECT id, id FROM users WHERE id IN",
    "quota": "SELECT id, id FROM users WHERE id IN",
}
_FOR_EVERYBODY = frozenset({"flow", "storage", "state", "recognition"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it is told: JSON, whose it is, and what kind of thing it is about."""

    seq: int
    kind: str
    owner_id: str  # or EVERYBODY; empty: nobody
    name: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Events for those who see the same; `pieces` are JSON lists, each with its last number."""

    events: tuple[Told, ...] = ()
    pieces: tuple[tuple[int, str], ...] = ()


NOTHING = Bulletin()


def owners(con: sqlite3.Connection, found: Sequence[Recorded]) -> dict[int, str]:
    """Whose each event is, by its number."""
    subjects: dict[str, set[str]] = {}
    for one in found:
        subjects.setdefault(_kind(one), set()).add(one.subject)
    known = {kind: _lookup(con, kind, ids) for kind, ids in subjects.items() if kind in _OWNERS}
    return {one.seq: _owner(one, known) for one in found}


def libraries(con: sqlite3.Connection, user_id: str) -> dict[str, str]:
    """Whose libraries a person may look into, each with how far: their own, and those lent."""
    rows = con.execute(
        "SELECT resource_id, permission FROM user_permissions WHERE resource_type = 'library'"
        " AND (user_id = :user OR team_id IN"
        "  (SELECT team_id FROM team_members WHERE user_id = :user))",
        {"user": user_id},
    )
    ranks = ("view", "add", "edit", "manage")
    found: dict[str, str] = {}
    for row in rows:
        before = found.get(row["resource_id"], "view")
        found[row["resource_id"]] = max(before, row["permission"], key=ranks.index)
    return {**found, user_id: "own"}


def _kind(one: Recorded) -> str:
    return one.name.partition(".")[0]


def _lookup(con: sqlite3.Connection, kind: str, ids: set[str]) -> dict[str, str]:
    rows = con.execute(
        f"WITH told AS (SELECT value FROM json_each(?)) {_OWNERS[kind]} (SELECT value FROM told)",
        (json.dumps(sorted(ids)),),
    )
    return {row[0]: row[1] for row in rows}


def _owner(one: Recorded, known: Mapping[str, Mapping[str, str]]) -> str:
    kind = _kind(one)
    if kind in _FOR_EVERYBODY:
        return EVERYBODY
    if kind in known:
        return known[kind].get(one.subject, "")
    return one.actor.partition(":")[2]  # whoever did it


class Teller:
    """Makes events ready to be told, each once, however many receivers there are."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: OrderedDict[int, Told] = OrderedDict()
        self._bulletins: OrderedDict[Hashable, Bulletin] = OrderedDict()
        self._reading = asyncio.Lock()

    async def told(self, found: Sequence[Recorded]) -> list[Told]:
        """The events as they are told, in order; at most `REMEMBERED` at once."""
        async with self._reading:
            unknown = [one for one in found if one.seq not in self._known]
            if unknown:
                await self._learn(unknown)
            return [self._known[one.seq] for one in found]

    async def bulletin(
        self, found: Sequence[Recorded], view: Hashable, sees: Callable[[Told], bool]
    ) -> Bulletin:
        """Those of the events that `sees` lets through, composed once for all of one view.

        Equal views must let the same events through.
        """
        if not found:
            return NOTHING
        key = (view, found[0].seq, found[-1].seq, len(found))
        known = self._bulletins.get(key)
        if known is None:
            told = tuple(one for one in await self.told(found) if sees(one))
            known = self._bulletins[key] = Bulletin(told, tuple(_pieces(told)))
            while len(self._bulletins) > BULLETINS:
                self._bulletins.popitem(last=False)
        return known

    async def _learn(self, unknown: Sequence[Recorded]) -> None:
        """What is oldest is forgotten before, never what was asked for just now."""
        found = await self._db.read(owners, unknown)
        while self._known and len(self._known) + len(unknown) > 2 * REMEMBERED:
            self._known.popitem(last=False)
        for one in unknown:
            self._known[one.seq] = _told(one, found[one.seq])


def _pieces(told: Sequence[Told]) -> Iterator[tuple[int, str]]:
    """JSON lists of about `PIECE` characters."""
    texts: list[str] = []
    length, last = 0, 0
    for one in told:
        if texts and length + len(one.text) > PIECE:
            yield last, f"[{','.join(texts)}]"
            texts, length = [], 0
        texts.append(one.text)
        length, last = length + len(one.text) + 1, one.seq
    if texts:
        yield last, f"[{','.join(texts)}]"


def _told(one: Recorded, owner_id: str) -> Told:
    fields = {
        "seq": one.seq,
        "at": one.at,
        "name": one.name,
        "version": one.version,
        "subject": one.subject,
        "actor": one.actor,
        "data": one.data,
    }
    text = json.dumps(fields, separators=(",", ":"))
    return Told(one.seq, _kind(one), owner_id, one.name, one.subject, text)
