"""The key file of a home: made at the first need, read once, its owner's alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from pipeline.access.vault import KEY_BYTES, Vault, new_key
from pipeline.errors import IntegrityBroken
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.model import Home

if TYPE_CHECKING:
    from pipeline.core import Core

FILE = "vault.key"
_NEW = "vault.key.new"
_log = structlog.get_logger(__name__)


async def vault(core: Core) -> Vault:
    """What seals and opens the secrets of this home."""
    if core.door.vault is None:
        core.door.vault = await asyncio.to_thread(_read_or_make, core.home)
    return core.door.vault


def _read_or_make(home: Home) -> Vault:
    path = home.state / FILE
    if not path.exists():
        _make(home)
    if path.stat().st_mode & 0o077:
        _log.warning("others could read the key file; its rights were mended", file=str(path))
        path.chmod(0o600)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise IntegrityBroken("The key file is damaged.", path=path, hint="Restore it.")
    return Vault(key)


def _make(home: Home) -> None:
    """Whole or not at all, also in a power cut: what is sealed with half a key is lost."""
    new = Below(home.state, _NEW)
    fsops.remove_own_file(new)
    fsops.write_new(new, new_key())
    new.path.chmod(0o600)
    fsops.replace_file(new, Below(home.state, FILE))
