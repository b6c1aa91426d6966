"""How often somebody may guess: buckets that refill slowly, in the state so that a restart helps
nobody, and never more than `MOST` of them.

Each bucket lets `BURST` tries through at once, then one every `STEP_S` seconds (GCRA: a bucket is
the time at which it will be empty). Names and addresses are stored as hashes: what is typed as a
name may be a password.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence

BURST = 10
STEP_S = 60.0
MOST = 10_000
_FULL_S = (BURST - 1) * STEP_S


def bucket(*about: str) -> bytes:
    """The bucket for an address, a name, or both."""
    return hashlib.sha256("\0".join(about).encode()).digest()[:16]


def wait(con: sqlite3.Connection, buckets: Sequence[bytes], now: float) -> float:
    """Seconds until all of these buckets let one more try through; 0: now."""
    return max([0.0, *(_free_at(con, one, now) - now - _FULL_S for one in buckets)])


def take(con: sqlite3.Connection, buckets: Sequence[bytes], now: float) -> float:
    """As `wait`; when it is 0 the try is counted in all of them."""
    seconds = wait(con, buckets, now)
    if seconds > 0:
        return seconds
    con.execute("DELETE FROM login_throttle WHERE free_at <= ?", (now,))
    for one in buckets:
        con.execute(
            "INSERT INTO login_throttle (bucket, free_at) VALUES (?, ?)"
            " ON CONFLICT (bucket) DO UPDATE SET free_at = excluded.free_at",
            (one, _free_at(con, one, now) + STEP_S),
        )
    _keep_within(con)
    return 0.0


def give_back(con: sqlite3.Connection, buckets: Sequence[bytes]) -> None:
    """Take a counted try back: it was no guess."""
    for one in buckets:
        con.execute(
            "UPDATE login_throttle SET free_at = free_at - ? WHERE bucket = ?", (STEP_S, one)
        )


def _free_at(con: sqlite3.Connection, one: bytes, now: float) -> float:
    row = con.execute("SELECT free_at FROM login_throttle WHERE bucket = ?", (one,)).fetchone()
    if row is None:
        return now
    free_at = max(row["free_at"], now)
    # No bucket is fuller than this unless the clock was set back: then it starts at its brim.
    return free_at if free_at <= now + BURST * STEP_S else now + _FULL_S


def _keep_within(con: sqlite3.Connection) -> None:
    """Drop the buckets that hold the least: those of whoever is attacked are the fullest."""
    over = con.execute("SELECT count(*) FROM login_throttle").fetchone()[0] - MOST
    if over > 0:
        con.execute(
            "DELETE FROM login_throttle WHERE bucket IN"
            " (SELECT bucket FROM login_throttle ORDER BY free_at LIMIT ?)",
            (over,),
        )
