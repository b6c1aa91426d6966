"""Answers given under an Idempotency-Key, so that a repeated request gets the same one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known under a key; `status` None: the first request is still being worked on."""

    fingerprint: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes


def begin(
    con: sqlite3.Connection, user_id: str, key: str, fingerprint: str, at: str
) -> Remembered | None:
    """Take the key for a request; what stands under it already, if it is taken."""
    row = con.execute(
        "SELECT fingerprint, status, headers, body FROM idempotency WHERE user_id = ? AND key = ?",
        (user_id, key),
    ).fetchone()
    if row is not None:
        return Remembered(
            row["fingerprint"], row["status"], json.loads(row["headers"]), bytes(row["body"])
        )
    con.execute(
        "INSERT INTO idempotency (user_id, key, fingerprint, at) VALUES (?, ?, ?, ?)",
        (user_id, key, fingerprint, at),
    )
    return None


def keep(con: sqlite3.Connection, user_id: str, key: str, answer: Remembered) -> None:
    """Remember the answer."""
    con.execute(
        "UPDATE idempotency SET status = ?, headers = ?, body = ? WHERE user_id = ? AND key = ?",
        (answer.status, json.dumps(dict(answer.headers)), answer.body, user_id, key),
    )


def release(con: sqlite3.Connection, user_id: str, key: str) -> None:
    """Forget a key whose request failed in a way that may be tried again."""
    con.execute("DELETE FROM idempotency WHERE user_id = ? AND key = ?", (user_id, key))


def forget(con: sqlite3.Connection, before: str) -> int:
    """Forget what is older, and what a crash left unanswered; how many that were."""
    return con.execute("DELETE FROM idempotency WHERE at < ? OR status IS NULL", (before,)).rowcount
