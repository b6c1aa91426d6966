"""Albums: what is in them, what was said, and what is new to whom."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from pipeline.errors import Conflict, NotFound
from pipeline.state import album_activity, albums
from pipeline.state.album_activity import Comment
from pipeline.state.albums import Place, Words
from tests.kit.sharing import by, open_state
from tests.kit.state import add_file

LATER = "2024-06-01T00:00:00.000Z"


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """The village, and Anna's album with two files of hers and one of Ben's."""
    with open_state() as con:
        albums.make(con, by("anna"), "summer", Words("Summer"))
        albums.add(con, by("anna"), "summer", ["anna-1", "anna-2"], "a1")
        albums.add(con, by("ben"), "summer", ["ben-1"], "a2")
        yield con


def _ids(con: sqlite3.Connection, after: Place | None = None, limit: int = 99) -> list[str]:
    return [one.row.id for one in albums.page(con, "anna", "summer", after, limit)]


def test_what_is_in_it_is_counted_and_covered(con: sqlite3.Connection) -> None:
    """The newest taken file is the cover until a person chooses another."""
    con.execute("UPDATE media_files SET taken_utc = '2024' WHERE id = 'anna-1'")
    album = albums.get(con, "anna", "summer")
    assert (album.files, album.cover, album.owner) == (3, "anna-1", "anna")
    albums.change(con, by("anna"), "summer", Words("Summer", cover="ben-1"), album.version)
    assert albums.get(con, "anna", "summer").cover == "ben-1"
    albums.remove(con, by("anna"), "summer", ["ben-1"])
    assert albums.get(con, "anna", "summer").cover == "anna-1"


def test_what_is_no_file_of_a_library_is_not_added(con: sqlite3.Connection) -> None:
    """Unknown, trashed and sidecar files stay out; what is in already is not added again."""
    add_file(con, "notes", "anna", category="sidecar")
    add_file(con, "trash", "anna", state="trashed")
    assert albums.add(con, by("anna"), "summer", ["nothing", "notes", "trash", "anna-1"], "a3") == 0
    assert _ids(con) == ["ben-1", "anna-2", "anna-1"]


def test_trashed_files_leave_and_restored_ones_come_back(con: sqlite3.Connection) -> None:
    """An album shows what is in the library now."""
    con.execute("UPDATE media_files SET state = 'trashed' WHERE id = 'anna-2'")
    assert _ids(con) == ["ben-1", "anna-1"]
    assert albums.get(con, "anna", "summer").files == 2
    con.execute("UPDATE media_files SET state = 'done' WHERE id = 'anna-2'")
    assert _ids(con) == ["ben-1", "anna-2", "anna-1"]


def test_pages_are_stable_while_files_come(con: sqlite3.Connection) -> None:
    """A page goes on behind the last file seen, whatever was added in between."""
    first = albums.page(con, "anna", "summer", None, 2)
    add_file(con, "new", "anna", taken_utc="2025")
    albums.add(con, by("anna"), "summer", ["new"], "a3")
    last = first[-1].row
    assert _ids(con, Place(last.taken_utc or "", last.id)) == ["anna-1"]


def test_a_stale_change_is_refused(con: sqlite3.Connection) -> None:
    """Nobody overwrites a title they have not seen."""
    albums.change(con, by("anna"), "summer", Words("Sea"), 1)
    with pytest.raises(Conflict):
        albums.change(con, by("anna"), "summer", Words("Mountains"), 1)
    with pytest.raises(NotFound):
        albums.change(con, by("anna"), "summer", Words("Sea", cover="ben-2"))
    assert albums.get(con, "anna", "summer").title == "Sea"


def test_a_deleted_album_comes_back_whole(con: sqlite3.Connection) -> None:
    """Deleting takes nothing out of the library, and can be taken back by its owner alone."""
    album_activity.comment(con, by("ben"), "summer", Comment("a3", "What a day!"))
    albums.delete(con, by("anna"), "summer")
    with pytest.raises(NotFound):
        albums.get(con, "anna", "summer")
    assert [one.id for one in albums.deleted(con, "anna")] == ["summer"]
    with pytest.raises(NotFound):
        albums.restore(con, by("ben"), "summer")
    albums.restore(con, by("anna"), "summer")
    assert len(_ids(con)) == 3
    assert len(album_activity.feed(con, "anna", "summer", None, 9)) == 3


def test_deleted_albums_are_let_go_of_in_time(con: sqlite3.Connection) -> None:
    """After its time a deleted album is gone with its comments; its files stay."""
    albums.delete(con, by("anna"), "summer")
    assert albums.forget(con, "2024-01-01T00:00:00.000Z") == 0
    assert albums.forget(con, LATER) == 1
    left = con.execute("SELECT count(*) FROM album_activity").fetchone()[0]
    assert (left, con.execute("SELECT count(*) FROM media_files").fetchone()[0]) == (0, 4)


def test_what_is_new_since_one_looked(con: sqlite3.Connection) -> None:
    """Each sees what others did since they looked; their own doings are never new to them."""
    album_activity.comment(con, by("ben"), "summer", Comment("a3", "What a day!", "anna-1"))

    def new(user: str) -> tuple[int, int]:
        album = albums.get(con, user, "summer")
        return album.new_files, album.new_comments

    assert (new("anna"), new("ben"), new("clara")) == ((1, 1), (2, 0), (3, 1))
    album_activity.look(con, "clara", "summer", "a2")
    assert new("clara") == (0, 1)
    album_activity.look(con, "clara", "summer")
    album_activity.look(con, "clara", "summer", "a1")  # an older page, looked at later
    assert new("clara") == (0, 0)
    albums.add(con, by("anna"), "summer", ["ben-2"], "a4")
    assert (new("clara"), new("anna")) == ((1, 0), (1, 1))


def test_the_feed_tells_who_did_what(con: sqlite3.Connection) -> None:
    """Newest first, page by page, with what is new marked."""
    album_activity.comment(con, by("ben"), "summer", Comment("a3", "What a day!", "anna-1"))
    album_activity.favour(con, by("clara"), "summer", "anna-1", "a4")
    album_activity.look(con, "anna", "summer", "a3")
    feed = album_activity.feed(con, "anna", "summer", None, 3)
    told = [(one.kind, one.name, one.file_id, one.files, one.is_new) for one in feed]
    assert told == [
        ("favourite", "clara", "anna-1", 0, True),
        ("commented", "ben", "anna-1", 0, False),
        ("added", "ben", "ben-1", 1, False),
    ]
    assert [one.id for one in album_activity.feed(con, "anna", "summer", "a2", 3)] == ["a1"]
    about = album_activity.about(con, "anna", "summer", "anna-1")
    assert [one.kind for one in about] == ["commented", "favourite"]


def test_what_was_said_of_a_file_leaves_with_it(con: sqlite3.Connection) -> None:
    """Nobody reads about a picture that was taken out."""
    album_activity.comment(con, by("ben"), "summer", Comment("a3", "My nose!", "ben-1"))
    albums.remove(con, by("ben"), "summer", ["ben-1"])
    feed = album_activity.feed(con, "anna", "summer", None, 9)
    assert [(one.kind, one.file_id) for one in feed] == [("added", None), ("added", "anna-1")]


def test_favourites_count_each_person_once(con: sqlite3.Connection) -> None:
    """Marking twice is marking once, and it can be taken back."""
    assert album_activity.favour(con, by("ben"), "summer", "anna-1", "a3")
    assert not album_activity.favour(con, by("ben"), "summer", "anna-1", "a4")
    (one,) = (one for one in albums.page(con, "ben", "summer", None, 9) if one.row.id == "anna-1")
    assert (one.favourites, one.is_favourite) == (1, True)
    assert album_activity.favour(con, by("ben"), "summer", "anna-1", None)
    assert not album_activity.favour(con, by("ben"), "summer", "anna-1", None)


def test_a_comment_is_taken_back_by_its_writer(con: sqlite3.Connection) -> None:
    """Others may not, unless the album is theirs."""
    for number in ("a3", "a4"):
        album_activity.comment(con, by("ben"), "summer", Comment(number, "Oh!"))
    with pytest.raises(NotFound):
        album_activity.uncomment(con, by("clara"), "summer", "a3", whosever=False)
    album_activity.uncomment(con, by("ben"), "summer", "a3", whosever=False)
    album_activity.uncomment(con, by("anna"), "summer", "a4", whosever=True)
    assert {one.kind for one in album_activity.feed(con, "anna", "summer", None, 9)} == {"added"}


def test_an_album_has_an_end(con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would become too large is refused."""
    monkeypatch.setattr(albums, "MOST_FILES", 3)
    with pytest.raises(Conflict, match="3 files at most"):
        albums.add(con, by("anna"), "summer", ["ben-2"], "a3")


def test_titles_and_words_stay_out_of_the_events(con: sqlite3.Connection) -> None:
    """What people write stands in no event, and comments not in the audit log either."""
    album_activity.comment(con, by("ben"), "summer", Comment("a3", "Unforgettable"))
    told = " ".join(row["data"] for row in con.execute("SELECT data FROM events"))
    assert "Summer" not in told
    assert "Unforgettable" not in told
    lines = con.execute("SELECT before, after FROM audit_log").fetchall()
    assert "Unforgettable" not in str([tuple(line) for line in lines])
