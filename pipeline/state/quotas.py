"""Quotas: how much a user may keep, how much they do, and room promised to what is under way.

What is kept is counted by triggers in the transaction that changes it (schema 0007), so that a
promise costs the same with a million files. A limit of 0 is 0; only None is no limit.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass

from pipeline.errors import NotFound, TooLarge
from pipeline.events import QuotaSet, QuotaWarned
from pipeline.state import audit, events, versions
from pipeline.state.audit import By

_KEPT = "take <> 'index' AND state NOT IN ('duplicate', 'rejected', 'purged')"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a user may keep; None: as much as they like. Past `soft` they are told, no more."""

    soft_bytes: int | None = None
    hard_bytes: int | None = None
    soft_files: int | None = None
    hard_files: int | None = None
    counts_derivatives: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user keeps (the trash included), and what was promised to uploads under way."""

    bytes: int
    files: int
    derived_bytes: int  # thumbnails, previews and copies made of it, as last counted
    reserved_bytes: int
    reserved_files: int


@dataclass(frozen=True, slots=True)
class Quota:
    """One user's limits and usage; `version` 0: there are no limits."""

    user_id: str
    name: str
    limits: Limits
    usage: Usage
    version: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Room asked for, under an id by which it is given back. `until`: when it lapses by itself."""

    id: str
    user_id: str
    bytes: int
    files: int
    until: str


@dataclass(frozen=True, slots=True)
class Room:
    """What is left after a promise; None: no limit."""

    left_bytes: int | None
    left_files: int | None
    is_past_soft: bool


_UNLIMITED = Room(None, None, is_past_soft=False)


def put(
    con: sqlite3.Connection, by: By, user_id: str, limits: Limits, seen: int | None = None
) -> Quota:
    """Give a user limits, or others. What is kept already is never touched.

    Raises `NotFound`, and `Conflict` where `seen` is not the version that stands.
    """
    old = get(con, user_id, by.at)
    versions.require(old.version, seen)
    kept = _count(con, user_id)
    values = {**asdict(limits), "user": user_id, "bytes": kept[0], "files": kept[1], "at": by.at}
    con.execute(
        "INSERT INTO quotas (user_id, soft_bytes, hard_bytes, soft_files, hard_files,"
        " counts_derivatives, used_bytes, used_files, updated_at) VALUES (:user, :soft_bytes,"
        " :hard_bytes, :soft_files, :hard_files, :counts_derivatives, :bytes, :files, :at)"
        " ON CONFLICT (user_id) DO UPDATE SET soft_bytes = :soft_bytes, hard_bytes = :hard_bytes,"
        " soft_files = :soft_files, hard_files = :hard_files, used_bytes = :bytes,"
        " used_files = :files, counts_derivatives = :counts_derivatives, updated_at = :at,"
        " version = version + 1",
        values,
    )
    audit.tell(con, by, QuotaSet(user_id), before=asdict(old.limits), after=asdict(limits))
    return get(con, user_id, by.at)


def lift(con: sqlite3.Connection, by: By, user_id: str, seen: int | None = None) -> None:
    """Take a user's limits away. Raises as `put`."""
    old = get(con, user_id, by.at)
    versions.require(old.version, seen)
    if con.execute("DELETE FROM quotas WHERE user_id = ?", (user_id,)).rowcount:
        audit.tell(con, by, QuotaSet(user_id), before=asdict(old.limits))


def get(con: sqlite3.Connection, user_id: str, at: str) -> Quota:
    """One user's limits and usage at that moment. Raises `NotFound`."""
    found = listing(con, at, user_id)
    if not found:
        raise NotFound("There is nobody with this account.")
    return found[0]


def listing(con: sqlite3.Connection, at: str, user_id: str | None = None) -> list[Quota]:
    """The limits and usage of everybody with an account, or of one, by name."""
    rows = con.execute(
        "SELECT u.id, coalesce(u.display_name, u.username) AS name, q.*, coalesce("
        " (SELECT sum(bytes) FROM quota_reservations WHERE user_id = u.id AND expires_at > :at), 0)"
        " AS reserved_bytes, coalesce("
        " (SELECT sum(files) FROM quota_reservations WHERE user_id = u.id AND expires_at > :at), 0)"
        " AS reserved_files FROM users u LEFT JOIN quotas q ON q.user_id = u.id"
        " WHERE :user IS NULL OR u.id = :user ORDER BY name, u.id",
        {"at": at, "user": user_id},
    ).fetchall()
    return [_quota(con, row) for row in rows]


