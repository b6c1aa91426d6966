"""Teams: several people under one name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import teams
from pipeline.service.answers import Team
from web.contract import API, Answer, Asked, Given, Resource, Taken
from web.versions import seen, versioned

RESOURCE = Resource("teams", "Several people under one name, to lend to all of them at once.")


class MemberView(Given):
    """Somebody in a team."""

    id: str
    name: str


class TeamView(Given):
    """A team and who is in it."""

    id: str
    name: str
    version: int
    created_at: str
    members: list[MemberView]


class TeamList(Given):
    """Teams, by name."""

    items: list[TeamView]


class TeamWanted(Taken):
    """How a team is called."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


@RESOURCE.get("/teams", right=Right.ACCOUNT_READ, gives=TeamList)
async def listing(asked: Asked) -> TeamList:
    """All teams for administrators; for others those they are in."""
    found = await teams.listing(asked.actor, asked.core)
    return TeamList(items=[TeamView.model_validate(one) for one in found])


@RESOURCE.post(
    "/teams",
    right=Right.USERS_WRITE,
    takes=TeamWanted,
    gives=TeamView,
    status=201,
    errors=(409,),
)
async def make(asked: Asked, body: TeamWanted) -> Answer:
    """A new team, without members."""
    team = await teams.make(asked.actor, asked.core, body.name)
    return _answer(team, Location=f"{API}/teams/{team.id}")


@RESOURCE.get("/teams/<team_id>", right=Right.ACCOUNT_READ, gives=TeamView)
async def show(asked: Asked, team_id: str) -> Answer:
    """One team."""
    return _answer(await teams.get(asked.actor, asked.core, team_id))


@RESOURCE.patch(
    "/teams/<team_id>",
    right=Right.USERS_WRITE,
    takes=TeamWanted,
    gives=TeamView,
    is_conditional=True,
    errors=(409,),
)
async def retitle(asked: Asked, team_id: str, body: TeamWanted) -> Answer:
    """Another name."""
    return _answer(await teams.retitle(asked.actor, asked.core, team_id, body.name, seen(asked)))


@RESOURCE.delete("/teams/<team_id>", right=Right.USERS_WRITE, errors=(412,))
async def delete(asked: Asked, team_id: str) -> Answer:
    """Take a team away, and with it all that is lent to it."""
    await teams.delete(asked.actor, asked.core, team_id, seen(asked))
    return Answer()


@RESOURCE.put("/teams/<team_id>/members/<user_id>", right=Right.USERS_WRITE, gives=TeamView)
async def join(asked: Asked, team_id: str, user_id: str) -> Answer:
    """Somebody more in the team."""
    return _answer(await teams.join(asked.actor, asked.core, team_id, user_id))


@RESOURCE.delete("/teams/<team_id>/members/<user_id>", right=Right.ACCOUNT_WRITE)
async def leave(asked: Asked, team_id: str, user_id: str) -> Answer:
    """Somebody less in the team; oneself one may always take out."""
    await teams.leave(asked.actor, asked.core, team_id, user_id)
    return Answer()


def _answer(team: Team, **headers: str) -> Answer:
    return versioned(TeamView.model_validate(team), team.version, **headers)
