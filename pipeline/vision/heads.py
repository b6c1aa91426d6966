"""Small linear heads over the features of a picture, each with calibrated confidence.

Their numbers are `heads.json`, beside this module, made by bench/accuracy/train_scene.py. A head
knows when not to speak: below its threshold, and for classes learnt only to be left unsaid, the
answer is "unknown".
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Json, JsonObject

FILE = Path(__file__).with_name("heads.json")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Head:
    """Probabilities are softmax(weights @ vector + bias): the temperature is already in them."""

    labels: tuple[str, ...]
    unspoken: tuple[str, ...]
    weights: NDArray[np.float32]  # labels x 1280
    bias: NDArray[np.float32]
    threshold: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`label` is "unknown" where `confidence`, that of the best real label, does not suffice."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads, and the version of the network on whose features they stand."""

    model: str
    by_name: Mapping[str, Head]


@functools.cache
def load() -> Heads:
    """The heads that come with this version of Darkroom."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return Heads(table["model"], {name: _head(t) for name, t in table["heads"].items()})


def ask(head: Head, vector: NDArray[np.float32]) -> Answer:
    """What `head` says of a picture with these features."""
    odds = softmax(head.weights @ vector + head.bias)
    best = head.labels[int(odds.argmax())]
    spoken = [n for n, label in enumerate(head.labels) if label not in head.unspoken]
    confidence = round(float(odds[spoken].max()), 4)
    is_said = best not in head.unspoken and confidence >= head.threshold
    return Answer(best if is_said else UNKNOWN, confidence)


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Probabilities along the last axis."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def to_json(model: str, by_name: Mapping[str, Head]) -> JsonObject:
    """What `load` reads. Weights are kept as int8, with one scale a label."""
    return {"model": model, "heads": {name: _table(head) for name, head in by_name.items()}}


def _table(head: Head) -> JsonObject:
    scales = np.abs(head.weights).max(axis=1) / 127
    steps = np.rint(head.weights / scales[:, None]).astype(np.int8)
    return {
        "labels": list(head.labels),
        "unspoken": list(head.unspoken),
        "threshold": head.threshold,
        "bias": [round(float(value), 4) for value in head.bias],
        "scales": [float(f"{value:.6g}") for value in scales],
        "weights": base64.b64encode(steps.tobytes()).decode("ascii"),
    }


def _head(table: Mapping[str, Json]) -> Head:
    scales = np.array(table["scales"], np.float32)
    steps = np.frombuffer(base64.b64decode(table["weights"]), np.int8)
    return Head(
        labels=tuple(table["labels"]),
        unspoken=tuple(table["unspoken"]),
        weights=steps.reshape(len(scales), -1).astype(np.float32) * scales[:, None],
        bias=np.array(table["bias"], np.float32),
        threshold=table["threshold"],
    )
