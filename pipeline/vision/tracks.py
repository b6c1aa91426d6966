"""Faces followed through a film: between two looks they are where they were, are, or go.

Hides rather too much than too little: a face that was seen is hidden half a second before and
after, over every gap in which it was missed for a moment, and wherever it may be on its way.
Boxes are left, top, right, bottom as fractions of the upright picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.codecs.blur import STRONGEST

Box = tuple[float, float, float, float]

_REACH = 1.2  # of a face's size: how far it may move between two looks
_GROWTH = 2.0  # how much larger or smaller it may look then


@dataclass(frozen=True, slots=True)
class Track:
    """One face: the frames in which it was seen, in order, and where; how thoroughly to hide it."""

    frames: tuple[int, ...]
    boxes: tuple[Box, ...]
    strength: int = 1
    noise: int = 0

    def at(self, frame: int, step: int, lead: int) -> Box | None:
        """What covers the face in this frame, None where it is not to be seen.

        `step` frames lie between two looks, and the face is covered `lead` frames longer than it
        was seen.
        """
        if not self.frames[0] - lead <= frame <= self.frames[-1] + lead:
            return None
        return _around(self._where(n) for n in (frame - step, frame, frame + step))

    def _where(self, frame: int) -> Box:
        sides = zip(*self.boxes, strict=True)
        left, top, right, bottom = (float(np.interp(frame, self.frames, side)) for side in sides)
        return left, top, right, bottom

    def stronger(self) -> Track:
        """The same, hidden more thoroughly."""
        strength = min(self.strength + 1, STRONGEST)
        return Track(self.frames, self.boxes, strength, self.noise)


def followed(seen: Iterable[tuple[int, Sequence[Box]]], gap: int) -> list[Track]:
    """The tracks of what was seen in frames in order; one that was missed for more than `gap`
    frames is another face.
    """
    found: list[list[tuple[int, Box]]] = []
    for frame, boxes in seen:
        open_ones = [track for track in found if frame - track[-1][0] <= gap]
        left = list(boxes)
        for track, box in _matches(open_ones, left):
            track.append((frame, box))
            left.remove(box)
        found += [[(frame, box)] for box in left]
    return [Track(tuple(n for n, _ in track), tuple(box for _, box in track)) for track in found]


def _matches(
    tracks: list[list[tuple[int, Box]]], boxes: Sequence[Box]
) -> Iterator[tuple[list[tuple[int, Box]], Box]]:
    """Each track with at most one box, the nearest pairs first."""
    pairs = sorted(
        (_distance(track[-1][1], box), n, m)
        for n, track in enumerate(tracks)
        for m, box in enumerate(boxes)
    )
    taken: set[int] = set()
    given: set[int] = set()
    for distance, n, m in pairs:
        if distance < _REACH and n not in taken and m not in given:
            taken.add(n)
            given.add(m)
            yield tracks[n], boxes[m]


def _distance(one: Box, other: Box) -> float:
    """Between their middles, in sizes; endless for sizes that no face changes by so fast."""
    size, others = _size(one), _size(other)
    if max(size, others) > _GROWTH * min(size, others):
        return math.inf
    across = (one[0] + one[2] - other[0] - other[2]) / 2
    down = (one[1] + one[3] - other[1] - other[3]) / 2
    return math.hypot(across, down) / max(size, others)


def _size(box: Box) -> float:
    return max(1e-6, math.sqrt(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])))


def _around(boxes: Iterable[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
