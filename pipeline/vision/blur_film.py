"""A film in which no face can be found: looked for, followed, hidden, coded, and looked for again.

The copy has the film's pictures with the faces hidden, its sound as it was coded, and nothing else:
no second picture, cover, chapter picture or track of data, and no words unless they are asked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.codecs import (
    encoders,
    ffmpeg,
    orient,
    transcode_feed,
    transcode_graft,
    transcode_pieces,
    video,
    video_parity,
)
from pipeline.codecs.blur import Hidden, Shape, hide
from pipeline.codecs.transcode_film import CannotKeep, Film
from pipeline.codecs.transcode_movie import Movie
from pipeline.codecs.transcode_pieces import Coding, Piece, Shelf
from pipeline.metadata import boxes
from pipeline.vision.faces.detect import LEAST_SCORE, find_faces
from pipeline.vision.tracks import Box, Track, followed

if TYPE_CHECKING:
    from pipeline.vision.faces.detect import Net

_LOOKS = 8.0  # a second
_SIDE = 960  # pixels of the longer side that is looked at
_LEAD_S, _GAP_S = 0.5, 1.5
_ROUNDS = 6
_FINER = 4.0  # steps of quality below the first try: a copy for others need not be small
_PICTURES = (b"covr", b"\xff\xd8\xff", b"\x89PNG", b"XMP_", b"<x:xmpmeta")
_WORDS = (b"udta", b"meta")


class StillThere(Exception):
    """A face was found again however thoroughly it was hidden."""


@dataclass(frozen=True, slots=True)
class Blurred:
    """The film that was made. `faces` counts the tracks that were hidden."""

    path: Path
    width: int
    height: int
    encoder: str
    faces: int
    rounds: int


def blurred(
    film: Film,
    network: Net,
    shelf: Shelf,
    target: Callable[[str], Path],
    *,
    keeps_words: bool,
    shape: Shape = "ellipse",
) -> Blurred | None:
    """Write the film without faces; None where none was found.

    Raises `CannotKeep` for films whose pictures cannot be changed one by one, `StillThere` where
    a face could not be hidden, `EncodingFailed` where no encoder works.
    """
    if film.has_fields:
        raise CannotKeep("Faces in interlaced films are not hidden yet; make a web copy first.")
    work = _Work(film, network, shelf, shape)
    tracks = work.tracks(work.step)
    if not tracks:
        return None
    last: ffmpeg.EncodingFailed | None = None
    for encoder in encoders.candidates("hevc", "off"):
        if not encoder.takes(film.pixels):
            continue
        coding = Coding(encoder, encoder.first - _FINER, "normal")
        try:
            return _rounds(work, coding, tracks, target, keeps_words)
        except ffmpeg.EncodingFailed as failure:
            last = failure
    raise last or CannotKeep("There is no encoder for copies without faces.")


def _rounds(
    work: _Work,
    coding: Coding,
    tracks: list[Track],
    target: Callable[[str], Path],
    keeps_words: bool,
) -> Blurred:
    """Hide, code and look again until nothing is found."""
    film = work.film
    for number in range(1, _ROUNDS + 1):
        path = target(".mp4")
        movie = _stripped(film.movie)
        drops = frozenset() if keeps_words and not _shows(movie) else frozenset((*_WORDS, b"tref"))
        pieces = transcode_pieces.cut(film)
        paths = [work.coded(coding, piece, tracks) for piece in pieces]
        picture = transcode_pieces.joined(film, pieces, paths)
        transcode_graft.write(movie, film.file, picture, path, drops)
        with path.open("rb") as copy:
            made = video_parity.opened(copy)
            faults = list(video_parity.compare_tracks(movie, made)) if made else ["unreadable"]
        if faults:
            raise ffmpeg.EncodingFailed("The copy is not the same film.", " ".join(faults))
        found = list(work.looked(path))
        if not found:
            name = coding.encoder.name
            return Blurred(path, film.width, film.height, name, len(tracks), number)
        tracks = work.tightened(tracks, found)
    raise StillThere


# --- Looking --------------------------------------------------------------------------------------

_Seen = tuple[int, Sequence[Box]]


@dataclass(frozen=True, slots=True)
class _Work:
    """One film, looked at by one network."""

    film: Film
    network: Net
    shelf: Shelf
    shape: Shape

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return len(self.film) / max(self.film.duration_s, 1e-3)

    @property
    def step(self) -> int:
        """Frames from one look to the next."""
        return max(1, round(self.rate / _LOOKS))

    @property
    def lead(self) -> int:
        """Frames for which a face stays hidden before it is first seen and after it is last."""
        return max(self.step, round(_LEAD_S * self.rate))

    def tracks(self, step: int) -> list[Track]:
        """Every face of the film, where it goes, and noise of its own."""
        seen = self._seen(self._pictures(self.film), step, LEAST_SCORE)
        found = followed(seen, max(step, round(_GAP_S * self.rate)))
        return [replace(track, noise=secrets.randbits(128)) for track in found]

    def looked(self, copy: Path) -> Iterator[_Seen]:
        """Frames of the copy with what is found in them, twice as often as the film was looked at:
        between the looks as well.
        """
        from pipeline.codecs import transcode_film

        with transcode_film.opened_path(copy) as made:
            if made is None:
                raise ffmpeg.EncodingFailed("The copy is no whole movie.", "")
            seen = self._seen(self._pictures(made), max(1, self.step // 2), None)
            yield from ((frame, found) for frame, found in seen if found)

    def tightened(self, tracks: Sequence[Track], found: Sequence[_Seen]) -> list[Track]:
        """Tracks that hide what was found again more thoroughly, or at all."""
        better = list(tracks)
        for frame, again in found:
            for box in again:
                near = [
                    n
                    for n, track in enumerate(tracks)
                    if (hidden := track.at(frame, self.step, self.lead)) and _meet(hidden, box)
                ]
                for n in near:
                    if better[n].strength == tracks[n].strength:
                        better[n] = better[n].stronger()
                if not near:
                    better.append(Track((frame,), (box,), 2, secrets.randbits(128)))
        return better

    def _pictures(self, film: Film) -> Iterator[Any]:
        return transcode_feed.frames(film, 0, len(film))

    def _seen(self, frames: Iterator[Any], step: int, least: float | None) -> Iterator[_Seen]:
        last = len(self.film) - 1
        for n, frame in enumerate(frames):
            if n % step and n != last:
                continue
            pixels = video.upright(frame, _SIDE)
            height, width = pixels.shape[:2]
            found = find_faces(self.network, pixels, least)
            yield (
                n,
                [
                    (x0 / width, y0 / height, x1 / width, y1 / height)
                    for x0, y0, x1, y1 in (face.box for face in found)
                ],
            )

    # --- Hiding -----------------------------------------------------------------------------------

    def coded(self, coding: Coding, piece: Piece, tracks: Sequence[Track]) -> Path:
        """One piece with its faces hidden, made anew only where they are hidden otherwise."""
        frames = range(piece.first, piece.first + piece.count)
        shown = [
            track for track in tracks
            if any(track.at(n, self.step, self.lead) for n in (frames[0], frames[-1]))
            or any(n in frames for n in track.frames)
        ]  # fmt: skip
        told = [(t.frames[0], t.strength, t.noise) for t in shown]
        label = f"{coding.encoder.name}:{coding.quality:g}:{hash(tuple(told)):x}"
        change = partial(self._change, shown, self._orientation())
        make = partial(transcode_feed.encode, self.film, coding, piece, change)
        return self.shelf.kept(piece.name, label, make)

    def _orientation(self) -> int:
        frame = next(transcode_feed.frames(self.film, 0, 1))
        return video.orientation(frame)

    def _change(
        self,
        tracks: Sequence[Track],
        orientation: int,
        frame: int,
        plane: Any,
        size: tuple[int, int],
    ) -> Any:
        width, height = size
        parts = []
        for track in tracks:
            box = track.at(frame, self.step, self.lead)
            if box is not None:
                x, y, w, h = orient.box_as_stored(
                    (box[0], box[1], box[2] - box[0], box[3] - box[1]), orientation
                )
                pixels = x * width, y * height, (x + w) * width, (y + h) * height
                parts.append(Hidden(pixels, track.strength, track.noise))
        if not parts:
            return plane
        return np.ascontiguousarray(hide(plane[..., None], parts, self.shape)[..., 0])


def _meet(one: Box, other: Box) -> bool:
    """Does the middle of `other` lie in `one`, or nearly?"""
    across, down = (one[2] - one[0]) / 2, (one[3] - one[1]) / 2
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return (one[0] - across <= x <= one[2] + across) and (one[1] - down <= y <= one[3] + down)


# --- What comes along -----------------------------------------------------------------------------


def _stripped(movie: Movie) -> Movie:
    """The movie with its film and its sound only."""
    picture = movie.picture()
    kept = tuple(t for t in movie.tracks if t is picture or t.handler == b"soun")
    return replace(movie, tracks=kept)


def _shows(movie: Movie) -> bool:
    """May its words hold a picture?"""
    return any(
        mark in movie.data[start:end]
        for kind, start, end in boxes.walk(movie.data, *movie.moov)
        if kind in _WORDS
        for mark in _PICTURES
    )


def forget_dates(path: Path) -> None:
    """Take out of a film we made when it and its tracks were made (8.2.2, 8.3.2, 8.4.2)."""
    with path.open("r+b") as file:
        movie = video_parity.opened(file)
        assert movie is not None, "it was read back before"
        headers = [boxes.find(movie.data, movie.moov, b"mvhd")]
        for track in movie.tracks:
            headers.append(boxes.find(movie.data, track.span, b"tkhd"))
            headers.append(boxes.find(movie.data, track.span, b"mdia", b"mdhd"))
        for found in headers:
            if found is not None:
                length = 16 if movie.data[found[0]] else 8
                file.seek(found[0] + 4)
                file.write(bytes(length))
