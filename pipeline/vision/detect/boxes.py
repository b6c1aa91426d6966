"""What a detector saw, as arrays; and boxes that cover each other.

Corners are left, top, right, bottom, as fractions 0..1 of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """Boxes with their kinds and scores: n, n and n x 4 numbers."""

    kinds: Array
    scores: Array
    corners: Array

    def __len__(self) -> int:
        return len(self.kinds)

    def taken(self, which: Array) -> Seen:
        """Those at `which` places."""
        return Seen(self.kinds[which], self.scores[which], self.corners[which])


def nothing() -> Seen:
    """No box at all."""
    return Seen(np.empty(0, np.intp), np.empty(0, np.float32), np.empty((0, 4), np.float32))


def joined(parts: list[Seen]) -> Seen:
    """All boxes of several looks."""
    if not parts:
        return nothing()
    return Seen(
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.corners for part in parts]),
    )


def overlaps(some: Array, others: Array) -> Array:
    """Shared area over joint area of each of `some` with each of `others`."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    joint = _areas(some)[:, None] + _areas(others)[None, :] - shared
    return np.asarray(shared / np.maximum(joint, 1e-12))


def thinned(seen: Seen, most: float) -> Seen:
    """Of boxes of one kind that overlap by more than `most`, only the best; best first."""
    order = np.argsort(-seen.scores, kind="stable")
    seen = seen.taken(order)
    covers = overlaps(seen.corners, seen.corners) > most
    covers &= seen.kinds[:, None] == seen.kinds[None, :]
    is_kept = np.ones(len(seen), bool)
    for index in range(len(seen)):
        if is_kept[index]:
            is_kept[index + 1 :] &= ~covers[index, index + 1 :]
    return seen.taken(np.flatnonzero(is_kept))


def _areas(corners: Array) -> Array:
    return np.asarray(np.prod(np.clip(corners[:, 2:] - corners[:, :2], 0, None), axis=1))
