"""What is asked for every file that comes in costs the same in a small album and in a big one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import pytest

from pipeline.state import bundles, placements, places, queue, replacements, studies
from pipeline.state.connection import Database

FILES = ["file-1", "file-2"]
WHOLE = re.compile(r"^SCAN (?!json_each|CONSTANT|.* USING INDEX tasks_(waiting|claimed))")
Ask = Callable[[sqlite3.Connection], object]
ASKED: dict[str, Ask] = {
    "duplicates in the inbox": placements.duplicates_in_inbox,
    "with bundles": lambda con: placements.with_bundles(con, FILES),
    "known sidecars": lambda con: placements.known_sidecars(con, FILES, "", actor="test"),
    "is a name taken": lambda con: placements.is_name_taken(con, "key", but="file-1"),
    "files to study": lambda con: studies.files_to_study(con, FILES),
    "alive twin": lambda con: studies.alive_twin(con, "owner", "hash", but="file-1"),
    "waits for bundle": lambda con: studies.waits_for_bundle(con, "file-1"),
    "bundle facts": lambda con: studies.bundle_facts(con, FILES),
    "followers": lambda con: bundles.followers(con, FILES),
    "unnamed places": lambda con: places.unnamed(con, FILES),
    "is a job open": lambda con: queue.is_open(con, "job"),
    "wake placing": lambda con: queue.wake_placing(con, "file-1"),
    "finish placing": lambda con: queue.finish_placing(con, "task", "file-1", ""),
    "unfinished replacements": replacements.unfinished,
}


def _walks(con: sqlite3.Connection, ask: Ask) -> list[str]:
    """The steps of its plans that go through a whole table."""
    said: list[str] = []
    con.set_trace_callback(said.append)
    try:
        ask(con)
    finally:
        con.set_trace_callback(None)
    asked = [text for text in said if not text.startswith(("--", "SAVEPOINT", "RELEASE"))]
    assert asked
    plans = [row["detail"] for text in asked for row in con.execute(f"EXPLAIN QUERY PLAN {text}")]
    return [step for step in plans if WHOLE.match(step)]


@pytest.mark.parametrize("name", ASKED)
async def test_no_question_walks_a_whole_table(db: Database, name: str) -> None:
    """Every step of the plan is a search through an index."""
    assert await db.write(_walks, ASKED[name]) == []


async def test_a_walk_is_noticed(db: Database) -> None:
    """The check finds a question that no index serves."""

    def ask(con: sqlite3.Connection) -> object:
        return con.execute("SELECT id FROM media_files WHERE state = 'duplicate'").fetchall()

    assert await db.write(_walks, ask) != []
