"""How good a copy looks against its original: wholly, by its regions, or at a glance by some tiles.

Faces and text are judged for themselves too: the worst of them and the whole is what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.codecs import decode, ssimulacra2
from pipeline.codecs.encode.contract import Encoder, Samples
from pipeline.codecs.encode.negative import Negative
from pipeline.codecs.orient import Box

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

_LARGE = 2_000_000  # pixels from which on a mosaic comes first
_TILES = 12  # of the mosaic; more for faces and text
_MOST_REGIONS = 8
_SIDE = ssimulacra2.QUICK_TILE
_LEAST_REGION = 128  # pixels: below it the metric leaves out its coarse scales


@dataclass(frozen=True, slots=True)
class Print:
    """One encoding of the whole picture, and what a screen makes of it."""

    quality: float
    data: bytes
    shown: Pixels


@dataclass(frozen=True, slots=True)
class Trial:
    """One that was looked at closely: the score of the whole, and its worst with its regions."""

    quality: float
    score: float
    worst: float
    data: bytes


class Judge:
    """Encodes at a quality and says how the copy looks; keeps what all trials have in common."""

    def __init__(self, negative: Negative, encoder: Encoder, regions: Sequence[Box]) -> None:
        self.negative, self.encoder = negative, encoder
        self.size = negative.size
        self._regions = [_window(box, self.size) for box in regions[:_MOST_REGIONS]]

    @property
    def sample(self) -> Pixels:
        """What tells enough about the picture, at a bearable cost."""
        return self._mosaic[1] if self.is_large else self._original

    @property
    def is_large(self) -> bool:
        return self.size[0] * self.size[1] >= _LARGE and min(self.size) >= 2 * _SIDE

    def printed(self, quality: float) -> Print:
        """The whole picture at this quality."""
        data = self.encoder.write(self.negative.samples, quality, self.negative.profile)
        return self.developed(quality, data)

    def developed(self, quality: float, data: bytes) -> Print:
        """What was printed at this quality, looked at again."""
        return Print(quality, data, self._shown(data))

    def trial(self, made: Print) -> Trial:
        """What every pixel of it says."""
        score = ssimulacra2.score(self._original, made.shown)
        parts = [ssimulacra2.score(self._original[at], made.shown[at]) for at in self._regions]
        return Trial(made.quality, score, min([score, *parts]), made.data)

    def glance(self, made: Print) -> float:
        """About the same from a few tiles of it."""
        return self._by_tiles(self._tiled(made.shown))

    def sketch(self, quality: float) -> float:
        """About the same from a few tiles that alone are encoded."""
        negative, _ = self._mosaic
        return self._by_tiles(
            self._shown(self.encoder.write(negative.samples, quality, negative.profile))
        )

    def _by_tiles(self, shown: Pixels) -> float:
        _, original = self._mosaic
        common = _TILES * _SIDE
        scores = [ssimulacra2.quick(original[:common], shown[:common])]
        for top in range(common, original.shape[0], _SIDE):
            at = slice(top, top + _SIDE)
            scores.append(ssimulacra2.quick(original[at], shown[at]))
        return min(scores)

    def _shown(self, data: bytes) -> Pixels:
        return decode.decode(data, self.encoder.format, None).pixels

    @cached_property
    def _original(self) -> Pixels:
        return self.negative.shown()

    @cached_property
    def _mosaic(self) -> tuple[Negative, Pixels]:
        negative = Negative(self._tiled(self.negative.samples), self.negative.profile)
        return negative, negative.shown()

    @cached_property
    def _corners(self) -> Sequence[tuple[int, int]]:
        return [*_spread(self.size), *(_corner(at, self.size) for at in self._regions)]

    def _tiled(self, samples: Samples) -> Samples:
        """The tiles, one below the other; those of regions come last."""
        return np.concatenate([samples[y : y + _SIDE, x : x + _SIDE] for x, y in self._corners])


def _window(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """The box in pixels, a little larger, and large enough for the metric to see all of it."""
    spans = []
    for start, length, side in ((box[1], box[3], size[1]), (box[0], box[2], size[0])):
        reach = max(length * side * 1.2, _LEAST_REGION) / 2
        middle = (start + length / 2) * side
        first = int(min(max(middle - reach, 0), max(side - 2 * reach, 0)))
        spans.append(slice(first, int(min(side, first + 2 * reach + 1))))
    return spans[0], spans[1]


def _corner(at: tuple[slice, slice], size: tuple[int, int]) -> tuple[int, int]:
    """Of the tile around the middle of a region."""
    rows, columns = at
    x = (columns.start + columns.stop - _SIDE) // 2
    y = (rows.start + rows.stop - _SIDE) // 2
    return _aligned(x, size[0]), _aligned(y, size[1])


def _spread(size: tuple[int, int]) -> Sequence[tuple[int, int]]:
    """`_TILES` corners, evenly over the picture and off the lines of any grid in it."""
    across = 4 if size[0] >= size[1] else 3
    down = _TILES // across
    return [
        (
            _aligned(
                int((column + (0.3 if row % 2 else 0.7)) * size[0] / across) - _SIDE // 2, size[0]
            ),
            _aligned(
                int((row + (0.6 if column % 2 else 0.4)) * size[1] / down) - _SIDE // 2, size[1]
            ),
        )
        for row in range(down)
        for column in range(across)
    ]


def _aligned(at: int, side: int) -> int:
    """A start inside the picture, on the grid of blocks of every encoder."""
    return min(max(at, 0), side - _SIDE) // 16 * 16
