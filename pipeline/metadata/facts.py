"""What is known about one file, as a frozen value that survives JSON.

Each reading (EXIF, XMP, a sidecar, a file name ...) contributes evidence; nothing is overwritten,
so that a better source that arrives late (a Takeout JSON, an XMP) can still win. `taken.decide`
and `places.decide` choose; impossible values are dropped and named in `notes`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.model import Json, JsonObject


class TakenFrom(StrEnum):
    """Where the knowledge of a date or place came from, best first."""

    PERSON = "person"  # a person typed it
    SIDECAR = "sidecar"  # XMP beside the file
    TAKEOUT = "takeout"  # Google's JSON
    EXIF_OFFSET = "exif+offset"  # EXIF date with its own UTC offset
    EXIF_GPS = "exif+gps"  # EXIF local date, zone from the position
    EXIF = "exif"  # EXIF local date, zone unknown
    QUICKTIME = "quicktime"  # com.apple.quicktime.creationdate, with offset
    CONTAINER = "container"  # mvhd / Matroska / ASF creation time, UTC
    XMP = "xmp"  # XMP inside the file
    DOCUMENT = "document"  # PDF or Office creation date
    GPS = "gps"  # GPS date and time stamp, UTC
    NAME = "name"  # the file name
    MTIME = "mtime"  # the file system, last resort


@dataclass(frozen=True, slots=True)
class DateEvidence:
    """One claim about when: local wall time, and the offset in minutes where known."""

    source: TakenFrom
    local: str  # "2023-10-06T08:30:00" or with fraction; what a clock on the wall showed
    offset_min: int | None
    confidence: float  # 0..1


@dataclass(frozen=True, slots=True)
class PlaceEvidence:
    """One claim about where, WGS 84 degrees."""

    source: TakenFrom
    lat: float
    lon: float
    alt: float | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A named rectangle in XMP (a face, mostly), relative 0..1, centre based as MWG writes it."""

    name: str
    kind: str
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Motion:
    """A video embedded in a photo: byte offset and length inside the file."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything read from one file. All fields are optional; absent means not known."""

    dates: tuple[DateEvidence, ...] = ()
    places: tuple[PlaceEvidence, ...] = ()
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    width: int | None = None  # as stored, before orientation
    height: int | None = None
    orientation: int | None = None  # EXIF 1..8
    duration_s: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    hdr: str | None = None  # "gainmap", "pq", "hlg", "dolby-vision"
    content_id: str | None = None  # Apple ContentIdentifier
    rating: int | None = None  # -1 rejected, 0..5
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    motion: Motion | None = None
    burst_id: str | None = None
    exposure_bias: float | None = None  # EV; differs inside a bracket
    page_count: int | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)  # stage-specific, e.g. sidecar_for
    notes: tuple[str, ...] = ()  # what was dropped or doubted, for a person to read

    def to_json(self) -> dict[str, Json]:
        """Plain JSON without the fields that are not known."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v not in (None, (), {})}

    @classmethod
    def from_json(cls, data: JsonObject) -> Facts:
        """The inverse of `to_json`; unknown keys are ignored so that old rows stay readable."""
        known: dict[str, Any] = {
            f.name: data[f.name] for f in dataclasses.fields(cls) if f.name in data
        }
        known["dates"] = tuple(
            DateEvidence(**{**d, "source": TakenFrom(d["source"])}) for d in data.get("dates", ())
        )
        known["places"] = tuple(
            PlaceEvidence(**{**p, "source": TakenFrom(p["source"])}) for p in data.get("places", ())
        )
        known["regions"] = tuple(Region(**r) for r in data.get("regions", ()))
        if data.get("motion"):
            known["motion"] = Motion(**data["motion"])
        for name in ("keywords", "people", "notes"):
            known[name] = tuple(data.get(name, ()))
        return cls(**known)
