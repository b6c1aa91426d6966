"""SSIMULACRA 2.1 written down as plainly as can be: all 108 numbers, in double precision, untiled.

Slow on purpose; the product's own form is held against it. The weights are those of the PyPI
package of that name. `as_program` blurs as Cloudinary's program does, by a recursive filter in
single precision whose rounding errors never fade: only to show what that alone costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.ssimulacra2 import kernel

Floats = NDArray[np.float64]

_OPSIN = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ]
)
_BIAS = 0.0037930732552754493


def score(
    original: NDArray[Any], copy: NDArray[Any], weights: NDArray[Any], *, as_program: bool = False
) -> float:
    """The score of two sRGB pictures of equal size, at least 8 pixels a side."""
    one, two = _linear(original), _linear(copy)
    blurred = _recursively_blurred if as_program else _blurred
    scales: list[NDArray[Any]] = []
    side = 8
    while len(scales) < 6 and side >= 8:
        side = min(one.shape[:2])
        scales.append(_norms(_xyb(one), _xyb(two), blurred))
        one, two = _halved(one), _halved(two)
    total = 0.0
    position = 0
    for component in range(3):
        for norms in scales:
            for value in norms[component].ravel():  # norm by map
                total += weights[position] * value
                position += 1
    raw = total * 0.9562382616834844
    errors = (
        2.326765642916932 * raw - 0.020884521182843837 * raw**2 + 6.248496625763138e-05 * raw**3
    )
    return float(100 - 10 * errors**0.6276336467831387) if errors > 0 else 100.0


def _linear(pixels: NDArray[Any]) -> Floats:
    code = pixels.astype(np.float64) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _xyb(linear: Floats) -> Floats:
    long, middle, short = np.moveaxis(np.cbrt(linear @ _OPSIN.T + _BIAS) - np.cbrt(_BIAS), 2, 0)
    light = (long + middle) / 2
    return np.stack([7 * (long - middle) + 0.42, light + 0.01, short - light + 0.55], axis=2)


def _halved(linear: Floats) -> Floats:
    height, width, _ = linear.shape
    padded = np.pad(linear, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return (padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]) / 4


def _blurred(plane: Floats) -> Floats:
    """Nine taps each way; beyond the edge there is nothing."""
    taps = kernel().astype(np.float64)
    for axis in (0, 1):
        reach = [(0, 0)] * 3
        reach[axis] = (4, 4)
        wide = np.pad(plane, reach)
        length = plane.shape[axis]
        plane = sum(
            tap * np.take(wide, range(at, at + length), axis) for at, tap in enumerate(taps)
        )
    return plane


def _recursively_blurred(plane: Floats) -> Floats:
    """The same taps as three resonators along each axis, in float32 (libjxl's FastGaussian).

    The poles lie on the unit circle, so what is rounded off at one pixel is carried to the last.
    """
    single = plane.astype(np.float32)
    for axis in (1, 0):
        single = np.moveaxis(_resonated(np.moveaxis(single, axis, 0)), 0, axis)
    return single.astype(np.float64)


def _resonated(rows: NDArray[Any]) -> NDArray[Any]:
    """Charalampidis 2016, equations (33) and (35); `kernel` holds the impulse response of it."""
    radius, omega = 5, np.array([1, 3, 5]) * np.pi / 10
    taps = kernel().astype(np.float64)[radius - 1 :]
    beta = np.linalg.lstsq(np.cos(np.outer(np.arange(radius), omega)), taps, rcond=None)[0]
    gain = (-beta * np.cos(omega * (radius + 1))).astype(np.float32).astype(np.float64)
    turn = (-2 * np.cos(omega)).astype(np.float32).astype(np.float64)
    rest = np.zeros((radius + 1, *rows.shape[1:]), np.float32)
    wide = np.concatenate([rest, rows, rest])
    out = np.empty_like(rows)
    last = before = np.zeros((3, *rows.shape[1:]), np.float32)
    axes = (3, *[1] * (rows.ndim - 1))
    gain, turn = gain.reshape(axes), turn.reshape(axes)
    for at in range(1 - radius, len(rows)):
        both = wide[at + 2 * radius] + (wide[at] if at >= 0 else np.float32(0))
        swung = (-turn * last - before).astype(np.float32)  # rounded once, as processors do
        before, last = last, (gain * both + swung).astype(np.float32)
        if at >= 0:
            out[at] = last[0] + (last[1] + last[2])
    return out


def _norms(one: Floats, two: Floats, blurred: Callable[[Floats], Floats]) -> NDArray[Any]:
    """Components x norms (1, 4) x maps (SSIM, artefacts, lost detail)."""
    first, second = blurred(one), blurred(two)
    both = blurred(one * two) - first * second
    energy = blurred(one * one) - first**2 + blurred(two * two) - second**2
    ssim = np.maximum(1 - (1 - (first - second) ** 2) * (2 * both + 9e-4) / (energy + 9e-4), 0)
    edges = (1 + np.abs(two - second)) / (1 + np.abs(one - first)) - 1
    maps = np.stack([ssim, np.maximum(edges, 0), np.maximum(-edges, 0)])
    norms = np.stack([maps.mean((1, 2)), (maps**4).mean((1, 2)) ** 0.25])
    return np.moveaxis(norms, 2, 0)
