"""Links: made and ended by who may share, opened by people without an account.

A link and its password are never stored, only their hashes. Pictures shown are previews, which
carry no metadata; originals leave only as scrubbed copies, unless the owner says otherwise.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.access import opaque, passwords, reach
from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Invalid, NotAllowed, NotFound, NotKnown, RateLimited
from pipeline.model import Actor, Surface
from pipeline.service import audit, media, scrubbed, writing
from pipeline.service.media import Media
from pipeline.state import albums, shares, throttle
from pipeline.state.files import FileRow
from pipeline.state.shares import Secret, Share, Terms

if TYPE_CHECKING:
    from pipeline.core import Core

VISIT = timedelta(hours=2)  # how long somebody may look around after a counted view
MOST_FILES = 10_000
SHORTEST_PASSWORD = 4  # a word told on the phone; guessing is slowed down
VISITOR = "visitor"  # the role of who comes by a link: no rights at all


@dataclass(frozen=True, slots=True)
class Wanted:
    """The terms of a link as its maker says them. `keeps_password`: leave it as it is."""

    title: str = ""
    password: str | None = field(default=None, repr=False)
    keeps_password: bool = False
    expires_at: datetime | None = None
    view_limit: int | None = None
    download: str = "scrubbed"
    shows_details: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A new link, or a new address for one: the token is shown now and never again."""

    share: Share
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """Where it leads, below the address of this Darkroom."""
        return f"/s/{self.token}"


@dataclass(frozen=True, slots=True)
class Look:
    """What a link tells before anybody is let in."""

    needs_password: bool
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who was let in: the link, and their pass, shown once."""

    share: Share
    until: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inside:
    """What a visitor sees of the whole. `left_out` counts files that others put into the album."""

    share: Share
    files: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the files that a link shows. Of them is told what its terms allow, no more."""

    share: Share
    rows: tuple[FileRow, ...]


# --- the owner's side --------------------------------------------------------------------------


async def of_files(actor: Actor, core: Core, file_ids: Sequence[str], wanted: Wanted) -> Made:
    """A link to chosen files, all of one library. Raises `NotFound`, `NotAllowed`, `Invalid`."""
    require(actor, Right.SHARES_WRITE)
    chosen = list(dict.fromkeys(file_ids))
    if not 0 < len(chosen) <= MOST_FILES:
        raise Invalid(f"A link shows 1 to {MOST_FILES:,} files.")
    owner = await core.db.read(_owner_of_all, actor, chosen)
    return await _make(actor, core, owner, None, wanted, chosen)


async def of_album(actor: Actor, core: Core, album_id: str, wanted: Wanted) -> Made:
    """A link to an album, as it is and will be. Raises `NotFound`, `NotAllowed`, `Invalid`."""
    require(actor, Right.SHARES_WRITE)
    found = await core.db.read(reach.lendable, actor, "album", album_id)
    return await _make(actor, core, found.owner_id, album_id, wanted, ())


async def listing(actor: Actor, core: Core) -> list[Share]:
    """The links into the library that is asked about, the newest first, ended ones as well."""
    require(actor, Right.SHARES_WRITE)
    return await core.db.read(shares.listing, actor.library_id)


async def get(actor: Actor, core: Core, share_id: str) -> Share:
    """One of these links. Raises `NotFound`."""
    require(actor, Right.SHARES_WRITE)
    return await core.db.read(shares.get, actor.library_id, share_id)


async def change(
    actor: Actor, core: Core, share_id: str, wanted: Wanted, seen: int | None = None
) -> Share:
    """Other terms. Raises `NotFound`, `Invalid`, `Stale`."""
    require(actor, Right.SHARES_WRITE)
    terms = await _terms(core, wanted)

    def write(con: sqlite3.Connection) -> Share:
        old = shares.get(con, actor.library_id, share_id)
        kept = shares.password_of(con, share_id) if wanted.keeps_password else terms.password_hash
        new = replace(terms, password_hash=kept)
        shares.change(con, audit.by(actor, core), old, new, seen)
        return shares.get(con, actor.library_id, share_id)

    return await core.db.write(write)


