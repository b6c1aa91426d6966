"""Links: good or not, counted exactly, and showing what is their owner's alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import Conflict, NotFound
from pipeline.state import shares
from pipeline.state.connection import open_database
from pipeline.state.shares import Secret, Share, Terms
from tests.kit.sharing import add_album, add_village, by, open_state
from tests.kit.state import AT

LATER = "2024-05-17T13:00:00.000Z"
TOMORROW = "2024-05-18T12:00:00.000Z"
SHARE = Share(
    id="s", owner_id="anna", album_id=None, title="", hint="dl_abc", has_password=False,
    expires_at=None, view_limit=None, views=0, download="scrubbed", shows_details=False, version=1,
    created_by="anna", created_at=AT, revoked_at=None, last_view_at=None,
)  # fmt: skip
SECRET = Secret(b"token", "dl_abc")


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """The village."""
    with open_state() as con:
        yield con


def _make(con: sqlite3.Connection, **more: object) -> Share:
    share = replace(SHARE, **more)  # type: ignore[arg-type]  # a test says what it likes
    shares.make(con, by("anna"), share, SECRET, None)
    if share.album_id is None:
        shares.show(con, "s", ["anna-1", "ben-1"])
    return share


def _enter(con: sqlite3.Connection, share: Share, number: int = 1, at: str = AT) -> Share:
    return shares.enter(con, share, b"pass%d" % number, label="web:", at=at, until=TOMORROW)


def _is_good(con: sqlite3.Connection, at: str = AT) -> bool:
    try:
        shares.find(con, b"token", at)
    except NotFound:
        return False
    return True


def test_a_link_is_good_until_it_expires_or_is_revoked(con: sqlite3.Connection) -> None:
    """Afterwards nobody gets in, and who is in is out at once."""
    share = _make(con, expires_at=LATER)
    _enter(con, share)
    assert shares.inside(con, b"token", b"pass1", AT).id == "s"
    assert _is_good(con)
    assert not _is_good(con, LATER)
    with pytest.raises(NotFound):
        shares.inside(con, b"token", b"pass1", LATER)
    shares.revoke(con, by("anna"), share)
    for ask in (lambda: shares.inside(con, b"token", b"pass1", AT), lambda: _enter(con, share, 2)):
        with pytest.raises(NotFound, match="not good"):
            ask()


def test_a_pass_opens_its_own_link_alone_and_ends(con: sqlite3.Connection) -> None:
    """A pass of one link is worth nothing at another, and none lives for ever."""
    share = _make(con)
    _enter(con, share)
    for token, who, at in ((b"other", b"pass1", AT), (b"token", b"x", AT), (b"token", b"pass1",
                                                                         TOMORROW)):  # fmt: skip
        with pytest.raises(NotFound):
            shares.inside(con, token, who, at)


def test_a_view_limit_lets_in_so_many_and_no_more(con: sqlite3.Connection) -> None:
    """Who was let in stays in; the next is refused."""
    share = _make(con, view_limit=2)
    assert [_enter(con, share, n).views for n in (1, 2)] == [1, 2]
    with pytest.raises(NotFound):
        _enter(con, share, 3)
    assert not _is_good(con)
    assert shares.inside(con, b"token", b"pass1", AT).views == 2


async def test_views_are_counted_atomically(tmp_path: Path) -> None:
    """Fifty visitors at once share three views: three get in."""
    async with open_database(tmp_path / "state" / "d.sqlite", SystemClock()) as db:
        await db.write(add_village)
        share = await db.write(_make, view_limit=3)
        asked = [db.write(_enter, share, number) for number in range(50)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(one, Share) for one in answers) == 3
        assert (await db.read(shares.get, "anna", "s")).views == 3


def test_a_link_shows_what_is_its_owners_and_there(con: sqlite3.Connection) -> None:
    """Files of others in an album are theirs to show; trashed files are not shown."""
    add_album(con, "summer", "anna", "anna-1", "anna-2", "ben-1")
    share = _make(con, album_id="summer")
    assert [row.id for row in shares.page(con, share, None, 9)] == ["anna-2", "anna-1"]
    assert [row.id for row in shares.page(con, share, "anna-2", 9)] == ["anna-1"]
    assert shares.counts(con, share) == (2, 1)
    for hidden in ("ben-1", "nothing"):
        with pytest.raises(NotFound):
            shares.one(con, share, hidden)
    con.execute("UPDATE media_files SET state = 'trashed' WHERE id = 'anna-1'")
    with pytest.raises(NotFound):
        shares.one(con, share, "anna-1")


def test_a_link_of_files_shows_these_alone(con: sqlite3.Connection) -> None:
    """Nothing beside what was chosen, and nothing of somebody else."""
    share = _make(con)
    assert [row.id for row in shares.page(con, share, None, 9)] == ["anna-1"]
    for hidden in ("anna-2", "ben-1"):
        with pytest.raises(NotFound):
            shares.one(con, share, hidden)


def test_links_die_with_their_album_or_owner(con: sqlite3.Connection) -> None:
    """A deleted album's link leads nowhere, nor does that of a switched off account."""
    add_album(con, "summer", "anna", "anna-1")
    _make(con, album_id="summer")
    con.execute("UPDATE albums SET deleted_at = 'now'")
    assert not _is_good(con)
    con.execute("UPDATE albums SET deleted_at = NULL")
    assert _is_good(con)
    con.execute("UPDATE users SET is_active = 0 WHERE id = 'anna'")
    assert not _is_good(con)


