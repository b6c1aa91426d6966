"""How likely a picture is blurred, noisy, too bright or too dark: one small logistic model each.

Their numbers are `senses.json`, beside this module, made by bench/accuracy/train_quality.py from
good photos and the same photos damaged on purpose. They are few enough to be read.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.vision.quality import measures

FILE = Path(__file__).with_name("senses.json")
BLUR, NOISE, OVER, UNDER = "blur", "noise", "over", "under"
# What each may look at: a blurred picture is never told by its brightness.
READS: Mapping[str, tuple[str, ...]] = {
    BLUR: measures.SHARPNESS,
    NOISE: (*measures.NOISE, "middle"),
    OVER: measures.EXPOSURE,
    UNDER: measures.EXPOSURE,
}
_FAR = 40.0  # beyond, the exponential only overflows


@dataclass(frozen=True, slots=True)
class Sense:
    """A logistic model: `weights` for each measure and, as "a*b", for products of two."""

    weights: Mapping[str, float]
    bias: float


@functools.cache
def load() -> Mapping[str, Sense]:
    """The four senses that come with this version of Darkroom."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: Sense(one["weights"], one["bias"]) for name, one in table.items()}


def feel(measured: Mapping[str, float]) -> dict[str, float]:
    """The probability of each damage, given what `measures.measure` found."""
    return {name: _likely(sense, measured) for name, sense in load().items()}


def _likely(sense: Sense, measured: Mapping[str, float]) -> float:
    total = sense.bias
    for name, weight in sense.weights.items():
        total += weight * math.prod(measured[factor] for factor in name.split("*"))
    return 1 / (1 + math.exp(-min(_FAR, max(-_FAR, total))))
