"""Finding: the index says what the rows say, whatever was done to them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.finding import language
from pipeline.finding.query import ALL, Term
from pipeline.state import analysis, migrate, search, search_find
from tests.kit.queries import QUERIES, TYPED
from tests.kit.searching import TODAY, fitting, found, found_by, opened
from tests.kit.state import AT, OWNER, add_file, add_household


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """A state in memory with a household."""
    con = opened()
    add_household(con)
    yield con
    con.close()


def test_words_are_found_wherever_people_look(con: sqlite3.Connection) -> None:
    """All words must occur in name, folder, camera, place or title, in any case and spelling."""
    add_file(con, "a", path="2023/Strand in Öland.jpg", camera="Canon EOS", place="Kalmar, Sweden")
    add_file(con, "b", path="2023/straße.jpg", title="100% sure", lens="RF24-105mm F4")
    add_file(con, "c", path=None, state="rejected", source_path=b"IMG_\xff.jpg")
    add_file(con, "d", path="x/IMG20230714SommerFest.jpg",
             source_path="from aunt/東京タワー 🎉.jpg".encode())  # fmt: skip
    assert found(con, "strand kalmar") == ["a"]
    assert found(con, "OLAND") == ["a"]
    assert found(con, '"O\u0308land" sweden') == ["a"]
    assert found(con, "STRASSE") == ["b"]
    assert found(con, '"100 sure" lens:RF24-105mm') == ["b"]
    assert found(con, "img is:rejected") == ["c"]
    assert found(con, "sommer aunt 東京") == ["d"]
    assert found(con, "タワー 🎉") == ["d"]
    assert found(con, "img -sommer") == []
    assert found(con, "strand nowhere") == []


def test_fields_look_in_one_place_only(con: sqlite3.Connection) -> None:
    """`person:rose` does not find the rose in a tag, a title or a folder."""
    add_file(con, "tag", path="Rose/1.jpg", place="Rome, Italy")
    con.execute("INSERT INTO tags (file_id, tag, source) VALUES ('tag', 'rose garden', 'person')")
    add_file(con, "person", facts=json.dumps({"people": ["Rose Müller"]}))
    add_file(con, "title", title="A rose is a rose", facts=json.dumps({"description": "red"}))
    add_file(con, "read", camera="iPhone 12 Pro")
    analysis.keep(con, "read", "text", {"text": "ROSE\nHOTEL"}, None, "ocr 1", 1, AT)
    assert set(found(con, "rose")) == {"tag", "person", "title", "read"}
    assert found(con, "person:rose") == ["person"]
    assert found(con, 'person:"rose muller"') == ["person"]
    assert found(con, "tag:rose") == found(con, "in:rose") == found(con, "place:rome") == ["tag"]
    assert found(con, "title:rose") == found(con, "title:red") == ["title"]
    assert found(con, "text:hotel") == found(con, 'camera:"iPhone 12"') == ["read"]
    assert found(con, "camera:iph*") == ["read"]


def test_each_term_narrows(con: sqlite3.Connection) -> None:
    """Type, state, dates as written, stars and position on the map."""
    add_file(con, "p", taken_at="2023-07-31T23:59:59+02:00", taken_utc="2023-07-31T21:59:59.000Z",
             lat=59.3, lon=18.1, rating=4)  # fmt: skip
    add_file(con, "v", category="video", taken_at="2023-08-01T00:00:00", lat=-17.0, lon=179.9)
    add_file(con, "s", category="sidecar")
    add_file(con, "u", category=None, state="rejected")
    add_file(con, "x", is_damaged=1, state="missing")
    assert set(found(con, "")) == {"p", "v", "x"}
    assert found(con, "type:video") == ["v"]
    assert found(con, "type:sidecar") == ["s"]
    assert found(con, "type:unknown is:rejected") == ["u"]
    assert found(con, "until:2023-07") == found(con, "date:2023-07") == ["p"]
    assert set(found(con, "2023")) == {"p", "v"}
    assert found(con, "since:2023-08-01") == found(con, "after:2023-07-31") == ["v"]
    assert found(con, "july") == found(con, "monday") == ["p"]
    assert found(con, "winter") == ["v"]  # south of the equator
    assert found(con, "rating:>=4") == ["p"]
    assert found(con, "is:damaged") == found(con, "is:missing") == ["x"]
    assert found(con, "near:59.33,18.06,10km") == ["p"]
    assert found(con, "near:-17,-179.9,50") == ["v"]
    assert set(found(con, "is:located OR is:damaged")) == {"p", "v", "x"}
    assert found(con, "-2023") == ["x"]


def test_a_person_sees_only_their_own(con: sqlite3.Connection) -> None:
    """Nobody finds a file of somebody else, nor its words."""
    add_household(con, "other")
    add_file(con, "mine", title="secret")
    add_file(con, "theirs", "other", title="secret")
    assert found(con, "secret") == ["mine"]
    assert found(con, "secret", "other") == ["theirs"]


def test_a_refused_person_is_not_found(con: sqlite3.Connection) -> None:
    """Who said no is not found by name, not even where the file itself says it."""
    add_file(con, "a", facts=json.dumps({"people": ["Rose"]}))
    assert found(con, "rose") == ["a"]
    con.execute(
        "INSERT INTO people (id, owner_id, name, created_at) VALUES ('r', ?, 'rose', ?)",
        (OWNER, AT),
    )
    con.execute("UPDATE people SET consent = 'no'")
    assert found(con, "rose") == []
    con.execute("UPDATE people SET consent = 'yes'")
    assert found(con, "rose") == ["a"]


def test_a_sidecar_speaks_for_its_photo(con: sqlite3.Connection) -> None:
    """Keywords and people of a Takeout JSON or an XMP find the photo, whichever came first."""
    add_file(con, "photo", path="a.jpg")
    told = {"keywords": ["sunset"], "people": ["Ada"], "description": "by the sea"}
    add_file(con, "side", category="sidecar", path="a.jpg.json", facts=json.dumps(told))
    assert found(con, "sunset") == []
    con.execute("INSERT INTO bundles (id, owner_id, created_at) VALUES ('b', ?, '')", (OWNER,))
    for role, file_id in (("primary", "photo"), ("sidecar", "side")):
        join = "UPDATE media_files SET bundle_id = 'b', bundle_role = ? WHERE id = ?"
        con.execute(join, (role, file_id))
    assert found(con, "tag:sunset person:ada title:sea") == ["photo"]
    con.execute("UPDATE media_files SET state = 'trashed' WHERE id = 'side'")
    assert found(con, "sunset") == []


def test_a_file_on_its_way_gets_its_line_when_it_has_come(con: sqlite3.Connection) -> None:
    """Until it is placed a file is found by its state alone; then by all that was learnt."""
    add_file(con, "a", state="found", category=None, path=None)
    assert found(con, "is:found") == ["a"]
    learnt = """UPDATE media_files SET state = 'studied', category = 'photo', title = 'harbour',
        taken_at = '2023-07-14', facts = '{"keywords": ["boat"]}'"""
    con.execute(learnt)
    con.execute("UPDATE media_files SET state = 'placing', path = 'x/a.jpg'")
    assert search.waiting(con) == 0
    assert (found(con, "is:placing"), found(con, "harbour")) == (["a"], [])
    con.execute("UPDATE media_files SET state = 'placed'")
    assert found(con, "harbour tag:boat in:x 2023") == ["a"]
    add_file(con, "b", state="found", category=None, path=None)
    con.execute("UPDATE media_files SET state = 'rejected', reason = 'no' WHERE id = 'b'")
    assert found(con, "b is:rejected") == ["b"]


def test_an_older_state_is_filled_in(con: sqlite3.Connection) -> None:
    """Files from before the index are found after the upgrade, and keep the tags they had."""
    old = sqlite3.connect(":memory:", isolation_level=None)
    old.row_factory = sqlite3.Row
    migrate.migrate(old, at="", keep=lambda: None, upto=3)
    add_household(old)
    add_file(old, "a", title="before")
    old.execute("INSERT INTO tags (file_id, tag, source) VALUES ('a', 'kept', 'person')")
    migrate.migrate(old, at="", keep=lambda: None)
    assert search.waiting(old) == 1
    assert found(old, "before tag:kept") == ["a"]
    assert search.waiting(old) == 0
    old.close()


# --- order and pages ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("text", ["", "photo"])
def test_pages_hold_every_file_once_newest_first(
    con: sqlite3.Connection, text: str, size: int
) -> None:
    """Paging to the end meets each file once, the undated last, also where times are equal."""
    for number in range(40):
        taken = None if number % 4 == 0 else f"2024-01-{number % 9 + 1:02d}T00:00:00Z"
        add_file(con, f"f{number:02d}", taken_utc=taken, title="photo")
    seen = found_by(con, language.read(text, TODAY), page=size)
    rows = con.execute("SELECT id, coalesce(taken_utc, '') AS taken FROM media_files").fetchall()
    newest = sorted(((row["taken"], row["id"]) for row in rows), reverse=True)
    assert seen == [file_id for _, file_id in newest]


def test_more_files_of_one_moment_than_ranks(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand files of one millisecond spill over, and none is lost."""
    monkeypatch.setattr(search, "_WIDER", (4, 6, 20))
    for number in range(100):
        add_file(con, f"f{number:03d}", taken_utc="2024-01-01T00:00:00.000Z")
    assert found(con, "") == sorted((f"f{n:03d}" for n in range(100)), reverse=True)


