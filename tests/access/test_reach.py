"""Reach: own, library, album, file, directly or by team; foreign and absent look the same."""

from __future__ import annotations

import sqlite3

import pytest

from pipeline.access import reach
from pipeline.access.reach import Permission
from pipeline.access.rights import Right
from pipeline.errors import NotAllowed, NotFound
from pipeline.state import grants, teams, ways
from pipeline.state.grants import Thing, To
from tests.kit.sharing import TEAM, actor, add_album, by, lend
from tests.kit.state import add_file


def _sees(con: sqlite3.Connection, user: str, file: str) -> bool:
    try:
        reach.file(con, actor(user), file, Right.FILES_READ)
    except NotFound:
        return False
    return True


def test_ones_own_is_reached_without_a_grant(con: sqlite3.Connection) -> None:
    """Own files may be read, changed, lent and purged; the actor stays in their own library."""
    for right in (Right.FILES_READ, Right.FILES_WRITE, Right.FILES_PURGE, Right.SHARES_WRITE):
        assert reach.file(con, actor("anna"), "anna-1", right) == actor("anna")


@pytest.mark.parametrize("role", ["owner", "admin", "editor", "viewer", "guest"])
def test_foreign_and_absent_look_the_same(con: sqlite3.Connection, role: str) -> None:
    """T64: no role, not even an administrator's, reaches what was not lent."""
    for thing in ("anna-1", "nothing"):
        with pytest.raises(NotFound, match=r"^There is no such file\.$"):
            reach.file(con, actor("dora", role), thing, Right.FILES_READ)
    for owner in ("anna", "nobody"):
        with pytest.raises(NotFound, match=r"^There is no such library\.$"):
            reach.library(con, actor("dora", role), owner, Right.FILES_READ)
    add_album(con, "summer", "anna", "anna-1")
    for album in ("summer", "nothing"):
        with pytest.raises(NotFound, match=r"^There is no such album\.$"):
            reach.album(con, actor("dora", role), album, Permission.VIEW)


@pytest.mark.parametrize(
    ("permission", "may"),
    [
        ("view", {Right.FILES_READ}),
        ("add", {Right.FILES_READ, Right.FILES_ADD}),
        ("edit", {Right.FILES_READ, Right.FILES_ADD, Right.FILES_WRITE, Right.FILES_TRASH}),
        (
            "manage",
            {Right.FILES_READ, Right.FILES_ADD, Right.FILES_WRITE, Right.FILES_TRASH,
             Right.SHARES_WRITE},
        ),
    ],
)  # fmt: skip
def test_a_library_is_lent_as_far_as_said(
    con: sqlite3.Connection, permission: str, may: set[Right]
) -> None:
    """Each permission holds those before it; deleting for good is never lent."""
    lend(con, "library", "anna", "ben", permission)
    for right in (Right.FILES_READ, Right.FILES_ADD, Right.FILES_WRITE, Right.FILES_TRASH,
                  Right.SHARES_WRITE, Right.FILES_PURGE, Right.SETTINGS_WRITE):  # fmt: skip
        if right in may:
            assert reach.library(con, actor("ben"), "anna", right).library_id == "anna"
            assert reach.file(con, actor("ben"), "anna-2", right).library_id == "anna"
        else:
            with pytest.raises(NotAllowed):
                reach.library(con, actor("ben"), "anna", right)


def test_a_file_grant_lends_that_file_alone(con: sqlite3.Connection) -> None:
    """Another file of the same library stays out of sight."""
    lend(con, "file", "anna-1", "ben")
    assert (_sees(con, "ben", "anna-1"), _sees(con, "ben", "anna-2")) == (True, False)
    with pytest.raises(NotAllowed, match="lent to you to view"):
        reach.file(con, actor("ben"), "anna-1", Right.FILES_WRITE)


def test_an_album_lends_a_look_at_its_files_and_no_hand(con: sqlite3.Connection) -> None:
    """Who may manage an album still cannot trash what others put into it."""
    add_album(con, "summer", "anna", "anna-1", "ben-1")
    lend(con, "album", "summer", "clara", "manage")
    assert _sees(con, "clara", "anna-1")
    assert _sees(con, "clara", "ben-1")
    assert not _sees(con, "clara", "anna-2")
    with pytest.raises(NotAllowed):
        reach.file(con, actor("clara"), "anna-1", Right.FILES_TRASH)
    with pytest.raises(NotAllowed):
        reach.file(con, actor("anna"), "ben-1", Right.FILES_TRASH)


