"""The things in a picture: which detectors look, at which part of it, and what is told.

A picture much longer than high is looked at in several overlapping parts, as detectors see it
squeezed into a square.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.vision.detect import anchors, centres, fusion, yolo
from pipeline.vision.detect.boxes import Array, Seen, joined, thinned
from pipeline.vision.detect.kinds import COCO
from pipeline.vision.models import manifest
from pipeline.vision.networks import network

SIDE = 640  # pixels of the long side that detectors are shown
MOST = 100  # things told of one picture
_LONG = 2.2  # times as long as high: from here on in parts
_PART = 1.5  # times as long as high, of one part
_MOST_PARTS = 4
_ACROSS_PARTS = 0.5  # overlap from which a thing seen in two parts is one
_OWN = "own"

Look = Callable[[Array], Seen]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing. `box` is left, top, width and height, as fractions of the picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """All things, the surest first, and which model says so."""

    things: tuple[Thing, ...]
    model: str


def find(models: Path | None, pixels: Array) -> Found:
    """The things in RGB pixels of any size. Raises `Absent` without the models."""
    main = network(models, "objects")
    needed = manifest(models)["objects"].needs
    if not needed:
        own = yolo.detector(main)
        seen = _looked(pixels, own.look)
        told = [fusion.Fused(*one) for one in _single(seen)]
        return Found(_things(told, own.labels), main.model.version)
    second = network(models, needed)
    told = fusion.fuse(
        _looked(pixels, lambda part: anchors.look(main, part, fusion.FLOOR)),
        _looked(pixels, lambda part: centres.look(second, part, fusion.FLOOR)),
    )
    return Found(_things(told, COCO), f"{main.model.version} + {second.model.version}")


def _things(told: list[fusion.Fused], labels: tuple[str, ...]) -> tuple[Thing, ...]:
    return tuple(Thing(labels[one.kind], one.score, _box(*one.corners)) for one in told[:MOST])


def _single(seen: Seen) -> Iterator[tuple[int, float, tuple[float, float, float, float]]]:
    for kind, score, corners in zip(seen.kinds, seen.scores, seen.corners, strict=True):
        left, top, right, bottom = (float(value) for value in corners)
        yield int(kind), float(score), (left, top, right, bottom)


def _box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return left, top, max(right - left, 0.0), max(bottom - top, 0.0)


def _looked(pixels: Array, look: Look) -> Seen:
    """What is seen in all parts, in the whole picture's fractions."""
    parts = list(_parts(pixels))
    if len(parts) == 1:
        return look(pixels)
    seen = [_placed(look(part), offset, share) for part, offset, share in parts]
    return thinned(joined(seen), _ACROSS_PARTS)


def _placed(seen: Seen, offset: Array, share: Array) -> Seen:
    corners = seen.corners * np.tile(share, 2) + np.tile(offset, 2)
    return Seen(seen.kinds, seen.scores, corners.astype(np.float32))


def _parts(pixels: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Each part with its offset and its share of the picture (across, down)."""
    height, width, _ = pixels.shape
    long, short = max(height, width), min(height, width)
    if long <= _LONG * short:
        yield pixels, np.zeros(2), np.ones(2)
        return
    side = max(math.ceil(short * _PART), math.ceil(long / (_MOST_PARTS - 1)))
    count = min(_MOST_PARTS, math.ceil(long / side) + 1)
    for start in np.linspace(0, long - side, count).astype(int):
        if width > height:
            part, offset, share = pixels[:, start : start + side], (start, 0), (side, height)
        else:
            part, offset, share = pixels[start : start + side], (0, start), (width, side)
        whole = np.array([width, height])
        yield np.ascontiguousarray(part), np.array(offset) / whole, np.array(share) / whole
