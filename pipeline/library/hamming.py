"""All 64-bit hashes within a radius of a hash, exactly, among millions, in memory.

Multi-index hashing (Norouzi, Punjani, Fleet 2012): the hash is cut into four bands of 16 bits, and
if two hashes differ in at most r bits, some band differs in at most r // 4 of its own. Each band
keeps the hashes in the order of its value, so a bucket is a slice. About 57 bytes per hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BANDS = 4
BITS = 64 // BANDS
_VALUES = 1 << BITS
_MAX_RADIUS = 15  # beyond, the bands choose so little that comparing with all is as quick
_FRESH_MIN = 4096  # hashes kept unsorted before they are merged: at least this, or 1/64 of all
_QUERIES = 64  # asked in one step
_CANDIDATES = 1 << 18  # compared in one step: about 10 MB, unless one query has more


@dataclass(frozen=True, slots=True)
class Matches:
    """Parallel arrays: query number, position of the hash found, distance; by query, position."""

    query: NDArray[np.int64]
    position: NDArray[np.int64]
    distance: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Band:
    """One band: where the bucket of each value starts, and the hashes in that order."""

    starts: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    positions: NDArray[np.uint32]


class HammingIndex:
    """Hashes by position 0, 1, 2 ... in the order they were added. Not for several threads."""

    def __init__(self) -> None:
        self._hashes = np.empty(_FRESH_MIN, np.uint64)
        self._size = 0
        self._sorted = 0
        self._bands: list[_Band] = []

    def __len__(self) -> int:
        return self._size

    @property
    def nbytes(self) -> int:
        """Memory held by the arrays."""
        held = (a.nbytes for b in self._bands for a in (b.starts, b.hashes, b.positions))
        return self._hashes.nbytes + sum(held)

    def add(self, hashes: ArrayLike) -> range:
        """Append hashes (signed or unsigned 64-bit); the positions they got."""
        new = _unsigned(hashes)
        first, self._size = self._size, self._size + new.size
        if self._size > self._hashes.size:
            room = max(self._size, self._hashes.size * 3 // 2)
            self._hashes = np.concatenate([self._hashes[:first], np.empty(room - first, np.uint64)])
        self._hashes[first : self._size] = new
        if self._size - self._sorted > max(_FRESH_MIN, self._size // 64):
            self._merge()
        return range(first, self._size)

    def within(self, hashes: ArrayLike, radius: int) -> Matches:
        """Every stored hash at most `radius` (0..15) bits from each of `hashes`."""
        if not 0 <= radius <= _MAX_RADIUS:
            raise ValueError(f"radius {radius} is not in 0..{_MAX_RADIUS}")
        queries = _unsigned(hashes)
        fresh = self._hashes[self._sorted : self._size]
        found = _every(queries, fresh, self._sorted, radius)
        for block in range(0, queries.size if self._bands else 0, _QUERIES):
            few = queries[block : block + _QUERIES]
            for number in range(BANDS):
                found += _in_band(self._bands[number], number, few, block, radius)
        return _merged(found)

    def _merge(self) -> None:
        hashes = self._hashes[: self._size]
        self._bands = [_band(hashes, number) for number in range(BANDS)]
        self._sorted = self._size


def _unsigned(hashes: ArrayLike) -> NDArray[np.uint64]:
    given = np.atleast_1d(np.asarray(hashes))
    if not given.size:
        return np.empty(0, np.uint64)
    if given.dtype not in (np.int64, np.uint64):
        raise TypeError(f"hashes are int64 or uint64, not {given.dtype}")
    return given.view(np.uint64)


def _band(hashes: NDArray[np.uint64], number: int) -> _Band:
    values = _values(hashes, number)
    order = np.argsort(values, kind="stable")  # a radix sort for 16 bits
    starts = np.zeros(_VALUES + 1, np.int64)
    np.cumsum(np.bincount(values, minlength=_VALUES), out=starts[1:])
    return _Band(starts, hashes[order], order.astype(np.uint32))


def _values(hashes: NDArray[np.uint64], number: int) -> NDArray[np.uint16]:
    return (hashes >> np.uint64(BITS * number)).astype(np.uint16)


def _reach(radius: int) -> list[int]:
    """How many bits may differ in each band; -1 where the band need not be asked.

    If every band differed in more, all together would differ in at least radius + 1 bits.
    """
    each, more = divmod(radius - BANDS + 1, BANDS)
    return [each + (number < more) for number in range(BANDS)]


@cache
def _near(bits: int) -> NDArray[np.uint16]:
    """All 16-bit values with at most `bits` ones: what to XOR a value with."""
    ones = (c for count in range(bits + 1) for c in combinations(range(BITS), count))
    return np.array([sum(1 << bit for bit in c) for c in ones], np.uint16)


def _in_band(
    band: _Band, number: int, queries: NDArray[np.uint64], first: int, radius: int
) -> list[Matches]:
    """What the buckets near each query's value hold within `radius`; `first` numbers queries."""
    near = _near(_reach(radius)[number])
    values = (_values(queries, number)[:, None] ^ near).astype(np.intp)
    starts = band.starts[values]
    counts = band.starts[values + 1] - starts
    each = counts.sum(axis=1)
    if each.sum() > _CANDIDATES and queries.size > 1:  # crowded buckets: in halves
        half = queries.size // 2
        return _in_band(band, number, queries[:half], first, radius) + _in_band(
            band, number, queries[half:], first + half, radius
        )
    rows = _slices(starts.ravel(), counts.ravel())
    differ = band.hashes[rows] ^ np.repeat(queries, each)
    distance = np.bitwise_count(differ)
    hits = np.flatnonzero(distance <= radius)
    hits = hits[~_found_earlier(differ[hits], number, radius)]
    query = np.searchsorted(np.cumsum(each), hits, side="right") + first
    return [Matches(query, band.positions[rows[hits]].astype(np.int64), distance[hits])]


def _slices(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """start, start + 1, ... for `count` places, one slice after the other."""
    ends = np.cumsum(counts)
    rows = np.repeat(starts - ends + counts, counts)
    rows += np.arange(rows.size)
    return rows


def _found_earlier(differ: NDArray[np.uint64], number: int, radius: int) -> NDArray[np.bool_]:
    """Whether a band before `number` finds the same pair: each is told once."""
    earlier = np.zeros(differ.size, bool)
    for band, reach in enumerate(_reach(radius)[:number]):
        earlier |= np.bitwise_count(_values(differ, band)).astype(np.int8) <= reach
    return earlier


def _every(
    queries: NDArray[np.uint64], hashes: NDArray[np.uint64], position: int, radius: int
) -> list[Matches]:
    """Every hash compared with every query: for the few that are not sorted yet."""
    step = max(1, _CANDIDATES // max(1, hashes.size))
    found = []
    for first in range(0, queries.size if hashes.size else 0, step):
        distance = np.bitwise_count(queries[first : first + step, None] ^ hashes)
        query, row = np.nonzero(distance <= radius)
        found.append(Matches(query + first, row + position, distance[query, row]))
    return found


def _merged(found: list[Matches]) -> Matches:
    query = np.concatenate([np.empty(0, np.int64), *(m.query for m in found)])
    position = np.concatenate([np.empty(0, np.int64), *(m.position for m in found)])
    distance = np.concatenate([np.empty(0, np.uint8), *(m.distance for m in found)])
    order = np.lexsort((position, query))
    return Matches(query[order], position[order], distance[order])
