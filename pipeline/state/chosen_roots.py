"""Which roots people chose to have watched, beside those that the settings name.

Roots that were only taken from once are known, too, but nobody watches them.
"""

from __future__ import annotations

import sqlite3

from pipeline.state import roots, settings
from pipeline.state.roots import StoredRoot

KEY = "roots.chosen"


def listing(con: sqlite3.Connection) -> list[StoredRoot]:
    """The chosen roots, in the order in which they were chosen."""
    found = (roots.by_id(con, root_id) for root_id in settings.get(con, KEY) or ())
    return [one for one in found if one is not None]


def choose(con: sqlite3.Connection, root_id: str) -> None:
    """Have a root watched."""
    ids = settings.get(con, KEY) or []
    if root_id not in ids:
        settings.put(con, KEY, [*ids, root_id])


def leave(con: sqlite3.Connection, root_id: str) -> bool:
    """Have a root watched no more; False where nobody had chosen it."""
    ids = settings.get(con, KEY) or []
    if root_id not in ids:
        return False
    settings.put(con, KEY, [one for one in ids if one != root_id])
    return True
