"""What is known of each encoder: how good photos get at its qualities, and what makes it less.

Only where a search starts stands here; what it ends with was looked at. Fitted by
`python -m bench.optimise --curves` to photos of `eval/coco` and crops of cameras' JPEGs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.codecs.encode.outlook import Outlook

# Of the photos it was fitted to: what `Outlook.features` gives for the one in the middle.
_USUAL = (9.0, 2.91, 1.93, 114.7)
_ABOVE = 4.0  # points that encoders get above the ceiling of an outlook, whose halving is plainer
_LEAST_ROOM = 1.0  # points below the best, nearer to which shares say nothing


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (quality, SSIMULACRA2) of a usual photo, both rising, and what each feature adds."""

    points: tuple[tuple[int, float], ...]
    weights: tuple[float, float, float, float]
    halves_chroma: bool = True

    def score(self, quality: float) -> float:
        """About what a usual photo scores at this quality."""
        return _line(self.points, quality)

    def quality(self, score: float) -> float:
        """About the quality at which a usual photo gets this score."""
        return _line([(y, x) for x, y in self.points], score)

    def moved(self, quality: float, score: float, aim: float, outlook: Outlook) -> float:
        """The quality for `aim`, of a picture that got `score` at `quality`.

        What is missing from the best that halved chroma allows shrinks by the same share as the
        usual photo's does; measured, that is a third nearer than to move all scores alike.
        """
        best, usual_best = self._best(outlook), 100.0 - _USUAL[0] + _ABOVE
        if not self.halves_chroma:
            usual_best = 100.0
        if min(best - score, best - aim, usual_best - self.score(quality)) < _LEAST_ROOM:
            return self.quality(self.score(quality) + aim - score)
        share = (best - aim) / (best - score)
        return self.quality(usual_best - share * (usual_best - self.score(quality)))

    def _best(self, outlook: Outlook) -> float:
        return max(outlook.ceiling, 0.0) + _ABOVE if self.halves_chroma else 100.0

    def shift(self, outlook: Outlook) -> float:
        """How many points better than usual a picture with this outlook will be."""
        features = zip(self.weights, outlook.features(), _USUAL, strict=True)
        return sum(weight * (seen - usual) for weight, seen, usual in features)


def of(encoder: str) -> Curve:
    """The curve of the encoder with this name."""
    return _CURVES[encoder]


def _line(points: Sequence[tuple[float, float]], x: float) -> float:
    """Straight between the points, and on beyond the last two."""
    at = min(max(bisect_left([point[0] for point in points], x), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[at - 1], points[at]
    return y0 + (x - x0) * (y1 - y0) / (x1 - x0)


def _points(qualities: str, scores: str) -> tuple[tuple[int, float], ...]:
    pairs = zip(qualities.split(), scores.split(), strict=True)
    return tuple((int(quality), float(score)) for quality, score in pairs)


_QUALITIES = "10 20 30 40 55 65 75 82 88 93 97"
_QUALITIES_OF_JXL = "40 55 65 75 82 88 93 97"

_CURVES: Mapping[str, Curve] = {
    "jpegli": Curve(
        _points(_QUALITIES, "23.4 42.7 52.4 55.6 61.3 66.1 71.3 76.0 81.7 86.5 89.6"),
        (-0.637, -3.966, 2.669, 0.036),
    ),
    "libjpeg-turbo": Curve(
        _points(_QUALITIES, "-7.4 31.3 47.1 55.6 63.0 67.8 72.8 77.9 83.1 86.6 89.8"),
        (-0.677, -3.531, 2.457, 0.021),
    ),
    "libjpeg-turbo-444": Curve(
        _points(_QUALITIES, "-3.5 35.4 50.8 59.1 66.4 71.2 76.1 81.4 87.8 91.0 95.4"),
        (-0.179, -5.351, 3.994, 0.028),
        halves_chroma=False,
    ),
    "libwebp": Curve(
        _points(_QUALITIES, "27.8 39.9 48.4 54.9 62.0 65.9 69.3 75.8 81.1 85.3 87.4"),
        (-0.656, -0.956, 3.28, 0.042),
    ),
    "aom": Curve(
        _points(_QUALITIES, "-3.4 15.9 32.9 49.0 67.6 74.9 81.2 84.0 86.8 87.9 89.0"),
        (-0.63, -1.867, 1.356, 0.025),
    ),
    "aom-444": Curve(
        _points(_QUALITIES, "-2.5 17.2 34.3 50.2 68.5 75.9 82.7 85.9 89.6 91.7 93.1"),
        (-0.141, -2.86, 1.77, 0.03),
        halves_chroma=False,
    ),
    "libjxl": Curve(
        _points(_QUALITIES_OF_JXL, "53.1 61.1 66.6 73.4 78.5 85.3 89.8 94.0"),
        (-0.246, -2.404, 1.533, 0.017),
        halves_chroma=False,
    ),
    "x265": Curve(
        _points("10 20 30 46 60 70 80 90", "-12.0 22.2 47.3 74.1 86.1 89.6 91.1 91.7"),
        (-0.487, -0.472, -0.654, 0.009),
    ),
    "x265-444": Curve(
        _points("30 45 60 70 80 90", "42.8 73.3 87.1 92.3 94.8 96.7"),
        (-0.147, -1.059, -0.714, 0.011),
        halves_chroma=False,
    ),
}
