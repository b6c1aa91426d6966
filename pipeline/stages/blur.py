"""A copy of a photo or film in which faces cannot be recognised, on request.

The copy is a picture of its own, in the original's format where that can be written, else JPEG:
no thumbnail, preview, gain map, second picture or film of the original is in it. A film's copy has
its pictures and its sound; of films all faces are hidden (see `vision/blur_film.py`). Params:
  faces     "all" (default); "others": all but those in `keep`; "chosen": only `boxes`
  boxes     more parts to hide, each [x, y, w, h] as fractions of the upright picture
  keep      faces that stay visible, given in the same way (for "others": the known ones)
  shape     "ellipse" (default) or "box"
  metadata  "keep" (default); "private": without place, owner and author; "none"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.errors import DecodeFailed, Invalid
from pipeline.model import Category, Done, Format, Json, Made, Outcome, Reject, Skip
from pipeline.stages.contract import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.codecs.blur import Hidden, Shape
    from pipeline.codecs.encode.contract import Encoder
    from pipeline.codecs.encode.negative import Negative
    from pipeline.codecs.picture import Pixels
    from pipeline.stages.subject import Subject
    from pipeline.vision.blur import Box
    from pipeline.vision.faces.detect import Net

_NAME = "blur"
_PARAMS = frozenset(("faces", "boxes", "keep", "shape", "metadata"))
_QUALITY = {"jpeg": 95, "webp": 95, "avif": 92, "heic": 92, "jxl": 95}
_ENCODINGS = 3  # tries, where only the encoded copy shows a face again


@dataclass(frozen=True, slots=True)
class _Wish:
    faces: str
    boxes: tuple[Box, ...]  # fractions: left, top, right, bottom
    keep: tuple[Box, ...]
    shape: Shape
    metadata: str


def run(subject: Subject) -> Outcome:
    """Facts: `hidden` (boxes), `rounds`, `detector`. Rejects where a face could not be hidden."""
    from pipeline.vision import blur, networks
    from pipeline.vision.models import Absent, manifest

    wish = _wish(subject)
    try:
        network = networks.network(subject.models, "faces")
    except Absent as error:
        return Skip(str(error), is_final=False)
    if subject.format.category is Category.VIDEO:
        return _film(subject, wish, network)
    work = _Work(subject, wish, network)
    parts = work.parts()
    if not parts:
        return Skip("no face was found that is to be hidden")
    try:
        made, hidden, rounds = work.made(parts)
    except blur.StillThere:
        return Reject("A face could not be hidden so that nothing finds it; no copy was made.")
    name = f"{_NAME}{work.suffix}"
    (subject.workdir / name).write_bytes(made)
    width, height = work.negative.size
    facts: dict[str, Json] = {
        "hidden": [_fractions(part, width, height) for part in hidden],
        "rounds": rounds,
        "detector": manifest()["faces"].version,
    }
    return Done(facts, (Made(_NAME, name, work.mime, width, height),))


def _film(subject: Subject, wish: _Wish, network: Net) -> Outcome:
    """Facts: `faces`, `rounds`, `encoder`, `detector`."""
    from pipeline.codecs import transcode, transcode_film, transcode_rewrite
    from pipeline.codecs.transcode_pieces import Shelf
    from pipeline.vision import blur_film
    from pipeline.vision.models import manifest

    if wish.faces != "all" or wish.boxes:
        return Skip("in films all faces are hidden or none: whose they are is not known there")
    shelf = Shelf(subject.workdir / "pieces")
    keeps_words = wish.metadata == "keep"

    def target(suffix: str) -> Path:
        return subject.workdir / f"{_NAME}{suffix}"

    try:
        with transcode_rewrite.opened(subject.fd, subject.format, shelf) as film:
            transcode.require_memory(film)
            made = blur_film.blurred(
                film, network, shelf, target, keeps_words=keeps_words, shape=wish.shape
            )
    except transcode_film.CannotKeep as reason:
        return Skip(reason.message)
    except transcode_film.TooMuchHere as reason:
        return Skip(str(reason), is_final=False)
    except blur_film.StillThere:
        return Reject("A face could not be hidden so that nothing finds it; no copy was made.")
    subject.check()
    if made is None:
        return Skip("no face was found that is to be hidden")
    if wish.metadata == "none":
        blur_film.forget_dates(made.path)
    facts: dict[str, Json] = {
        "faces": made.faces,
        "rounds": made.rounds,
        "encoder": made.encoder,
        "detector": manifest()["faces"].version,
    }
    return Done(facts, (Made(_NAME, made.path.name, "video/mp4", made.width, made.height),))


class _Work:
    """One picture on its way: decoded once, hidden and encoded until nothing is found."""

    def __init__(self, subject: Subject, wish: _Wish, network: Net) -> None:
        from pipeline.codecs import frames
        from pipeline.codecs.encode import negative

        self._subject, self._wish, self._network = subject, wish, network
        self._data = subject.data()
        self.kind = _target(subject.format)
        count = frames.count(self._data, subject.format.name)
        if count is not None and count > 1:
            raise Invalid("Faces in animations and in files of several pages are not hidden yet.")
        self._encoder = _encoder(self.kind)
        read = negative.read(self._data, subject.format.name)
        self.negative: Negative = negative.fitted(read, self._encoder)

    @property
    def suffix(self) -> str:
        """The copy's extension."""
        return _format(self.kind).extension

    @property
    def mime(self) -> str:
        """The copy's type."""
        return _format(self.kind).mime

    def parts(self) -> list[Hidden]:
        """What is to be hidden, before anything was tried."""
        from pipeline.codecs.blur import Hidden
        from pipeline.vision import blur

        chosen = [Hidden(self._pixels(box)) for box in self._wish.boxes]
        if self._wish.faces == "chosen":
            return chosen
        found = blur.look_closely(self._network, self.negative.shown())
        return chosen + [Hidden(box) for box in found if not self._is_kept(box)]

    def made(self, parts: Sequence[Hidden]) -> tuple[bytes, Sequence[Hidden], int]:
        """The copy's bytes, what it hides, and the rounds it took. Raises `StillThere`."""
        from pipeline.codecs import decode
        from pipeline.vision import blur

        rounds = 0
        for _ in range(_ENCODINGS):
            hidden = blur.hidden_for_good(
                self._network,
                self.negative.samples,
                parts,
                self._shown,
                partial(self._may_stay, parts=tuple(parts)),
                self._wish.shape,
            )
            rounds += hidden.rounds
            made = self._told(self._encoded(hidden.samples))
            seen = decode.decode(made, self.kind, None)
            if seen.damage is not None:
                raise DecodeFailed(seen.damage)
            found = blur.look_closely(self._network, seen.pixels)
            again = [box for box in found if not self._may_stay(box, hidden.parts)]
            if not again:
                return made, hidden.parts, rounds
            parts = blur.tightened(hidden.parts, again)
        raise blur.StillThere

    # --- Which faces ----------------------------------------------------------------------------

    def _may_stay(self, box: Box, parts: Sequence[Hidden]) -> bool:
        """A kept face may be seen; where parts were chosen, so may every other face."""
        from pipeline.vision import blur

        if self._wish.faces == "chosen":
            return not any(blur.is_same(part.box, box) for part in parts)
        return self._is_kept(box)

    def _is_kept(self, box: Box) -> bool:
        from pipeline.vision import blur

        kept = self._wish.keep if self._wish.faces == "others" else ()
        return any(blur.is_same(self._pixels(one), box) for one in kept)

    def _pixels(self, box: Box) -> Box:
        width, height = self.negative.size
        return box[0] * width, box[1] * height, box[2] * width, box[3] * height

    # --- Pixels in, bytes out -------------------------------------------------------------------

    def _shown(self, samples: Any) -> Pixels:
        return replace(self.negative, samples=samples).shown()

    def _encoded(self, samples: Any) -> bytes:
        quality = (
            None if self._encoder.is_exact and self.kind not in _QUALITY else _QUALITY[self.kind]
        )
        return self._encoder.finish(self._encoder.write(samples, quality, self.negative.profile))

    def _told(self, made: bytes) -> bytes:
        """The copy with what its original says, as the wish for metadata allows."""
        from pipeline.metadata.scrub import plan as planning
        from pipeline.metadata.scrub.wishes import Wishes
        from pipeline.metadata.write import containers, copy, faceless, patch

        if self._wish.metadata == "none":
            return made
        fitting = copy.Fitting(1, self.negative.size, keeps_colours=self.negative.keeps_colours)
        original = self._subject.format.name
        blocks = copy.prepared(self._data, original, self.kind, fitting)
        blocks = replace(faceless.faceless(blocks), icc=None)  # the encoder has written it
        made = containers.write(made, self.kind, blocks)
        if self._wish.metadata == "keep":
            return made
        planned = planning.plan(made, _format(self.kind), Wishes("all", owner=True, artist=True))
        return patch.apply(made, planned.patches)