async def renew(actor: Actor, core: Core, share_id: str) -> Made:
    """Another address for the link; the old one leads nowhere. Raises `NotFound`."""
    require(actor, Right.SHARES_WRITE)
    token, secret = _secret()

    def write(con: sqlite3.Connection) -> Share:
        old = shares.get(con, actor.library_id, share_id)
        shares.renew(con, audit.by(actor, core), old, secret)
        return shares.get(con, actor.library_id, share_id)

    return Made(await core.db.write(write), token)


async def revoke(actor: Actor, core: Core, share_id: str) -> None:
    """End the link at once. Raises `NotFound`."""
    require(actor, Right.SHARES_WRITE)

    def write(con: sqlite3.Connection) -> None:
        shares.revoke(con, audit.by(actor, core), shares.get(con, actor.library_id, share_id))

    await core.db.write(write)


# --- the visitor's side ------------------------------------------------------------------------


async def look(core: Core, token: str) -> Look:
    """What there is to know before going in; counts nothing, as chats look at links by themselves.

    Raises `NotFound` for a link that is not good, whatever the reason.
    """
    share = await core.db.read(shares.find, _digest(token), _now(core))
    return Look(share.has_password, share.expires_at)


async def enter(core: Core, token: str, password: str | None = None) -> Visit:
    """Go in: one view is counted. Raises `NotFound`, `NotKnown` for a wrong password.

    Guessing is slowed down (`RateLimited`), for everybody who has the link.
    """
    share = await core.db.read(shares.find, _digest(token), _now(core))
    if share.has_password:
        await _check_password(core, share, password)
    until = timestamp(core.clock.now() + VISIT)
    pass_token = opaque.make(opaque.LINK)
    entered = await core.db.write(
        shares.enter,
        share,
        opaque.digest(pass_token),
        label=visitor(share).label,
        at=_now(core),
        until=until,
    )
    return Visit(entered, until, pass_token)


async def inside(core: Core, token: str, pass_token: str) -> Inside:
    """What the link shows to somebody with a pass. Raises `NotFound`."""
    share = await _inside(core, token, pass_token)
    files, left_out = await core.db.read(shares.counts, share)
    return Inside(share, files, left_out)


async def page(
    core: Core, token: str, pass_token: str, *, after: str | None = None, limit: int = 100
) -> Page:
    """Files behind the one with the id `after`, the newest taken first. Raises `NotFound`."""
    share = await _inside(core, token, pass_token)
    return Page(share, tuple(await core.db.read(shares.page, share, after, limit)))


async def derivative(core: Core, token: str, pass_token: str, file_id: str, kind: str) -> Media:
    """A thumbnail, preview or clip; none of them tells where or by whom. Raises `NotFound`."""
    share = await _inside(core, token, pass_token)
    return await shown(core, share, await core.db.read(shares.one, share, file_id), kind)


async def shown(core: Core, share: Share, row: FileRow, kind: str) -> Media:
    """As `derivative`, for who was found to be inside. Raises `NotFound`."""
    found = await media.derivative(visitor(share), core, row.id, kind)
    return found if share.shows_details else _plain(found, row)


async def download(core: Core, token: str, pass_token: str, file_id: str) -> Media:
    """The file as far as the terms give it away: scrubbed, or as it is.

    Raises `NotFound`, `NotAllowed`, `TryLater` while a copy is made, `Refused` where none can be.
    """
    share = await _inside(core, token, pass_token)
    row = await core.db.read(shares.one, share, file_id)
    if share.download == "none":
        raise NotAllowed("This link shows pictures; it does not give files away.")
    if share.download == "original":
        found = await media.original(visitor(share), core, row.id)
    else:
        found = await scrubbed.copy(visitor(share), core, row)
    return found if share.shows_details else _plain(found, row)


def visitor(share: Share) -> Actor:
    """Who comes by a link: nobody with rights, looking into the library that it opens."""
    return Actor(f"link:{share.id}", VISITOR, Surface.WEB, library=share.owner_id)


# --- how it is done ----------------------------------------------------------------------------


async def _make(
    actor: Actor,
    core: Core,
    owner: str,
    album_id: str | None,
    wanted: Wanted,
    chosen: Sequence[str],
) -> Made:
    terms, (token, secret) = await _terms(core, wanted), _secret()
    share = _share(new_id(core.clock.now()), owner, album_id, terms, secret)

    def write(con: sqlite3.Connection) -> Share:
        shares.make(con, audit.by(actor, core), share, secret, terms.password_hash)
        shares.show(con, share.id, chosen)
        return shares.get(con, owner, share.id)

    return Made(await core.db.write(write), token)


