"""The settings for people: each with its explanation, where it comes from, and another value.

What is changed here is stored in the state and counts from the next start on. `darkroom.toml` and
the environment win over it: what they say is refused here, so that nobody wonders.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.settings import Settings, SettingsError, checked
from pipeline.access.rights import Right, require
from pipeline.clock import timestamp
from pipeline.errors import Conflict, Invalid, NotFound
from pipeline.events import SettingChanged
from pipeline.model import Actor, Json
from pipeline.state import audit, settings
from pipeline.state.audit import By

if TYPE_CHECKING:
    from pipeline.core import Core

PREFIX = "setting."
DATABASE = "darkroom.sqlite"
_FIXED = ("places.",)  # where the state itself lies cannot stand in the state
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `pending` is the stored value that counts from the next start on.

    `source` is environment, darkroom.toml, stored or default; `is_fixed`: only the file and the
    environment can say it.
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


def stored_at(home: Path, first: Settings) -> dict[str, Json]:
    """What is stored in the state of a home that is not open yet."""
    return settings.peek((home / first.places.state / DATABASE).absolute(), PREFIX)


async def listing(actor: Actor, core: Core) -> list[Setting]:
    """Every setting."""
    require(actor, Right.SETTINGS_READ)
    stored = await core.db.read(settings.below, PREFIX)
    return list(_told(core.settings, stored))


async def get(actor: Actor, core: Core, name: str) -> Setting:
    """One setting. Raises `NotFound`."""
    found = [one for one in await listing(actor, core) if one.name == name]
    if not found:
        raise NotFound(f"There is no setting {name!r}.")
    return found[0]


async def put(actor: Actor, core: Core, name: str, value: Json) -> Setting:
    """Store another value; it counts from the next start on.

    Raises `NotFound`, `Invalid` for a value that makes no sense, `Conflict` where `darkroom.toml`
    or the environment say it.
    """
    require(actor, Right.SETTINGS_WRITE)
    await _changeable(actor, core, name)
    try:
        checked(core.settings, name, value)
    except SettingsError as error:
        raise Invalid(f"{error}.") from error

    def write(con: sqlite3.Connection) -> None:
        before = settings.get(con, PREFIX + name)
        settings.put(con, PREFIX + name, value)
        _tell(con, actor, core, name, before, value)

    await core.db.write(write)
    return await get(actor, core, name)


async def reset(actor: Actor, core: Core, name: str) -> Setting:
    """Forget the stored value. Raises `NotFound`."""
    require(actor, Right.SETTINGS_WRITE)
    await get(actor, core, name)

    def write(con: sqlite3.Connection) -> None:
        before = settings.get(con, PREFIX + name)
        settings.remove(con, PREFIX + name)
        _tell(con, actor, core, name, before, None)

    await core.db.write(write)
    return await get(actor, core, name)


async def _changeable(actor: Actor, core: Core, name: str) -> None:
    found = await get(actor, core, name)
    if found.is_secret or found.is_fixed:
        raise Conflict(f"{name} can only be set in darkroom.toml or in the environment.")
    if found.source in ("darkroom.toml", "environment"):
        raise Conflict(f"{name} is set by {found.source}; change it there.")


def _tell(
    con: sqlite3.Connection, actor: Actor, core: Core, name: str, before: Json, after: Json
) -> None:
    by = By(actor, timestamp(core.clock.now()))
    audit.tell(con, by, SettingChanged(name), before={"value": before}, after={"value": after})


# --- telling -----------------------------------------------------------------------------------


def _told(now: Settings, stored: dict[str, Json]) -> Iterator[Setting]:
    fresh = Settings()
    values, defaults = now.model_dump(mode="json"), fresh.model_dump(mode="json")
    for section, field in Settings.model_fields.items():
        inside = field.annotation
        if not (isinstance(inside, type) and issubclass(inside, BaseModel)):
            value, default = values[section], defaults[section]
            yield _setting(section, field, value, default, now.source_of(section), stored)
            continue
        for key, one in inside.model_fields.items():
            name = f"{section}.{key}"
            value, default = values[section][key], defaults[section][key]
            yield _setting(name, one, value, default, now.source_of(name), stored)


def _setting(
    name: str,
    field: FieldInfo,
    value: Json,
    default: Json,
    source: str,
    stored: dict[str, Json],
) -> Setting:
    is_secret = _holds_secret(field)
    is_pending = name in stored and stored[name] != value
    return Setting(
        name=name,
        value=_shown(value) if is_secret else value,
        default=_shown(default) if is_secret else default,
        explanation=field.description or "",
        source=source,
        is_secret=is_secret,
        is_fixed=name.startswith(_FIXED),
        needs_restart=True,
        pending=stored.get(name) if is_pending else None,
        is_pending=is_pending,
    )


def _holds_secret(field: FieldInfo) -> bool:
    """Also somewhere inside, as in a list of login providers."""
    return "SecretStr" in str(field.annotation) or any(
        _holds_secret(one) for inside in _models(field.annotation) for one in inside.values()
    )


def _models(annotation: object) -> Iterator[dict[str, FieldInfo]]:
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield dict(one.model_fields)


def _shown(secret: object) -> str | None:
    """Whether there is one is all that is told of a secret."""
    return _HIDDEN if secret else None
