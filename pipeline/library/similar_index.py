"""The hashes of all living pictures in memory, by owner, and the candidates they give.

Rebuilt from the state at start, about 73 bytes a picture. Flat pictures are left out: their hashes
mean nothing and would crowd. Mirrored and turned copies are found without their pixels.
"""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.codecs import phash
from pipeline.library.hamming import HammingIndex, Matches
from pipeline.state import events, signatures
from pipeline.state.signatures import Shot

RADIUS = 10  # bits; unrelated photographs differ in 16 or more, copies rarely in more than 7
TURNED_RADIUS = 4  # mirrored or turned copies must be closer: seven more chances to be wrong
_MOST_CANDIDATES = 256  # the nearest of a crowd


class SimilarIndex:
    """Hashes of all living pictures, by owner. Used by one task at a time."""

    def __init__(self) -> None:
        self._owners: dict[str, _Owned] = {}
        self.lock = asyncio.Lock()
        self.loaded_seq: int | None = None  # events up to here are in the index already

    def __len__(self) -> int:
        return sum(len(owned.hashes) for owned in self._owners.values())

    @property
    def nbytes(self) -> int:
        """Memory held: about 73 bytes a picture."""
        return sum(o.hashes.nbytes + len(o.ids) * 8 for o in self._owners.values())

    def load(self, con: sqlite3.Connection) -> None:
        """Read every hash of the state; flat pictures are left out, their hashes mean nothing."""
        self._owners.clear()
        self.loaded_seq = events.latest_seq(con)
        waiting: dict[str, tuple[list[str], array[int]]] = {}
        for row in signatures.hashes(con):
            if phash.is_flat(row.head):
                continue
            ids, hashes = waiting.setdefault(row.owner_id, ([], array("q")))
            ids.append(row.file_id)
            hashes.append(row.phash)
            if len(ids) == 1 << 14:
                self._owned(row.owner_id).add(*waiting.pop(row.owner_id))
        for owner_id, (ids, hashes) in waiting.items():
            self._owned(owner_id).add(ids, hashes)

    def add(self, shots: Sequence[Shot]) -> None:
        """Take in pictures that came since; flat ones are left out."""
        for shot in shots:
            if not phash.is_flat(shot.detail):
                self._owned(shot.owner_id).add([shot.file_id], array("q", [shot.phash]))

    def near(self, shots: Sequence[Shot]) -> dict[str, dict[str, int]]:
        """For each picture its nearest candidates, and the orientation 1..8 they were found in."""
        by_owner: dict[str, list[Shot]] = {}
        for shot in shots:
            if shot.owner_id in self._owners and not phash.is_flat(shot.detail):
                by_owner.setdefault(shot.owner_id, []).append(shot)
        return {
            file_id: candidates
            for owner_id, theirs in by_owner.items()
            for file_id, candidates in self._owners[owner_id].near(theirs).items()
        }

    def _owned(self, owner_id: str) -> _Owned:
        return self._owners.setdefault(owner_id, _Owned())


class _Owned:
    """One owner's hashes; ids lie as two numbers each, because a million texts would be 90 MB."""

    def __init__(self) -> None:
        self.hashes = HammingIndex()
        self.ids = array("Q")

    def add(self, ids: Sequence[str], hashes: array[int]) -> None:
        for file_id in ids:
            number = uuid.UUID(file_id).int
            self.ids.append(number >> 64)
            self.ids.append(number & (1 << 64) - 1)
        self.hashes.add(np.array(hashes, np.int64))

    def near(self, shots: Sequence[Shot]) -> dict[str, dict[str, int]]:
        turned = np.array([phash.orientations(shot.phash) for shot in shots], np.int64)
        found: list[list[tuple[int, int, int]]] = [[] for _ in shots]  # bits, orientation, position
        upright = self.hashes.within(turned[:, 0], RADIUS)
        for n, position, bits in _rows(upright):
            found[n].append((bits, 1, position))
        for n, position, bits in _rows(self.hashes.within(turned[:, 1:].ravel(), TURNED_RADIUS)):
            found[n // 7].append((bits, n % 7 + 2, position))
        return {
            shot.file_id: self._nearest(candidates, shot.file_id)
            for shot, candidates in zip(shots, found, strict=True)
        }

    def _nearest(self, found: list[tuple[int, int, int]], but: str) -> dict[str, int]:
        nearest: dict[str, int] = {}
        for _bits, orientation, position in sorted(found):
            file_id = self._id(position)
            if file_id != but:
                nearest[file_id] = min(orientation, nearest.get(file_id, orientation))
            if len(nearest) == _MOST_CANDIDATES:
                break
        return nearest

    def _id(self, position: int) -> str:
        high, low = self.ids[2 * position], self.ids[2 * position + 1]
        return str(uuid.UUID(int=high << 64 | low))


def _rows(matches: Matches) -> Iterable[tuple[int, int, int]]:
    columns = (matches.query, matches.position, matches.distance)
    return zip(*(column.tolist() for column in columns), strict=True)
