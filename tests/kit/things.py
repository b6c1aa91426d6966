"""Things of each kind, made in a moment: what the rows of the access table speak about."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.service import scrubbed
from pipeline.state import grants
from pipeline.state.grants import Thing, To
from tests.kit.sharing import add_album, by
from tests.kit.state import AT, add_file

Values = Mapping[str, str]
BYTES = 7  # of each made file, and of its preview


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose thing it is to be; `root` is where their files lie."""

    user_id: str
    root_id: str


def make(con: sqlite3.Connection, kind: str, owner: Owner, name: str, lent_to: str = "") -> Values:
    """A thing called `name`, lent to somebody to look at if they are named; what paths call it."""
    values = _MAKERS[kind](con, owner, name)
    if lent_to:
        _lend(con, kind, owner, values, lent_to)
    return values


def lend_library(con: sqlite3.Connection, owner: Owner, to: str) -> None:
    """Lend somebody's library to somebody else, to look at."""
    thing = Thing("library", owner.user_id)
    grants.give(con, by(owner.user_id), f"library-{owner.user_id}", thing, To(to), "view")


def _lend(con: sqlite3.Connection, kind: str, owner: Owner, values: Values, to: str) -> None:
    thing = {
        "album": Thing("album", values.get("album_id", "")),
        "deleted album": Thing("album", values.get("album_id", "")),
        "file": Thing("file", values.get("file_id", "")),
        "rendition": Thing("file", values.get("file_id", "")),
        "live photo": Thing("file", values.get("file_id", "")),
        "scrubbed file": Thing("file", values.get("file_id", "")),
    }.get(kind)
    if thing is not None and grants.owner_of(con, thing) is not None:
        grants.give(con, by(owner.user_id), f"lent-{thing.id}", thing, To(to), "view")