def test_a_page_is_read_from_the_index(con: sqlite3.Connection) -> None:
    """No page sorts, nor looks at rows before the one it begins with."""
    add_file(con, "a", title="x")
    search.settle(con, AT)
    for text in ("", "x", "x type:video 2023 -y"):
        query = language.read(text, TODAY)
        sql, values = search_find._statement(OWNER, query, 1)
        plan = " ".join(
            row["detail"] for row in con.execute(f"EXPLAIN QUERY PLAN {sql} LIMIT 9", values)
        )
        assert "TEMP B-TREE" not in plan
        assert "SCAN m" not in plan
        assert "USING INTEGER PRIMARY KEY" in plan or "VIRTUAL TABLE INDEX" in plan


# --- the oracle --------------------------------------------------------------------------------

VOCABULARY = ("anna", "Änna", "beach", "beachball", "rome", "2023", "IMG_1", "o'neil", "日本")
TITLES = st.lists(st.sampled_from(VOCABULARY), max_size=3).map(" ".join)
TAKEN = st.none() | st.sampled_from(
    ["2019-12-31T23:30:00-08:00", "2020-01-01T00:30:00+14:00", "2020-02-29T12:00:00", "2023-07-14"]
)
TERMS = st.lists(
    st.sampled_from(
        [*VOCABULARY, "bea*", "tag:beach", "tag:anna", "person:anna", "place:rome", "in:rome",
         "-beach", "-tag:anna", "type:video", "-type:photo", "is:trashed", "-is:missing",
         "is:located", "before:2020", "after:2019", "date:2020", "date:2020-02", "-date:2020",
         "rating:>=3", "near:1,1,200km", "(anna OR type:video)", "(beach OR rome)",
         "-(anna beach)", '"anna beach"']
    ),
    max_size=4,
)  # fmt: skip


