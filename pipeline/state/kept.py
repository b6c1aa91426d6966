"""Answers that cost a walk through somebody's library, kept until what they tell of changes.

What changes is noted by the rows themselves: triggers of the writing connection alone write down
whose tags, faces, people or files a transaction touched, so that no writer has to remember it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

Rows = Literal["tags", "faces", "people", "files"]
Touched = tuple[str, str]  # which rows, and whose

MOST = 1_000  # answers kept; the one asked for longest ago goes first
_ANYBODY = ""  # the file that would tell whose they are is gone
_OWNER_OF_FILE = (
    "coalesce((SELECT owner_id FROM main.media_files WHERE id = {row}.file_id), '" + _ANYBODY + "')"
)
_WATCHED: tuple[tuple[Rows, str, str, str], ...] = (  # name, table, what of an update, owner
    ("tags", "tags", "UPDATE", _OWNER_OF_FILE),
    ("faces", "faces", "UPDATE", "{row}.owner_id"),
    ("people", "people", "UPDATE", "{row}.owner_id"),
    ("files", "media_files", "UPDATE OF state, owner_id", "{row}.owner_id"),
)


def watch(con: sqlite3.Connection) -> None:
    """Have this connection, the writing one, note what it touches of the tables there are."""
    # "OR IGNORE" would not do: in a trigger the statement's own way with conflicts counts.
    there = {row[0] for row in con.execute("SELECT name FROM main.sqlite_master")}
    con.execute(
        "CREATE TEMP TABLE touched (name TEXT NOT NULL, owner_id TEXT NOT NULL,"
        " PRIMARY KEY (name, owner_id)) WITHOUT ROWID"
    )
    for name, table, update, owner in (one for one in _WATCHED if one[1] in there):
        for row, change in (("NEW", "INSERT"), ("NEW", update), ("OLD", update), ("OLD", "DELETE")):
            con.execute(
                f"CREATE TEMP TRIGGER touched_{name}_{row}_{change[:6]} AFTER {change}"
                f" ON main.{table} BEGIN INSERT INTO touched"
                f" SELECT '{name}', {owner.format(row=row)} AS whose WHERE NOT EXISTS"
                f" (SELECT 1 FROM touched WHERE name = '{name}' AND owner_id = whose); END"
            )


def take_touched(con: sqlite3.Connection) -> list[Touched]:
    """What was touched since the last time, as part of the transaction that did it."""
    rows = con.execute("SELECT name, owner_id FROM touched").fetchall()
    if rows:
        con.execute("DELETE FROM touched")
    return [(row["name"], row["owner_id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class _Answer:
    stamp: Hashable
    value: Any


class Kept:
    """The answers of one process that alone can write; used by one event loop."""

    def __init__(self) -> None:
        self._changes: Counter[Touched] = Counter()
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    def stamp(self, rows: Iterable[Rows], owner_id: str) -> Hashable:
        """Equal for as long as none of these rows of this owner changed. Take it before asking."""
        return tuple(self._changes[name, whose] for name in rows for whose in (owner_id, _ANYBODY))

    def get(self, question: Hashable, stamp: Hashable) -> _Answer | None:
        """The answer of that stamp, if there is one."""
        found = self._answers.get(question)
        if found is None or found.stamp != stamp:
            return None
        self._answers.move_to_end(question)
        return found

    def put(self, question: Hashable, stamp: Hashable, value: Any) -> None:
        """Keep what was answered."""
        self._answers[question] = _Answer(stamp, value)
        if len(self._answers) > MOST:
            self._answers.popitem(last=False)

    def note(self, touched: Iterable[Touched]) -> None:
        """These rows changed: what was kept of them is asked for again."""
        self._changes.update(touched)
