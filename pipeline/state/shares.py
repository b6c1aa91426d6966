"""Links for people without an account: what they show, on which terms, and who came.

Only the hash of a link is stored. A view is counted in the statement that allows it, so that no
limit is ever passed; who was let in may look around for a while with a pass of their own, and not
one moment longer than the link is good.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pipeline.errors import NotFound
from pipeline.events import ShareChanged, ShareMade, ShareRevoked, ShareViewed
from pipeline.model import Json
from pipeline.state import audit, events, files, versions
from pipeline.state.audit import By
from pipeline.state.files import FileRow

NOT_GOOD = "This link is not good, or not any more."
HINT = "Ask who sent it for a new one."
_COLUMNS = (
    "s.id, s.owner_id, s.album_id, s.title, s.hint, s.password_hash IS NOT NULL AS has_password,"
    " s.expires_at, s.view_limit, s.views, s.download, s.shows_details, s.version, s.created_by,"
    " s.created_at, s.revoked_at, s.last_view_at"
)
_GOOD = (
    "s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > :at)"
    " AND (SELECT is_active FROM users WHERE id = s.owner_id) = 1"
    " AND (s.album_id IS NULL OR (SELECT deleted_at FROM albums WHERE id = s.album_id) IS NULL)"
)
_THERE = "m.state IN ('placing', 'placed', 'done', 'missing') AND m.category IS NOT 'sidecar'"


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a link shows things. `download`: "none", "scrubbed" or "original"."""

    title: str = ""
    password_hash: str | None = None
    expires_at: str | None = None
    view_limit: int | None = None
    download: str = "scrubbed"
    shows_details: bool = False  # names, dates, cameras, places


@dataclass(frozen=True, slots=True)
class Secret:
    """What is kept of a link: its hash, and how it begins."""

    digest: bytes
    hint: str


@dataclass(frozen=True, slots=True)
class Share:
    """One link as its owner sees it. `album_id` None: it shows chosen files."""

    id: str
    owner_id: str
    album_id: str | None
    title: str
    hint: str
    has_password: bool
    expires_at: str | None
    view_limit: int | None
    views: int
    download: str
    shows_details: bool
    version: int
    created_by: str
    created_at: str
    revoked_at: str | None
    last_view_at: str | None


# --- the owner's side --------------------------------------------------------------------------


def make(
    con: sqlite3.Connection, by: By, share: Share, secret: Secret, password_hash: str | None
) -> None:
    """A new link as `share` says; `show` says which files, where it is not an album's."""
    con.execute(
        "INSERT INTO shares (id, owner_id, album_id, title, token_hash, hint, password_hash,"
        " expires_at, view_limit, download, shows_details, created_by, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (share.id, share.owner_id, share.album_id, share.title, secret.digest, secret.hint,
         password_hash, share.expires_at, share.view_limit, share.download, share.shows_details,
         by.actor.user_id, by.at),
    )  # fmt: skip
    audit.tell(con, by, ShareMade(share.id), after=_told(get(con, share.owner_id, share.id)))


def show(con: sqlite3.Connection, share_id: str, file_ids: Sequence[str]) -> None:
    """Let a link show these files."""
    con.executemany(
        "INSERT INTO share_files (share_id, file_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(share_id, file_id) for file_id in file_ids],
    )


def change(
    con: sqlite3.Connection, by: By, old: Share, terms: Terms, seen: int | None = None
) -> None:
    """Other terms for a link. Raises `Conflict` where `seen` is an old version.

    Who is in stays in, unless there is another password.
    """
    versions.require(old.version, seen)
    if terms.password_hash != password_of(con, old.id):
        con.execute("DELETE FROM share_visits WHERE share_id = ?", (old.id,))
    con.execute(
        "UPDATE shares SET title = ?, password_hash = ?, expires_at = ?,"
        " view_limit = CASE WHEN ?4 IS NULL THEN NULL ELSE max(?4, views, 1) END, download = ?,"
        " shows_details = ?, version = version + 1 WHERE id = ?",
        (terms.title, terms.password_hash, terms.expires_at, terms.view_limit, terms.download,
         terms.shows_details, old.id),
    )  # fmt: skip
    after = _told(get(con, old.owner_id, old.id))
    audit.tell(con, by, ShareChanged(old.id), before=_told(old), after=after)


