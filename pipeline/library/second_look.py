"""Do two pictures show the same shot? What the 20 x 20 details tell beyond the hash.

One detail is fitted to the other: a tone curve (brightness, contrast, gamma), and an affine motion
of the frame in the linear approximation (Lucas and Kanade 1981), both robust against what was
drawn over or has moved. A copy, however recompressed or brightened, keeps its frame to a fraction
of a percent; two shots from the hand never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import phash
from pipeline.codecs.phash import Detail

Plane = NDArray[np.float32]

_ROUNDS = 4  # of reweighting; more change nothing
_CHANGED_SHARE, _CHANGED_LEVELS = 0.15, 3.0  # a cell off by this share of the contrast, plus levels
_LEAST_GAIN = 0.05
_TWIN_LEVELS = 1.5  # mean difference left by recompression, on the 0..255 scale


@dataclass(frozen=True, slots=True)
class Look:
    """How one picture relates to another. Motions are in percent of the picture's side."""

    moved: float  # how far the corner of the frame that moved furthest is off
    least: float  # of all corners and both axes, motion towards the centre (outwards is negative)
    most: float
    misfit: float  # what the fit leaves, as a share of the contrast
    changed: float  # share of the cells that differ visibly
    curve: float  # how bent the tone curve is; 0 for a linear change

    def is_nested(self, tolerance: float = 0.35) -> bool:
        """Whether one frame lies inside the other: so do crops, and hardly ever two shots."""
        return self.least > -tolerance or self.most < tolerance


def compare(one: Detail, other: Detail) -> Look | None:
    """Fit `one` to `other`; None where there is too little contrast to fit anything."""
    if one.gray and not other.gray:
        one, other = other, one
    spread = float(one.luma.std())
    if min(spread, float(other.luma.std())) < _CHANGED_LEVELS:
        return None
    tones = _tones(one, spread, with_colour=other.gray and not one.gray)
    columns = np.concatenate([tones, _motions(one.luma)])
    target = other.luma.ravel().astype(np.float64)
    solution, residual = _fit(columns, target)
    contrast = float(target.std())
    gain = max(float(solution[0]) / spread, _LEAST_GAIN)
    corners = 100 * _CORNERS @ (solution[len(tones) :] / gain).reshape(2, 3).T
    inward = corners * -np.sign(_CORNERS[:, 1:])
    return Look(
        moved=float(np.hypot(*corners.T).max()),
        least=float(inward.min()),
        most=float(inward.max()),
        misfit=float(np.sqrt((residual**2).mean())) / contrast,
        changed=float(
            (np.abs(residual) > _CHANGED_SHARE * contrast + _CHANGED_LEVELS).mean(),
        ),
        curve=float(solution[2]) / contrast,
    )


def is_twin(one: Detail, other: Detail) -> bool:
    """Cell by cell the same, up to compression: all that can be said of flat pictures."""
    return (
        float(np.abs(one.luma - other.luma).mean()) <= _TWIN_LEVELS
        and float(np.abs(one.chroma - other.chroma).mean()) <= 2 * _TWIN_LEVELS
    )


def turned(detail: Detail, orientation: int) -> Detail:
    """The detail of the picture in EXIF orientation 1..8."""
    if orientation == 1:
        return detail
    sides = (detail.height, detail.width) if orientation >= 5 else (detail.width, detail.height)
    return Detail(
        phash.turn(detail.luma, orientation),
        phash.turn(detail.chroma, orientation),
        *sides,
        detail.flat,
        detail.gray,
    )


# Corners of the frame as (1, x, y) around its centre, for motions c + a x + b y.
_CORNERS = np.array([(1.0, x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)])


@cache
def _places() -> tuple[Plane, Plane]:
    """x and y of every cell, -0.5 to 0.5."""
    y, x = (np.mgrid[: phash.LUMA, : phash.LUMA] + 0.5) / phash.LUMA - 0.5
    return x.astype(np.float32), y.astype(np.float32)


def _tones(one: Detail, spread: float, *, with_colour: bool) -> NDArray[np.float64]:
    """What brightness may depend on: linear, constant, square; colour too when one is grey,
    because grey copies weigh red, green and blue in many ways."""
    level = (one.luma - one.luma.mean()).ravel() / spread
    tones = [level, np.ones_like(level), level * level - 1]
    if with_colour:
        tones += [_enlarged(plane).ravel() for plane in one.chroma]
    return np.stack(tones).astype(np.float64)


def _enlarged(plane: Plane) -> Plane:
    import cv2

    size = (phash.LUMA, phash.LUMA)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _motions(luma: Plane) -> NDArray[np.float64]:
    """What each parameter of an affine motion does to each cell, to first order."""
    x, y = _places()
    right, down = _slope(luma), _slope(luma.T).T
    motions = (right, right * x, right * y, down, down * x, down * y)
    return np.array([motion.ravel() for motion in motions], np.float64) * phash.LUMA


def _slope(plane: Plane) -> Plane:
    """Along the rows, a cell; `np.gradient` is the same and takes five times as long."""
    slope = np.empty_like(plane)
    slope[:, 1:-1] = (plane[:, 2:] - plane[:, :-2]) / 2
    slope[:, 0] = plane[:, 1] - plane[:, 0]
    slope[:, -1] = plane[:, -1] - plane[:, -2]
    return slope


def _fit(
    columns: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least squares with Huber's weights, so that what moved does not bend the rest."""
    weighted = columns
    ridge = 1e-9 * np.eye(len(columns)) * float(np.vdot(columns, columns))
    middle = target.size // 2
    for _ in range(_ROUNDS):
        solution = np.linalg.solve(weighted @ columns.T + ridge, weighted @ target)
        residual: NDArray[np.float64] = target - solution @ columns
        size = np.abs(residual)
        scale = 2 * max(1.0, 1.4826 * float(np.partition(size, middle)[middle]))
        if size.max() <= scale:
            break
        weighted = columns * (scale / np.maximum(scale, size))
    return solution.astype(np.float64), residual
