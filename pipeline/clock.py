"""Time, from one place: aware UTC for records, monotonic seconds for waits and leases.

Nothing else in the pipeline asks the system what time it is, so that tests can own it.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the pipeline needs to know about time."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC: for records and schedules."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for waits, leases and rates within one boot."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of monotonic time pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        import asyncio  # costs 40 ms, and who sleeps has paid for it already

        await asyncio.sleep(seconds)


def timestamp(at: datetime) -> str:
    """`at` as the text stored in the state: UTC, milliseconds, sorts as it reads."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def unix_ms(at: datetime) -> int:
    """`at` in whole milliseconds since 1970: for what is measured, where text would be long."""
    return int(at.timestamp() * 1000)


_counting = threading.Lock()
_last = (0, 0)  # millisecond and counter of the newest id


def new_id(at: datetime) -> str:
    """A fresh UUIDv7 as text; of ids for the same or a later moment, the later made sorts later.

    RFC 9562, 6.2, method 1: 18 bits behind the time count the ids of a millisecond.
    """
    global _last  # noqa: PLW0603 - one counter for the process is what the RFC asks for
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    with _counting:
        counter = _last[1] + 1 if _last[0] == milliseconds else 0
        _last = (milliseconds, counter)
    high, low = counter >> 6 & 0xFFF, counter & 0x3F
    value = milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low << 56
    return str(uuid.UUID(int=value | secrets.randbits(56)))
