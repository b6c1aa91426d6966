"""Where a picture was taken and in what light, told from its features.

Three heads answer (`heads.py`); further scenes come from ImageNet's own classes, where those are
scenes. What is not sure enough is "unknown".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.model import JsonObject
from pipeline.vision import heads
from pipeline.vision.heads import UNKNOWN, Answer

# Indices of ImageNet's 1000 classes that are scenes, or that are seen only in one.
FURTHER: Mapping[str, frozenset[int]] = {
    "beach": frozenset((977, 978)),  # sandbar, seashore
    "lake": frozenset((975,)),
    "cliff": frozenset((972, 976)),  # cliff, promontory
    "underwater": frozenset((973, 983)),  # coral reef, scuba diver
    "harbour": frozenset((536, 718)),  # dock, pier
    "bridge": frozenset((821, 839, 888)),
    "church": frozenset((497, 663, 668)),  # church, monastery, mosque
    "castle": frozenset((483, 698)),  # castle, palace
    "restaurant": frozenset((762,)),
    "library": frozenset((454, 624)),
    "stage": frozenset((819,)),
    "bathroom": frozenset((435, 794, 861, 876, 896)),  # tub, shower, toilet, basin
    "snow": frozenset((537, 795, 802)),  # dog sled, skis, snowmobile
}
_SURE = 0.6  # of further scenes: ImageNet's probabilities are about as good as their word


def describe(vector: NDArray[np.float32], classes: Iterable[tuple[int, float]]) -> JsonObject:
    """`place`, `light` and `scene`, each with `label` and `confidence`, and whose heads they are.

    `vector` and `classes` are those of `features.look`.
    """
    told = heads.load()
    answers = {name: heads.ask(head, vector) for name, head in told.by_name.items()}
    answers["scene"] = _better(answers["scene"], further(classes))
    named = {name: {"label": a.label, "confidence": a.confidence} for name, a in answers.items()}
    return {**named, "model": told.model}


def further(classes: Iterable[tuple[int, float]]) -> Answer:
    """The further scene that the classes speak for, with the sum of their probabilities."""
    odds = dict.fromkeys(FURTHER, 0.0)
    for index, probability in classes:
        for name, members in FURTHER.items():
            odds[name] += probability * (index in members)
    best = max(odds, key=lambda name: odds[name])
    confidence = round(odds[best], 4)
    return Answer(best if confidence >= _SURE else UNKNOWN, confidence)


def _better(one: Answer, other: Answer) -> Answer:
    """What is said before what is not; of two, the surer."""
    return max(one, other, key=lambda answer: (answer.label != UNKNOWN, answer.confidence))
