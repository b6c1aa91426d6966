"""Which of what models saw become tags, and how sure they must be. The one place that says so.

A tag is for finding: what is on most photos ("day") or private ("sensitive") makes none. Wrong tags
cost more trust than missing ones, so thresholds lie where nineteen of twenty are right.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from pipeline.model import Json, JsonObject

LONGEST = 100  # characters of a tag

OBJECT_SURE = 0.5  # the detector's score of the best box of a label
SCENE_SURE = 0.6  # calibrated, of the scene's label
PLACE_SURE = 0.8  # calibrated, of indoor or outdoor
LIGHT_SURE = 0.8  # calibrated, of night
KIND_SURE = 0.7  # of what is no photo: screenshot, document, meme, drawing

_NO_TAG = frozenset({"unknown", "day", "photo"})
STAGES = ("objects", "scene", "kind")


def tag(word: str) -> str | None:
    """A word as a tag is stored, or None for what is none."""
    plain = " ".join(unicodedata.normalize("NFC", word).split())
    return plain if plain and len(plain) <= LONGEST and plain.isprintable() else None


def tags_of(facts: Mapping[str, JsonObject]) -> dict[str, dict[str, float]]:
    """By stage, the tags that its facts amount to and how sure it is of each."""
    return {stage: dict(_READ[stage](facts[stage])) for stage in STAGES if stage in facts}


def _objects(facts: JsonObject) -> Iterator[tuple[str, float]]:
    best: dict[str, float] = {}
    for one in facts.get("objects", ()):
        best[one["label"]] = max(best.get(one["label"], 0.0), float(one["score"]))
    for label, score in best.items():
        yield from _sure({"label": label, "confidence": score}, OBJECT_SURE)


def _scene(facts: JsonObject) -> Iterator[tuple[str, float]]:
    yield from _sure(facts.get("place"), PLACE_SURE)
    yield from _sure(facts.get("light"), LIGHT_SURE)
    yield from _sure(facts.get("scene"), SCENE_SURE)


def _kind(facts: JsonObject) -> Iterator[tuple[str, float]]:
    yield from _sure({"label": facts.get("kind"), **facts}, KIND_SURE)


def _sure(said: Json, least: float) -> Iterator[tuple[str, float]]:
    if not isinstance(said, Mapping) or said.get("label") in (None, *_NO_TAG):
        return
    name, confidence = tag(str(said["label"]).replace("_", " ")), float(said["confidence"])
    if name is not None and confidence >= least:
        yield name, min(confidence, 1.0)


_READ = {"objects": _objects, "scene": _scene, "kind": _kind}