def _target(told: Format) -> str:
    from pipeline.codecs.encode.choose import STILLS

    return told.name if told.name in STILLS else {"heif": "heic"}.get(told.name, "jpeg")


def _encoder(kind: str) -> Encoder:
    from pipeline.codecs.encode import choose

    encoder = choose.encoder(kind)
    assert encoder is not None, f"{kind} is a still that is written"
    return encoder.in_full_colour or encoder


def _format(kind: str) -> Format:
    from pipeline.intake.formats import FORMATS

    return FORMATS[kind]


def _fractions(part: Hidden, width: int, height: int) -> list[float]:
    left, top, right, bottom = part.region(width, height)
    values = left / width, top / height, (right - left) / width, (bottom - top) / height
    return [round(value, 4) for value in values]


# --- Params ---------------------------------------------------------------------------------------


def _wish(subject: Subject) -> _Wish:
    params = subject.params.get(_NAME, {})
    if unknown := params.keys() - _PARAMS:
        raise Invalid(f"Blurring knows no parameter “{min(unknown)}”.")
    wish = _Wish(
        params.get("faces", "all"),
        tuple(_box(box) for box in params.get("boxes", ())),
        tuple(_box(box) for box in params.get("keep", ())),
        params.get("shape", "ellipse"),
        params.get("metadata", "keep"),
    )
    if wish.faces not in ("all", "others", "chosen") or wish.shape not in ("ellipse", "box"):
        raise Invalid(f"Faces are not chosen as “{wish.faces}”, “{wish.shape}”.")
    if wish.metadata not in ("keep", "private", "none"):
        raise Invalid(f"Metadata is not kept as “{wish.metadata}”.")
    if wish.faces == "chosen" and not wish.boxes:
        raise Invalid("No part of the picture was chosen to be hidden.")
    return wish


def _box(value: Json) -> Box:
    is_box = isinstance(value, list | tuple) and len(value) == 4
    if not is_box or not all(isinstance(v, int | float) and 0 <= v <= 1 for v in value):
        raise Invalid("A box is four fractions of the picture: left, top, width, height.")
    x, y, w, h = (float(v) for v in value)
    if w <= 0 or h <= 0:
        raise Invalid("A box to hide has a width and a height.")
    return x, y, min(1.0, x + w), min(1.0, y + h)


def applies(told: Format) -> bool:
    """Every photo that is decoded, and every film that FFmpeg reads."""
    from pipeline.codecs.decode import DECODED

    return told.name in DECODED or (told.category is Category.VIDEO and told.demuxer is not None)


_BLURRED = frozenset((Category.PHOTO, Category.VIDEO))
STAGE = Stage(_NAME, 1, run, _BLURRED, applies, is_on_request=True)
