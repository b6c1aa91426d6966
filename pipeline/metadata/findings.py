"""What the readers of one file find, gathered until it becomes `Facts`.

The first claim for a field wins, so readers are called best first; dates and places all stay as
evidence. Impossible dates and positions become notes here, in one place.
"""

from __future__ import annotations

import mmap
from typing import Any

from pipeline.metadata import dates, places
from pipeline.metadata.facts import DateEvidence, Facts, Motion, PlaceEvidence, Region, TakenFrom
from pipeline.metadata.window import Window
from pipeline.model import Json

Data = bytes | mmap.mmap | Window  # a whole file: slices are copies, ends are forgiving

_LONGEST_TEXT = 4000
_MOST = 500  # keywords, people, regions, notes: what is kept of each


class Findings:
    """Gathers the facts of one file; `facts()` freezes them."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.extra: dict[str, Json] = {}
        self._dates: dict[DateEvidence, None] = {}
        self._places: dict[PlaceEvidence, None] = {}
        self._lists: dict[str, dict[Any, None]] = {}

    def set(self, name: str, value: Any) -> None:
        """Claim a field of `Facts`; an earlier claim stays, None and empty text claim nothing."""
        if value is not None and value != "" and name not in self.fields:
            self.fields[name] = value

    def text(self, name: str, value: str | None) -> None:
        """Claim a field with text, tidied of padding."""
        if value:
            self.set(name, value.replace("\0", " ").strip()[:_LONGEST_TEXT])

    def size(self, width: int, height: int) -> None:
        """Claim width and height, as stored."""
        if 0 < width < 1 << 31 and 0 < height < 1 << 31 and "width" not in self.fields:
            self.fields["width"], self.fields["height"] = width, height

    def orientation(self, value: int | None) -> None:
        """Claim an EXIF orientation; anything but 1..8 says nothing and is noted."""
        if value is None:
            return
        if 1 <= value <= 8:
            self.set("orientation", value)
        else:
            self.note(f"The orientation {value} does not exist; the picture is taken as upright.")

    def date(
        self, source: TakenFrom, moment: dates.Moment | None, confidence: float, raw: str = ""
    ) -> None:
        """Add a date; None with its `raw` text becomes a note."""
        if moment is not None:
            self._dates[DateEvidence(source, moment[0], moment[1], confidence)] = None
        elif raw.strip(" :0-/\0T."):
            self.note(f"The date “{raw[:40].strip()}” ({source}) is impossible and not used.")

    def place(self, source: TakenFrom, lat: float, lon: float, alt: float | None = None) -> None:
        """Add a position; an impossible one becomes a note."""
        why = places.why_impossible(lat, lon)
        if why is not None:
            self.note(why)
            return
        height = round(alt, 2) if alt is not None and -12_000 < alt < 100_000 else None
        self._places[PlaceEvidence(source, round(lat, 7), round(lon, 7), height)] = None

    def keyword(self, *words: str) -> None:
        """Add keywords."""
        self._add("keywords", (w.strip()[:200] for w in words if w.strip()))

    def person(self, *names: str) -> None:
        """Add people who are shown."""
        self._add("people", (n.strip()[:200] for n in names if n.strip()))

    def region(self, region: Region) -> None:
        """Add a named rectangle."""
        self._add("regions", (region,))

    def note(self, sentence: str) -> None:
        """Say what was dropped or doubted."""
        self._add("notes", (sentence,))

    def motion(self, offset: int, length: int) -> None:
        """Claim the embedded video."""
        self.set("motion", Motion(offset, length))

    def facts(self) -> Facts:
        """Everything found so far."""
        lists: dict[str, Any] = {name: tuple(found) for name, found in self._lists.items()}
        return Facts(
            dates=tuple(self._dates),
            places=tuple(self._places),
            extra=self.extra,
            **self.fields,
            **lists,
        )

    def _add(self, name: str, values: Any) -> None:
        kept = self._lists.setdefault(name, {})
        for value in values:
            if len(kept) < _MOST:
                kept[value] = None
