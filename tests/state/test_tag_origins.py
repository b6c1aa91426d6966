"""Who says that a file has a tag: a person's word stands, others' follow what is known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import SystemClock
from pipeline.finding import tagging
from pipeline.state import analysis, jobs, journal, search, tags
from pipeline.state.tags import GIVEN, Origin, Wanted
from tests.kit.searching import opened
from tests.kit.state import AT, OWNER, add_file, add_household

CLOCK = SystemClock()
_SCENE = {
    "place": {"label": "outdoor", "confidence": 0.97},
    "light": {"label": "day", "confidence": 0.99},
    "scene": {"label": "beach", "confidence": 0.8},
}


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """One file in a state in memory."""
    con = opened()
    add_household(con)
    add_file(con, "one")
    jobs.add(con, "job", "batch-retag", owner_id=OWNER, actor="cli", params={}, at=AT)
    yield con
    con.close()


def see(con: sqlite3.Connection, model: str = "lite0", version: int = 1, **scores: float) -> None:
    """Models find these objects, and the beach."""
    found = [{"label": name, "score": score, "box": [0, 0, 1, 1]} for name, score in scores.items()]
    analysis.keep(con, "one", "objects", {"objects": found}, None, model, version, AT)
    analysis.keep(con, "one", "scene", _SCENE, 0.8, model, version, AT)
    search.settle(con, AT)


def change(
    con: sqlite3.Connection, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
) -> None:
    """What a person does."""
    wanted = Wanted(add, remove)
    tags.change(con, OWNER, ["one"], wanted, CLOCK, job_id="job", actor="cli")
    search.settle(con, AT)


def undo(con: sqlite3.Connection) -> None:
    """Take the newest change back."""
    tags.revert(con, journal.open_entries(con, "job", OWNER)[:1], CLOCK, actor="cli")
    search.settle(con, AT)


def events(con: sqlite3.Connection) -> int:
    """How many changes of tags were told."""
    return int(con.execute("SELECT count(*) FROM events").fetchone()[0])


def test_a_tag_knows_its_model(con: sqlite3.Connection) -> None:
    """Model, version and confidence stand with the tag; what is not sure enough is none."""
    con.execute("""UPDATE media_files SET facts = '{"keywords": ["Urlaub"]}'""")
    see(con, dog=0.93, cat=0.2)
    assert tags.origins(con, OWNER, "one") == {
        "Urlaub": Origin("file"),
        "beach": Origin("model", "lite0", 1, 0.8),
        "dog": Origin("model", "lite0", 1, 0.93),
        "outdoor": Origin("model", "lite0", 1, 0.97),
    }


def test_looking_again_changes_nothing(con: sqlite3.Connection) -> None:
    """The same analysis twice leaves rows and events as they are."""
    see(con, dog=0.93)
    before, told = tags.stored(con, "one"), events(con)
    see(con, dog=0.93)
    con.execute("INSERT INTO search_stale VALUES ('one')")
    search.settle(con, AT)
    assert (tags.stored(con, "one"), events(con)) == (before, told)


def test_a_newer_model_takes_back_what_the_older_said(con: sqlite3.Connection) -> None:
    """A label that is no longer seen goes; one that still is names the newer model."""
    see(con, dog=0.93, cat=0.9)
    see(con, "lite1", 2, dog=0.8)
    now = tags.origins(con, OWNER, "one")
    assert "cat" not in now
    assert now["dog"] == Origin("model", "lite1", 2, 0.8)


def test_what_a_person_took_away_stays_away(con: sqlite3.Connection) -> None:
    """No analysis gives it again, in whatever case, until the person does or undoes it."""
    see(con, dog=0.93)
    change(con, remove=("dog",))
    see(con, "lite1", 2, dog=0.99, Dog=0.98)
    assert "dog" not in tags.of(con, OWNER, "one")
    assert "Dog" not in tags.of(con, OWNER, "one")
    undo(con)
    assert tags.origins(con, OWNER, "one")["dog"] == Origin("model", "lite1", 2, 0.99)


def test_what_a_person_gave_stays(con: sqlite3.Connection) -> None:
    """No analysis takes it away, nor where a model said so first; undone, the model says it."""
    see(con, dog=0.93)
    change(con, add=("dog", "Rex"))
    see(con, "lite1", 2)
    assert tags.origins(con, OWNER, "one")["dog"] == GIVEN
    assert "Rex" in tags.of(con, OWNER, "one")
    see(con, dog=0.93)
    undo(con)
    assert tags.origins(con, OWNER, "one")["dog"] == Origin("model", "lite0", 1, 0.93)
    assert "Rex" not in tags.of(con, OWNER, "one")


def test_an_older_line_of_the_journal_is_understood(con: sqlite3.Connection) -> None:
    """Lines from before origins name only a source; they are undone all the same."""
    con.execute("INSERT INTO tags (file_id, tag, source) VALUES ('one', 'a', 'person')")
    before, after = json.dumps({"tags": {"b": "file"}}), json.dumps({"tags": {"a": "person"}})
    con.execute(
        "INSERT INTO journal (id, job_id, file_id, action, before, after, at)"
        " VALUES ('j', 'job', 'one', 'retag', ?, ?, ?)",
        (before, after, AT),
    )
    tags.revert(con, journal.open_entries(con, "job", OWNER), CLOCK, actor="cli")
    assert tags.origins(con, OWNER, "one") == {"b": Origin("file")}


def test_all_tags_are_counted_by_who_says_so(con: sqlite3.Connection) -> None:
    """The list of tags tells how many files have each, and by whose word; none of others' files."""
    see(con, dog=0.93)
    add_file(con, "two")
    tags.change(con, OWNER, ["two"], Wanted(("dog",)), CLOCK, job_id="job", actor="cli")
    add_household(con, "other")
    add_file(con, "theirs", "other")
    con.execute("INSERT INTO tags (file_id, tag, source) VALUES ('theirs', 'dog', 'person')")
    assert tags.used(con, OWNER)[0] == tags.Used("dog", 2, by_person=1, by_file=0, by_model=1)


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["dog", "Dog", "cat"])),
        st.tuples(st.just("remove"), st.sampled_from(["dog", "beach", "outdoor"])),
        st.tuples(st.just("see"), st.sampled_from(["dog", "cat"])),
    ),
    max_size=8,
)


