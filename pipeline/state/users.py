"""The people who have an account, and the household whose library this is.

The household is the oldest owner: the row is there from the first start, before anybody has set a
password, and stays whatever it is called.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import Conflict, NotFound
from pipeline.model import Json

HOUSEHOLD = "household"
OWNER = "owner"
_COLUMNS = (
    "id, username, display_name, email, role, is_active, created_at, updated_at, last_login,"
    " password_hash IS NOT NULL AS has_password, totp_since IS NOT NULL AS has_second_factor"
)
_CHANGEABLE = ("username", "display_name", "email", "role", "is_active")


@dataclass(frozen=True, slots=True)
class User:
    """One account, without its secrets."""

    id: str
    username: str
    display_name: str | None
    email: str | None
    role: str
    is_active: bool
    created_at: str
    updated_at: str
    last_login: str | None
    has_password: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What is known of somebody who gets an account."""

    id: str
    username: str
    role: str
    display_name: str | None = None
    email: str | None = None


# --- the household -----------------------------------------------------------------------------


def ensure_household(con: sqlite3.Connection, user_id: str, at: str) -> str:
    """The id of the household's owner, made as `user_id` at the first start."""
    known = household(con)
    if known is None:
        con.execute(
            "INSERT INTO users (id, username, role, created_at, updated_at)"
            " VALUES (?, ?, 'owner', ?, ?)",
            (user_id, HOUSEHOLD, at, at),
        )
    return known or user_id


def household(con: sqlite3.Connection) -> str | None:
    """The id of the household's owner; None before the first start."""
    row = con.execute(
        "SELECT id FROM users WHERE role = 'owner' ORDER BY created_at, id LIMIT 1"
    ).fetchone()
    return None if row is None else str(row["id"])


# --- accounts ----------------------------------------------------------------------------------


def find(con: sqlite3.Connection, name: str) -> User | None:
    """The account with this user name or, with an @ in it, this address of mail."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM users WHERE {_by_name(name)} = ?", (name,)
    ).fetchone()
    return None if row is None else _user(row)


def require(con: sqlite3.Connection, user_id: str) -> User:
    """One account by id. Raises `NotFound`."""
    row = con.execute(f"SELECT {_COLUMNS} FROM users WHERE id = ?", (user_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such user.")
    return _user(row)


def listing(con: sqlite3.Connection, after: str = "", limit: int = 1000) -> list[User]:
    """Up to `limit` accounts with ids past `after`, by id."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM users WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    )
    return [_user(row) for row in rows]


def add(con: sqlite3.Connection, one: Newcomer, at: str) -> None:
    """A new account, without a password. Raises `Conflict` when name or mail are taken."""
    try:
        con.execute(
            "INSERT INTO users (id, username, display_name, email, role, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (one.id, one.username, one.display_name, one.email, one.role, at, at),
        )
    except sqlite3.IntegrityError as error:
        raise _taken(error) from error


def change(con: sqlite3.Connection, user_id: str, fields: Mapping[str, Json], at: str) -> User:
    """Store other fields. Raises `NotFound`, `Conflict` when a name or mail is taken."""
    assert set(fields) <= set(_CHANGEABLE), "only these can be changed"
    wanted = {name: fields[name] for name in _CHANGEABLE if name in fields}
    marks = "".join(f"{name} = ?, " for name in wanted)
    try:
        con.execute(
            f"UPDATE users SET {marks}updated_at = ? WHERE id = ?", (*wanted.values(), at, user_id)
        )
    except sqlite3.IntegrityError as error:
        raise _taken(error) from error
    return require(con, user_id)


def remove(con: sqlite3.Connection, user_id: str) -> None:
    """Forget an account and its keys and sessions. Raises `Conflict` for one that has files."""
    try:
        con.execute("DELETE FROM users WHERE id = ?", (user_id,))
    except sqlite3.IntegrityError as error:
        raise Conflict(
            "This user owns files, jobs or folders here, so the account stays.",
            hint="Disable it: nobody can sign in with it then, and nothing is lost.",
        ) from error


def other_active_owners(con: sqlite3.Connection, user_id: str) -> int:
    """How many owners besides this one can still sign in with a password."""
    row = con.execute(
        "SELECT count(*) FROM users WHERE role = 'owner' AND is_active = 1"
        " AND password_hash IS NOT NULL AND id <> ?",
        (user_id,),
    ).fetchone()
    return int(row[0])


def note_login(con: sqlite3.Connection, user_id: str, at: str) -> None:
    """Store when somebody last signed in."""
    con.execute("UPDATE users SET last_login = ? WHERE id = ?", (at, user_id))


# --- passwords ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Secret:
    """What a password is checked against; `hash` None: the account has none."""

    user_id: str
    username: str
    role: str
    is_active: bool
    hash: str | None
    has_second_factor: bool


def secret_of(con: sqlite3.Connection, name: str) -> Secret | None:
    """What somebody who signs in as `name` must match."""
    row = con.execute(
        "SELECT id, username, role, is_active, password_hash, totp_since FROM users"
        f" WHERE {_by_name(name)} = ?",
        (name,),
    ).fetchone()
    return None if row is None else _secret(row)


def secret_by_id(con: sqlite3.Connection, user_id: str) -> Secret:
    """The same by id. Raises `NotFound`."""
    row = con.execute(
        "SELECT id, username, role, is_active, password_hash, totp_since FROM users WHERE id = ?",
        (user_id,),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such user.")
    return _secret(row)


def set_password(con: sqlite3.Connection, user_id: str, hashed: str, at: str) -> None:
    """Store another password."""
    con.execute(
        "UPDATE users SET password_hash = ?, password_at = ?, updated_at = ? WHERE id = ?",
        (hashed, at, at, user_id),
    )


def rehash(con: sqlite3.Connection, user_id: str, before: str, after: str) -> None:
    """Store the same password hashed anew, unless it was changed meanwhile."""
    con.execute(
        "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
        (after, user_id, before),
    )


def _by_name(name: str) -> str:
    return "email" if "@" in name else "username"


def _user(row: sqlite3.Row) -> User:
    values = dict(row)
    for flag in ("is_active", "has_password", "has_second_factor"):
        values[flag] = bool(values[flag])
    return User(**values)


def _secret(row: sqlite3.Row) -> Secret:
    return Secret(
        row["id"],
        row["username"],
        row["role"],
        bool(row["is_active"]),
        row["password_hash"],
        row["totp_since"] is not None,
    )


def _taken(error: sqlite3.IntegrityError) -> Conflict:
    what = "address of mail" if "email" in str(error) else "user name"
    return Conflict(f"This {what} is taken.", hint="Choose another one.")