class Library(RuleBasedStateMachine):
    """Whatever happens to the rows, in any order, finding answers as looking at every row does."""

    @initialize()
    def begin(self) -> None:
        self.con = opened()
        self.ids: list[str] = []
        self.added = 0
        add_household(self.con)
        add_household(self.con, "other")

    @rule(title=TITLES, taken=TAKEN, who=st.sampled_from([OWNER, OWNER, "other"]), more=TITLES)
    def add(self, title: str, taken: str | None, who: str, more: str) -> None:
        self.added += 1
        file_id = f"f{self.added}"
        self.ids.append(file_id)
        folder, stars = more.partition(" ")[0], len(title) % 7 - 1
        facts = json.dumps({"keywords": more.split(), "people": title.split()[:1]})
        add_file(
            self.con, file_id, who, title=title, taken_at=taken, facts=facts, rating=stars,
            path=f"{folder or 'x'}/{file_id}.jpg", category=("photo", "video")[len(more) % 2],
        )  # fmt: skip

    @rule(which=st.integers(0, 99), column=st.sampled_from(["title", "place"]), text=TITLES)
    def tell(self, which: int, column: str, text: str) -> None:
        self._update(which, f"{column} = ?", text)

    @rule(which=st.integers(0, 99), state=st.sampled_from(["done", "missing", "trashed"]))
    def turn(self, which: int, state: str) -> None:
        self._update(which, "state = ?", state)

    @rule(which=st.integers(0, 99), taken=TAKEN)
    def date(self, which: int, taken: str | None) -> None:
        self._update(which, "taken_at = ?", taken)

    @rule(which=st.integers(0, 99), at=st.integers(-3, 3))
    def go(self, which: int, at: int) -> None:
        self._update(which, "(lat, lon) = (?, ?)", at / 2, at / 2)

    @rule(which=st.integers(0, 99), label=st.sampled_from(["beach", "anna"]))
    def see(self, which: int, label: str) -> None:
        if self.ids:
            seen = {"objects": [{"label": label, "score": 0.9, "box": [0, 0, 1, 1]}]}
            file_id = self.ids[which % len(self.ids)]
            analysis.keep(self.con, file_id, "objects", seen, 0.9, "ssd", 1, AT)

    @rule(which=st.integers(0, 99))
    def forget(self, which: int) -> None:
        if self.ids:
            file_id = self.ids.pop(which % len(self.ids))
            self.con.execute("PRAGMA foreign_keys = ON")
            self.con.execute("DELETE FROM media_files WHERE id = ?", (file_id,))

    @rule(terms=TERMS, page=st.sampled_from([1, 2, 100]))
    def ask(self, terms: list[str], page: int) -> None:
        query = language.read(" ".join(terms), TODAY)
        self._compare(query, page)

    @invariant()
    def all_is_found(self) -> None:
        if hasattr(self, "con"):
            self._compare(ALL, 100)

    def teardown(self) -> None:
        if hasattr(self, "con"):
            self.con.close()

    def _update(self, which: int, change: str, *values: object) -> None:
        if self.ids:
            file_id = self.ids[which % len(self.ids)]
            self.con.execute(f"UPDATE media_files SET {change} WHERE id = ?", (*values, file_id))

    def _compare(self, query: Term, page: int) -> None:
        answer = found_by(self.con, query, page=page)
        assert len(answer) == len(set(answer))
        assert set(answer) == fitting(self.con, query), language.written(query)


