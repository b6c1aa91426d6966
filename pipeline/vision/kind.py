"""Photo, screenshot, document, meme or drawing: clues are weighed, and the weightiest are told.

Each clue speaks for one kind with some points; the kinds' probabilities are the softmax of their
points. A picture without clues is a photo: that is what families have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.model import JsonObject
from pipeline.vision.heads import softmax
from pipeline.vision.kind_pixels import Looks

PHOTO, SCREENSHOT, DOCUMENT, MEME, DRAWING = "photo", "screenshot", "document", "meme", "drawing"
KINDS = (PHOTO, SCREENSHOT, DOCUMENT, MEME, DRAWING)
_BASE = 2.0  # points of a photo before any clue
_TOLD = 0.8  # clues of fewer points are weighed but not told
_MOST_TOLD = 3

_NAMES = {
    SCREENSHOT: re.compile(
        r"screen[ _-]?(shot|cap|grab)|scrn|bildschirmfoto|capture[ _]d|captura|schermafbeelding"
        r"|schermata|skärmbild|skjermbilde|zrzut|スクリーンショット|截屏|截图|Снимок экрана",
        re.IGNORECASE,
    ),
    DOCUMENT: re.compile(
        r"(^|[ _-])(scan|scanned|receipt|invoice|rechnung)\d*([ _.-]|$)|camscanner", re.IGNORECASE
    ),
    MEME: re.compile(r"(^|[ _-])memes?([ _.-]|$)", re.IGNORECASE),
}  # fmt: skip
_SENT = re.compile(r"IMG-\d{8}-WA\d{4}|^(photo|received|telegram)_", re.IGNORECASE)
_EXACT = frozenset(("png", "gif", "bmp"))  # formats in which screens are saved
# Long and short side of phones', tablets' and computers' screens.
_SCREENS = frozenset(
    (
        (2556, 1179), (2796, 1290), (2532, 1170), (2778, 1284), (2436, 1125), (2688, 1242),
        (1792, 828), (1334, 750), (2208, 1242), (1136, 640), (2400, 1080), (2340, 1080),
        (2280, 1080), (2160, 1080), (2220, 1080), (3120, 1440), (3088, 1440), (3200, 1440),
        (2960, 1440), (2880, 1440), (1600, 720), (1520, 720), (2622, 1206), (2868, 1320),
        (2048, 1536), (2732, 2048), (2388, 1668), (2360, 1640), (2224, 1668), (1366, 768),
        (1920, 1080), (2560, 1440), (3840, 2160), (1920, 1200), (2560, 1600), (2880, 1800),
        (1440, 900), (1280, 800), (3456, 2234), (3024, 1964), (1536, 864),
    )
)  # fmt: skip
_PAGES = (2**0.5, 11 / 8.5)  # A4 and US letter, upright: height over width
# Classes of ImageNet that are no things but kinds of picture.
_CLASSES: Mapping[int, tuple[str, str]] = {
    916: (SCREENSHOT, "It looks like a web page."),
    917: (DRAWING, "It looks like a comic."),
    918: (DOCUMENT, "It looks like a page of puzzles."),
    922: (DOCUMENT, "It looks like a printed list."),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is known besides the pixels. `width` and `height` are the whole picture's."""

    name: str
    format: str
    width: int
    height: int
    has_camera: bool
    classes: Sequence[tuple[int, float]] = ()


@dataclass(frozen=True, slots=True)
class Clue:
    """`points` for one kind, and the sentence that says so."""

    kind: str
    points: float
    why: str


@dataclass(frozen=True, slots=True)
class Kind:
    """The answer; `why` are the weightiest clues for it."""

    kind: str
    confidence: float
    why: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """As the facts of the stage hold it."""
        return {"kind": self.kind, "confidence": self.confidence, "why": list(self.why)}


