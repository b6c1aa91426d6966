"""SSIMULACRA 2.1: how much of a picture an eye would miss in a copy of it; 100 is nothing, 90 is
what nobody sees, 70 is what a careful look finds.

The metric is Jon Sneyers' (Cloudinary, 2022, updated in 2023). Six scales halved in linear light,
three components of XYB, three maps of errors, two norms each: 108 numbers, weighted. All but 25 of
the published weights are next to nothing, so only what carries weight is computed, and the picture
is walked in tiles: memory stays small however large it is. `quick` judges a few tiles only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import resize  # noqa: F401 - sets OpenCV's threads, as every slot is one core
from pipeline.codecs.picture import Pixels

Plane: TypeAlias = NDArray[Any]  # float32
Slices: TypeAlias = tuple[slice, slice]

TILE = 512
QUICK_TILE = 256
_SCALES = 6
_LEAST = 8  # a scale whose short side is below this many pixels is not halved again
_C2 = 0.0009
_X, _Y, _B = 0, 1, 2

# Position in the published list (component, scale, norm, map; the last changes fastest) to weight.
# Those below 0.01, which together move a score by less than 0.02, are left out.
_WEIGHTS: Mapping[int, float] = {
    9: 1.1041726426657346,
    15: 1.8422455520539298,
    16: 11.441172603757666,
    21: 1.8787594979546387,
    22: 10.94906990605142,
    25: 0.9677937080626833,
    28: 0.9981766977854967,
    39: 7.466890328078848,
    41: 17.445833984131262,
    45: 6.683678146179332,
    47: 1.027889937768264,
    48: 225.20515300849274,
    51: 19.213238186143016,
    54: 176.39317598450694,
    57: 24.43300999870476,
    58: 0.28520802612117757,
    63: 34.77906344483772,
    64: 44.835625328877896,
    93: 8.826982764996862,
    94: 23.19243343998926,
    96: 95.1080498811086,
    97: 0.9863978034400682,
    98: 0.9834382792465353,
    100: 171.2667255897307,
    101: 0.9807858872435379,
}
_SSIM, _ARTEFACTS, _LOST = 0, 1, 2

# libjxl's opsin absorbance, then XYB moved to about 0..1 as the metric wants it.
_BIAS = 0.0037930732552754493
_OPSIN = (
    (0.30, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
_ROOT = _BIAS ** (1 / 3)


@dataclass(frozen=True, slots=True)
class _Part:
    """What carries weight in one component at one scale: weight by (map, norm)."""

    component: int
    weights: Mapping[tuple[int, int], float]

    def wants(self, *maps: int) -> bool:
        return any(which in maps for which, _ in self.weights)


class _Sums:
    """Sums of errors and of their fourth powers by (scale, component, map), and pixels by scale."""

    def __init__(self, scales: int) -> None:
        self.plan = _plan(scales)
        self.errors: dict[tuple[int, int, int], list[float]] = {}
        self.pixels = [0] * scales

    def add(self, scale: int, component: int, which: int, errors: Plane) -> None:
        sums = self.errors.setdefault((scale, component, which), [0.0, 0.0])
        sums[0] += cv2.sumElems(errors)[0]
        sums[1] += cv2.norm(cv2.multiply(errors, errors), cv2.NORM_L2SQR)

    def score(self) -> float:
        total = 0.0
        for scale, parts in enumerate(self.plan):
            for part in parts:
                for (which, norm), weight in part.weights.items():
                    mean = self.errors[scale, part.component, which][norm] / self.pixels[scale]
                    total += weight * (mean if norm == 0 else mean**0.25)
        return _curve(total)


def score(original: Pixels, copy: Pixels, tile: int = TILE) -> float:
    """How close `copy` comes to `original`: both upright, sRGB, of equal size. 100 is identical.

    Within 0.05 of the reference computed in double precision. Its program says less of large and
    hardly damaged pictures, because its recursive blur adds up what it rounds off from pixel to
    pixel: up to a point above 88 at 0.6 megapixels (docs/performance.md). `tile` (a multiple of 4)
    bounds memory, not the result.
    """
    original, copy = _at_least(original), _at_least(copy)
    height, width = original.shape[:2]
    scales = _scales(min(height, width))
    sums = _Sums(scales)
    first, second = _first_two_scales(sums, original, copy, tile)
    for scale in range(2, scales):
        for region, core in _tiles(first.shape, tile, 4):
            _measure(sums, scale, first[region], second[region], core)
        first, second = _halved(first), _halved(second)
    return sums.score()


def quick(original: Pixels, copy: Pixels, tile: int = QUICK_TILE) -> float:
    """The same judged on a mosaic of tiles (`sampling.mosaic`), each for itself.

    What the edges of a tile hide makes it about as good as `score` of the whole, within a point or
    two: good enough to search by, never to decide by.
    """
    scales = _scales(tile)
    sums = _Sums(scales)
    for top in range(0, original.shape[0], tile):
        for left in range(0, original.shape[1], tile):
            at = slice(top, top + tile), slice(left, left + tile)
            first, second = _linear(original[at]), _linear(copy[at])
            for scale in range(scales):
                whole = slice(0, first.shape[0]), slice(0, first.shape[1])
                _measure(sums, scale, first, second, whole, cv2.BORDER_REFLECT_101)
                first, second = _halved(first), _halved(second)
    return sums.score()


def _first_two_scales(
    sums: _Sums, original: Pixels, copy: Pixels, tile: int
) -> tuple[Plane, Plane]:
    """Measure them tile by tile; what comes back is a quarter as wide and high, in linear light."""
    height, width = ((side + 3) // 4 for side in original.shape[:2])
    quarters = tuple(np.empty((height, width, 3), np.float32) for _ in range(2))
    for region, core in _tiles(original.shape, tile, 8):
        planes = [_linear(original[region]), _linear(copy[region])]
        _measure(sums, 0, planes[0], planes[1], core)
        planes = [_halved(plane) for plane in planes]
        half = _half(core)
        if len(sums.pixels) > 1:
            _measure(sums, 1, planes[0], planes[1], half)
        at = _half(_half(_moved(core, region)))
        for quarter, plane in zip(quarters, planes, strict=True):
            quarter[at] = _halved(plane[half])
    return quarters[0], quarters[1]


def _measure(
    sums: _Sums,
    scale: int,
    first: Plane,
    second: Plane,
    core: Slices,
    border: int = cv2.BORDER_CONSTANT,
) -> None:
    """Add the errors inside `core`; what lies around it is only looked at."""
    sums.pixels[scale] += (core[0].stop - core[0].start) * (core[1].stop - core[1].start)
    parts = sums.plan[scale]
    if not parts:
        return
    components = tuple(part.component for part in parts)
    pairs = zip(_xyb(first, components), _xyb(second, components), strict=True)
    for part, (one, two) in zip(parts, pairs, strict=True):
        means = _blurred(one, border), _blurred(two, border)
        if part.wants(_SSIM):
            errors = _dissimilarity(one, two, means, border)
            sums.add(scale, part.component, _SSIM, errors[core])
        if part.wants(_ARTEFACTS, _LOST):
            edges = _edges(one, two, means)[core]
            sums.add(scale, part.component, _ARTEFACTS, np.maximum(edges, 0))
            sums.add(scale, part.component, _LOST, np.maximum(-edges, 0))


def _dissimilarity(one: Plane, two: Plane, means: tuple[Plane, Plane], border: int) -> Plane:
    """1 - SSIM without its luminance denominator, cut off at 0."""
    first, second = means
    products = cv2.multiply(first, second)
    squares = cv2.multiply(first, first) + cv2.multiply(second, second)
    both = _blurred(cv2.multiply(one, two), border)
    energy = _blurred(cv2.multiply(one, one) + cv2.multiply(two, two), border)
    distance = cv2.subtract(first, second)
    likeness = 1 - cv2.multiply(distance, distance)
    structure = (2 * (both - products) + _C2) / (energy - squares + _C2)
    return np.asarray(np.maximum(1 - likeness * structure, 0))


def _edges(one: Plane, two: Plane, means: tuple[Plane, Plane]) -> Plane:
    """Above 0 where the copy has edges that the original has not, below where it lost some."""
    before, after = cv2.absdiff(one, means[0]), cv2.absdiff(two, means[1])
    return np.asarray((after - before) / (1 + before))


# --- Pixels ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _light() -> Plane:
    code = np.arange(256) / 255
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


def _linear(pixels: Pixels) -> Plane:
    return np.asarray(cv2.LUT(np.ascontiguousarray(pixels), _light()))


def _xyb(linear: Plane, components: tuple[int, ...]) -> tuple[Plane, ...]:
    """The components asked for, from linear light."""
    colours = cv2.split(linear)
    roots = [_root(colours, weights) for weights in _OPSIN[: 3 if _B in components else 2]]
    made = {
        _X: lambda: cv2.addWeighted(roots[0], 7.0, roots[1], -7.0, 0.42),
        _Y: lambda: cv2.addWeighted(roots[0], 0.5, roots[1], 0.5, 0.01 - _ROOT),
        _B: lambda: cv2.addWeighted(
            cv2.addWeighted(roots[0], -0.5, roots[1], -0.5, 0.55), 1.0, roots[2], 1.0, 0.0
        ),
    }
    return tuple(np.asarray(made[component]()) for component in components)


def _root(colours: Sequence[Plane], weights: tuple[float, float, float]) -> Plane:
    red, green, blue = colours
    mixed = cv2.addWeighted(red, weights[0], green, weights[1], _BIAS)
    return np.asarray(cv2.pow(cv2.scaleAdd(blue, weights[2], mixed), 1 / 3))


def _halved(linear: Plane) -> Plane:
    """Means of 2 x 2; the last row and column count twice where there is no other."""
    height, width = linear.shape[:2]
    if height % 2 or width % 2:
        linear = cv2.copyMakeBorder(linear, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(linear, size, interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=1)
def kernel() -> Plane:
    """Sigma 1.5 as a sum of truncated cosines, of which the reference makes a recursive filter.

    Charalampidis, Recursive Implementation of the Gaussian Filter Using Truncated Cosine
    Functions, 2016: numbers in brackets are its equations. Nine taps are not zero.
    """
    sigma, radius = 1.5, 5  # (57)
    omega = np.array([1, 3, 5]) * np.pi / (2 * radius)
    p = np.array([1, -1, 1]) / np.tan(omega / 2)  # (37)
    r = np.array([1, -1, 1]) * p**2 / np.sin(omega)  # (44)
    rho = np.exp(-(sigma**2) * omega**2 / 2) / radius  # (50)
    d13, d35, d51 = (p[i] * r[j] - r[i] * p[j] for i, j in ((0, 1), (1, 2), (2, 0)))  # (52)
    zeta = np.array([d35 / d13, d51 / d13, 1.0])
    gamma = np.array([1.0, radius**2 - sigma**2, zeta @ rho])
    beta = np.linalg.solve(np.stack([p, r, zeta]), gamma)  # (53)
    at = np.arange(1 - radius, radius)
    return (beta @ np.cos(omega[:, None] * at)).astype(np.float32)


def _blurred(plane: Plane, border: int) -> Plane:
    taps = kernel()
    return np.asarray(
        cv2.sepFilter2D(plane, cv2.CV_32F, taps, taps, borderType=border | cv2.BORDER_ISOLATED)
    )


def _at_least(pixels: Pixels) -> Pixels:
    """Pictures of a few pixels get their last row and column repeated."""
    height, width = pixels.shape[:2]
    below, right = max(0, _LEAST - height), max(0, _LEAST - width)
    if not (below or right):
        return pixels
    return cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE)


# --- Tiles -------------------------------------------------------------------------------------


def _tiles(shape: tuple[int, ...], side: int, halo: int) -> Iterator[tuple[Slices, Slices]]:
    """(what to look at, the tile inside of that) until the picture is covered."""
    for top, bottom in _spans(shape[0], side):
        for left, right in _spans(shape[1], side):
            above, before = max(0, top - halo), max(0, left - halo)
            region = (
                slice(above, min(shape[0], bottom + halo)),
                slice(before, min(shape[1], right + halo)),
            )
            core = slice(top - above, bottom - above), slice(left - before, right - before)
            yield region, core


def _spans(length: int, side: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, side):
        yield start, min(length, start + side)


def _moved(core: Slices, region: Slices) -> Slices:
    rows, columns = (
        slice(a.start + b.start, a.stop + b.start) for a, b in zip(core, region, strict=True)
    )
    return rows, columns


def _half(at: Slices) -> Slices:
    rows, columns = (slice(a.start // 2, -(-a.stop // 2)) for a in at)
    return rows, columns


# --- The score ---------------------------------------------------------------------------------


def _scales(side: int) -> int:
    """How many scales a picture with this short side is looked at in: one beyond the last that is
    large enough, as the reference does.
    """
    count = 1
    while count < _SCALES and side >= _LEAST:
        count, side = count + 1, -(-side // 2)
    return count


@lru_cache(maxsize=_SCALES)
def _plan(scales: int) -> tuple[tuple[_Part, ...], ...]:
    """What to measure at each scale.

    With fewer than six scales the published list is read on without gaps, as the reference does.
    """
    found: dict[tuple[int, int], dict[tuple[int, int], float]] = {}
    for position, weight in _WEIGHTS.items():
        rest, which = divmod(position, 3)
        rest, norm = divmod(rest, 2)
        component, scale = divmod(rest, scales)
        if component <= _B:
            found.setdefault((scale, component), {})[which, norm] = weight
    return tuple(
        tuple(
            _Part(component, found[scale, component])
            for component in (_X, _Y, _B)
            if (scale, component) in found
        )
        for scale in range(scales)
    )


def _curve(total: float) -> float:
    """From weighted errors to points, as fitted to what people said."""
    errors = total * 0.9562382616834844
    errors = (
        2.326765642916932 * errors
        - 0.020884521182843837 * errors**2
        + 6.248496625763138e-05 * errors**3
    )
    return 100.0 - 10.0 * errors**0.6276336467831387 if errors > 0 else 100.0
