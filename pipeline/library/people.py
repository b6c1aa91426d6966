"""Grouping the faces of a household into people, after batches of pictures and of decisions.

`catch_up` reads what is to be grouped, works it out in a thread, and writes it back as one change;
whatever stops it, it begins again where it was. Which groups come out depends on the faces and on
what persons decided, never on the order of arrival (see `grouping`).
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import TryLater
from pipeline.library import grouping
from pipeline.library.asking import questions
from pipeline.library.grouping import FREE, Bars, Rules
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.state import people_erasing
from pipeline.state import people_grouping as stored
from pipeline.state.connection import Database
from pipeline.state.people_grouping import Album, GroupedFace, Grouping
from pipeline.vision.faces import similarity

EVENTS = (  # after which there may be something to group
    "file.studied", "file.purged", "people.merged", "people.undone", "people.told-apart",
    "person.named", "person.hidden", "person.cover-chosen", "person.consented", "faces.moved",
)  # fmt: skip
# Fitted to one embedding, by bench/accuracy/people.py: measure anew when that changes.
BARS = Bars(close=0.775, same=similarity.SAME, joins=0.73, doubtful=similarity.DOUBTFUL)
# Pixels of a face's shorter side in the picture that is looked at, or so much of a tiny picture's:
# of 317 strangers in crowds 66 came to wrong groups with faces down to 24, 2 with those from 40 on.
FOUNDING_SIDE, _PORTRAIT = 40.0, 0.4
_REST = 9  # times as long as it worked: grouping takes no more than a tenth of a machine


@dataclass(slots=True)
class Pace:
    """When one who groups again and again may do so next: big libraries are grouped less often."""

    not_before: float = 0.0


async def catch_up(db: Database, clock: Clock, pace: Pace | None = None, bars: Bars = BARS) -> int:
    """Group every face that waits; how many came to another person than before.

    Cheap when nothing waits. Safe to cancel and to repeat. With a `pace`, raises `TryLater` when it
    is too soon after the last time.
    """
    if await db.read(people_erasing.owners_purged):
        await db.write(people_erasing.forget_purged)
    changed = 0
    for owner_id in await db.read(stored.owners_waiting):
        if pace is not None and clock.monotonic() < pace.not_before:
            raise TryLater(
                "Faces are grouped a little later.", after_s=pace.not_before - clock.monotonic()
            )
        began = clock.monotonic()
        changed += await _group(db, clock, owner_id, bars)
        if pace is not None:
            pace.not_before = clock.monotonic() + _REST * (clock.monotonic() - began)
    return changed


def is_small(box: tuple[float, float], picture: tuple[float, float]) -> bool:
    """Is a face too small to found a group? Sides of it and of its picture in pixels."""
    scale = min(1.0, PREVIEW_SIDE / max(*picture, 1.0))
    return min(box) * scale < min(FOUNDING_SIDE, min(picture) * scale * _PORTRAIT)


async def _group(db: Database, clock: Clock, owner_id: str, bars: Bars) -> int:
    while True:
        album = await db.read(stored.album, owner_id)
        found = await asyncio.to_thread(worked_out, album, clock, bars)
        changed = await db.write(stored.record, album, found, timestamp(clock.now()))
        if changed is not None:
            return changed


def worked_out(album: Album, clock: Clock, bars: Bars) -> Grouping:
    """Who is who in an album."""
    faces = sorted(album.faces, key=lambda face: (face.embedder, len(face.embedding), face.content))
    groups: list[list[GroupedFace]] = []
    for _, alike in groupby(faces, key=lambda face: (face.embedder, len(face.embedding))):
        groups += _groups(album, list(alike), bars)
    persons, fresh = _owners(album, groups, clock)
    looks = {face.id: group[0].id for group in groups for face in group}
    return Grouping(persons, looks, fresh, questions(album, persons, looks, bars.doubtful))


def _groups(album: Album, faces: list[GroupedFace], bars: Bars) -> Iterator[list[GroupedFace]]:
    """Groups among what hangs together with the faces that wait, the others stay as they are."""
    vectors = grouping.whole_of([face.embedding for face in faces])
    waiting = [at for at, face in enumerate(faces) if face.is_waiting or album.is_anew]
    reached = grouping.reach(vectors, waiting, bars.same)
    near = [faces[at] for at in reached.tolist()]
    members: defaultdict[int, list[GroupedFace]] = defaultdict(list)
    firsts = grouping.group(vectors[reached], _rules(album, near), bars)
    for face, first in zip(near, firsts.tolist(), strict=True):
        members[first].append(face)
    return iter(members.values())


def _rules(album: Album, faces: Sequence[GroupedFace]) -> Rules:
    people = {person_id: number for number, person_id in enumerate(sorted(album.names))}
    files = {file_id: number for number, file_id in enumerate({face.file_id for face in faces})}
    return Rules(
        known=[
            people[face.person_id] if face.by_person and face.person_id else FREE for face in faces
        ],
        scene=[files[face.file_id] for face in faces],
        barred={
            at: {people[person_id] for person_id in album.excluded[face.id]}
            for at, face in enumerate(faces)
            if face.id in album.excluded
        },
        small=[face.picture is not None and is_small(face.box, face.picture) for face in faces],
    )


def _owners(
    album: Album, groups: Sequence[Sequence[GroupedFace]], clock: Clock
) -> tuple[dict[str, str | None], list[str]]:
    """The person of each face, and which persons are new.

    A group with a face that somebody assigned is that person. Any other keeps the person that most
    of its faces had, if nobody decided about that one; a face alone is nobody.
    """
    free = set(album.names) - album.decided - {id for id, name in album.names.items() if name}
    owners = dict(_heirs(groups, free))
    fresh: list[str] = []
    persons: dict[str, str | None] = {}
    for number, group in enumerate(groups):
        person_id = next((face.person_id for face in group if face.by_person), None)
        if person_id is None and len(group) > 1:
            person_id = owners.get(number)
            if person_id is None:
                person_id = new_id(clock.now())
                fresh.append(person_id)
        persons |= {face.id: face.person_id if face.by_person else person_id for face in group}
    return persons, fresh


def _heirs(groups: Sequence[Sequence[GroupedFace]], free: set[str]) -> Iterator[tuple[int, str]]:
    """Which group goes on as which person: where most of its faces stay, each once."""
    counts: Counter[tuple[int, str]] = Counter(
        (number, face.person_id)
        for number, group in enumerate(groups)
        if len(group) > 1 and not any(face.by_person for face in group)
        for face in group
        if face.person_id in free and face.person_id is not None
    )
    taken: set[int | str] = set()
    for (number, person_id), _ in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        if number not in taken and person_id not in taken:
            taken |= {number, person_id}
            yield number, person_id