def _share(share_id: str, owner: str, album_id: str | None, terms: Terms, secret: Secret) -> Share:
    return Share(
        id=share_id, owner_id=owner, album_id=album_id, title=terms.title, hint=secret.hint,
        has_password=terms.password_hash is not None, expires_at=terms.expires_at,
        view_limit=terms.view_limit, views=0, download=terms.download,
        shows_details=terms.shows_details, version=1, created_by="", created_at="",
        revoked_at=None, last_view_at=None,
    )  # fmt: skip


async def _terms(core: Core, wanted: Wanted) -> Terms:
    if wanted.expires_at is not None and wanted.expires_at <= core.clock.now():
        raise Invalid("The link would be over before it begins.")
    if wanted.view_limit is not None and wanted.view_limit < 1:
        raise Invalid("A link that nobody may open is no link.")
    if wanted.download not in ("none", "scrubbed", "original"):
        raise Invalid("Files are given away not at all, scrubbed, or as they are.")
    return Terms(
        title=writing.line(wanted.title, "title") if wanted.title else "",
        password_hash=await _hashed(core, wanted.password),
        expires_at=None if wanted.expires_at is None else timestamp(wanted.expires_at),
        view_limit=wanted.view_limit,
        download=wanted.download,
        shows_details=wanted.shows_details,
    )


async def _hashed(core: Core, password: str | None) -> str | None:
    if password is None:
        return None
    if not SHORTEST_PASSWORD <= len(password) <= passwords.LONGEST:
        raise Invalid(
            f"The password of a link has {SHORTEST_PASSWORD} to {passwords.LONGEST:,} characters."
        )
    return await core.door.hashing(functools.partial(passwords.hashed, password))


async def _check_password(core: Core, share: Share, password: str | None) -> None:
    """Every try is counted before it is looked at, so that no number at once gets around it."""
    if password is None:
        raise NotKnown("This link has a password.", hint="Who sent it knows it.")
    bucket, now = throttle.bucket("share", share.id), core.clock.now().timestamp()
    seconds = await core.db.write(throttle.take, [bucket], now)
    if seconds > 0:
        raise RateLimited("Too many tries.", hint="The link is not locked.", after_s=seconds)
    known = await core.db.read(shares.password_of, share.id)
    if not await core.door.hashing(functools.partial(passwords.matches, known, password)):
        raise NotKnown("This is not the password of the link.", hint="Who sent it knows it.")
    await core.db.write(throttle.give_back, [bucket])


async def _inside(core: Core, token: str, pass_token: str) -> Share:
    digests = _digest(token), _digest(pass_token)
    return await core.db.read(shares.inside, *digests, _now(core))


def _owner_of_all(con: sqlite3.Connection, actor: Actor, file_ids: Sequence[str]) -> str:
    """Whose the files are, where the actor may share all of them."""
    owner_of = albums.owners(con, file_ids)
    if len(owner_of) < len(file_ids):
        raise NotFound("There is no such file.")
    for file_id, owner in owner_of.items():
        if owner != actor.user_id:
            reach.lendable(con, actor, "file", file_id)
    if len(set(owner_of.values())) > 1:
        raise Invalid("The files of one link belong to one library.", hint="Make two links.")
    return next(iter(owner_of.values()))


def _secret() -> tuple[str, Secret]:
    token = opaque.make(opaque.LINK)
    return token, Secret(opaque.digest(token), opaque.hint(token))


def _digest(token: str) -> bytes:
    if not opaque.has_shape(token, opaque.LINK):
        raise NotFound(shares.NOT_GOOD, hint=shares.HINT)
    return opaque.digest(token)


def _plain(one: Media, row: FileRow) -> Media:
    """The same bytes under a name that says nothing: names of files tell of people and places."""
    suffix = PurePosixPath(one.name).suffix
    return replace(one, name=f"{row.category or 'file'}-{row.id[-8:]}{suffix}")


def _now(core: Core) -> str:
    return timestamp(core.clock.now())
