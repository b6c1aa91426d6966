"""The search for a quality: what is known of which, what to try next, and when to stop.

It stops at a copy within `TOLERANCE` above the target, or between two steps of the encoder's scale
of which the lower one misses it: then there is no closer one. What tiles say is believed until the
whole picture was seen; then all of it is moved by what it was wrong by, which is nearly the same
at every quality.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.codecs.encode.contract import Encoder
from pipeline.codecs.encode.curves import Curve
from pipeline.codecs.encode.outlook import Outlook
from pipeline.codecs.judge import Judge, Trial

TOLERANCE = 1.0  # a copy may be this much better than asked; it is never worse
AIM = 0.5  # above the target: the middle of what is accepted
_MOST_PRINTS = 8
_MOST_SKETCHES = 2
_HINTS_ARE_LOW = 0.25  # points, as a rule
_CLEARLY = 0.7  # points by which tiles must be outside of what is accepted, to be believed
_STILL_TO_COME = 0.9  # of its bytes are left when a copy is finished
_BOTTOM, _TOP = 0.0, 101.0  # beyond every scale


@dataclass(frozen=True, slots=True)
class Found:
    """The best copy, who wrote it, and after how many encodings of the whole picture (`trials`)
    and, where it is large, of a mosaic of its tiles (`sketches`).

    `is_next_step` is True where the encoder's scale has no step between this copy and one that
    misses the target, so that it may be better than `TOLERANCE` allows.
    """

    trial: Trial
    encoder: Encoder
    trials: int
    sketches: int
    is_next_step: bool


class Hunt:
    """One search. `run` it once."""

    def __init__(
        self,
        judge: Judge,
        curve: Curve,
        outlook: Outlook,
        target: float,
        most_bytes: int | None,
    ) -> None:
        self.judge, self.curve, self.outlook = judge, curve, outlook
        self.target, self.most_bytes = target, most_bytes
        self.sketched: dict[float, float] = {}
        self.glanced: dict[float, float] = {}
        self.printed: dict[float, bytes] = {}
        self.tried: dict[float, Trial] = {}

    def run(self, start: float) -> Found | None:
        """Begin where the curve has the score `start`."""
        quality: float | None = self._step(self.curve.quality(start))
        if self.judge.is_large and quality is not None:
            quality = self._sketched(quality)
        while quality is not None and len(self.printed) < _MOST_PRINTS:
            trial = self._seen(quality)
            if trial is not None and self._is_hopeless(trial):
                return None
            quality = self._next(trial)
        return self._found()

    def _found(self) -> Found | None:
        good = [trial for trial in self.tried.values() if trial.worst >= self.target]
        if not good:
            return None
        best = min(good, key=lambda trial: len(trial.data))
        data = self.judge.encoder.finish(best.data)
        if self.most_bytes is not None and len(data) > self.most_bytes:
            return None
        counts = len(self.printed), len(self.sketched)
        return Found(replace(best, data=data), self.judge.encoder, *counts, self._is_closed())

    def _sketched(self, quality: float) -> float:
        """A quality that a mosaic finds right, after as few of them as will do."""
        while len(self.sketched) < _MOST_SKETCHES and quality not in self.sketched:
            self.sketched[quality] = self.judge.sketch(quality)
            if self._is_accepted(self._known()[quality]):
                break
            quality = self._step(self._guess())
        return quality

    def _seen(self, quality: float) -> Trial | None:
        """What the whole picture says; None where its tiles say clearly enough that it is off."""
        if quality in self.printed:
            made = self.judge.developed(quality, self.printed[quality])
        else:
            made = self.judge.printed(quality)
            self.printed[quality] = made.data
            if self.judge.is_large:
                self.glanced[quality] = self.judge.glance(made)
                over = self._known()[quality] - self.target
                if over < -_CLEARLY or over > TOLERANCE + _CLEARLY:
                    return None
        trial = self.tried[quality] = self.judge.trial(made)
        return trial

    def _is_hopeless(self, trial: Trial) -> bool:
        if self.most_bytes is None or trial.worst >= self.target:
            return False
        return len(trial.data) * _STILL_TO_COME > self.most_bytes

    def _next(self, last: Trial | None) -> float | None:
        """The quality to try now; None when the last or an earlier one will do."""
        if last is not None and self._is_accepted(last.worst):
            return None
        low, high = self._bracket()
        between = self.judge.encoder.between(low, high)
        if between:
            return min(between, key=lambda step: abs(step - self._guess()))
        return high if high in self.printed and high not in self.tried else None

    def _bracket(self) -> tuple[float, float]:
        """The highest quality that misses the target below the lowest that meets it."""
        known = self._known()
        high = min((q for q, score in known.items() if score >= self.target), default=_TOP)
        below = (q for q, score in known.items() if score < self.target and q < high)
        return max(below, default=_BOTTOM), high

    def _is_closed(self) -> bool:
        low, high = self._bracket()
        return high in self.tried and not self.judge.encoder.between(low, high)

    def _is_accepted(self, worst: float) -> bool:
        return 0 <= worst - self.target <= TOLERANCE

    def _guess(self) -> float:
        """Where the aim lies between what is known, or beyond it, along the curve."""
        aim = self.target + AIM
        known = self._known()
        above = min((q for q, score in known.items() if score >= aim), default=None)
        lower = [q for q, score in known.items() if score < aim and (above is None or q < above)]
        below = max(lower, default=None)
        if below is None or above is None:
            (nearest,) = (q for q in (below, above) if q is not None)
            return self.curve.moved(nearest, known[nearest], aim, self.outlook)
        share = (aim - known[below]) / (known[above] - known[below])
        start, end = self.curve.score(below), self.curve.score(above)
        return self.curve.quality(start + share * (end - start))

    def _known(self) -> dict[float, float]:
        """About the worst score by quality; sketches count only until the whole was encoded."""
        if not self.glanced:
            return {q: hint + _HINTS_ARE_LOW for q, hint in self.sketched.items()} | self._scores()
        both = [trial.worst - self.glanced[q] for q, trial in self.tried.items()]
        wrong_by = sum(both) / len(both) if both else _HINTS_ARE_LOW
        return {q: hint + wrong_by for q, hint in self.glanced.items()} | self._scores()

    def _scores(self) -> dict[float, float]:
        return {quality: trial.worst for quality, trial in self.tried.items()}

    def _step(self, quality: float) -> float:
        return self.judge.encoder.nearest(quality)
