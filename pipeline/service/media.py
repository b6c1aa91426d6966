"""The bytes that surfaces show: originals and what was made of them, opened safely.

A path is never taken from who asks: it comes from the state, below the library or the cache, and no
link on the way is followed.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.errors import NotFound
from pipeline.library import below
from pipeline.library.below import Below
from pipeline.metadata.facts import Facts
from pipeline.model import Actor, BundleRole, FileState
from pipeline.service import files
from pipeline.state import derivatives
from pipeline.state import files as stored
from pipeline.state.derivatives import Derived
from pipeline.state.files import FileRow

if TYPE_CHECKING:
    from pipeline.core import Core

_STORED = (FileState.PLACED, FileState.DONE)


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes to be shown: where they lie, what they are, and a version that changes with them."""

    place: Below
    mime: str
    size: int
    version: str
    name: str  # under which a person would save it
    offset: int = 0  # where it begins in what lies there


async def original(actor: Actor, core: Core, file_id: str) -> Media:
    """The file itself. Raises `NotFound` where it is not in the library now."""
    row = await files.one(actor, core, file_id)
    if row.path is None or row.state not in _STORED:
        raise NotFound("This file does not lie in the library now.", hint=row.reason or "")
    name = PurePosixPath(row.path).name
    mime = row.mime or "application/octet-stream"
    place = Below(core.home.library, row.path)
    return Media(place, mime, row.size, row.sha256 or row.updated_at, name)


async def made(actor: Actor, core: Core, file_id: str) -> list[Derived]:
    """What was made of the file: thumbnail, preview, clip ..."""
    return (await _made(actor, core, file_id))[1]


async def derivative(actor: Actor, core: Core, file_id: str, kind: str) -> Media:
    """One derivative of the file. Raises `NotFound` where there is none of this kind."""
    row, all_of_them = await _made(actor, core, file_id)
    found = [one for one in all_of_them if one.kind == kind]
    if not found:
        raise NotFound(f"There is no {kind} of this file.")
    one = found[0]
    place = Below(core.home.cache, one.path)
    return Media(place, one.mime, one.bytes, f"{row.sha256}-{kind}-{one.version}", _name(row, one))


async def moving(actor: Actor, core: Core, file_id: str) -> Media:
    """The film of a Live Photo or a motion photo. Raises `NotFound` where there is none."""
    row = await files.one(actor, core, file_id)
    inside = Facts.from_json(await files.facts(actor, core, row.id)).motion
    if inside is not None and inside.offset + inside.length <= row.size:
        whole = await original(actor, core, row.id)
        name = f"{PurePosixPath(whole.name).stem}.mp4"
        version = f"{whole.version}-motion"
        return Media(whole.place, "video/mp4", inside.length, version, name, inside.offset)
    beside = await core.db.read(stored.in_bundle, actor.library_id, row.bundle_id or "")
    films = [one for one in beside if one.bundle_role is BundleRole.LIVE_VIDEO]
    if not films or films[0].id == row.id:
        raise NotFound("This picture does not move.")
    kinds = {one.kind for one in await made(actor, core, films[0].id)}
    if "proxy" in kinds:
        return await derivative(actor, core, films[0].id, "proxy")
    return await original(actor, core, films[0].id)


async def _made(actor: Actor, core: Core, name: str) -> tuple[FileRow, list[Derived]]:
    """A file and what was made of it. Raises `NotFound`."""

    def look(con: sqlite3.Connection) -> tuple[FileRow, list[Derived]]:
        row = files.named(con, actor.library_id, name, f"{core.home.library}/")
        return row, [] if row.sha256 is None else derivatives.of(con, row.sha256)

    return await core.db.read(look)


async def read(media: Media, start: int, length: int) -> bytes:
    """`length` bytes from `start`, off the loop."""
    return await asyncio.to_thread(_read, media, start, length)


def _read(media: Media, start: int, length: int) -> bytes:
    with below.opened(media.place) as descriptor:
        return os.pread(descriptor, length, media.offset + start)


def _name(row: FileRow, one: Derived) -> str:
    stem = PurePosixPath(row.path or row.source_path).stem
    return f"{stem}-{one.kind}{PurePosixPath(one.path).suffix}"
