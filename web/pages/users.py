"""Users and teams: who has an account here, how much each may keep, and who belongs together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.access.in_person import RANKS, may_rule
from pipeline.access.rights import Right
from pipeline.model import Actor
from pipeline.service import quotas, teams, users
from pipeline.service.answers import Quota, User
from web.contract import Asked
from web.shell import Page

GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it is shown. `version` is what a change of it says that it has seen."""

    user: User
    quota: Quota
    version: str
    is_changeable: bool


async def _gather(asked: Asked) -> Mapping[str, Any]:
    actor, core = asked.actor, asked.core
    kept = {one.user_id: one for one in await quotas.listing(actor, core)}
    found = await users.listing(actor, core)
    return {
        "accounts": [_account(actor, user, kept[user.id]) for user in found],
        "roles": [role for role in RANKS if may_rule(actor, role)],
        "teams": await teams.listing(actor, core),
        "gigabyte": GIGABYTE,
    }


def _account(actor: Actor, user: User, quota: Quota) -> Account:
    may_change = user.id != actor.user_id and may_rule(actor, user.role)
    return Account(user, quota, users.version(user), may_change)


PAGE = Page(
    name="users",
    path="/users",
    right=Right.USERS_READ,
    gather=_gather,
    template="users.html",
    order=9,
    icon="users",
    scripts=("act.js",),
)
