"""Teams: whoever runs the household makes them; everybody sees those they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.access.rights import Right, allows, require
from pipeline.clock import new_id
from pipeline.errors import NotFound
from pipeline.model import Actor
from pipeline.service import audit, writing
from pipeline.state import teams
from pipeline.state.teams import Team

if TYPE_CHECKING:
    from pipeline.core import Core


async def listing(actor: Actor, core: Core) -> list[Team]:
    """All teams for who may see all accounts; for others those they are in."""
    require(actor, Right.ACCOUNT_READ)
    if allows(actor, Right.USERS_READ):
        return await core.db.read(teams.listing)
    return await core.db.read(teams.of_user, actor.user_id)


async def get(actor: Actor, core: Core, team_id: str) -> Team:
    """One of those teams. Raises `NotFound`."""
    found = [team for team in await listing(actor, core) if team.id == team_id]
    if not found:
        raise NotFound("There is no such team.")
    return found[0]


async def make(actor: Actor, core: Core, name: str) -> Team:
    """A new team, empty. Raises `Conflict` where the name is taken."""
    require(actor, Right.USERS_WRITE)
    name, team_id = writing.line(name, "name of the team"), new_id(core.clock.now())
    return await core.db.write(teams.make, audit.by(actor, core), team_id, name)


async def retitle(
    actor: Actor, core: Core, team_id: str, name: str, seen: int | None = None
) -> Team:
    """Another name. Raises `NotFound`, `Conflict`, and `Stale` where `seen` is an old version."""
    require(actor, Right.USERS_WRITE)
    name = writing.line(name, "name of the team")
    return await core.db.write(teams.retitle, audit.by(actor, core), team_id, name, seen)


async def delete(actor: Actor, core: Core, team_id: str, seen: int | None = None) -> None:
    """Take the team away, and all that is lent to it. Raises as `retitle`."""
    require(actor, Right.USERS_WRITE)
    await core.db.write(teams.delete, audit.by(actor, core), team_id, seen)


async def join(actor: Actor, core: Core, team_id: str, user_id: str) -> Team:
    """Somebody more in the team. Raises `NotFound`."""
    require(actor, Right.USERS_WRITE)
    return await core.db.write(teams.join, audit.by(actor, core), team_id, user_id)


async def leave(actor: Actor, core: Core, team_id: str, user_id: str) -> None:
    """Somebody less in the team; oneself one may always take out. Raises `NotFound`."""
    if user_id != actor.user_id:
        require(actor, Right.USERS_WRITE)
    require(actor, Right.ACCOUNT_WRITE)
    await core.db.write(teams.leave, audit.by(actor, core), team_id, user_id)
