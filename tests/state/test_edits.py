"""A person's word about a file stands over what is read of it, and can be taken back exactly."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from pipeline.clock import SystemClock
from pipeline.metadata.columns import columns
from pipeline.metadata.facts import DateEvidence, Facts, PlaceEvidence, TakenFrom
from pipeline.model import Json
from pipeline.state import edits, files, jobs, journal, search, studies
from pipeline.state.edits import Patch
from tests.kit.searching import opened
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()
TITLE: Patch = {"title": {"title": "Grandma's birthday"}}


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """One file in a state in memory."""
    con = opened()
    add_household(con)
    add_file(con, "one")
    jobs.add(con, "job", "batch-edit", owner_id=OWNER, actor="cli", params={}, at=AT)
    yield con
    con.close()


def say(con: sqlite3.Connection, patch: Patch) -> None:
    """What a person does."""
    edits.change(con, OWNER, ["one"], lambda _: patch, CLOCK, job_id="job", actor="cli")


def undo(con: sqlite3.Connection) -> None:
    """Take the newest change back."""
    edits.revert(con, journal.open_entries(con, "job", OWNER)[:1], CLOCK, actor="cli")


def read(con: sqlite3.Connection, **told: Json) -> None:
    """What an analysis finds in the file."""
    facts = Facts(**told)
    studies.relearn(con, "one", facts.to_json(), columns(facts))


def row(con: sqlite3.Connection) -> dict[str, Json]:
    """The file's row without the time of its last change."""
    found = dict(con.execute("SELECT * FROM media_files WHERE id = 'one'").fetchone())
    found.pop("updated_at")
    return found


def test_a_word_stands_over_a_new_analysis(con: sqlite3.Connection) -> None:
    """What is read later is kept below it, and shows once the word is taken back."""
    read(con, title="read first")
    say(con, TITLE)
    read(con, title="read later", rating=3)
    now = files.get(con, OWNER, "one")
    assert now is not None
    assert (now.title, now.rating) == ("Grandma's birthday", 3)
    say(con, {"title": None})
    again = files.get(con, OWNER, "one")
    assert again is not None
    assert again.title == "read later"
    assert edits.of(con, "one") == edits.NOTHING


def test_saying_that_there_is_none_is_a_word_too(con: sqlite3.Connection) -> None:
    """A title that is taken away does not come back by itself."""
    read(con, title="DSC_0001")
    say(con, {"title": {"title": None}})
    read(con, title="DSC_0001")
    assert row(con)["title"] is None


def test_position_and_date_with_all_their_columns(con: sqlite3.Connection) -> None:
    """A position hides the one that was read and its name; both come back."""
    date = DateEvidence(TakenFrom.EXIF, "2023-10-06T08:30:00", 120, 0.9)
    read(con, places=(PlaceEvidence(TakenFrom.EXIF, 48.2, 16.4),), dates=(date,))
    con.execute("UPDATE media_files SET place = 'Vienna, Austria' WHERE id = 'one'")
    before = row(con)
    when = {
        "taken_at": "1999-01-02T03:04:05+01:00",
        "taken_utc": "1999-01-02T02:04:05.000Z",
        "taken_from": "person",
        "taken_confidence": 1.0,
    }
    where = {"lat": 41.9, "lon": 12.5, "place": "Rome, Italy"}
    say(con, {"taken_at": when, "position": where})
    assert {**row(con), **when, **where} == row(con)
    undo(con)
    assert row(con) == before


def test_undo_leaves_what_was_said_since(con: sqlite3.Connection) -> None:
    """Only the fields that the job set go back, and only where they are as it left them."""
    say(con, {"title": {"title": "first"}, "rating": {"rating": 2}})
    jobs.add(con, "later", "batch-edit", owner_id=OWNER, actor="cli", params={}, at=AT)
    later: Patch = {"title": {"title": "second"}}
    edits.change(con, OWNER, ["one"], lambda _: later, CLOCK, job_id="later", actor="cli")
    undo(con)
    assert (row(con)["title"], row(con)["rating"]) == ("second", None)
    assert journal.open_entries(con, "job", OWNER) == []


def test_a_rehearsal_tells_the_same_and_changes_nothing(con: sqlite3.Connection) -> None:
    """`plan` answers what `change` then does."""
    before = row(con)
    planned = edits.plan(con, OWNER, ["one"], lambda _: TITLE)
    assert row(con) == before
    done = edits.change(con, OWNER, ["one"], lambda _: TITLE, CLOCK, job_id="job", actor="cli")
    assert planned == done
    assert done[0].after == {"title": "Grandma's birthday"}


def test_what_is_left_says_why(con: sqlite3.Connection) -> None:
    """A file that the wish makes no sense for is not touched."""
    (told,) = edits.change(
        con, OWNER, ["one"], lambda _: "no date", CLOCK, job_id="job", actor="cli"
    )
    assert told.reason == "no date"
    assert journal.open_entries(con, "job", OWNER) == []


def test_a_stranger_says_nothing(con: sqlite3.Connection) -> None:
    """Another owner's files are not there."""
    assert edits.plan(con, "another", ["one"], lambda _: TITLE) == []


def test_words_are_found(con: sqlite3.Connection) -> None:
    """What a person wrote is looked for in, at once and instead of what the file said."""
    read(con, title="x", description="a read text")
    search.settle(con, AT)
    say(con, {"description": {"description": "under the walnut tree"}})
    search.settle(con, AT)
    line = search.line_of(con, "one")
    assert line is not None
    assert "walnut" in line.title
    assert "read" not in line.title


def test_many_files_are_looked_up_by_id(con: sqlite3.Connection) -> None:
    """What belongs to some files is found without looking at all files of their owner."""
    ids = [f"file-{number:04d}" for number in range(1_000)]
    for file_id in ids:
        add_file(con, file_id)
    ticks: list[int] = []

    def tick() -> int:
        ticks.append(1)
        return 0

    con.set_progress_handler(tick, 1_000)
    assert edits.together(con, OWNER, ids[:200]) == ids[:200]
    con.set_progress_handler(None, 0)
    assert len(ticks) < 50  # thousands of steps; by owner it would be a million
