"""Where one is signed in, and ending that."""

from __future__ import annotations

from pipeline.access.rights import Right
from pipeline.service import sessions
from web.contract import Answer, Asked, Given, Resource
from web.gate import recognised

RESOURCE = Resource("sessions", "Where one is signed in.")


class SessionView(Given):
    """One place where somebody is signed in; `is_current`: this request came by it."""

    id: str
    kind: str
    method: str
    second_factor: bool
    device: str
    address: str
    created_at: str
    seen_at: str
    expires_at: str
    is_current: bool = False


class SessionList(Given):
    """All of them, the last seen first."""

    items: list[SessionView]


class Ended(Given):
    """How many sessions ended."""

    ended: int


@RESOURCE.get("/sessions", right=Right.ACCOUNT_READ, gives=SessionList)
async def listing(asked: Asked) -> SessionList:
    """Where the account is signed in."""
    return await listed(asked)


@RESOURCE.delete("/sessions/<session_id>", right=Right.ACCOUNT_WRITE)
async def end(asked: Asked, session_id: str) -> Answer:
    """End one session; it is dead at once."""
    await sessions.end(asked.actor, asked.core, session_id)
    return Answer()


@RESOURCE.delete("/sessions", right=Right.ACCOUNT_WRITE, gives=Ended, status=200)
async def end_others(asked: Asked) -> Ended:
    """End every session but the one that asks."""
    who = await recognised(asked.core, asked.request)
    keep = None if who is None else who.source_id
    return Ended(ended=await sessions.end_others(asked.actor, asked.core, keep=keep))


async def listed(asked: Asked, user_id: str | None = None) -> SessionList:
    """The sessions of who asks, or for administrators of somebody else."""
    who = await recognised(asked.core, asked.request)
    found = await sessions.listing(asked.actor, asked.core, user_id)
    views = [SessionView.model_validate(one) for one in found]
    current = None if who is None else who.source_id
    return SessionList(
        items=[view.model_copy(update={"is_current": view.id == current}) for view in views]
    )