def _file(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    """Its bytes are those of any file; a preview is known of it."""
    add_file(con, name, owner.user_id, root_id=owner.root_id, mime="image/jpeg", size=BYTES)
    con.execute(
        "INSERT INTO derivatives (sha256, kind, version, path, mime, width, height, bytes)"
        " VALUES (?, 'preview', 1, 'preview.jpg', 'image/jpeg', 1, 1, 7)",
        (f"sha-{owner.user_id}-{name}",),
    )
    con.execute("UPDATE media_files SET path = ? WHERE id = ?", (f"made/{name}.jpg", name))
    return {"file_id": name}


def _rendition(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    values = _file(con, owner, name)
    con.execute(
        "INSERT INTO renditions (id, file_id, owner_id, stage, version, params, sha256, outcome,"
        " path, mime, made_sha256, bytes_before, bytes_after, made_at)"
        " VALUES (?, ?, ?, 'optimise', 1, '{}', ?, 'made', 'preview.jpg', 'image/jpeg', 'x', 9, ?,"
        " ?)",
        (f"of-{name}", name, owner.user_id, f"sha-{owner.user_id}-{name}", BYTES, AT),
    )
    return {**values, "rendition_id": f"of-{name}"}


def _scrubbed(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    """A picture that had nothing to scrub."""
    values, wish = _file(con, owner, name), scrubbed.wish()
    con.execute(
        "INSERT INTO renditions (id, file_id, owner_id, stage, version, params, sha256, outcome,"
        " bytes_before, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'skipped', 9, ?)",
        (f"bare-{name}", name, owner.user_id, wish.stage, wish.version, wish.params,
         f"sha-{owner.user_id}-{name}", AT),
    )  # fmt: skip
    return values


def _album(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    _file(con, owner, f"in-{name}")
    add_album(con, name, owner.user_id, f"in-{name}")
    con.execute(
        "INSERT INTO album_activity (id, album_id, user_id, kind, text, at)"
        " VALUES (?, ?, ?, 'commented', 'Oh!', ?)",
        (f"said-{name}", name, owner.user_id, AT),
    )
    return {"album_id": name, "file_id": f"in-{name}", "comment_id": f"said-{name}"}


def _deleted_album(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    values = _album(con, owner, name)
    con.execute("UPDATE albums SET deleted_at = ? WHERE id = ?", (AT, name))
    return values


def _share(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    con.execute(
        "INSERT INTO shares (id, owner_id, token_hash, hint, download, shows_details, created_by,"
        " created_at) VALUES (?1, ?2, ?3, 'dl_', 'none', 0, ?2, ?4)",
        (name, owner.user_id, name.encode(), AT),
    )
    return {"share_id": name}


def _grant(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    _file(con, owner, f"of-{name}")
    grants.give(con, by(owner.user_id), name, Thing("file", f"of-{name}"), To("dora"), "view")
    return {"grant_id": name}


def _team(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    """One's own is a team that one is in."""
    con.execute(
        "INSERT INTO teams (id, name, name_key, created_by, created_at)"
        " VALUES (?1, ?1, ?1, ?2, ?3)",
        (name, owner.user_id, AT),
    )
    con.execute(
        "INSERT INTO team_members (team_id, user_id, added_at) VALUES (?, ?, ?)",
        (name, owner.user_id, AT),
    )
    return {"team_id": name}


def _membership(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    return {**_team(con, owner, name), "user_id": owner.user_id}


def _user(_: sqlite3.Connection, owner: Owner, __: str) -> Values:
    return {"user_id": owner.user_id}


def _person(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    for one in (name, f"other-{name}"):
        con.execute(
            "INSERT INTO people (id, owner_id, name, created_at) VALUES (?1, ?2, ?1, ?3)",
            (one, owner.user_id, AT),
        )
    return {"person": name, "other": f"other-{name}"}


def _bundle(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    con.execute(
        "INSERT INTO bundles (id, owner_id, created_at) VALUES (?, ?, ?)", (name, owner.user_id, AT)
    )
    add_file(con, f"in-{name}", owner.user_id, root_id=owner.root_id, bundle_id=name)
    return {"bundle_id": name, "file_id": f"in-{name}"}


def _live_photo(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    """A picture and its film; of the film there is what browsers play."""
    values = {**_bundle(con, owner, f"live-{name}"), **_file(con, owner, name)}
    film = f"in-live-{name}"
    con.execute(
        "UPDATE media_files SET bundle_id = ?, bundle_role = 'primary' WHERE id = ?",
        (values["bundle_id"], name),
    )
    con.execute("UPDATE media_files SET bundle_role = 'live_video' WHERE id = ?", (film,))
    con.execute(
        "INSERT INTO derivatives (sha256, kind, version, path, mime, width, height, bytes)"
        " SELECT sha256, 'proxy', 1, 'preview.jpg', 'video/mp4', 1, 1, 7 FROM media_files"
        " WHERE id = ?",
        (film,),
    )
    return values


def _job(con: sqlite3.Connection, owner: Owner, name: str, kind: str = "optimise") -> Values:
    con.execute(
        "INSERT INTO processing_jobs (id, job_type, status, created_at, owner_id, actor)"
        " VALUES (?, ?, 'done', ?, ?, 'test')",
        (name, kind, AT, owner.user_id),
    )
    return {"job_id": name}


def _batch(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    return _job(con, owner, name, "batch-move")


def _upload(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    con.execute(
        "INSERT INTO uploads (id, user_id, library_id, name, batch, size, created_at, updated_at)"
        " VALUES (?1, ?2, ?2, 'a.jpg', 'b', 7, ?3, ?3)",
        (name, owner.user_id, AT),
    )
    return {"upload_id": name}


def _key(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    con.execute(
        "INSERT INTO api_keys (id, user_id, name, hint, hash, scopes, created_at)"
        " VALUES (?1, ?2, ?1, 'dk_', ?3, '[\"files.read\"]', ?4)",
        (name, owner.user_id, name.encode(), AT),
    )
    return {"key_id": name}


def _session(con: sqlite3.Connection, owner: Owner, name: str) -> Values:
    con.execute(
        "INSERT INTO sessions (id, user_id, kind, token_hash, method, second_factor, created_at,"
        " seen_at, expires_at) VALUES (?, ?, 'browser', ?, 'password', 0, ?, ?, '2999')",
        (name, owner.user_id, name.encode(), AT, AT),
    )
    return {"session_id": name}


_MAKERS: Mapping[str, Callable[[sqlite3.Connection, Owner, str], Values]] = {
    "album": _album,
    "deleted album": _deleted_album,
    "file": _file,
    "live photo": _live_photo,
    "scrubbed file": _scrubbed,
    "rendition": _rendition,
    "share": _share,
    "grant": _grant,
    "team": _team,
    "membership": _membership,
    "user": _user,
    "person": _person,
    "bundle": _bundle,
    "job": _job,
    "batch": _batch,
    "upload": _upload,
    "key": _key,
    "session": _session,
}
