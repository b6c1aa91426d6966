"""Pausing: no new work until somebody resumes, or until a time. Survives a restart.

`set_pause` and `clear_pause` are changes of the state with their events; the flow reads the pause
whenever it claims.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from pipeline.clock import timestamp
from pipeline.events import FlowPaused, FlowResumed
from pipeline.state import audit, settings

KEY = "flow.pause"
SUBJECT = "flow"


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is claimed, and until when (None: until somebody resumes)."""

    reason: str
    until: str | None = None


def set_pause(con: sqlite3.Connection, pause: Pause, *, actor: str, at: datetime) -> None:
    """From this commit on nothing is claimed."""
    settings.put(con, KEY, {"reason": pause.reason, "until": pause.until})
    event = FlowPaused(SUBJECT, pause.reason, pause.until)
    audit.tell_as(con, actor, event, timestamp(at), after={"until": pause.until})


def clear_pause(con: sqlite3.Connection, *, actor: str, at: datetime) -> bool:
    """Work goes on; False when it was not paused."""
    if settings.get(con, KEY) is None:
        return False
    settings.remove(con, KEY)
    audit.tell_as(con, actor, FlowResumed(SUBJECT), timestamp(at))
    return True


def current(con: sqlite3.Connection) -> Pause | None:
    """The pause as set, over or not."""
    stored = settings.get(con, KEY)
    return None if stored is None else Pause(stored["reason"], stored["until"])


def in_force(con: sqlite3.Connection, now: datetime) -> Pause | None:
    """The pause that holds now; one whose time is over is lifted, with its event."""
    pause = current(con)
    if pause is None or pause.until is None or timestamp(now) < pause.until:
        return pause
    clear_pause(con, actor=SUBJECT, at=now)
    return None
