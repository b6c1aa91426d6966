"""The faces in a photo: where, how sharp, and what tells their people apart.

Param `embed` (default true): false where a household wants no recognition; faces are then found
and nothing is kept by which they could be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Category, Done, Json, Outcome, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.derivatives import PREVIEW_SIDE
from pipeline.stages.preview import applies

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.codecs.picture import Pixels
    from pipeline.stages.subject import Subject
    from pipeline.vision.faces.embed import Array
    from pipeline.vision.faces.peaks import Face

_NAME = "faces"


def run(subject: Subject) -> Outcome:
    """Facts: `faces` (box, score, landmarks, sharpness, embedding), `detector`, `embedder`, `dims`.

    An `embedding` is null for a face too small to be told from others, and for all where `embed`
    is false. The surest face comes first.
    """
    from pipeline.vision.models import Absent

    pixels = subject.picture(PREVIEW_SIDE).fit(PREVIEW_SIDE)
    is_embedding = bool(subject.param(_NAME, "embed", True))
    try:
        return Done(_facts(subject.models, pixels, is_embedding))
    except Absent as absent:
        return Skip(str(absent), is_final=False)


def _facts(models: Path | None, pixels: Pixels, is_embedding: bool) -> dict[str, Json]:
    from pipeline.vision import networks
    from pipeline.vision.faces import detect, embed
    from pipeline.vision.models import manifest

    detector = networks.network(models, "faces")
    embedder = networks.network(models, "face-embedding") if is_embedding else None
    found = detect.find_faces(detector, pixels)
    vectors = embed.embed_worthy(embedder, pixels, found) if embedder else [None] * len(found)
    told = [_told(face, pixels, vector) for face, vector in zip(found, vectors, strict=True)]
    known = manifest(models)
    return {
        "faces": told,
        "detector": known["faces"].version,
        "embedder": known["face-embedding"].version if is_embedding else None,
        "dims": embed.DIMENSIONS if is_embedding else 0,
    }


def _told(face: Face, pixels: Pixels, vector: Array | None) -> dict[str, Json]:
    """One face as plain facts, in fractions of the picture."""
    from pipeline.vision.faces.embed import packed
    from pipeline.vision.faces.sharpness import sharpness

    height, width = pixels.shape[:2]
    left, top, right, bottom = face.box
    box = left / width, top / height, (right - left) / width, (bottom - top) / height
    return {
        "box": [round(side, 4) for side in box],
        "score": round(face.score, 3),
        "landmarks": [[round(x / width, 4), round(y / height, 4)] for x, y in face.landmarks],
        "sharpness": round(sharpness(pixels, face), 3),
        "embedding": None if vector is None else packed(vector),
    }


STAGE = Stage(_NAME, 1, run, frozenset((Category.PHOTO,)), applies)
