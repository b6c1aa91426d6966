"""What a study found, handed to those who keep it: look-alikes, analyses, people, search.

Runs inside the transaction that records the study, so that what one room says of a file is never
older than what another says.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Mapping

from pipeline.model import Json, JsonObject
from pipeline.state import analysis, people, studies
from pipeline.work.record import Known

# How sure each kind of analysis is of the whole of what it said, 0 to 1.
_CONFIDENCE: Mapping[str, Callable[[JsonObject], float | None]] = {
    "faces": lambda facts: _best(facts["faces"]),
    "objects": lambda facts: _best(facts["objects"]),
    "scene": lambda facts: float(facts["scene"]["confidence"]),
    "quality": lambda facts: facts["score"] / 100,
    "kind": lambda facts: float(facts["confidence"]),
    "text": lambda facts: _best(facts["lines"]),
    "sensitive": lambda facts: float(facts["score"]),
}


def keep(con: sqlite3.Connection, known: Known, at: str) -> None:
    """Keep everything that is looked for later. Doing it twice changes nothing."""
    _keep_signature(con, known)
    for name in _CONFIDENCE.keys() & known.facts.keys():
        _keep_analysis(con, known, name, at)
    if "faces" in known.facts:
        people.learn(con, known.owner_id, known.file_id, known.facts["faces"], at)


def _keep_signature(con: sqlite3.Connection, known: Known) -> None:
    """What near-duplicate search compares; flat pictures are told apart there."""
    signature = known.facts.get("similar")
    if signature is not None:
        detail = base64.b64decode(signature["detail"])
        studies.sign(con, known.file_id, int(signature["phash"]), detail)


def _keep_analysis(con: sqlite3.Connection, known: Known, name: str, at: str) -> None:
    facts = known.facts[name]
    confidence = _CONFIDENCE[name](facts)
    shown = _without_embeddings(facts) if name == "faces" else facts
    model = str(facts.get("model") or facts.get("detector") or "")
    version = known.versions[name]
    analysis.keep(con, known.file_id, name, shown, confidence, model, version, at)


def _without_embeddings(facts: JsonObject) -> JsonObject:
    """A face's numbers belong to `faces` alone, where a family can have them erased."""
    faces: list[dict[str, Json]] = [
        {key: value for key, value in face.items() if key != "embedding"} for face in facts["faces"]
    ]
    return {**facts, "faces": faces}


def _best(found: list[dict[str, Json]]) -> float | None:
    return max((float(one["score"]) for one in found), default=None)
