"""The nearest of many vectors, in milliseconds: faces like this one, photos like this one.

Every vector is turned by one fixed random rotation, which changes no cosine and spreads what it
says evenly over its numbers. It lies here twice: whole, in 16 bits a number, and as a code of half
a kilobyte. The code counts, for each number, how many of a few thresholds it is above, one bit
each; the bits in which two codes differ are then about the distance of the vectors, and are counted
many times faster than these could be multiplied. The nearest by code are compared exactly. Memory
for n numbers: 2 n bytes and 512; what that finds and costs is measured by `bench/people.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CODE_BITS = 4096
_LEAST_LEVELS = 3
_COMPARED = 2048  # exactly: the nearest by code
_FEW = 2 * _COMPARED  # so many are compared exactly altogether
_SAMPLE = 4096
_OUTGROWN = 4  # times as many vectors as the thresholds were made for: make them anew
_BLOCK = 4096
_WHOLE = 32_767  # 1.0 in 16 bits
_MIXED = 256  # numbers that one part of the rotation mixes
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Match:
    """One that was found, and its cosine to what was asked."""

    id: str
    similarity: float


class Index:
    """Vectors of one kind by id, for one task at a time."""

    def __init__(self, dims: int) -> None:
        self._dims = dims
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._rotation = _Rotation(dims)
        self._rows: NDArray[np.int16] = np.empty((0, dims), np.int16)
        self._codes = _Codes(dims)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def nbytes(self) -> int:
        """Memory held by vectors and codes."""
        return self._rows.nbytes + self._codes.nbytes

    def add(self, ids: Sequence[str], vectors: NDArray[Any]) -> None:
        """Take in vectors, row by row, of any length but zero; a known id gets the new one."""
        rows = np.rint(self._rotation.turned(_unit(vectors)) * _WHOLE).astype(np.int16)
        known = [at for at, id in enumerate(ids) if id in self._places]
        for at in known:
            place = self._places[ids[at]]
            self._rows[place] = rows[at]
            self._codes.forget_from(place)
        fresh = [at for at, id in enumerate(ids) if id not in self._places]
        self._room_for(len(self._ids) + len(fresh))
        for at in fresh:
            if ids[at] in self._places:  # twice in one call: the last one counts
                self._rows[self._places[ids[at]]] = rows[at]
                continue
            self._places[ids[at]] = len(self._ids)
            self._rows[len(self._ids)] = rows[at]
            self._ids.append(ids[at])

    def remove(self, ids: Iterable[str]) -> None:
        """Forget vectors; one that is not here is no mistake."""
        for id in ids:
            place = self._places.pop(id, None)
            if place is None:
                continue
            last = self._ids.pop()
            if last != id:  # the last one takes the free place
                self._ids[place] = last
                self._places[last] = place
                self._rows[place] = self._rows[len(self._ids)]
            self._codes.moved(len(self._ids), place)

    def search(self, vector: NDArray[Any], k: int, but: Collection[str] = ()) -> list[Match]:
        """The `k` nearest, nearest first, without those in `but`."""
        count = len(self._ids)
        if count == 0 or k < 1:
            return []
        asked = self._rotation.turned(_unit(np.asarray(vector)[None]))[0]
        places = np.sort(self._candidates(asked, k + len(but)))
        similar = self._rows[places].astype(np.float32) @ asked / _WHOLE
        order = np.lexsort((places, -similar))
        found = ((self._ids[places[at]], float(similar[at])) for at in order)
        wanted = (Match(id, round(one, 6)) for id, one in found if id not in but)
        return list(itertools.islice(wanted, k))

    def _candidates(self, asked: Rows, wanted: int) -> NDArray[np.int64]:
        """Places of those that may be among the nearest."""
        count = len(self._ids)
        most = max(_COMPARED, 2 * wanted)
        if count <= max(_FEW, most):
            return np.arange(count)
        differing = self._codes.differing(self._rows[:count], asked)
        return np.argpartition(differing, most)[:most]

    def _room_for(self, count: int) -> None:
        if count > len(self._rows):
            grown = np.empty((max(count, len(self._rows) * 5 // 4), self._dims), np.int16)
            grown[: len(self._ids)] = self._rows[: len(self._ids)]
            self._rows = grown


class _Codes:
    """Codes of the first so many rows of an index; the others are coded when they are needed."""

    def __init__(self, dims: int) -> None:
        self._levels = max(_LEAST_LEVELS, _CODE_BITS // dims)
        self._thresholds: Rows = np.empty((0, dims), np.float32)
        self._made_for = 0  # rows there were when the thresholds were made
        self._coded = 0
        self._codes: NDArray[np.uint8] = np.empty((0, self._levels * -(-dims // 8)), np.uint8)

    @property
    def nbytes(self) -> int:
        return self._codes.nbytes

    def forget_from(self, place: int) -> None:
        """Row `place` is another one now; those behind it are coded again, too."""
        self._coded = min(self._coded, place)

    def moved(self, last: int, place: int) -> None:
        """The row that was `last` lies at `place` now."""
        if last < self._coded:
            self._codes[place] = self._codes[last]
        elif place < self._coded:
            self.forget_from(place)
        self._coded = min(self._coded, last)

    def differing(self, rows: NDArray[np.int16], asked: Rows) -> NDArray[np.int32]:
        """In how many bits the code of each row differs from that of `asked`."""
        import cv2

        self._catch_up(rows)
        code = self._code(asked[None] * _WHOLE)
        counts, _ = cv2.batchDistance(
            self._codes[: len(rows)], code, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=1
        )
        return np.asarray(counts[:, 0], np.int32)

    def _catch_up(self, rows: NDArray[np.int16]) -> None:
        if len(rows) > self._made_for * _OUTGROWN:
            step = -(-len(rows) // _SAMPLE)
            shares = np.arange(1, self._levels + 1) / (self._levels + 1)
            sample = rows[::step].astype(np.float32)
            self._thresholds = np.quantile(sample, shares, axis=0).astype(np.float32)
            self._made_for, self._coded = len(rows), 0
        if len(rows) > len(self._codes):
            grown = np.empty(
                (max(len(rows), len(self._codes) * 5 // 4), self._codes.shape[1]), np.uint8
            )
            grown[: self._coded] = self._codes[: self._coded]
            self._codes = grown
        for start in range(self._coded, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK].astype(np.float32)
            self._codes[start : start + len(block)] = self._code(block)
        self._coded = len(rows)

    def _code(self, rows: Rows) -> NDArray[np.uint8]:
        return np.concatenate(
            [np.packbits(rows > threshold, axis=1) for threshold in self._thresholds], axis=1
        )


class _Rotation:
    """A fixed random rotation, in two rounds of small ones, so that turning costs little."""

    def __init__(self, dims: int) -> None:
        random = np.random.default_rng(dims)
        self._rounds = []
        for _ in range(2):
            order = random.permutation(dims)
            parts = np.array_split(order, -(-dims // _MIXED))
            self._rounds.append(
                (order, [_orthogonal(random, len(part)) for part in parts], [p.size for p in parts])
            )

    def turned(self, rows: Rows) -> Rows:
        for order, parts, sizes in self._rounds:
            pieces = np.split(rows[:, order], np.cumsum(sizes)[:-1], axis=1)
            rows = np.concatenate([p @ part for p, part in zip(pieces, parts, strict=True)], axis=1)
        return rows


def _orthogonal(random: np.random.Generator, size: int) -> Rows:
    return np.linalg.qr(random.standard_normal((size, size)))[0].astype(np.float32)


def _unit(vectors: NDArray[Any]) -> Rows:
    rows = np.nan_to_num(np.asarray(vectors, np.float32), posinf=0.0, neginf=0.0)
    unit: Rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit
