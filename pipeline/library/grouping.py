"""Which faces are one person's: average linkage over cosines, with rules that persons made.

Pure, and canonical: the groups depend on the faces and the rules alone, never on the order in
which anything came. Vectors are rounded to whole numbers, so sums and dot products are exact in
any order; ties go to the face whose content sorts first. Two groups join while each is the other's
nearest and the average cosine between their faces reaches a bar: a high one for single faces, among
which strangers are many, then a lower one between groups of several, whose averages are sure; what
is left over joins such a group at a bar in between. Small faces look like each other whoever they
are: they found no group, and join one only at the high bar. A join needs one pair of faces at least
as alike as its bar, so what hangs together by such pairs can be grouped apart from the rest:
`reach` finds it, and a new face costs its neighbourhood only.

Joining nearest pairs in any order gives the same tree as always taking the best one, because the
average of a joined group is never nearer to a third one than both its parts were (Bruynooghe 1978).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNIT = 512  # a vector of length 1 in whole numbers: cosines are right to about 0.001
_EXACT = 64  # product of two groups' sizes up to which a 32-bit float holds sums: 2**24 / UNIT**2
_ROWS, _COLUMNS = 512, 4096  # of one block of products: 16 MB
_DENSE = 4096  # groups that hang together, up to which all their products are held: 134 MB
Whole = NDArray[np.int16]
Numbers = NDArray[np.int64]
FREE = -1
SEVERAL = 3


@dataclass(frozen=True, slots=True)
class Bars:
    """Average cosines between the faces of two groups, from which they are one person."""

    close: float  # any two groups
    same: float  # two groups of at least `SEVERAL` faces; the lowest
    joins: float  # a smaller group and one of several, or one that somebody knows
    doubtful: float  # not one person by itself, but worth a question


@dataclass(frozen=True, slots=True)
class Rules:
    """What must hold, by position of the face.

    Faces of one `scene` (file) are in no group together, nor are faces of two different `known`
    persons. `barred` names the persons that a face does not belong to. `small` faces found no
    group.
    """

    known: Sequence[int]  # the person somebody assigned, or FREE
    scene: Sequence[int]
    barred: Mapping[int, AbstractSet[int]] = field(default_factory=dict)
    small: Sequence[bool] = ()  # empty: none is


def whole(vectors: NDArray[np.float32]) -> Whole:
    """Vectors of any length but zero, as whole numbers of length `UNIT`."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rounded: Whole = np.rint(vectors / np.maximum(lengths, 1e-9) * UNIT).astype(np.int16)
    return rounded


def whole_of(embeddings: Sequence[bytes]) -> Whole:
    """Embeddings of one length as they are stored, float16, little-endian."""
    rows = np.frombuffer(b"".join(embeddings), "<f2").reshape(len(embeddings), -1)
    return whole(np.nan_to_num(rows.astype(np.float32), posinf=0.0, neginf=0.0))


def reach(vectors: Whole, seeds: Sequence[int], same: float) -> Numbers:
    """Positions of all faces that hang together with the seeds by pairs of at least `same`."""
    reached = np.zeros(len(vectors), bool)
    reached[list(seeds)] = True
    waiting = np.flatnonzero(reached)
    while waiting.size:
        near = np.zeros(len(vectors), bool)
        for start in range(0, len(waiting), _ROWS):
            rows = vectors[waiting[start : start + _ROWS]].astype(np.float32)
            for columns in _blocks(len(vectors)):
                products = rows @ vectors[columns].astype(np.float32).T
                near[columns] |= (products >= same * UNIT**2).any(axis=0)
        waiting = np.flatnonzero(near & ~reached)
        reached |= near
    return np.flatnonzero(reached)


def group(vectors: Whole, rules: Rules, bars: Bars) -> Numbers:
    """The group of each face, as the position of the group's first face.

    The faces must come in an order that depends on their content alone.
    """
    groups = _Groups(vectors, rules)
    groups.join(bars.close)
    groups.join(bars.same, SEVERAL)
    groups.gather(bars.joins, bars.close)
    return groups.first


