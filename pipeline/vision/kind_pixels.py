"""What the pixels say about the kind of a picture: flat areas, palette, strokes, straight edges.

A camera never makes two neighbouring pixels exactly alike over large areas; a screen and a pen do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

_SIDE = 640  # pixels are dropped, not averaged, down to about this: averaging smooths strokes
_TILE = 16
_FLAT = 2  # grey levels between neighbours: what JPEG leaves of an even colour
_STRONG = 48
_WHITE, _BLACK, _EVEN = 235, 28, 12  # as far as JPEG blurs them
_FAR = 150  # grey levels between paper and ink


@dataclass(frozen=True, slots=True)
class Looks:
    """Shares of the picture, 0..1, unless said otherwise."""

    flat: float  # neighbours alike
    dead: float  # tiles without any change at all
    colours: float  # how many colours make 95 % of it: log2
    main_colour: float  # the most frequent colour
    paper: float  # bright and without colour
    colourful: float  # mean saturation
    strokes: float  # tiles of thin, strong, two-toned marks: letters, lines
    straight: float  # of strong edges: exactly level or upright
    outlined: float  # white marks edged with black: more above or below than in the middle
    strip: float  # of the height: an even strip with marks, above or below everything else


def look(pixels: Pixels) -> Looks:
    """The looks of RGB `pixels` of any size."""
    pixels = _thinned(pixels)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    across, down = _steps(grey)
    dead = _dead(grey)
    counts = _palette(pixels)
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    light, saturation = hsv[:, :, 2], hsv[:, :, 1]
    return Looks(
        flat=float(((across <= _FLAT) & (down <= _FLAT)).mean()),
        dead=float(dead.mean()),
        colours=float(np.log2(np.searchsorted(np.cumsum(counts), 0.95) + 1)),
        main_colour=float(counts[0]),
        paper=float(((light > 200) & (saturation < 40)).mean()),
        colourful=float(saturation.mean()) / 255,
        strokes=float(_strokes(grey).mean()),
        straight=_straight(across, down),
        outlined=_outlined(pixels),
        strip=max(_strip(grey), _strip(grey[::-1])),
    )


def _thinned(pixels: Pixels) -> Pixels:
    """Every second or third pixel of a large picture; a tiny one made larger."""
    step = max(1, round(max(pixels.shape[:2]) / _SIDE))
    pixels = pixels[::step, ::step]
    height, width = (max(side, 2 * _TILE) for side in pixels.shape[:2])
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST))


def _steps(grey: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Absolute differences to the neighbour on the right and below."""
    here = grey[:-1, :-1]
    return cv2.absdiff(here, grey[:-1, 1:]), cv2.absdiff(here, grey[1:, :-1])


def _tiled(grey: Any) -> NDArray[Any]:
    """Rows of tiles x tiles in a row x pixels of a tile."""
    height, width = (side // _TILE for side in grey.shape)
    cut = grey[: height * _TILE, : width * _TILE]
    tiles = cut.reshape(height, _TILE, width, _TILE).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(tiles).reshape(height, width, _TILE * _TILE)


def _dead(grey: Any) -> NDArray[np.bool_]:
    tiles = _tiled(grey)
    return np.asarray(tiles.max(axis=2) - tiles.min(axis=2) <= _FLAT)


def _strokes(grey: Any) -> NDArray[np.bool_]:
    """Tiles of two tones far apart, little between them, changing often from one to the other."""
    tiles = _tiled(grey)
    low, high = tiles.min(axis=2), tiles.max(axis=2)
    found = high - low > 90
    some, low, high = tiles[found], low[found][:, None], high[found][:, None]
    quarter = (high - low) // 4
    is_two_toned = ((some < low + quarter) | (some > high - quarter)).mean(axis=1) > 0.72
    is_light = (some > low + 2 * quarter).reshape(-1, _TILE, _TILE)
    changes = (is_light[..., 1:] != is_light[..., :-1]).mean(axis=(1, 2))
    found[found] = is_two_toned & (changes > 0.1)
    return np.asarray(found)


def _straight(across: NDArray[Any], down: NDArray[Any]) -> float:
    strong = (across > _STRONG) | (down > _STRONG)
    if strong.mean() < 1e-3:
        return 0.0
    pure = ((across > _STRONG) & (down <= _FLAT)) | ((down > _STRONG) & (across <= _FLAT))
    return float(pure[strong].mean())


def _outlined(pixels: Pixels) -> float:
    """Letters of captions are white with a black edge, or the reverse, to be read on anything."""
    white = cv2.inRange(pixels, (_WHITE,) * 3, (255,) * 3)
    black = cv2.inRange(pixels, (0,) * 3, (_BLACK,) * 3)
    around = np.ones((7, 7), np.uint8)
    edged = cv2.bitwise_or(
        cv2.bitwise_and(white, cv2.dilate(black, around)),
        cv2.bitwise_and(black, cv2.dilate(white, around)),
    )
    third = max(1, len(edged) // 3)
    above, within, below = (
        part.mean() / 255 for part in (edged[:third], edged[third:-third], edged[-third:])
    )
    return float(max(0.0, above - within, below - within))


def _strip(grey: Any) -> float:
    """How far down from the top every row begins and ends in one colour that fills most of it."""
    ends = np.concatenate([grey[:, :4], grey[:, -4:]], axis=1).astype(np.int16)
    colour = int(np.median(ends[:4]))
    if _BLACK < colour < _WHITE:
        return 0.0
    is_even = (np.abs(ends - colour) <= _EVEN).all(axis=1)
    away = cv2.absdiff(grey, np.full_like(grey, colour))
    fills = (away <= _EVEN).mean(axis=1)
    ended = np.flatnonzero(~(is_even & (fills > 0.3)))
    height = int(ended[0]) if ended.size else len(grey)
    if not 0 < height < 0.4 * len(grey):
        return 0.0
    between = ((away[:height] > _EVEN) & (away[:height] < _FAR)).mean()
    marks = (away[:height] >= _FAR).mean()
    return height / len(grey) if marks > max(0.01, between / 2.5) else 0.0


def _palette(pixels: Pixels) -> NDArray[np.float64]:
    """Shares of the colours, told apart by five bits each, most frequent first."""
    few = (pixels[::2, ::2] >> 3).astype(np.int32)
    names = (few[:, :, 0] << 10) | (few[:, :, 1] << 5) | few[:, :, 2]
    counts = np.sort(np.bincount(names.ravel(), minlength=1))[::-1]
    return np.asarray(counts[counts > 0] / names.size, np.float64)
