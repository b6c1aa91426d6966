"""Folders that are the family's own: where copies may be put."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import NotAllowed
from pipeline.state import roots

if TYPE_CHECKING:
    from pipeline.core import Core


async def require(core: Core, folder: Path) -> None:
    """Raise `NotAllowed` where Darkroom works itself or promised not to write."""
    watched = [one.root.path for one in await core.db.read(roots.listing)]
    real = await asyncio.to_thread(folder.resolve)
    for ours in (core.home.inbox, *core.own_folders, *watched):
        if real.is_relative_to(await asyncio.to_thread(ours.resolve)):
            raise NotAllowed(
                "Copies go to a folder that Darkroom does not look after.",
                path=folder,
                hint=f"Choose one outside {ours}.",
            )