def judge(looks: Looks, told: Told) -> Kind:
    """The kind of a picture that looks like this and of which this is known."""
    clues = [clue for clue in (*_from_pixels(looks), *_from_outside(looks, told)) if clue.points]
    points = dict.fromkeys(KINDS, 0.0) | {PHOTO: _BASE}
    for clue in clues:
        points[clue.kind] += clue.points
    odds = softmax(np.array([points[kind] for kind in KINDS]))
    best = int(odds.argmax())
    mine = sorted((c for c in clues if c.kind == KINDS[best]), key=lambda c: -c.points)
    why = tuple(c.why for c in mine if c.points >= _TOLD)[:_MOST_TOLD]
    return Kind(KINDS[best], round(float(odds[best]), 3), why or ("Nothing speaks against it.",))


def _ramp(value: float, low: float, high: float) -> float:
    """0 below `low`, 1 above `high`, a straight line between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _from_pixels(looks: Looks) -> Iterator[Clue]:
    few = 1 - _ramp(looks.colours, 5.8, 7.6)
    even = _ramp(looks.flat, 0.68, 0.85)
    marks = _ramp(looks.strokes, 0.03, 0.07)
    white = _ramp(looks.paper, 0.6, 0.85) * (1 - _ramp(looks.colourful, 0.04, 0.09))
    yield Clue(PHOTO, 3 * (1 - few), "It has the many colours of a photo.")
    yield Clue(PHOTO, 2 * (1 - _ramp(looks.flat, 0.6, 0.8)), "It has the fine grain of a photo.")
    yield Clue(
        SCREENSHOT, 6 * few * even * marks, "Even areas and sharp lettering, as on a screen."
    )
    yield Clue(SCREENSHOT, 2 * marks * few * _ramp(looks.straight, 0.3, 0.5),
               "Its edges are exactly level and upright.")  # fmt: skip
    yield Clue(DOCUMENT, 8 * white * marks * few, "Dark marks on white paper, without colour.")
    yield from _captions(looks, few)
    if looks.dead < 0.97:  # nothing but one colour: a covered lens as well as anything else
        calm = _ramp(looks.flat, 0.8, 0.9) * _ramp(looks.dead, 0.4, 0.65)
        yield Clue(DRAWING, 6 * calm * (1 - marks), "Large even areas of colour, as drawn.")


def _captions(looks: Looks, few: float) -> Iterator[Clue]:
    """Letters only make a meme where the rest is a photo."""
    edged = _ramp(looks.outlined, 0.01, 0.025) * (1 - few)
    yield Clue(MEME, 8 * edged, "Letters with black edges are written across it.")
    strip = _ramp(looks.strip, 0.04, 0.08) * (1 - few)
    yield Clue(MEME, 8 * strip, "A line of text stands in an even strip beside the picture.")


def _from_outside(looks: Looks, told: Told) -> Iterator[Clue]:
    sides = max(told.width, told.height), max(1, min(told.width, told.height))
    is_exact = told.format in _EXACT and not told.has_camera
    is_artificial = looks.flat > 0.68
    if told.has_camera:
        yield Clue(PHOTO, 5.0, "The camera that took it is named in it.")
    for kind, pattern in _NAMES.items():
        if pattern.search(told.name):
            yield Clue(kind, 5.0, f"Its name says so: {told.name}.")
    if _SENT.search(told.name):
        yield Clue(MEME, 0.5, "It was sent through a messenger.")
    if is_exact and is_artificial:
        yield Clue(SCREENSHOT, 1.5, f"It is a {told.format.upper()} without a camera.")
    if sides in _SCREENS and not told.has_camera:
        yield Clue(SCREENSHOT, 2.5 if is_exact or is_artificial else 0.5,
                   f"It has the size of a screen: {told.width} x {told.height}.")  # fmt: skip
    is_page = any(abs(told.height / max(1, told.width) - page) < 0.02 for page in _PAGES)
    if is_page and looks.paper > 0.6:
        yield Clue(DOCUMENT, 2.0, "It has the shape of a sheet of paper.")
    for index, odds in told.classes:
        if index in _CLASSES:
            kind, why = _CLASSES[index]
            yield Clue(kind, 3 * odds, why)