def renew(con: sqlite3.Connection, by: By, share: Share, secret: Secret) -> None:
    """Another address for a link; the old one leads nowhere, and nobody is in any more."""
    con.execute("DELETE FROM share_visits WHERE share_id = ?", (share.id,))
    con.execute(
        "UPDATE shares SET token_hash = ?, hint = ?, version = version + 1 WHERE id = ?",
        (secret.digest, secret.hint, share.id),
    )
    before, after = {"hint": share.hint}, {"hint": secret.hint}
    audit.tell(con, by, ShareChanged(share.id), before=before, after=after)


def revoke(con: sqlite3.Connection, by: By, share: Share) -> None:
    """End a link at once, for those who are in as well; again is no mistake."""
    con.execute("DELETE FROM share_visits WHERE share_id = ?", (share.id,))
    ended = con.execute(
        "UPDATE shares SET revoked_at = ?, version = version + 1"
        " WHERE id = ? AND revoked_at IS NULL",
        (by.at, share.id),
    ).rowcount
    if ended:
        audit.tell(con, by, ShareRevoked(share.id), before=_told(share))


def get(con: sqlite3.Connection, owner_id: str, share_id: str) -> Share:
    """One of the owner's links. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM shares s WHERE s.id = ? AND s.owner_id = ?", (share_id, owner_id)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such link.")
    return _share(row)


def listing(con: sqlite3.Connection, owner_id: str) -> list[Share]:
    """The owner's links, the newest first, those that ended as well."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM shares s WHERE s.owner_id = ? ORDER BY s.id DESC", (owner_id,)
    )
    return [_share(row) for row in rows]


def showing(con: sqlite3.Connection, file_id: str, at: str) -> list[Share]:
    """The links that are good at `at` and show a file."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM shares s JOIN media_files m ON m.id = :file"
        f" AND m.owner_id = s.owner_id WHERE {_GOOD} AND {_THERE}"
        " AND (s.id IN (SELECT share_id FROM share_files WHERE file_id = :file)"
        " OR s.album_id IN (SELECT album_id FROM album_files WHERE file_id = :file))"
        " AND (s.view_limit IS NULL OR s.views < s.view_limit) ORDER BY s.id",
        {"file": file_id, "at": at},
    )
    return [_share(row) for row in rows]


def password_of(con: sqlite3.Connection, share_id: str) -> str | None:
    """The hash of a link's password, where it has one."""
    row = con.execute("SELECT password_hash FROM shares WHERE id = ?", (share_id,)).fetchone()
    return None if row is None else row["password_hash"]


# --- the stranger's side -----------------------------------------------------------------------


def find(con: sqlite3.Connection, digest: bytes, at: str) -> Share:
    """The link with this hash, if it is good and has views left. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM shares s WHERE s.token_hash = :digest AND {_GOOD}"
        " AND (s.view_limit IS NULL OR s.views < s.view_limit)",
        {"digest": digest, "at": at},
    ).fetchone()
    return _good(row)


def enter(
    con: sqlite3.Connection, share: Share, pass_digest: bytes, *, label: str, at: str, until: str
) -> Share:
    """Count a view and let somebody in until `until`. Raises `NotFound` where none is left."""
    counted = con.execute(
        "UPDATE shares AS s SET views = views + 1, last_view_at = :at WHERE id = :id"
        f" AND (view_limit IS NULL OR views < view_limit) AND {_GOOD}",
        {"id": share.id, "at": at},
    ).rowcount
    if not counted:
        raise NotFound(NOT_GOOD, hint=HINT)
    con.execute("DELETE FROM share_visits WHERE expires_at <= ?", (at,))
    con.execute(
        "INSERT INTO share_visits (pass_hash, share_id, expires_at) VALUES (?, ?, ?)",
        (pass_digest, share.id, until),
    )
    entered = get(con, share.owner_id, share.id)
    events.append(con, ShareViewed(share.id, entered.views), actor=label, at=at)
    return entered


def inside(con: sqlite3.Connection, digest: bytes, pass_digest: bytes, at: str) -> Share:
    """The link for somebody who was let in, while both are good. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM shares s JOIN share_visits v ON v.share_id = s.id"
        f" WHERE s.token_hash = :digest AND v.pass_hash = :pass AND v.expires_at > :at AND {_GOOD}",
        {"digest": digest, "pass": pass_digest, "at": at},
    ).fetchone()
    return _good(row)