@settings(deadline=None)  # a busy machine is no failure
@given(_STEPS)
def test_any_history_keeps_every_word_of_a_person(steps: list[tuple[str, str]]) -> None:
    """Whatever is analysed in between: the last thing a person said of a tag is what counts."""
    con = opened()
    add_household(con)
    add_file(con, "one")
    jobs.add(con, "job", "batch-retag", owner_id=OWNER, actor="cli", params={}, at=AT)
    said: dict[str, bool] = {}
    for step, word in steps:
        if step == "see":
            see(con, **{word: 0.9})
            continue
        had = word in tags.of(con, OWNER, "one")
        change(con, **{step: (word,)})
        if step == "add" or had or word in said:
            said[word] = step == "add"
    now = tags.of(con, OWNER, "one")
    assert all((word in now) is wanted for word, wanted in said.items())
    con.close()


def test_thresholds() -> None:
    """Only what is sure enough and worth looking for becomes a tag."""
    unsure = {"place": {"label": "indoor", "confidence": 0.5}, "light": None}
    kind = {"kind": "screenshot", "confidence": 0.9, "why": []}
    assert tagging.tags_of({"scene": unsure, "kind": kind, "quality": {"score": 3}}) == {
        "scene": {},
        "kind": {"screenshot": 0.9},
    }
    photo = {"kind": "photo", "confidence": 1}
    assert tagging.tags_of({"kind": photo}) == {"kind": {}}