def test_a_new_password_and_a_new_address_put_everybody_out(con: sqlite3.Connection) -> None:
    """Other terms leave visitors in; another password or address does not."""
    share = _make(con)
    _enter(con, share)
    shares.change(con, by("anna"), share, Terms(title="Ours", view_limit=1))
    assert shares.inside(con, b"token", b"pass1", AT).title == "Ours"
    share = shares.get(con, "anna", "s")
    shares.change(con, by("anna"), share, Terms(password_hash="hash"), share.version)
    with pytest.raises(NotFound):
        shares.inside(con, b"token", b"pass1", AT)
    with pytest.raises(Conflict):
        shares.change(con, by("anna"), shares.get(con, "anna", "s"), Terms(), share.version)
    _enter(con, share, 2)
    shares.renew(con, by("anna"), shares.get(con, "anna", "s"), Secret(b"other", "dl_x"))
    assert not _is_good(con)
    with pytest.raises(NotFound):
        shares.inside(con, b"other", b"pass2", AT)


def test_who_sees_a_file_by_a_link_is_told(con: sqlite3.Connection) -> None:
    """Links that show a file are found from the file; those that ended are not."""
    add_album(con, "summer", "anna", "anna-2", "ben-1")
    share = _make(con)
    other = replace(SHARE, id="t", album_id="summer")
    shares.make(con, by("anna"), other, Secret(b"t", "t"), None)
    found = {file: [one.id for one in shares.showing(con, file, AT)]
             for file in ("anna-1", "anna-2", "ben-1")}  # fmt: skip
    assert found == {"anna-1": ["s"], "anna-2": ["t"], "ben-1": []}
    shares.revoke(con, by("anna"), share)
    assert shares.showing(con, "anna-1", AT) == []


def test_links_of_others_are_not_there(con: sqlite3.Connection) -> None:
    """T64: a foreign link and none at all look the same."""
    _make(con)
    for owner, share in (("ben", "s"), ("anna", "nothing")):
        with pytest.raises(NotFound, match="no such link"):
            shares.get(con, owner, share)
    assert shares.listing(con, "ben") == []


def test_what_opens_a_link_stands_nowhere(con: sqlite3.Connection) -> None:
    """The log tells a link's terms, and neither its hash nor its password's."""
    share = _make(con, expires_at=LATER)
    shares.change(con, by("anna"), share, Terms(password_hash="$argon2id$secret"))
    lines = str([tuple(row) for row in con.execute("SELECT before, after FROM audit_log")])
    assert LATER in lines
    assert '"has_password":true' in lines
    assert "argon2" not in lines
