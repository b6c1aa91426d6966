"""Quotas: how much each may keep, and how much they do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import quotas
from pipeline.service.answers import Limits, Quota
from web.contract import Answer, Asked, Given, Resource, Taken
from web.versions import seen, versioned

RESOURCE = Resource("quotas", "How much each may keep, and how much they do.")
ME = "me"  # stands for the caller in paths
Amount = Annotated[int, Field(ge=0, le=1 << 60)]


class LimitsView(Given):
    """What a user may keep; null: as much as they like, 0: nothing."""

    soft_bytes: int | None
    hard_bytes: int | None
    soft_files: int | None
    hard_files: int | None
    counts_derivatives: bool


class UsageView(Given):
    """What a user keeps, the trash included, and what is promised to uploads under way."""

    bytes: int
    files: int
    derived_bytes: int
    reserved_bytes: int
    reserved_files: int


class QuotaView(Given):
    """One user's limits and usage; `version` 0: there are no limits."""

    user_id: str
    name: str
    limits: LimitsView
    usage: UsageView
    version: int


class QuotaList(Given):
    """Everybody's limits and usage, by name."""

    items: list[QuotaView]


class LimitsWanted(Taken):
    """All limits: null is no limit, 0 really is 0. Past `soft_*` the user is told, no more."""

    soft_bytes: Amount | None = None
    hard_bytes: Amount | None = None
    soft_files: Amount | None = None
    hard_files: Amount | None = None
    counts_derivatives: bool = False


@RESOURCE.get("/quotas", right=Right.USERS_READ, gives=QuotaList)
async def listing(asked: Asked) -> QuotaList:
    """Everybody's limits and usage."""
    found = await quotas.listing(asked.actor, asked.core)
    return QuotaList(items=[QuotaView.model_validate(one) for one in found])


@RESOURCE.get("/quotas/<user_id>", right=Right.ACCOUNT_READ, gives=QuotaView)
async def show(asked: Asked, user_id: str) -> Answer:
    """One's own limits and usage (`me`); anybody's for administrators."""
    return _answer(await quotas.get(asked.actor, asked.core, _user(asked, user_id)))


@RESOURCE.put(
    "/quotas/<user_id>",
    right=Right.USERS_WRITE,
    takes=LimitsWanted,
    gives=QuotaView,
    is_conditional=True,
)
async def put(asked: Asked, user_id: str, body: LimitsWanted) -> Answer:
    """Give somebody limits, or others. What they keep already stays."""
    limits, user = Limits(**body.model_dump()), _user(asked, user_id)
    return _answer(await quotas.put(asked.actor, asked.core, user, limits, seen(asked)))


@RESOURCE.delete("/quotas/<user_id>", right=Right.USERS_WRITE, errors=(412,))
async def lift(asked: Asked, user_id: str) -> Answer:
    """Take somebody's limits away."""
    await quotas.lift(asked.actor, asked.core, _user(asked, user_id), seen(asked))
    return Answer()


def _user(asked: Asked, user_id: str) -> str:
    return asked.actor.user_id if user_id == ME else user_id


def _answer(quota: Quota) -> Answer:
    return versioned(QuotaView.model_validate(quota), quota.version)