TestLibrary = Library.TestCase
TestLibrary.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


def test_the_oracle_catches_a_line_that_was_forgotten(con: sqlite3.Connection) -> None:
    """The comparison above can fail: without its trigger a new title is not found."""
    add_file(con, "a", title="old")
    assert found(con, "old") == ["a"]
    con.execute("DROP TRIGGER search_file_told")
    con.execute("UPDATE media_files SET title = 'new'")
    query = language.read("new", TODAY)
    assert set(found_by(con, query)) != fitting(con, query)


@given(query=QUERIES)
@settings(deadline=None)
def test_any_query_finds_or_does_not(query: Term) -> None:
    """T74: every query there can be is answered, and as looking at every row answers it."""
    assert set(found_by(SHARED, query)) == fitting(SHARED, query)


@given(text=TYPED, page=st.integers(-5, 10_000_000), after=st.none() | st.integers(-5, 2**62))
@settings(deadline=None)
def test_no_text_is_ever_sql(text: str, page: int, after: int | None) -> None:
    """T74: any text in any term finds or does not find; it never errs and changes nothing."""
    from pipeline.finding.query import Field, Text

    for term in (Text(text), Text(text, Field.TAG, True)):
        answer = search_find.find(SHARED, OWNER, term, after=after, limit=page)
        assert all(row.owner_id == OWNER for row in answer.rows)


@given(word=st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
@settings(deadline=None)
def test_a_title_is_found_by_its_own_words(word: str) -> None:
    """T74: whatever characters a title has, looking for exactly them finds it."""
    from pipeline.finding.query import Text
    from pipeline.finding.words import folded

    if not folded(word):  # nothing but punctuation: nothing to look for
        return
    SHARED.execute("SAVEPOINT t")
    add_file(SHARED, "titled", title=f"x {word} y")
    answer = found_by(SHARED, Text(word))
    SHARED.execute("ROLLBACK TO t")
    assert "titled" in answer


@pytest.fixture(scope="module", autouse=True)
def _shared() -> Iterator[None]:
    """One state for all examples: making one for each would take minutes."""
    global SHARED  # noqa: PLW0603 - hypothesis allows no function fixture here
    SHARED = opened()
    add_household(SHARED)
    add_household(SHARED, "other")
    add_file(SHARED, "a", title="anna tag a", camera="Canon", taken_at="2019-05-01", lat=1, lon=1)
    add_file(SHARED, "b", "other", title="anna")
    add_file(SHARED, "c", category="video", state="trashed", rating=3, facts='{"people": ["may"]}')
    search.settle(SHARED, AT)
    yield
    SHARED.close()


SHARED: sqlite3.Connection
