"""The second factor of an account: a sealed TOTP secret, the newest code used, recovery codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What codes are checked against; `since` None: begun and not yet confirmed."""

    secret: bytes  # sealed
    since: str | None
    step: int  # of the newest code used: none works twice


def begin(con: sqlite3.Connection, user_id: str, sealed: bytes, at: str) -> None:
    """Store a secret to be confirmed. Raises `Conflict` when a second factor is on already."""
    changed = con.execute(
        "UPDATE users SET totp_secret = ?, totp_step = 0, updated_at = ?"
        " WHERE id = ? AND totp_since IS NULL",
        (sealed, at, user_id),
    ).rowcount
    if not changed:
        raise Conflict(
            "The second factor is on already.", hint="Turn it off first to change the device."
        )


def of(con: sqlite3.Connection, user_id: str) -> SecondFactor | None:
    """The second factor of a user, confirmed or not."""
    row = con.execute(
        "SELECT totp_secret, totp_since, totp_step FROM users"
        " WHERE id = ? AND totp_secret IS NOT NULL",
        (user_id,),
    ).fetchone()
    if row is None:
        return None
    return SecondFactor(bytes(row["totp_secret"]), row["totp_since"], row["totp_step"])


def use_step(con: sqlite3.Connection, user_id: str, step: int) -> bool:
    """Note that the code of `step` was used; False when that or a later one was before."""
    changed = con.execute(
        "UPDATE users SET totp_step = ? WHERE id = ? AND totp_step < ?", (step, user_id, step)
    ).rowcount
    return changed == 1


def confirm(con: sqlite3.Connection, user_id: str, at: str) -> None:
    """From now on it is asked for."""
    con.execute("UPDATE users SET totp_since = ?, updated_at = ? WHERE id = ?", (at, at, user_id))


def turn_off(con: sqlite3.Connection, user_id: str, at: str) -> None:
    """Forget the secret and the recovery codes. Raises `NotFound` when there is none."""
    changed = con.execute(
        "UPDATE users SET totp_secret = NULL, totp_since = NULL, totp_step = 0, updated_at = ?"
        " WHERE id = ? AND totp_secret IS NOT NULL",
        (at, user_id),
    ).rowcount
    if not changed:
        raise NotFound("There is no second factor.")
    con.execute("DELETE FROM recovery_codes WHERE user_id = ?", (user_id,))


def set_codes(con: sqlite3.Connection, user_id: str, hashes: Iterable[bytes]) -> None:
    """Store new recovery codes; the older ones are worth nothing."""
    con.execute("DELETE FROM recovery_codes WHERE user_id = ?", (user_id,))
    con.executemany(
        "INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)",
        [(user_id, one) for one in hashes],
    )


def use_code(con: sqlite3.Connection, user_id: str, code_hash: bytes, at: str) -> bool:
    """Use a recovery code up; False when there is no such one, or it was used."""
    changed = con.execute(
        "UPDATE recovery_codes SET used_at = ? WHERE user_id = ? AND hash = ? AND used_at IS NULL",
        (at, user_id, code_hash),
    ).rowcount
    return changed == 1


def codes_left(con: sqlite3.Connection, user_id: str) -> int:
    """How many recovery codes were not used yet."""
    row = con.execute(
        "SELECT count(*) FROM recovery_codes WHERE user_id = ? AND used_at IS NULL", (user_id,)
    ).fetchone()
    return int(row[0])
