"""The people who have an account here, for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import second_factor, sessions, users
from pipeline.service.links import Link
from web.contract import Answer, Asked, Given, Resource, Taken
from web.paging import Paged, cut, links, values_of
from web.resources.auth import NEVER_STORED, Name
from web.resources.sessions import Ended, SessionList, listed

RESOURCE = Resource("users", "The people who have an account.")

Role = Literal["owner", "admin", "editor", "viewer", "guest"]
Mail = Annotated[str, Field(max_length=254)]
Shown = Annotated[str, Field(max_length=200)]


class UserView(Given):
    """One account."""

    id: str
    username: str
    display_name: str | None
    email: str | None
    role: str
    is_active: bool
    created_at: str
    updated_at: str
    last_login: str | None
    has_password: bool
    has_second_factor: bool


class UserPage(Given):
    """A page of accounts."""

    items: list[UserView]
    next: str | None


class UserWanted(Taken):
    """Who gets an account, and as what."""

    username: Name
    role: Role = "viewer"
    display_name: Shown | None = None
    email: Mail | None = None


class UserChange(Taken):
    """What is to change; what is not named stays."""

    username: Name | None = None
    role: Role | None = None
    is_active: bool | None = None
    display_name: Shown | None = None
    email: Mail | None = None


class WayIn(Given):
    """A link that works once: give it to whom it is for. `address` is on this dashboard."""

    purpose: str
    token: str
    address: str
    expires_at: str


class UserInvited(Given):
    """A new account and the link by which its owner sets a password."""

    user: UserView
    link: WayIn


@RESOURCE.get("/users", right=Right.USERS_READ, gives=UserPage, query=Paged)
async def listing(asked: Asked, query: Paged) -> Answer:
    """All accounts, the oldest first."""
    told = values_of(query.cursor, [str])
    after = str(told[0]) if told else ""
    found = await users.listing(asked.actor, asked.core, after, query.limit + 1)
    page, cursor = cut(found, query.limit, lambda one: [one.id])
    body = UserPage(items=[UserView.model_validate(one) for one in page], next=cursor)
    return Answer(body, headers=links(asked.request, cursor))


@RESOURCE.post(
    "/users",
    right=Right.USERS_WRITE,
    takes=UserWanted,
    gives=UserInvited,
    status=201,
    is_secret=True,
    errors=(409,),
)
async def invite(asked: Asked, body: UserWanted) -> Answer:
    """A new account without a password, and the link that sets one."""
    invited = await users.invite(
        asked.actor,
        asked.core,
        body.username,
        body.role,
        display_name=body.display_name,
        email=body.email,
    )
    told = UserInvited(user=UserView.model_validate(invited.user), link=_way(asked, invited.link))
    place = f"/api/v2/users/{invited.user.id}"
    return Answer(told, headers={**NEVER_STORED, "Location": place})


@RESOURCE.get("/users/<user_id>", right=Right.USERS_READ, gives=UserView)
async def show(asked: Asked, user_id: str) -> Answer:
    """One account."""
    user = await users.one(asked.actor, asked.core, user_id)
    return Answer(UserView.model_validate(user), etag=users.version(user))


@RESOURCE.patch(
    "/users/<user_id>",
    right=Right.USERS_WRITE,
    takes=UserChange,
    gives=UserView,
    is_conditional=True,
    errors=(409,),
)
async def change(asked: Asked, user_id: str, body: UserChange) -> Answer:
    """Another role, name or address; disable or enable. Who is disabled is out at once."""
    told = body.model_dump(exclude_unset=True)
    required = ("username", "role", "is_active")  # null for these says nothing
    fields = {k: v for k, v in told.items() if v is not None or k not in required}
    user = await users.change(asked.actor, asked.core, user_id, fields, seen=asked.if_match)
    return Answer(UserView.model_validate(user), etag=users.version(user))


@RESOURCE.delete("/users/<user_id>", right=Right.USERS_WRITE, errors=(409,))
async def remove(asked: Asked, user_id: str) -> Answer:
    """Forget an account that owns nothing; one that does can be disabled."""
    await users.remove(asked.actor, asked.core, user_id)
    return Answer()


@RESOURCE.post(
    "/users/<user_id>/link",
    right=Right.USERS_WRITE,
    gives=WayIn,
    status=201,
    is_secret=True,
    errors=(409,),
)
async def link(asked: Asked, user_id: str) -> Answer:
    """A link by which the user sets a password anew; older ones are worth nothing."""
    way = _way(asked, await users.link(asked.actor, asked.core, user_id))
    return Answer(way, headers=NEVER_STORED)


@RESOURCE.delete("/users/<user_id>/second-factor", right=Right.USERS_WRITE)
async def reset_second_factor(asked: Asked, user_id: str) -> Answer:
    """For somebody who lost their app and their recovery codes."""
    await second_factor.reset(asked.actor, asked.core, user_id)
    return Answer()


@RESOURCE.get("/users/<user_id>/sessions", right=Right.USERS_WRITE, gives=SessionList)
async def user_sessions(asked: Asked, user_id: str) -> SessionList:
    """Where somebody is signed in."""
    await users.one(asked.actor, asked.core, user_id)
    return await listed(asked, user_id)


@RESOURCE.delete("/users/<user_id>/sessions", right=Right.USERS_WRITE, gives=Ended, status=200)
async def end_user_sessions(asked: Asked, user_id: str) -> Ended:
    """Sign somebody out everywhere."""
    await users.one(asked.actor, asked.core, user_id)
    return Ended(ended=await sessions.end_others(asked.actor, asked.core, user_id=user_id))


def _way(asked: Asked, made: Link) -> WayIn:
    base = asked.core.settings.web.public_url or asked.request.host_url
    return WayIn(
        purpose=made.purpose,
        token=made.token,
        address=made.address(base),
        expires_at=made.expires_at,
    )
