"""Access tokens: signed and read with the newest keys, which change by themselves every month."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from pipeline.access import signed
from pipeline.access.rights import Right, require
from pipeline.access.signed import Claims, Keyring
from pipeline.clock import timestamp
from pipeline.errors import IntegrityBroken
from pipeline.events import SigningKeyMade
from pipeline.model import Actor, Surface
from pipeline.service import sealing
from pipeline.state import audit, signing_keys
from pipeline.state.audit import By
from pipeline.state.signing_keys import SigningKey

if TYPE_CHECKING:
    from pipeline.access.vault import Vault
    from pipeline.core import Core

CHANGED_EVERY = timedelta(days=30)
_log = structlog.get_logger(__name__)


async def access_token(core: Core, user_id: str, session_id: str) -> str:
    """A token that says: this is the user in this session, for `accounts.access_minutes`."""
    lifetime = core.settings.accounts.access_minutes * 60
    return signed.sign(await keys(core), user_id, session_id, core.clock.now(), lifetime)


async def keys(core: Core) -> Keyring:
    """The keys to sign with now; the newest is never older than `CHANGED_EVERY`."""
    known = await _keys(core)
    if known is None or known.made_at < timestamp(core.clock.now() - CHANGED_EVERY):
        known = await _change(core, core.household(Surface.SCHEDULE))
    return known


async def claims(core: Core, token: str) -> Claims:
    """What a token says. Raises `NotKnown` for one that is not ours, or not in its time."""
    kid = signed.kid_of(token)
    keys = core.door.keyring
    if kid is None:
        raise signed.refusal()
    if keys is None or kid not in keys.secrets:
        keys = await _load(core)
    if keys is None:
        raise signed.refusal()
    return signed.read(keys, token, core.clock.now())


async def change_key(actor: Actor, core: Core) -> None:
    """Sign with a new key from now on; the one before still proves. Raises `NotAllowed`."""
    require(actor, Right.SETTINGS_WRITE)
    await _change(core, actor)


async def _keys(core: Core) -> Keyring | None:
    return core.door.keyring or await _load(core)


async def _change(core: Core, actor: Actor) -> Keyring:
    now = core.clock.now()
    kid = secrets.token_hex(8)
    sealed = (await sealing.vault(core)).seal(signed.new_secret(), _use(kid))
    await core.db.write(_add, actor, SigningKey(kid, sealed, timestamp(now)), now)
    keys = await _load(core)
    assert keys is not None, "a key was just made"
    core.door.forget()  # what an older key proved is looked at again
    return keys


def _add(con: sqlite3.Connection, actor: Actor, key: SigningKey, now: datetime) -> None:
    signing_keys.add(con, key)
    audit.tell(con, By(actor, timestamp(now)), SigningKeyMade(key.kid))


async def _load(core: Core) -> Keyring | None:
    stored = await core.db.read(signing_keys.listing)
    vault = await sealing.vault(core)
    opened = {key.kid: secret for key in stored if (secret := _opened(vault, key)) is not None}
    newest = next((key for key in stored if key.kid in opened), None)
    core.door.keyring = Keyring(newest.kid, newest.created_at, opened) if newest else None
    return core.door.keyring


def _opened(vault: Vault, key: SigningKey) -> bytes | None:
    try:
        return vault.open(key.secret, _use(key.kid))
    except IntegrityBroken:
        _log.warning("a signing key does not fit the key file; its tokens are no good", kid=key.kid)
        return None


def _use(kid: str) -> str:
    return f"signing:{kid}"
