"""Two detectors' scores made one probability, and their boxes made one list.

How likely a kind is really there follows from the best score of either detector, and from a rival:
another kind that is seen in the same box. Four numbers, fitted by logistic regression on labelled
photos (`bench/accuracy/objects.py` fits them and measures by cross-validation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.vision.detect.boxes import Array, Seen, overlaps

FLOOR = 0.05  # scores below say nothing
_UNSEEN = 0.02  # stands for "not seen by this detector"
_SAME = 0.5  # overlap from which boxes of two detectors are one thing
_RIVAL = 0.6  # overlap from which two kinds compete for one thing
SURE, LIKELY = 0.8, 0.65  # a kind is told from SURE up; further things of it from LIKELY up
WEIGHTS = (0.833, 1.937, -0.347, 3.016)  # of the first, the second, the rival; and the bias


@dataclass(frozen=True, slots=True)
class Fused:
    """One thing: its kind, how likely it is there, and its corners."""

    kind: int
    score: float
    corners: tuple[float, float, float, float]


def fuse(first: Seen, second: Seen) -> list[Fused]:
    """The things that are likely enough to be told, the likeliest first."""
    found: list[Fused] = []
    for kind in np.union1d(first.kinds, second.kinds):
        told = probability(*evidence(first, second, int(kind)))
        if told >= SURE:
            best, *others = _things(first, second, int(kind))
            found.append(Fused(best.kind, told, best.corners))
            found += (other for other in others if other.score >= LIKELY)
    return sorted(found, key=lambda thing: -thing.score)


def evidence(first: Seen, second: Seen, kind: int) -> tuple[float, float, float]:
    """The best score of a kind by either detector, and the score of its best rival."""
    bests, rivals = [], [_UNSEEN]
    for seen in (first, second):
        own = np.flatnonzero(seen.kinds == kind)
        if not len(own):
            bests.append(_UNSEEN)
            continue
        best = own[np.argmax(seen.scores[own])]
        bests.append(float(seen.scores[best]))
        rivals.append(_rival(seen, seen.corners[best], kind))
    return bests[0], bests[1], max(rivals)


def probability(first: float, second: float, rival: float) -> float:
    """How likely a thing with these scores is there."""
    *weights, bias = WEIGHTS
    told = (log_odds(score) for score in (first, second, rival))
    return float(1 / (1 + np.exp(-sum(w * t for w, t in zip(weights, told, strict=True)) - bias)))


def log_odds(score: float) -> float:
    """Of a score, kept away from certainty."""
    kept = min(max(score, _UNSEEN), 1 - _UNSEEN)
    return float(np.log(kept / (1 - kept)))


def _rival(seen: Seen, corners: Array, kind: int) -> float:
    others = seen.kinds != kind
    close = overlaps(corners[None], seen.corners[others])[0] > _RIVAL
    return float(seen.scores[others][close].max(initial=_UNSEEN))


def _things(first: Seen, second: Seen, kind: int) -> list[Fused]:
    """Each thing of a kind once, with its own probability, the likeliest first."""
    ones, twos = (seen.taken(np.flatnonzero(seen.kinds == kind)) for seen in (first, second))
    found = [
        Fused(kind, probability(one, two, _UNSEEN), _corners(corners))
        for one, two, corners in _paired(ones, twos)
    ]
    return sorted(found, key=lambda thing: -thing.score)


def _paired(ones: Seen, twos: Seen) -> Iterator[tuple[float, float, Array]]:
    """Both scores and the corners of every thing; a box that has no partner stands alone."""
    shared = overlaps(ones.corners, twos.corners)
    is_free = np.ones(len(twos), bool)
    for index in np.argsort(-ones.scores, kind="stable"):
        covers = np.where(is_free, shared[index], 0)
        partner = int(covers.argmax()) if len(twos) else -1
        if partner < 0 or covers[partner] < _SAME:
            yield float(ones.scores[index]), _UNSEEN, ones.corners[index]
            continue
        is_free[partner] = False
        pair = np.array([ones.scores[index], twos.scores[partner]])
        both = np.stack([ones.corners[index], twos.corners[partner]])
        yield float(pair[0]), float(pair[1]), np.average(both, axis=0, weights=pair)
    for alone in np.flatnonzero(is_free):
        yield _UNSEEN, float(twos.scores[alone]), twos.corners[alone]


def _corners(values: Array) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom
