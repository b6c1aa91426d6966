"""Reading a database from aside, before or without opening its home.

Nothing is made beside a database that nobody has open, not even SQLite's `-shm`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote


def reading(database: Path) -> contextlib.closing[sqlite3.Connection]:
    """A connection that can only read, and leaves no trace."""
    is_idle = not database.with_name(f"{database.name}-wal").exists()
    uri = f"file:{quote(str(database))}?mode=ro" + ("&immutable=1" if is_idle else "")
    return contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None))
