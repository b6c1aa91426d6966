"""Look-alikes: which pictures may be the same shot. Suggestions only, nothing is ever removed.

Candidates come from the hash index, an exact search; `same_shot` decides. `catch_up` is a durable
receiver of `file.studied`: what it found and how far it came is one change, so no file is missed
and none is suggested twice, whatever stops it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from pipeline.clock import Clock, timestamp
from pipeline.codecs import phash
from pipeline.library.moment import Moment, is_dated, relation
from pipeline.library.same_shot import could_be, is_same_shot
from pipeline.library.similar_index import SimilarIndex
from pipeline.state import duplicates, signatures
from pipeline.state.connection import Database
from pipeline.state.duplicates import Pair
from pipeline.state.signatures import Shot

_BATCH = 64
_MOST_CLOSE = 4
_MOST_LOOKS = 16  # at the nearest candidates; the rest of a crowd is linked through these
_MOST_TOGETHER = 8  # files of the very same moment that are looked at whatever their hashes


async def catch_up(db: Database, clock: Clock, index: SimilarIndex) -> int:
    """Study every file recorded since the last time; how many new suggestions that made.

    Loads the index when it is not. Cheap when there is nothing new: call it after batches of
    recordings and before a run is called finished. Safe to cancel and to repeat.
    """
    async with index.lock:
        if index.loaded_seq is None:
            await db.read(index.load)
        made = 0
        while (found := await db.read(_next, index)) is not None:
            made += await db.write(_record, *found, timestamp(clock.now()))
        return made


def study_batch(
    con: sqlite3.Connection, index: SimilarIndex, file_ids: Sequence[str]
) -> list[Pair]:
    """The pairs that these files, new to the index, make with all in it and with each other."""
    index.add(list(signatures.shots(con, file_ids).values()))
    return suggestions(con, index, file_ids)


def suggestions(
    con: sqlite3.Connection, index: SimilarIndex, file_ids: Sequence[str]
) -> list[Pair]:
    """Every picture in the index that may be the same shot as one of these. Reading only."""
    shots = signatures.shots(con, file_ids)
    near = index.near(list(shots.values()))
    for shot in shots.values():
        if is_dated(shot):
            for other_id in signatures.taken_together(con, shot.file_id, _MOST_TOGETHER):
                near.setdefault(shot.file_id, {}).setdefault(other_id, 1)
    worth = _worth_a_look(con, shots, near)
    others = signatures.shots(con, {other_id for _, other_id, _ in worth})
    return [
        Pair(file_id, other_id, _distance(shots[file_id], others[other_id], orientation))
        for file_id, other_id, orientation in worth
        if is_same_shot(shots[file_id], others[other_id], orientation)
    ]


def _worth_a_look(
    con: sqlite3.Connection, shots: Mapping[str, Shot], near: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, str, int]]:
    """(file, other, orientation) of the nearest candidates whose clocks do not speak against it."""
    others = signatures.shots(con, {i for found in near.values() for i in found}, detailed=False)
    return [
        (file_id, other_id, found[other_id])
        for file_id, found in near.items()
        for other_id in _chosen(shots[file_id], [others[i] for i in found if i in others])
    ]


def _chosen(shot: Shot, others: Sequence[Shot]) -> list[str]:
    """The first of `others` to look at. Of a burst in one second only a few: it is not copies."""
    possible = [(other.file_id, relation(shot, other)) for other in others if could_be(shot, other)]
    copies = [file_id for file_id, moment in possible if moment is not Moment.CLOSE]
    close = [file_id for file_id, moment in possible if moment is Moment.CLOSE]
    return copies[:_MOST_LOOKS] + close[:_MOST_CLOSE]


def _distance(one: Shot, other: Shot, orientation: int) -> int:
    return phash.distance(phash.orientations(one.phash)[orientation - 1], other.phash)


def _next(con: sqlite3.Connection, index: SimilarIndex) -> tuple[list[Pair], int] | None:
    """Study the files of the next events; the pairs, and the last event's number."""
    batch = signatures.studied_after(con, signatures.studied_until(con), _BATCH)
    if not batch:
        return None
    loaded = index.loaded_seq or 0
    index.loaded_seq = max(loaded, batch[-1][0])
    pairs = suggestions(con, index, [file_id for seq, file_id in batch if seq <= loaded])
    pairs += study_batch(con, index, [file_id for seq, file_id in batch if seq > loaded])
    return pairs, batch[-1][0]


def _record(con: sqlite3.Connection, pairs: list[Pair], seq: int, at: str) -> int:
    signatures.note_studied(con, seq, at)
    return len(duplicates.add_similar(con, pairs, at))