def test_a_team_sees_what_is_lent_to_it_while_one_is_in_it(con: sqlite3.Connection) -> None:
    """A grant to a team is each member's, from joining to leaving."""
    lend(con, "library", "ben", TEAM)
    assert _sees(con, "clara", "ben-1")
    assert not _sees(con, "dora", "ben-1")
    teams.join(con, by("anna"), TEAM, "dora")
    assert _sees(con, "dora", "ben-1")
    teams.leave(con, by("anna"), TEAM, "dora")
    assert not _sees(con, "dora", "ben-1")
    teams.delete(con, by("anna"), TEAM)
    assert not _sees(con, "clara", "ben-1")


def test_a_lent_library_holds_its_albums(con: sqlite3.Connection) -> None:
    """Who may look at a library sees its albums, and what others put into them."""
    add_album(con, "summer", "anna", "ben-1")
    lend(con, "library", "anna", "clara", "edit")
    assert reach.album(con, actor("clara"), "summer", Permission.EDIT).owner_id == "anna"
    assert _sees(con, "clara", "ben-1")
    assert not _sees(con, "clara", "ben-2")
    with pytest.raises(NotAllowed):
        reach.file(con, actor("clara"), "ben-1", Right.FILES_WRITE)


def test_a_revoked_grant_is_over_at_once(con: sqlite3.Connection) -> None:
    """After the grant is taken back the file is not there any more."""
    grant = lend(con, "file", "anna-1", "ben")
    grants.revoke(con, by("anna"), grant)
    assert not _sees(con, "ben", "anna-1")


def test_a_bundle_is_seen_as_one_but_for_sidecars(con: sqlite3.Connection) -> None:
    """A lent Live Photo moves; notes of a developer program stay at home."""
    con.execute("INSERT INTO bundles (id, owner_id, created_at) VALUES ('b', 'anna', '2024')")
    add_file(con, "still", "anna", bundle_id="b")
    add_file(con, "film", "anna", bundle_id="b", category="video")
    add_file(con, "notes", "anna", bundle_id="b", category="sidecar")
    lend(con, "file", "still", "ben")
    seen = {file: _sees(con, "ben", file) for file in ("still", "film", "notes")}
    assert seen == {"still": True, "film": True, "notes": False}


def test_what_is_in_the_trash_is_seen_with_the_library_only(con: sqlite3.Connection) -> None:
    """A trashed file leaves albums and file grants; who has the library finds it in the trash."""
    add_album(con, "summer", "anna", "anna-1")
    lend(con, "album", "summer", "ben")
    lend(con, "file", "anna-1", "clara")
    lend(con, "library", "anna", "dora")
    con.execute("UPDATE media_files SET state = 'trashed' WHERE id = 'anna-1'")
    seen = {user: _sees(con, user, "anna-1") for user in ("anna", "ben", "clara", "dora")}
    assert seen == {"anna": True, "ben": False, "clara": False, "dora": True}


def test_the_widest_way_counts_and_of_equal_ones_the_nearest(con: sqlite3.Connection) -> None:
    """A narrower grant takes nothing away from a wider one."""
    lend(con, "library", "anna", "ben", "view")
    lend(con, "file", "anna-1", "ben", "edit")
    found = reach.widest(ways.to_file(con, "ben", "anna-1"))
    assert found is not None
    assert (found.permission, found.way.lent) == (Permission.EDIT, "file")
    lend(con, "library", "anna", "ben", "edit")
    found = reach.widest(ways.to_file(con, "ben", "anna-1"))
    assert found is not None
    assert found.way.lent == "library"


def test_a_gift_to_its_owner_or_to_nobody_is_refused(con: sqlite3.Connection) -> None:
    """Mistakes are told instead of being kept."""
    with pytest.raises(NotFound):
        lend(con, "file", "anna-1", "nobody")
    with pytest.raises(Exception, match="theirs already"):
        lend(con, "file", "anna-1", "anna")
    with pytest.raises(Exception, match="either a person or a team"):
        grants.give(con, by("anna"), "g", Thing("file", "anna-1"), To(), "view")


def test_a_second_grant_changes_the_first(con: sqlite3.Connection) -> None:
    """One thing is lent once to each; the log tells how far it was and is."""
    lend(con, "file", "anna-1", "ben", "view")
    lend(con, "file", "anna-1", "ben", "edit")
    (grant,) = grants.of_thing(con, Thing("file", "anna-1"))
    assert (grant.permission, grant.name) == ("edit", "ben")
    row = con.execute("SELECT before, after FROM audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    assert '"permission":"view"' in row["before"]
    assert '"permission":"edit"' in row["after"]
