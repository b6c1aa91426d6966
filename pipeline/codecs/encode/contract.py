"""What an encoder is, and what it is given.

Encoders know pixels and colour profiles only. What else a picture says about itself is put into
the finished file by `pipeline.metadata.write.copy`, the same way for all of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

# Height x width x 1, 3 or 4 (grey, RGB, RGBA), uint8 or uint16, upright.
Samples: TypeAlias = NDArray[Any]

_WHOLE_NUMBERS = tuple(float(quality) for quality in range(1, 101))


def _no_profile(_: bytes) -> bool:
    return False


def _as_it_is(data: bytes) -> bytes:
    return data


@dataclass(frozen=True, slots=True)
class Encoder:
    """One way to write one format.

    `write` takes samples, a quality of its `scale` (None: without loss, where `is_exact`), and the
    ICC profile of the samples. `scale` holds, rising, the qualities that differ at all: some
    encoders know steps finer than a whole one, others write the same file for two. Samples that the
    format cannot hold (`has_alpha`, `depth`) and profiles it cannot carry (`has_profile`, `speaks`)
    are brought down before, by `negative.fitted`. `finish` makes a file smaller without changing a
    pixel: once, at the end of a search.
    """

    name: str  # "jpegli": said in facts, and the key of what is known about its qualities
    format: str  # our own name of the format, as in `intake.formats`
    write: Callable[[Samples, float | None, bytes | None], bytes]
    scale: tuple[float, ...] = _WHOLE_NUMBERS
    longest: int = 1 << 18  # pixels of one side
    has_alpha: bool = True
    depth: int = 8  # bits a sample; those of deep samples are spread over all sixteen
    has_deep_profile: bool = True  # False: no profile beside samples deeper than eight bits
    is_exact: bool = False
    is_lossy: bool = True
    has_profile: bool = True
    speaks: Callable[[bytes], bool] = _no_profile  # profiles it says in its own words
    is_dear: bool = False  # an encoding costs more than a close look at it
    finish: Callable[[bytes], bytes] = _as_it_is
    in_full_colour: Encoder | None = None  # the same without halved chroma, where it halves it

    def nearest(self, quality: float) -> float:
        """The step of the scale that is closest to `quality`; of two the better."""
        at = bisect_left(self.scale, quality)
        around = self.scale[max(at - 1, 0) : at + 1]
        return min(around, key=lambda step: (abs(step - quality), -step))

    def between(self, low: float, high: float) -> tuple[float, ...]:
        """The steps above `low` and below `high`."""
        return self.scale[bisect_right(self.scale, low) : bisect_left(self.scale, high)]
