"""Permissions: what is lent to whom, and why somebody sees something."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.access.reach import Permission
from pipeline.access.rights import Right
from pipeline.service import sharing
from pipeline.service.answers import Grant, Thing, To
from pipeline.service.sharing import Reason
from web.contract import API, Answer, Asked, Given, Resource, Taken
from web.resources.teams import MemberView

RESOURCE = Resource("permissions", "A look at, or a hand on, what is somebody else's.")
Kind = Literal["library", "album", "file"]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class GrantView(Given):
    """One grant; `name` is how the person or the team is called."""

    id: str
    resource_type: str
    resource_id: str
    permission: str
    user_id: str | None
    team_id: str | None
    granted_by: str
    granted_at: str
    name: str


class GrantList(Given):
    """Grants."""

    items: list[GrantView]


class GrantWanted(Taken):
    """What to lend, how far, and either to a person or to a team.

    A library is named by whose it is. `view` < `add` < `edit` < `manage`, each with those before.
    """

    resource_type: Kind
    resource_id: Id
    permission: Literal["view", "add", "edit", "manage"] = "view"
    user_id: Id | None = None
    team_id: Id | None = None


class About(Taken):
    """Of which thing; without it, what is lent to the caller."""

    resource_type: Kind | None = None
    resource_id: Id | None = None


class Which(Taken):
    """Which thing."""

    resource_type: Kind
    resource_id: Id


class WhyQuery(Which):
    """Who sees which thing; without `user_id`, the caller."""

    user_id: Id | None = None


class LibraryView(Given):
    """Somebody's library that is lent to the caller."""

    owner_id: str
    name: str
    permission: str


class LibraryList(Given):
    """Libraries, by whose they are."""

    items: list[LibraryView]


class TeamName(Given):
    """A team to lend to."""

    id: str
    name: str


class ReceiverList(Given):
    """To whom something can be lent."""

    people: list[MemberView]
    teams: list[TeamName]


class ReasonView(Given):
    """That somebody sees a thing, and why: a sentence for each way, the widest first."""

    user_id: str
    name: str
    permission: str
    sentences: list[str]


class LinkName(Given):
    """A link that shows the thing."""

    id: str
    title: str
    expires_at: str | None


class AudienceView(Given):
    """Everybody who sees a thing: people with an account, and links for everybody else."""

    people: list[ReasonView]
    links: list[LinkName]


@RESOURCE.get("/permissions", right=Right.ACCOUNT_READ, gives=GrantList, query=About)
async def listing(asked: Asked, query: About) -> GrantList:
    """What is lent to the caller; or, of a thing that they may lend, to whom it is lent."""
    if query.resource_type is None or query.resource_id is None:
        found = await sharing.held(asked.actor, asked.core)
    else:
        thing = Thing(query.resource_type, query.resource_id)
        found = await sharing.of_thing(asked.actor, asked.core, thing)
    return GrantList(items=[GrantView.model_validate(one) for one in found])


@RESOURCE.post(
    "/permissions", right=Right.SHARES_WRITE, takes=GrantWanted, gives=GrantView, status=201
)
async def lend(asked: Asked, body: GrantWanted) -> Answer:
    """Lend something; doing it again changes how far."""
    thing, to = Thing(body.resource_type, body.resource_id), To(body.user_id, body.team_id)
    permission = Permission[body.permission.upper()]
    grant = await sharing.lend(asked.actor, asked.core, thing, to, permission)
    place = f"{API}/permissions/{grant.id}"
    return Answer(GrantView.model_validate(grant), headers={"Location": place})


@RESOURCE.get("/permissions/libraries", right=Right.FILES_READ, gives=LibraryList)
async def libraries(asked: Asked) -> LibraryList:
    """The libraries of others that are lent to the caller."""
    found = await sharing.libraries(asked.actor, asked.core)
    items = [
        LibraryView(owner_id=one.owner_id, name=one.name, permission=one.permission.word)
        for one in found
    ]
    return LibraryList(items=items)


@RESOURCE.get("/permissions/receivers", right=Right.SHARES_WRITE, gives=ReceiverList)
async def receivers(asked: Asked) -> ReceiverList:
    """The people and teams that something can be lent to."""
    found = await sharing.receivers(asked.actor, asked.core)
    return ReceiverList(
        people=[MemberView.model_validate(one) for one in found.people],
        teams=[TeamName.model_validate(one) for one in found.teams],
    )


@RESOURCE.get("/permissions/why", right=Right.ACCOUNT_READ, gives=ReasonView, query=WhyQuery)
async def why(asked: Asked, query: WhyQuery) -> ReasonView:
    """Why the caller sees a thing; or somebody else, of what the caller may lend."""
    thing = Thing(query.resource_type, query.resource_id)
    user_id = query.user_id or asked.actor.user_id
    return _reason(await sharing.explain(asked.actor, asked.core, thing, user_id))


@RESOURCE.get("/permissions/audience", right=Right.SHARES_WRITE, gives=AudienceView, query=Which)
async def audience(asked: Asked, query: Which) -> AudienceView:
    """Everybody who sees a thing that the caller may lend, and why."""
    thing = Thing(query.resource_type, query.resource_id)
    found = await sharing.audience(asked.actor, asked.core, thing)
    return AudienceView(
        people=[_reason(one) for one in found.people],
        links=[LinkName.model_validate(one) for one in found.links],
    )


@RESOURCE.get("/permissions/<grant_id>", right=Right.ACCOUNT_READ, gives=GrantView)
async def show(asked: Asked, grant_id: str) -> Grant:
    """One grant that is the caller's to hold or to end."""
    return await sharing.get(asked.actor, asked.core, grant_id)


@RESOURCE.delete("/permissions/<grant_id>", right=Right.ACCOUNT_WRITE)
async def take_back(asked: Asked, grant_id: str) -> Answer:
    """End a grant: of what one may lend, or one that was made to oneself."""
    await sharing.take_back(asked.actor, asked.core, grant_id)
    return Answer()


def _reason(one: Reason) -> ReasonView:
    return ReasonView(
        user_id=one.user_id,
        name=one.name,
        permission=one.permission.word,
        sentences=list(one.sentences),
    )
