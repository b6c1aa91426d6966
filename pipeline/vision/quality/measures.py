"""Numbers that tell damaged pictures from good ones, taken from the pixels of a preview.

The picture is split into a grid of tiles, and into octaves: fine detail, detail of twice that size,
of four times. Blur shows where there is most detail: its finest octave is missing. Noise shows
where there is least: something fine is left. Exposure shows in the histogram.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

SHARPNESS = (
    "slope_best",
    "slope_good",
    "coarse_best",
    "coarse_good",
    "fine_most",
    "edge_width",
    "slope_least",
    "slope_spread",
)
NOISE = (
    "fine_least",
    "fine_little",
    "white_least",
    "colour_least",
    "colour_little",
    "fine_typical",
)
EXPOSURE = (
    "darkest",
    "dark",
    "middle",
    "bright",
    "brightest",
    "blown",
    "black",
    "contrast",
    "vivid",
    "spent",
    "deepest",
    "lightest",
    *(f"level{n}" for n in range(8)),
)

_SMALL = 800 * 600  # pixels; of more only windows are looked at
_WINDOW = 192
_TILES, _TILES_OF_WINDOW = 16, 4  # a side
_NO_EDGE = float(np.log(9.0))  # as wide as is looked for
_LEAST_SIDE = 32  # smaller pictures are enlarged: there is nothing to measure on them anyway
_TINY = 1e-2  # energy below which nothing can be told from rounding
_SHADOW, _LIGHT = 10, 245  # tiles darker or brighter hide noise

Floats = NDArray[np.float32]


def measure(pixels: Pixels) -> dict[str, float]:
    """Every measure of RGB `pixels`, by the names above."""
    pixels = _sizeable(pixels)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    looks = [_look(pixels[place], grey[place]) for place in _windows(*grey.shape)]
    fine, middle, coarse, ways, colour, light, width = (
        np.concatenate(part) for part in zip(*looks, strict=True)
    )
    return {
        **_sharpness(fine, middle, coarse),
        **_shake(ways, middle),
        "edge_width": float(np.quantile(width, 0.1)) if width.size else _NO_EDGE,
        **_noise(fine, middle, colour, light),
        **_exposure(grey, pixels),
    }


def _sizeable(pixels: Pixels) -> Pixels:
    least = min(pixels.shape[:2])
    if least >= _LEAST_SIDE:
        return pixels
    height, width = (max(side, _LEAST_SIDE) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST))


def _windows(height: int, width: int) -> list[tuple[slice, slice]]:
    """All of a small picture; of a large one a dozen squares, evenly spread."""
    if height * width <= _SMALL:
        return [(slice(None), slice(None))]
    down, across = (3, 4) if height <= width else (4, 3)
    tops = np.linspace(0, height - min(_WINDOW, height), down).astype(int)
    lefts = np.linspace(0, width - min(_WINDOW, width), across).astype(int)
    return [(slice(y, y + _WINDOW), slice(x, x + _WINDOW)) for y in tops for x in lefts]


def _look(pixels: Pixels, grey: Any) -> tuple[Floats, ...]:
    """Of one window, by tile: three octaves, colour, light; and of its edges their width."""
    tiles = _TILES if grey.shape[0] * grey.shape[1] > _WINDOW * _WINDOW else _TILES_OF_WINDOW
    floats = grey.astype(np.float32)
    light = cv2.resize(floats, (tiles, tiles), interpolation=cv2.INTER_AREA).ravel()
    octaves = _octaves(floats, tiles)
    ways = _ways(floats, tiles)
    return *octaves, ways, _colour(pixels, tiles), np.asarray(light), _edge_widths(grey)


def _energy(values: Any, tiles: int) -> Floats:
    """Log of the power of what is finer than two pixels, by tile."""
    detail = values - cv2.GaussianBlur(values, (5, 5), 1.0)
    power = cv2.resize(detail * detail, (tiles, tiles), interpolation=cv2.INTER_AREA)
    return np.asarray(np.log(power.ravel() + _TINY))


def _octaves(grey: Any, tiles: int) -> tuple[Floats, Floats, Floats]:
    energies = [_energy(grey, tiles)]
    for _ in range(2):
        height, width = grey.shape
        size = max(1, width // 2), max(1, height // 2)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        energies.append(_energy(grey, tiles))
    return energies[0], energies[1], energies[2]


def _sharpness(fine: Floats, middle: Floats, coarse: Floats) -> dict[str, float]:
    """How quickly detail fades towards the finest, in the tiles that have most of it."""
    order = np.argsort(-middle)
    best, good = order[: max(1, len(order) // 16)], order[: max(1, len(order) // 4)]
    return {
        "slope_best": float((fine - middle)[best].mean()),
        "slope_good": float((fine - middle)[good].mean()),
        "coarse_best": float((middle - coarse)[best].mean()),
        "coarse_good": float((middle - coarse)[good].mean()),
        "fine_most": float(np.quantile(fine, 0.95)),
    }


def _ways(grey: Any, tiles: int) -> Floats:
    """How quickly detail fades in each of four directions, by tile: tiles x 4.

    A shaken picture has lost its fine detail along one direction only.
    """
    height, width = grey.shape
    half = cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.stack([_fading(grey, half, kernel, tiles) for kernel in _WAYS], axis=1)


def _fading(grey: Any, half: Any, kernel: Floats, tiles: int) -> Floats:
    """Log of the power that `kernel` finds at full size over what it finds at half."""
    found = (cv2.filter2D(size, -1, kernel) for size in (grey, half))
    powers = (cv2.resize(f * f, (tiles, tiles), interpolation=cv2.INTER_AREA) for f in found)
    fine, middle = (np.log(power.ravel() + _TINY) for power in powers)
    return np.asarray(fine - middle)


def _second_difference(down: int, across: int) -> Floats:
    """Kernel of the second difference along one direction."""
    kernel = np.zeros((3, 3), np.float32)
    kernel[1, 1] = 2
    kernel[1 + down, 1 + across] = kernel[1 - down, 1 - across] = -1
    return kernel


_WAYS = tuple(_second_difference(*way) for way in ((0, 1), (1, 0), (1, 1), (1, -1)))


def _shake(ways: Floats, middle: Floats) -> dict[str, float]:
    """The direction in which least is left of fine detail, and how far the others are from it."""
    best = np.argsort(-middle)[: max(1, len(middle) // 8)]
    slopes = ways[best].mean(axis=0)
    return {"slope_least": float(slopes.min()), "slope_spread": float(np.ptp(slopes))}


def _edge_widths(grey: Any) -> Floats:
    """Log of the width of strong edges: the height of the step over its steepest slope."""
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125)
    around = np.ones((9, 9), np.uint8)
    slope = cv2.dilate(cv2.magnitude(across, down), around)
    step = cv2.subtract(cv2.dilate(grey, around), cv2.erode(grey, around))
    strong = step > max(24.0, float(step.max()) * 0.4)
    width = step[strong][::7] / np.maximum(slope[strong][::7], 0.5)
    return np.asarray(np.log(width), np.float32)


def _colour(pixels: Pixels, tiles: int) -> Floats:
    """Power of fine colour changes: cameras and JPEG smooth colour, noise does not."""
    red, green, blue = cv2.split(pixels)
    differences = (cv2.subtract(a, green, dtype=cv2.CV_32F) for a in (red, blue))
    return np.asarray(np.logaddexp(*(_energy(one, tiles) for one in differences)))


def _noise(fine: Floats, middle: Floats, colour: Floats, light: Floats) -> dict[str, float]:
    """What is left of the finest octave where there is least of it."""
    usable = (light > _SHADOW) & (light < _LIGHT)
    if usable.sum() < _TILES:
        usable = np.ones_like(usable)
    fine, middle, colour = fine[usable], middle[usable], colour[usable]
    calm = np.argsort(fine)[: max(1, len(fine) // 8)]
    return {
        "fine_least": float(np.quantile(fine, 0.05)),
        "fine_little": float(np.quantile(fine, 0.2)),
        "fine_typical": float(np.median(fine)),
        "white_least": float((fine - middle)[calm].mean()),
        "colour_least": float(np.quantile(colour, 0.05)),
        "colour_little": float(np.quantile(colour, 0.2)),
    }


def _exposure(grey: Any, pixels: Pixels) -> dict[str, float]:
    """Where the histogram lies, 0 black to 1 white; shares of blown and black pixels."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    share = np.cumsum(counts) / counts.sum()
    levels = [float(np.searchsorted(share, at)) / 255 for at in (0.02, 0.2, 0.5, 0.8, 0.98)]
    names = ("darkest", "dark", "middle", "bright", "brightest")
    eighths = np.sqrt(counts.reshape(8, 32).sum(axis=1) / counts.sum())
    red, green, blue = cv2.split(np.ascontiguousarray(pixels[::2, ::2]))
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    around = np.ones((15, 15), np.uint8)
    return (
        dict(zip(names, levels, strict=True))
        | {f"level{number}": float(share) for number, share in enumerate(eighths)}
        | {
            "blown": float(np.sqrt(1 - share[249])),
            "black": float(np.sqrt(share[6])),
            "contrast": float(grey.std()) / 128,
            "vivid": float(cv2.subtract(most, least).mean()) / 255,
            "spent": float(np.sqrt((most >= _LIGHT + 5).mean())),
            # Nearly every small part of a well exposed picture holds something dark and something
            # bright in one of its colours ("dark channel": He, Sun and Tang 2009).
            "deepest": float(cv2.erode(least, around).mean()) / 255,
            "lightest": float(cv2.dilate(most, around).mean()) / 255,
        }
    )
