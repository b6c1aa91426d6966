"""Settings: every one with its explanation, its default, and where it comes from."""

from __future__ import annotations

from pipeline.access.rights import Right
from pipeline.model import Json
from pipeline.service import configuring
from web.contract import Asked, Given, Resource, Taken

RESOURCE = Resource(
    "settings", "The environment wins over darkroom.toml, that over what is stored."
)


class SettingView(Given):
    """One setting. `pending` is stored and counts from the next start on; secrets are `***`.

    `source` is environment, darkroom.toml, stored or default; `is_fixed`: cannot be stored.
    """

    name: str
    value: Json
    default: Json
    explanation: str
    source: str
    is_secret: bool
    is_fixed: bool
    needs_restart: bool
    pending: Json
    is_pending: bool


class SettingList(Given):
    """All settings, by section."""

    items: list[SettingView]


class NewValue(Taken):
    """Another value, of the kind that the setting has."""

    value: Json


@RESOURCE.get("/settings", right=Right.SETTINGS_READ, gives=SettingList)
async def listing(asked: Asked) -> SettingList:
    """Every setting."""
    found = await configuring.listing(asked.actor, asked.core)
    return SettingList(items=[SettingView.model_validate(one) for one in found])


@RESOURCE.get("/settings/<name>", right=Right.SETTINGS_READ, gives=SettingView)
async def show(asked: Asked, name: str) -> SettingView:
    """One setting, by its dotted name."""
    return SettingView.model_validate(await configuring.get(asked.actor, asked.core, name))


@RESOURCE.put("/settings/<name>", right=Right.SETTINGS_WRITE, takes=NewValue, gives=SettingView)
async def put(asked: Asked, name: str, body: NewValue) -> SettingView:
    """Store another value, from the next start on. 409 where the file or the environment say it."""
    told = await configuring.put(asked.actor, asked.core, name, body.value)
    return SettingView.model_validate(told)


@RESOURCE.delete("/settings/<name>", right=Right.SETTINGS_WRITE, gives=SettingView, status=200)
async def reset(asked: Asked, name: str) -> SettingView:
    """Forget the stored value."""
    return SettingView.model_validate(await configuring.reset(asked.actor, asked.core, name))
