"""API keys: what asks by itself, narrowed to what it needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import api_keys
from pipeline.service.answers import ApiKey
from web.contract import Answer, Asked, Given, Resource, Taken
from web.resources.auth import NEVER_STORED

RESOURCE = Resource("api-keys", "Keys for programs.")


class KeyView(Given):
    """One key; `hint` is how it begins, the rest is known to nobody."""

    id: str
    user_id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    used_at: str | None
    used_from: str | None


class KeyList(Given):
    """All keys that were not revoked, oldest first."""

    items: list[KeyView]


class KeyWanted(Taken):
    """A name, scopes (or names of presets), and for how many days; null: for ever."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[
        list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=60)
    ]
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


class KeyMade(Given):
    """A new key. `key` is shown this once."""

    key: str
    details: KeyView


class Presets(Given):
    """Ready-made choices of scopes, by what asks, and every scope there is."""

    presets: dict[str, list[str]]
    scopes: list[str]


class Whose(Taken):
    """`everybody`: all users' keys, for administrators."""

    everybody: bool = False


@RESOURCE.get("/api-keys", right=Right.ACCOUNT_READ, gives=KeyList, query=Whose)
async def listing(asked: Asked, query: Whose) -> KeyList:
    """One's own keys."""
    found = await api_keys.listing(asked.actor, asked.core, everybody=query.everybody)
    return KeyList(items=[KeyView.model_validate(one) for one in found])


@RESOURCE.post(
    "/api-keys",
    right=Right.ACCOUNT_WRITE,
    takes=KeyWanted,
    gives=KeyMade,
    status=201,
    is_secret=True,
    errors=(409,),
)
async def make(asked: Asked, body: KeyWanted) -> Answer:
    """A new key. Only a person who has signed in makes one, never a key."""
    made = await api_keys.make(asked.actor, asked.core, body.name, body.scopes, days=body.days)
    told = KeyMade(key=made.secret, details=KeyView.model_validate(made.key))
    place = f"/api/v2/api-keys/{made.key.id}"
    return Answer(told, headers={**NEVER_STORED, "Location": place})


@RESOURCE.get("/api-keys/presets", right=Right.ACCOUNT_READ, gives=Presets)
async def presets(asked: Asked) -> Presets:
    """What scopes there are, and which go well together."""
    ready = {name: sorted(scopes) for name, scopes in api_keys.PRESETS.items()}
    return Presets(presets=ready, scopes=sorted(Right))


@RESOURCE.get("/api-keys/<key_id>", right=Right.ACCOUNT_READ, gives=KeyView)
async def show(asked: Asked, key_id: str) -> ApiKey:
    """One key."""
    return await api_keys.one(asked.actor, asked.core, key_id)


@RESOURCE.delete("/api-keys/<key_id>", right=Right.ACCOUNT_WRITE)
async def revoke(asked: Asked, key_id: str) -> Answer:
    """From now on the key is worth nothing."""
    await api_keys.revoke(asked.actor, asked.core, key_id)
    return Answer()