def good(con: sqlite3.Connection, share_id: str, at: str) -> Share:
    """A link by its id, for whoever went in and was given addresses. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM shares s WHERE s.id = :id AND {_GOOD}", {"id": share_id, "at": at}
    ).fetchone()
    return _good(row)


_FILE = ", ".join(f"m.{name}" for name in files.COLUMNS)


def page(con: sqlite3.Connection, share: Share, after: str | None, limit: int) -> list[FileRow]:
    """Up to `limit` files that a link shows behind the file `after`, the newest taken first.

    Files that others put into the album are theirs to show, and left out.
    """
    rows = con.execute(
        f"SELECT {_FILE} FROM {_files(share)}"
        f" JOIN media_files m ON m.id = x.file_id WHERE m.owner_id = :owner AND {_THERE}"
        " AND (:after IS NULL OR (coalesce(m.taken_utc, ''), m.id) <"
        "  (SELECT coalesce(taken_utc, ''), id FROM media_files"
        "   WHERE id = :after AND owner_id = :owner))"
        " ORDER BY coalesce(m.taken_utc, '') DESC, m.id DESC LIMIT :limit",
        {
            "of": share.album_id or share.id,
            "owner": share.owner_id,
            "after": after,
            "limit": limit,
        },
    )
    return [files.row_of(row) for row in rows]


def one(con: sqlite3.Connection, share: Share, file_id: str) -> FileRow:
    """One file that a link shows. Raises `NotFound`."""
    row = con.execute(
        f"SELECT {_FILE} FROM {_files(share)}"
        " JOIN media_files m ON m.id = x.file_id"
        f" WHERE m.id = :file AND m.owner_id = :owner AND {_THERE}",
        {"of": share.album_id or share.id, "owner": share.owner_id, "file": file_id},
    ).fetchone()
    if row is None:
        raise NotFound("This link shows no such file.")
    return files.row_of(row)


def counts(con: sqlite3.Connection, share: Share) -> tuple[int, int]:
    """How many files a link shows, and how many it leaves out because they are others'."""
    row = con.execute(
        f"SELECT coalesce(sum(m.owner_id = :owner), 0), coalesce(sum(m.owner_id <> :owner), 0)"
        f" FROM {_files(share)} JOIN media_files m ON m.id = x.file_id"
        f" WHERE {_THERE}",
        {"of": share.album_id or share.id, "owner": share.owner_id},
    ).fetchone()
    return int(row[0]), int(row[1])


def _files(share: Share) -> str:
    """The ids of what a link shows, as a table `x`."""
    of = "share_files WHERE share_id" if share.album_id is None else "album_files WHERE album_id"
    return f"(SELECT file_id FROM {of} = :of) x"


def _good(row: sqlite3.Row | None) -> Share:
    if row is None:
        raise NotFound(NOT_GOOD, hint=HINT)
    return _share(row)


def _share(row: sqlite3.Row) -> Share:
    values = {**dict(row)}
    for name in ("has_password", "shows_details"):
        values[name] = bool(values[name])
    return Share(**values)


def _told(share: Share) -> dict[str, Json]:
    """What the audit log keeps of a link: its terms, and nothing that opens it."""
    left_out = {"id", "version", "created_at", "last_view_at", "views"}
    return {name: value for name, value in asdict(share).items() if name not in left_out}