def reserve(con: sqlite3.Connection, wanted: Wanted, at: str) -> Room:
    """Promise room, or raise `TooLarge` and promise nothing. The same id asks anew.

    In one transaction with the look at what is left: no two promises can share the same room.
    """
    con.execute("DELETE FROM quota_reservations WHERE expires_at <= ?", (at,))
    quota = con.execute("SELECT * FROM quotas WHERE user_id = ?", (wanted.user_id,)).fetchone()
    if quota is None:
        return _UNLIMITED
    con.execute("DELETE FROM quota_reservations WHERE id = ?", (wanted.id,))
    held = con.execute(
        "SELECT coalesce(sum(bytes), 0), coalesce(sum(files), 0) FROM quota_reservations"
        " WHERE user_id = ?",
        (wanted.user_id,),
    ).fetchone()
    derived = quota["derived_bytes"] if quota["counts_derivatives"] else 0
    total_bytes = quota["used_bytes"] + derived + held[0] + wanted.bytes
    total_files = quota["used_files"] + held[1] + wanted.files
    _refuse_over(quota["hard_bytes"], total_bytes, wanted.bytes, "bytes")
    _refuse_over(quota["hard_files"], total_files, wanted.files, "files")
    con.execute(
        "INSERT INTO quota_reservations (id, user_id, bytes, files, expires_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (wanted.id, wanted.user_id, wanted.bytes, wanted.files, wanted.until),
    )
    is_past = _is_past(quota["soft_bytes"], total_bytes) or _is_past(
        quota["soft_files"], total_files
    )
    _warn(con, quota, at, is_past=is_past)
    return Room(
        _left(quota["hard_bytes"], total_bytes), _left(quota["hard_files"], total_files), is_past
    )


def release(con: sqlite3.Connection, reservation_id: str) -> None:
    """Give promised room back: the upload is over, or its file is counted from now on."""
    con.execute("DELETE FROM quota_reservations WHERE id = ?", (reservation_id,))


def derived_since(con: sqlite3.Connection, user_id: str) -> str | None:
    """When a user's derivatives were last counted, "" for never; None: they do not count."""
    row = con.execute(
        "SELECT coalesce(derived_at, '') FROM quotas WHERE user_id = ? AND counts_derivatives = 1",
        (user_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def derived_bytes(con: sqlite3.Connection, user_id: str) -> int:
    """The bytes of all that was made of a user's files and lies in the cache."""
    made = con.execute(
        "SELECT coalesce(sum(d.bytes), 0) FROM derivatives d WHERE d.sha256 IN"
        f" (SELECT sha256 FROM media_files WHERE owner_id = ? AND {_KEPT})",
        (user_id,),
    ).fetchone()[0]
    asked = con.execute(
        "SELECT coalesce(sum(bytes_after), 0) FROM renditions WHERE owner_id = ?"
        " AND outcome = 'made' AND replaced_at IS NULL",
        (user_id,),
    ).fetchone()[0]
    return int(made + asked)


def keep_derived(con: sqlite3.Connection, user_id: str, total: int, at: str) -> None:
    """Remember what `derived_bytes` found."""
    con.execute(
        "UPDATE quotas SET derived_bytes = ?, derived_at = ? WHERE user_id = ?",
        (total, at, user_id),
    )


def _quota(con: sqlite3.Connection, row: sqlite3.Row) -> Quota:
    if row["user_id"] is None:
        kept, derived, limits = _count(con, row["id"]), 0, Limits()
    else:
        kept, derived = (row["used_bytes"], row["used_files"]), row["derived_bytes"]
        limits = Limits(
            row["soft_bytes"],
            row["hard_bytes"],
            row["soft_files"],
            row["hard_files"],
            counts_derivatives=bool(row["counts_derivatives"]),
        )
    usage = Usage(*kept, derived, row["reserved_bytes"], row["reserved_files"])
    return Quota(row["id"], row["name"], limits, usage, row["version"] or 0)


def _count(con: sqlite3.Connection, user_id: str) -> tuple[int, int]:
    row = con.execute(
        f"SELECT coalesce(sum(size), 0), count(*) FROM media_files WHERE owner_id = ? AND {_KEPT}",
        (user_id,),
    ).fetchone()
    return int(row[0]), int(row[1])


def _refuse_over(limit: int | None, total: int, wanted: int, what: str) -> None:
    if limit is None or total <= limit or wanted == 0:
        return
    left = max(0, limit - (total - wanted))
    raise TooLarge(
        f"There is room for {left:,} more {what} of {limit:,}; {wanted:,} were to come."
        " Nothing was taken.",
        hint="Empty the trash, or ask who runs the household for more room.",
    )


def _left(limit: int | None, total: int) -> int | None:
    return None if limit is None else max(0, limit - total)


def _is_past(soft: int | None, total: int) -> bool:
    return soft is not None and total > soft


def _warn(con: sqlite3.Connection, quota: sqlite3.Row, at: str, *, is_past: bool) -> None:
    """Tell once that the soft limit is passed, and anew after there was room again."""
    if is_past == (quota["warned_at"] is not None):
        return
    user_id = quota["user_id"]
    con.execute(
        "UPDATE quotas SET warned_at = ? WHERE user_id = ?", (at if is_past else None, user_id)
    )
    if is_past:
        events.append(con, QuotaWarned(user_id), actor="quotas", at=at)
