"""Which faces are one person's: average linkage over cosines, with rules that persons made.

Pure, and canonical: the groups depend on the faces and the rules alone, never on the order in
which anything came. Vectors are rounded to whole numbers, so sums and dot products are exact in
any order; ties go to the face whose content sorts first. Two groups join while each is the other's
nearest and the average cosine between their faces reaches a bar: a high one for single faces, among
which strangers are many, then a lower one between groups of several, whose averages are sure; what
is left over joins such a group at a bar in between. A join needs one pair of faces at least as
alike as the lowest bar, so what hangs together by such pairs can be grouped apart from the rest:
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
_NEIGHBOURS = 256  # of one group are remembered; in a crowd all are looked at again
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
    persons. `barred` names the persons that a face does not belong to.
    """

    known: Sequence[int]  # the person somebody assigned, or FREE
    scene: Sequence[int]
    barred: Mapping[int, AbstractSet[int]] = field(default_factory=dict)


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
    groups.gather(bars.joins)
    return groups.first


class _Groups:
    """Groups while they are joined; each is known by its first face. Sums are whole numbers."""

    def __init__(self, vectors: Whole, rules: Rules) -> None:
        count = len(vectors)
        self.first = np.arange(count)
        self._sums = vectors.astype(np.int32)
        self._sizes = np.ones(count, np.int64)
        self._known = np.array(rules.known, np.int64)
        self._scenes = [frozenset((scene,)) for scene in rules.scene]
        self._barred = {at: frozenset(persons) for at, persons in rules.barred.items()}

    def join(self, bar: float, least: int = 1) -> None:
        """Join groups of at least so many faces until no two that may be joined reach the bar."""
        self._bar = bar * UNIT**2
        self._alive = self._due = self._living(self._sizes >= least)
        self._nearest = np.full(len(self.first), FREE)
        # Who may ever come near enough: what a join makes is no nearer than its parts were.
        self._near: dict[int, Numbers | None] = {}
        while self._join_nearest():
            pass

    def gather(self, bar: float) -> None:
        """Give each smaller group to the nearest of several faces, or known, that it may join."""
        is_several, is_known = self._sizes >= SEVERAL, self._known != FREE
        several, known = self._living(is_several), self._living(~is_several & is_known)
        self._give(known, several, bar)
        smaller = self._living(~is_several & ~is_known)
        self._give(smaller, self._living(is_several | is_known), bar)

    def _living(self, meant: NDArray[np.bool_]) -> Numbers:
        return np.flatnonzero((self.first == np.arange(len(self.first))) & meant)

    def _give(self, smaller: Numbers, targets: Numbers, bar: float) -> None:
        """The best offers first; nobody is given away twice."""
        self._alive = targets
        offers: list[tuple[float, int, int]] = []
        for start in range(0, len(smaller), _ROWS):
            rows = smaller[start : start + _ROWS]
            averages = self._averages(rows)
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
        mine, theirs = self._near.get(one), self._near.pop(gone, None)
        both = None if mine is None or theirs is None else np.concatenate((mine, theirs))
        self._near[one] = both

    # --- who is nearest ------------------------------------------------------------------------

    def _look_around(self) -> None:
        """Find the nearest of each group that is due."""
        crowded = []
        for at in self._due.tolist():
            near = self._near.get(at)
            if near is None:
                crowded.append(at)
                continue
            others = np.unique(self.first[near])
            others = others[others != at]
            sums = self._sums[others].astype(np.float64) @ self._sums[at].astype(np.float64)
            self._settle(at, others, sums / (self._sizes[others] * self._sizes[at]))
        crowded.sort(key=lambda at: (self._sizes[at], at))
        for start in range(0, len(crowded), _ROWS):
            rows = np.array(crowded[start : start + _ROWS])
            for at, averages in zip(rows.tolist(), self._averages(rows), strict=True):
                averages[np.searchsorted(self._alive, at)] = -np.inf
                self._settle(at, self._alive, averages)

    def _averages(self, rows: Numbers) -> NDArray[np.float64]:
        """The average product between the faces of each of these groups and of each living one."""
        averages = np.empty((len(rows), len(self._alive)))
        by_size = np.argsort(self._sizes[self._alive], kind="stable")
        for block in _blocks(len(self._alive)):
            columns = by_size[block]  # alike in size, so that most products fit small floats
            others = self._alive[columns]
            is_small = self._sizes[rows].max() * self._sizes[others].max() <= _EXACT
            kind: type[np.floating[Any]] = np.float32 if is_small else np.float64
            mine: NDArray[Any] = self._sums[rows].astype(kind)
            products = mine @ self._sums[others].astype(kind).T
            averages[:, columns] = products / np.outer(self._sizes[rows], self._sizes[others])
        return averages

    def _settle(self, at: int, others: Numbers, averages: NDArray[np.float64]) -> None:
        """Remember who is near enough, and the nearest of them that `at` may join."""
        places = np.flatnonzero(averages >= self._bar)
        others, averages = others[places], averages[places]
        self._near[at] = others if len(others) <= _NEIGHBOURS else None
        order = np.lexsort((others, -averages)) if len(others) > 1 else range(len(others))
        joinable = (int(others[place]) for place in order if self._may_join(at, int(others[place])))
        self._nearest[at] = next(joinable, FREE)

    def _may_join(self, one: int, other: int) -> bool:
        mine, theirs = int(self._known[one]), int(self._known[other])
        if mine != theirs and FREE not in (mine, theirs):
            return False
        if not self._scenes[one].isdisjoint(self._scenes[other]):
            return False
        return theirs not in self._barred.get(one, ()) and mine not in self._barred.get(other, ())


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _COLUMNS, count)) for start in range(0, count, _COLUMNS))
