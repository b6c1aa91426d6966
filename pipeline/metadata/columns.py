"""Facts as the columns of a file's row. Cheap, and imports nothing heavy: it runs in the core."""

from __future__ import annotations

import unicodedata

from pipeline.clock import timestamp
from pipeline.metadata import camera, places, taken
from pipeline.metadata.facts import Facts
from pipeline.model import Json


def columns(facts: Facts) -> dict[str, Json]:
    """The decided columns of `media_files`: every key is always there, None where not known."""
    place = places.decide(facts.places)
    when = taken.decide(facts.dates, (place.lat, place.lon) if place else None)
    return {
        "taken_at": when.iso if when else None,
        "taken_utc": timestamp(when.utc) if when else None,
        "taken_from": str(when.source) if when else None,
        "taken_confidence": when.confidence if when else None,
        "lat": place.lat if place else None,
        "lon": place.lon if place else None,
        "width": facts.width,
        "height": facts.height,
        "orientation": facts.orientation,
        "duration_s": facts.duration_s,
        "camera": camera.display(facts.make, facts.model),
        "lens": facts.lens,
        "rating": facts.rating,
        "title": facts.title and unicodedata.normalize("NFC", facts.title),  # as it is looked for
    }
