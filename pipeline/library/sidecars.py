"""XMP sidecars that Darkroom writes beside files of the library, so that other programs read what
it knows.

A new sidecar is placed by the commit protocol; in the place of an older one it is put as any copy
is (`replacing.py`): the older one goes to the trash. Originals are never touched, and everything
that other programs wrote into a sidecar is kept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Conflict, DarkroomError, TooLarge
from pipeline.library import fsops, names, placing, replacing
from pipeline.library.below import Below, opened
from pipeline.library.fsops import Identity
from pipeline.library.planning import Placement, Unit
from pipeline.library.replacing import Replacing
from pipeline.library.trash import Asking
from pipeline.metadata.facts import Region
from pipeline.metadata.write import xmp_sidecar
from pipeline.metadata.write.xmp_sidecar import Face, Said
from pipeline.model import Home, Json, JsonObject, Take
from pipeline.state import roots
from pipeline.state import sidecars as stored
from pipeline.state.connection import Database
from pipeline.state.replacements import Copy
from pipeline.state.sidecars import Beside, Sayable, Written

MIME = "application/rdf+xml"
_LONGEST = 8 << 20
_WORK = "sidecars"  # below the cache


@dataclass(frozen=True, slots=True)
class Plan:
    """A sidecar to be written at `path` below the library, in the place of `older` if there is one.

    `data` is None where it says all there is to say already.
    """

    of: Sayable
    path: str
    data: bytes | None
    older: Beside | None


@dataclass(frozen=True, slots=True)
class Left:
    """Why the sidecar of a file was left as it is."""

    of: Sayable
    error: DarkroomError


def plan(home: Home, files: Sequence[Sayable]) -> list[Plan | Left]:
    """What would be written. Blocks; changes nothing. Files with nothing to say are left out."""
    found = [_planned(home, one) for one in files]
    return [one for one in found if one is not None]


async def write(
    db: Database, clock: Clock, home: Home, plans: Sequence[Plan], asking: Asking, *, days: int
) -> list[Left]:
    """Write the sidecars as part of the job of `asking`; those that could not be, and why."""
    left: list[Left] = []
    made: list[Below] = []
    units: dict[str, tuple[Plan, Unit]] = {}
    try:
        for one in plans:
            if one.data is None:
                continue
            try:
                made.append(await asyncio.to_thread(_work_file, home, one.data, clock))
                if one.older is not None:
                    await _replace(db, clock, home, one, made[-1], asking, days)
                else:
                    unit = await _begun(db, clock, home, one, made[-1], asking)
                    units[unit.members[0].file_id] = (one, unit)
            except DarkroomError as error:
                left.append(Left(one.of, error))
        units_only = [unit for _, unit in units.values()]
        for result in await placing.commit(db, clock, home, units_only, actor=asking.actor):
            if isinstance(result, placing.Failed):
                at, told = timestamp(clock.now()), result.error
                await db.write(stored.give_up, result.file_id, told.message, at)
                left.append(Left(units[result.file_id][0].of, told))
    finally:
        await asyncio.to_thread(_drop_all, made)
    return left


async def resume(db: Database, clock: Clock, home: Home) -> None:
    """Forget, at a start, the new sidecars that a crash left without a place; they are made anew by
    the next run. Those that were to take an older one's place: see `replacing.resume`."""
    await db.write(stored.give_up_unfinished, timestamp(clock.now()))
    await asyncio.to_thread(fsops.remove_trees, [home.cache / _WORK])


# --- planning ----------------------------------------------------------------------------------


def _planned(home: Home, of: Sayable) -> Plan | Left | None:
    path = f"{of.path}.xmp"
    older = _at(of, path)
    said = _said(of)
    if said.is_nothing and older is None:
        return None
    try:
        base = older or _at(of, str(PurePosixPath(of.path).with_suffix(".xmp")))
        before = _bytes(home, base) if base is not None else None
        data = xmp_sidecar.rendered(said, before)
        if older is None and data != before and fsops.is_taken(Below(home.library, path)):
            message = "A file that Darkroom does not know lies where the sidecar would go."
            return Left(of, Conflict(message, path=home.library / path))
    except DarkroomError as error:
        return Left(of, error)
    return Plan(of, path, None if data == before else data, older)


def _at(of: Sayable, path: str) -> Beside | None:
    return next((one for one in of.beside if names.key(one.path) == names.key(path)), None)


def _bytes(home: Home, sidecar: Beside) -> bytes:
    place = Below(home.library, sidecar.path)
    with opened(place) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise TooLarge("This sidecar is larger than any program writes.", path=place.path)
    return data


def _said(of: Sayable) -> Said:
    return Said(
        tags=of.tags,
        people=of.people,
        faces=_faces(of),
        rating=of.rating,
        width=of.width,
        height=of.height,
        edited=_edited(of.said),
    )


def _edited(said: JsonObject) -> dict[str, str | None]:
    told: dict[str, Json] = {
        field: said[field][field] for field in ("title", "description", "taken_at") if field in said
    }
    if "position" in said:
        lat, lon = said["position"]["lat"], said["position"]["lon"]
        told["position"] = None if lat is None or lon is None else (lat, lon)
    return xmp_sidecar.edited(**told)


def _faces(of: Sayable) -> tuple[Face, ...]:
    """Faces that Darkroom knows, and those that the file names where Darkroom knows none."""
    seen = [
        Face(one.name, box.x, box.y, box.w, box.h)
        for one in of.faces
        for box in [xmp_sidecar.upright(one.x, one.y, one.w, one.h, of.orientation)]
    ]
    told = (Region(**region) for region in of.regions)
    said = [Face(r.name, r.x, r.y, r.w, r.h) for r in told if r.kind == "Face" and r.w and r.h]
    known = {one.name for one in seen}
    return (*seen, *(one for one in said if one.name not in known))


# --- writing -----------------------------------------------------------------------------------


def _work_file(home: Home, data: bytes, clock: Clock) -> Below:
    place = Below(home.cache, f"{_WORK}/{new_id(clock.now())}.xmp")
    fsops.write_new(place, data)
    return place


def _drop_all(made: Sequence[Below]) -> None:
    for place in made:
        fsops.remove_own_file(place)


async def _begun(
    db: Database, clock: Clock, home: Home, one: Plan, made: Below, asking: Asking
) -> Unit:
    digest, identity = await asyncio.to_thread(fsops.hash_file, made)
    written = Written(digest, identity.size, identity.mtime_ns, identity.inode)
    sidecar_id = await db.write(stored.begin, one.of, written, asking.job or "", clock)
    known = await db.read(roots.listing)
    path = await asyncio.to_thread(home.library.resolve)
    library = next(each.root for each in known if each.root.path == path)
    (target,) = names.around([one.path])
    return Unit((Placement(sidecar_id, made, library, identity, digest, target, Take.COPY),))


async def _replace(  # noqa: PLR0913, PLR0917 - where everything is, and who asks
    db: Database, clock: Clock, home: Home, one: Plan, made: Below, asking: Asking, days: int
) -> None:
    assert one.older is not None, "there is something to replace"
    digest, identity = await asyncio.to_thread(fsops.hash_file, made)
    wanted = Replacing(one.older.id, None, made, _copy(digest, identity), ".xmp")
    await replacing.replace_file(db, clock, home, wanted, asking, days=days)


def _copy(digest: str, identity: Identity) -> Copy:
    size, mtime_ns, inode = identity.size, identity.mtime_ns, identity.inode
    return Copy(digest, "xmp", "sidecar", MIME, size, mtime_ns, inode, None, None)
