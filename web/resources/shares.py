"""Links for people without an account: the owner's side."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.access.rights import Right
from pipeline.service import shares
from pipeline.service.answers import Share
from pipeline.service.shares import Made, Wanted
from web.contract import API, LARGE_BODY, Answer, Asked, Given, Moment, Resource, Taken
from web.resources.auth import NEVER_STORED
from web.versions import seen, versioned

RESOURCE = Resource("shares", "Links for people without an account.")
Id = Annotated[str, Field(min_length=1, max_length=64)]
Password = Annotated[str, Field(min_length=4, max_length=1024)]
Download = Literal["none", "scrubbed", "original"]


class ShareView(Given):
    """One link; `hint` is how it begins, the rest is known to nobody."""

    id: str
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


class ShareList(Given):
    """Links, the newest first; those that ended as well."""

    items: list[ShareView]


class Terms(Taken):
    """On which terms a link shows things.

    `download`: files not at all, as copies without place and owner, or as they are;
    `shows_details`: names, dates, cameras and places are told too.
    """

    title: Annotated[str, Field(max_length=200)] = ""
    password: Password | None = None
    expires_at: Moment | None = None
    view_limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    download: Download = "scrubbed"
    shows_details: bool = False


class ShareWanted(Terms):
    """A new link, to an album or to chosen files."""

    album_id: Id | None = None
    file_ids: Annotated[tuple[Id, ...], Field(max_length=10_000)] = ()

    @model_validator(mode="after")
    def _either(self) -> ShareWanted:
        if (self.album_id is None) == (not self.file_ids):
            raise ValueError("say either an album or files")
        return self


class TermsChange(Taken):
    """What is to change; what is not named stays. `password` null: none any more."""

    title: Annotated[str, Field(max_length=200)] | None = None
    password: Password | None = None
    expires_at: Moment | None = None
    view_limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    download: Download | None = None
    shows_details: bool | None = None


class ShareMade(Given):
    """A new link, or a new address. `address` is shown this once."""

    address: str
    details: ShareView


@RESOURCE.get("/shares", right=Right.SHARES_WRITE, gives=ShareList)
async def listing(asked: Asked) -> ShareList:
    """One's own links."""
    found = await shares.listing(asked.actor, asked.core)
    return ShareList(items=[ShareView.model_validate(one) for one in found])


@RESOURCE.post(
    "/shares",
    right=Right.SHARES_WRITE,
    takes=ShareWanted,
    gives=ShareMade,
    status=201,
    is_secret=True,
    body_limit=LARGE_BODY,
)
async def make(asked: Asked, body: ShareWanted) -> Answer:
    """A new link."""
    wanted = Wanted(**{name: getattr(body, name) for name in Terms.model_fields})
    if body.album_id is not None:
        made = await shares.of_album(asked.actor, asked.core, body.album_id, wanted)
    else:
        made = await shares.of_files(asked.actor, asked.core, body.file_ids, wanted)
    return _made(asked, made, {"Location": f"{API}/shares/{made.share.id}"})


@RESOURCE.get("/shares/<share_id>", right=Right.SHARES_WRITE, gives=ShareView)
async def show(asked: Asked, share_id: str) -> Answer:
    """One link, and how often it was opened."""
    return _answer(await shares.get(asked.actor, asked.core, share_id))


@RESOURCE.patch(
    "/shares/<share_id>",
    right=Right.SHARES_WRITE,
    takes=TermsChange,
    gives=ShareView,
    is_conditional=True,
)
async def change(asked: Asked, share_id: str, body: TermsChange) -> Answer:
    """Other terms. Another password puts out who is in."""
    now = await shares.get(asked.actor, asked.core, share_id)
    told = body.model_dump(exclude_unset=True)
    expires_at = datetime.fromisoformat(now.expires_at) if now.expires_at else None
    wanted = Wanted(
        title=now.title if body.title is None else body.title,
        password=body.password,
        keeps_password="password" not in told,
        expires_at=told.get("expires_at", expires_at),
        view_limit=told.get("view_limit", now.view_limit),
        download=body.download or now.download,
        shows_details=now.shows_details if body.shows_details is None else body.shows_details,
    )
    return _answer(await shares.change(asked.actor, asked.core, share_id, wanted, seen(asked)))


@RESOURCE.post(
    "/shares/<share_id>/renew",
    right=Right.SHARES_WRITE,
    gives=ShareMade,
    is_secret=True,
)
async def renew(asked: Asked, share_id: str) -> Answer:
    """Another address for the link; the old one leads nowhere from now on."""
    return _made(asked, await shares.renew(asked.actor, asked.core, share_id), {})


@RESOURCE.delete("/shares/<share_id>", right=Right.SHARES_WRITE)
async def revoke(asked: Asked, share_id: str) -> Answer:
    """End the link at once, for who is in as well."""
    await shares.revoke(asked.actor, asked.core, share_id)
    return Answer()


def _answer(share: Share) -> Answer:
    return versioned(ShareView.model_validate(share), share.version)


def _made(asked: Asked, made: Made, headers: dict[str, str]) -> Answer:
    base = (asked.core.settings.web.public_url or asked.request.host_url).rstrip("/")
    body = ShareMade(address=base + made.path, details=ShareView.model_validate(made.share))
    return Answer(body, headers={**NEVER_STORED, **headers})