class _Groups:
    """Groups while they are joined; each is known by its first face. Sums are whole numbers."""

    def __init__(self, vectors: Whole, rules: Rules) -> None:
        count = len(vectors)
        self.first = np.arange(count)
        self._sums = vectors.astype(np.int32)
        self._sizes = np.ones(count, np.int64)
        self._known = np.array(rules.known, np.int64)
        self._founds = ~np.array(rules.small or [False] * count, bool)
        self._scenes = [frozenset((scene,)) for scene in rules.scene]
        self._barred = {at: frozenset(persons) for at, persons in rules.barred.items()}

    def join(self, bar: float, least: int = 1) -> None:
        """Join groups of at least so many faces until no two that may be joined reach the bar."""
        self._bar = bar * UNIT**2
        for part in self._parts(self._living((self._sizes >= least) & self._founds)):
            self._alive = self._due = self._part = part
            self._nearest = np.full(len(self.first), FREE)
            self._products = self._sums_of(part, part) if len(part) <= _DENSE else None
            while self._join_nearest():
                pass

    def gather(self, bar: float, bar_for_small: float) -> None:
        """Give each smaller group to the nearest of several faces, or known, that it may join."""
        is_several, is_known = self._sizes >= SEVERAL, self._known != FREE
        several, known = self._living(is_several), self._living(~is_several & is_known)
        targets = self._living(is_several | (is_known & self._founds))
        is_lone = ~is_several & ~is_known
        self._give(known, several, bar)
        self._give(self._living(is_lone & self._founds), targets, bar)
        self._give(self._living(is_lone & ~self._founds), targets, bar_for_small)

    def _living(self, meant: NDArray[np.bool_]) -> Numbers:
        return np.flatnonzero((self.first == np.arange(len(self.first))) & meant)

    def _give(self, smaller: Numbers, targets: Numbers, bar: float) -> None:
        """The best offers first; nobody is given away twice."""
        offers: list[tuple[float, int, int]] = []
        for start in range(0, len(smaller), _ROWS):
            rows = smaller[start : start + _ROWS]
            averages = self._averages(rows, targets)
            for row, place in zip(*np.nonzero(averages >= bar * UNIT**2), strict=True):
                offers.append((-averages[row, place], int(rows[row]), int(targets[place])))
        given: set[int] = set()
        for _, one, to in sorted(offers):
            if one not in given and self._may_join(one, to):
                given.add(one)
                self._join(to, one)
        self.first = self.first[self.first]

    def _join_nearest(self) -> bool:
        """Join every pair of groups that are each other's nearest; was there one?"""
        self._look_around()
        alive = self._alive[self._nearest[self._alive] != FREE]  # the others are done for good
        other = self._nearest[alive]
        first = alive[(self._nearest[other] == alive) & (alive < other)]
        second = self._nearest[first]
        for one, gone in zip(first.tolist(), second.tolist(), strict=True):
            self._join(one, gone)
            self._merge_products(one, gone)
        self.first = self.first[self.first]
        changed = np.zeros(len(self.first), bool)
        changed[first] = changed[second] = True
        self._alive = alive[self.first[alive] == alive]
        self._due = self._alive[changed[self._alive] | changed[self._nearest[self._alive]]]
        return bool(first.size)

    def _join(self, one: int, gone: int) -> None:
        self.first[gone] = one
        self._sums[one] += self._sums[gone]
        self._sizes[one] += self._sizes[gone]
        self._known[one] = max(self._known[one], self._known[gone])
        self._scenes[one] |= self._scenes[gone]
        barred = self._barred.get(one, frozenset()) | self._barred.get(gone, frozenset())
        if barred:
            self._barred[one] = barred

    def _merge_products(self, one: int, gone: int) -> None:
        if self._products is not None:
            into, of = np.searchsorted(self._part, (one, gone)).tolist()
            self._products[into] += self._products[of]
            self._products[:, into] += self._products[:, of]

    # --- who is nearest ------------------------------------------------------------------------

    def _parts(self, alive: Numbers) -> list[Numbers]:
        """The groups that hang together by averages of at least the bar: none will join another's.

        The average of a joined group is none of the greatest of its parts, so what begins apart
        stays apart.
        """
        label = np.arange(len(alive))
        for start in range(0, len(alive), _ROWS):
            rows = slice(start, start + _ROWS)
            near = self._averages(alive[rows], alive[start:]) >= self._bar
            for own, line in enumerate(near, start):
                met = np.unique(np.append(label[start:][line], label[own]))
                if len(met) > 1:
                    label[np.isin(label, met)] = met[0]
        order = np.argsort(label, kind="stable")
        ends = np.flatnonzero(np.diff(label[order])) + 1
        return [alive[part] for part in np.split(order, ends) if len(part) > 1]

    def _look_around(self) -> None:
        """Find the nearest of each group that is due."""
        due = self._due[np.lexsort((self._due, self._sizes[self._due]))]
        for start in range(0, len(due), _ROWS):
            rows = due[start : start + _ROWS]
            averages = self._kept(rows)
            averages[np.arange(len(rows)), np.searchsorted(self._alive, rows)] = -np.inf
            best = averages.argmax(axis=1)  # of those as near the first
            for at, place, line in zip(rows.tolist(), best.tolist(), averages, strict=True):
                self._nearest[at] = self._choice(at, place, line)

    def _choice(self, at: int, place: int, averages: NDArray[np.float64]) -> int:
        """The nearest that `at` may join; mostly it is the one at `place`, nearest of all."""
        if averages[place] < self._bar:
            return FREE
        if self._may_join(at, int(self._alive[place])):
            return int(self._alive[place])
        places = np.flatnonzero(averages >= self._bar)
        order = places[np.lexsort((places, -averages[places]))]
        others = self._alive[order].tolist()
        return next((other for other in others if self._may_join(at, other)), FREE)

    def _kept(self, rows: Numbers) -> NDArray[np.float64]:
        """`_averages` with all that are alive, from the products where they are held."""
        if self._products is None:
            return self._averages(rows, self._alive)
        mine, theirs = (np.searchsorted(self._part, ids) for ids in (rows, self._alive))
        return self._products[np.ix_(mine, theirs)] / np.outer(
            self._sizes[rows], self._sizes[self._alive]
        )

    def _averages(self, rows: Numbers, others: Numbers) -> NDArray[np.float64]:
        """The average product between the faces of each of these groups and of each other one."""
        return self._sums_of(rows, others) / np.outer(self._sizes[rows], self._sizes[others])

    def _sums_of(self, rows: Numbers, others: Numbers) -> NDArray[np.float64]:
        """The sum of the products between their faces, exact."""
        sums = np.empty((len(rows), len(others)))
        by_size = np.argsort(self._sizes[others], kind="stable")
        for start in range(0, len(rows), _ROWS):
            own = rows[start : start + _ROWS]
            for block in _blocks(len(others)):
                columns = by_size[block]  # alike in size, so that most products fit small floats
                beside = others[columns]
                is_small = self._sizes[own].max() * self._sizes[beside].max() <= _EXACT
                kind: type[np.floating[Any]] = np.float32 if is_small else np.float64
                mine: NDArray[Any] = self._sums[own].astype(kind)
                sums[start : start + _ROWS, columns] = mine @ self._sums[beside].astype(kind).T
        return sums

    def _may_join(self, one: int, other: int) -> bool:
        mine, theirs = int(self._known[one]), int(self._known[other])
        if mine != theirs and FREE not in (mine, theirs):
            return False
        if not self._scenes[one].isdisjoint(self._scenes[other]):
            return False
        return theirs not in self._barred.get(one, ()) and mine not in self._barred.get(other, ())


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _COLUMNS, count)) for start in range(0, count, _COLUMNS))
