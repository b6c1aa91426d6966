"""How good an encoder must be for this one picture: the quality that just meets a target.

A first guess stands in what is known about the encoder (`curves`), is corrected on a mosaic of
tiles where the picture is large, and then on the whole picture, which alone decides. Faces and text
are judged for themselves too: the worst of them and the whole must meet the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pipeline.codecs import decode, ssimulacra2
from pipeline.codecs.encode import curves
from pipeline.codecs.encode.contract import Encoder, Samples
from pipeline.codecs.encode.curves import Curve
from pipeline.codecs.encode.negative import Negative
from pipeline.codecs.encode.outlook import Outlook, look

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

Box: TypeAlias = tuple[float, float, float, float]  # left, top, width, height as fractions

TOLERANCE = 1.0  # a copy may be this much better than asked; it is never worse
_AIM = 0.5  # above the target: the middle of what is accepted
_MOST_PRINTS = 6
_PATIENT_PRINTS = 3  # after that many the tolerance grows; after the first where they are dear
_MOST_SKETCHES = 2
_HINTS_ARE_LOW = 0.25  # points, as a rule
_CLEARLY = 0.7  # points by which tiles must be outside of what is accepted, to be believed
_STILL_TO_COME = 0.9  # of its bytes are left when a copy is finished
_HEADROOM = 4.0  # points that halved chroma alone must leave above the target
_LARGE = 2_000_000  # pixels from which on a mosaic comes first
_TILES = 12  # of the mosaic; more for faces and text
_MOST_REGIONS = 8
_SIDE = ssimulacra2.QUICK_TILE
_LEAST_REGION = 128  # pixels: below it the metric leaves out its coarse scales


@dataclass(frozen=True, slots=True)
class Print:
    """One encoding of the whole picture, and what a screen makes of it."""

    quality: int
    data: bytes
    shown: Pixels


@dataclass(frozen=True, slots=True)
class Trial:
    """One that was looked at closely: the score of the whole, and its worst with its regions."""

    quality: int
    score: float
    worst: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """The best copy, who wrote it, and after how many encodings of the whole picture (`trials`)
    and, where it is large, of a mosaic of its tiles (`sketches`).
    """

    trial: Trial
    encoder: Encoder
    trials: int
    sketches: int


@dataclass(frozen=True, slots=True)
class Sitter:
    """A picture ready to be tried: samples that fit the encoder, and where to look closely."""

    negative: Negative
    regions: tuple[Box, ...] = field(default=())


def search(
    sitter: Sitter, encoder: Encoder, target: float, most_bytes: int | None = None
) -> Found | None:
    """The smallest copy that meets `target`, within `TOLERANCE` where the encoder's steps allow.

    Where halved chroma alone would cost too much, the encoder's form in full colour writes it. None
    where no quality meets the target, or only one that needs more than `most_bytes`.
    """
    judge = _Judge(sitter, encoder)
    outlook = look(judge.sample)
    if encoder.in_full_colour is not None and outlook.ceiling < target + _HEADROOM:
        encoder = judge.encoder = encoder.in_full_colour
    curve = curves.of(encoder.name)
    hunt = _Hunt(judge, curve, outlook, target, most_bytes)
    return hunt.run(target + _AIM - curve.shift(outlook))


class _Judge:
    """Encodes at a quality and says how the copy looks; keeps what all trials have in common."""

    def __init__(self, sitter: Sitter, encoder: Encoder) -> None:
        self.negative, self.encoder = sitter.negative, encoder
        self.size = sitter.negative.size
        self._regions = [_window(box, self.size) for box in sitter.regions[:_MOST_REGIONS]]

    @property
    def sample(self) -> Pixels:
        """What tells enough about the picture, at a bearable cost."""
        return self._mosaic[1] if self.is_large else self._original

    @property
    def is_large(self) -> bool:
        return self.size[0] * self.size[1] >= _LARGE and min(self.size) >= 2 * _SIDE

    def printed(self, quality: int) -> Print:
        """The whole picture at this quality."""
        data = self.encoder.write(self.negative.samples, quality, self.negative.profile)
        return Print(quality, data, self._shown(data))

    def trial(self, made: Print) -> Trial:
        """What every pixel of it says."""
        score = ssimulacra2.score(self._original, made.shown)
        parts = [ssimulacra2.score(self._original[at], made.shown[at]) for at in self._regions]
        return Trial(made.quality, score, min([score, *parts]), made.data)

    def glance(self, made: Print) -> float:
        """About the same from a few tiles of it."""
        return self._by_tiles(self._tiled(made.shown))

    def sketch(self, quality: int) -> float:
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


class _Hunt:
    """The search itself: what is known of which quality, and what to try next.

    What tiles say is believed until the whole picture is seen; then all of it is moved by what it
    was wrong by, which is nearly the same at every quality.
    """

    def __init__(
        self,
        judge: _Judge,
        curve: Curve,
        outlook: Outlook,
        target: float,
        most_bytes: int | None,
    ) -> None:
        self.judge, self.curve, self.outlook = judge, curve, outlook
        self.target, self.most_bytes = target, most_bytes
        self.sketched: dict[int, float] = {}
        self.glanced: dict[int, float] = {}
        self.tried: dict[int, Trial] = {}
        self.prints = 0

    def run(self, start: float) -> Found | None:
        """Begin where the curve has the score `start`."""
        quality: int | None = self._bounded(self.curve.quality(start))
        if self.judge.is_large and quality is not None:
            quality = self._sketched(quality)
        while quality is not None and self.prints < _MOST_PRINTS:
            self.prints += 1
            trial = self._seen(self.judge.printed(quality))
            if trial is not None and self._is_hopeless(trial):
                return None
            quality = self._next(trial)
        good = [trial for trial in self.tried.values() if trial.worst >= self.target]
        if not good:
            return None
        best = min(good, key=lambda trial: trial.quality)
        data = self.judge.encoder.finish(best.data)
        if self.most_bytes is not None and len(data) > self.most_bytes:
            return None
        return Found(replace(best, data=data), self.judge.encoder, self.prints, len(self.sketched))

    def _sketched(self, quality: int) -> int:
        """A quality that a mosaic finds right, after as few of them as will do."""
        while len(self.sketched) < _MOST_SKETCHES and quality not in self.sketched:
            self.sketched[quality] = self.judge.sketch(quality)
            if self._is_accepted(self._known()[quality]):
                break
            quality = self._bounded(self._guess())
        return quality

    def _seen(self, made: Print) -> Trial | None:
        """What the whole picture says; None where its tiles say clearly enough that it is off."""
        if self.judge.is_large:
            self.glanced[made.quality] = self.judge.glance(made)
            over = self._known()[made.quality] - self.target
            is_off = over < -_CLEARLY or over > TOLERANCE + _CLEARLY
            if is_off and self.prints < _MOST_PRINTS - 1:
                return None
        trial = self.tried[made.quality] = self.judge.trial(made)
        return trial

    def _is_hopeless(self, trial: Trial) -> bool:
        if self.most_bytes is None or trial.worst >= self.target:
            return False
        return len(trial.data) * _STILL_TO_COME > self.most_bytes

    def _next(self, last: Trial | None) -> int | None:
        """The quality to try now; None when the last or an earlier one will do."""
        if last is not None and self._is_accepted(last.worst):
            return None
        known = self._known()
        low = max((q for q, score in known.items() if score < self.target), default=0)
        high = min((q for q, score in known.items() if score >= self.target), default=101)
        wanted = self._bounded(min(max(self._guess(), low + 1), high - 1))
        if wanted not in known and wanted < high:
            return wanted
        return high if high in known and high not in self.tried else None

    def _is_accepted(self, worst: float) -> bool:
        patient = _PATIENT_PRINTS if not self.judge.encoder.is_dear else 1
        patience = max(0, self.prints - patient)
        return 0 <= worst - self.target <= TOLERANCE * (1 + patience)

    def _guess(self) -> int:
        """Where the aim lies between what is known, or beyond it, along the curve."""
        aim = self.target + _AIM
        known = self._known()
        below = max((q for q, score in known.items() if score < aim), default=None)
        above = min((q for q, score in known.items() if score >= aim), default=None)
        if below is None or above is None:
            (nearest,) = (q for q in (below, above) if q is not None)
            return self.curve.moved(nearest, known[nearest], aim, self.outlook)
        share = (aim - known[below]) / (known[above] - known[below])
        start, end = self.curve.score(below), self.curve.score(above)
        return self.curve.quality(start + share * (end - start))

    def _known(self) -> dict[int, float]:
        """About the worst score by quality; sketches count only until the whole was encoded."""
        if not self.glanced:
            return {q: hint + _HINTS_ARE_LOW for q, hint in self.sketched.items()} | self._scores()
        both = [trial.worst - self.glanced[q] for q, trial in self.tried.items()]
        wrong_by = sum(both) / len(both) if both else _HINTS_ARE_LOW
        return {q: hint + wrong_by for q, hint in self.glanced.items()} | self._scores()

    def _scores(self) -> dict[int, float]:
        return {quality: trial.worst for quality, trial in self.tried.items()}

    def _bounded(self, quality: int) -> int:
        return min(max(quality, self.judge.encoder.lowest), 100)


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
