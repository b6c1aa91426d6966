"""Indoors or outdoors, day or night, and what kind of place a photo shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Facts: `place`, `light` and `scene`, each {label, confidence}; `model` they stand on."""
    from pipeline.vision import features, heads, scene

    facts = subject.facts.get("features")
    if facts is None:
        return Skip("the picture's features are not known", is_final=False)
    if facts["model"] != heads.load().model:
        return Skip("another network was chosen than the one scenes were learnt on", is_final=False)
    classes = [(int(index), float(odds)) for index, odds in facts["classes"]]
    return Done(scene.describe(features.unpacked(facts["vector"]), classes))


STAGE = Stage("scene", 1, run, frozenset((Category.PHOTO,)), applies, after=("features",))
