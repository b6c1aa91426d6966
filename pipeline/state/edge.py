"""What caches before us may hold, and the calls that tell them to forget it.

An address is noted before it is answered, so that nothing is held that is not known here. A call
stands in the same transaction as the loss that it tells of, and stays until somebody took it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_HELD = "address, file_id, owner_id, until"
_CALL = "id, owner_id, addresses, is_echo, until, created_at, tries"


@dataclass(frozen=True, slots=True)
class Held:
    """A signed address that was answered: path and query. `until` is in Unix seconds."""

    address: str
    file_id: str
    owner_id: str
    until: int


@dataclass(frozen=True, slots=True)
class Call:
    """Addresses to be forgotten; `is_echo`: it was said before, and is said again."""

    id: str
    owner_id: str
    addresses: tuple[str, ...]
    is_echo: bool
    until: int
    created_at: str
    tries: int = 0


# --- what may be held --------------------------------------------------------------------------


def note(con: sqlite3.Connection, address: str, file_id: str, until: int) -> None:
    """A cache may hold this address from now on."""
    con.execute(
        "INSERT INTO edge_held (address, file_id, owner_id, until)"
        " SELECT ?, id, owner_id, ? FROM media_files WHERE id = ? ON CONFLICT DO NOTHING",
        (address, until, file_id),
    )


def of_files(con: sqlite3.Connection, file_ids: Collection[str]) -> list[Held]:
    """What may be held of these files."""
    rows = con.execute(
        f"SELECT {_HELD} FROM edge_held WHERE file_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(file_ids)),),
    )
    return [Held(**dict(row)) for row in rows]


def after(con: sqlite3.Connection, address: str, limit: int) -> list[Held]:
    """Up to `limit` of all that may be held, behind this address."""
    rows = con.execute(
        f"SELECT {_HELD} FROM edge_held WHERE address > ? ORDER BY address LIMIT ?",
        (address, limit),
    )
    return [Held(**dict(row)) for row in rows]


def drop(con: sqlite3.Connection, addresses: Sequence[str]) -> None:
    """These are not held any more, or are about to be forgotten."""
    con.execute(
        "DELETE FROM edge_held WHERE address IN (SELECT value FROM json_each(?))",
        (json.dumps(list(addresses)),),
    )


def sweep(con: sqlite3.Connection, now: int) -> None:
    """Forget what no cache may hold any more, and calls about nothing else."""
    con.execute("DELETE FROM edge_held WHERE until <= ?", (now,))
    con.execute("DELETE FROM edge_calls WHERE until <= ?", (now,))


# --- calls -------------------------------------------------------------------------------------


def call(con: sqlite3.Connection, one: Call, due_at: str) -> None:
    """Say this to the cache, from `due_at` on."""
    con.execute(
        "INSERT INTO edge_calls (id, owner_id, addresses, is_echo, until, created_at, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (one.id, one.owner_id, json.dumps(one.addresses), one.is_echo, one.until, one.created_at,
         due_at),
    )  # fmt: skip


def due(con: sqlite3.Connection, at: str) -> Call | None:
    """The call that has been due for longest; None: nothing is."""
    row = con.execute(
        f"SELECT {_CALL} FROM edge_calls WHERE parked_at IS NULL AND due_at <= ?"
        " ORDER BY due_at, id LIMIT 1",
        (at,),
    ).fetchone()
    if row is None:
        return None
    told = tuple(json.loads(row["addresses"]))
    return Call(**{**dict(row), "addresses": told, "is_echo": bool(row["is_echo"])})


def next_due(con: sqlite3.Connection) -> str | None:
    """When the next call is due."""
    found = con.execute("SELECT min(due_at) FROM edge_calls WHERE parked_at IS NULL").fetchone()
    return None if found[0] is None else str(found[0])


def taken(con: sqlite3.Connection, call_id: str) -> None:
    """Somebody took the call."""
    con.execute("DELETE FROM edge_calls WHERE id = ?", (call_id,))


def again(con: sqlite3.Connection, call_id: str, due_at: str, error: str) -> None:
    """Nobody took it; try again at `due_at`."""
    con.execute(
        "UPDATE edge_calls SET tries = tries + 1, due_at = ?, error = ? WHERE id = ?",
        (due_at, error, call_id),
    )


def park(con: sqlite3.Connection, call_id: str, at: str, error: str) -> None:
    """Give up; a person is told."""
    con.execute(
        "UPDATE edge_calls SET tries = tries + 1, parked_at = ?, error = ? WHERE id = ?",
        (at, error, call_id),
    )


def unpark(con: sqlite3.Connection, at: str) -> None:
    """Try everything again that was given up: the settings are others now."""
    con.execute(
        "UPDATE edge_calls SET parked_at = NULL, due_at = ?, tries = 0 WHERE parked_at IS NOT NULL",
        (at,),
    )
