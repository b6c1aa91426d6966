"""A film as the transcoder sees it: its tables, its colours, and whether a copy can be as good.

What a copy could not keep is said here, once, before any work is done: interlaced pictures, finer
colours than the copy would have, Dolby Vision and HDR10+ that no encoder here carries over.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from pipeline.codecs import ffmpeg, transcode_movie, video
from pipeline.codecs.transcode_movie import Movie, Numbers, Samples, Track
from pipeline.errors import BadMedia, DecodeFailed
from pipeline.metadata import boxes

_PLAIN = {"yuv420p": 8, "yuvj420p": 8, "yuv420p10le": 10}
_COARSENED = frozenset({"yuvj422p", "yuv422p"})  # old cameras' MJPEG: half its colour is not seen
_DOLBY = (b"dvcC", b"dvvC", b"dvwC")
# Every picture as it was coded: nothing cut away, turned or cropped by the container's word.
AS_CODED = ("-ignore_editlist", "1", "-noautorotate", "-apply_cropping", "codec")
_LATEST = 1 << 48  # a time no film reaches


class CannotKeep(BadMedia):
    """A copy would lose something that the original has; it is left as it is."""

    code = "cannot-keep"


@dataclass(frozen=True, slots=True)
class Film:
    """An open film. `shown` holds the times of all pictures in the order of showing."""

    file: BinaryIO
    movie: Movie
    track: Track
    samples: Samples
    order: Numbers  # decoding number of each picture, in the order of showing
    shown: Numbers
    width: int
    height: int
    depth: int
    is_full_range: bool
    hdr: str | None  # "pq", "hlg", "dolby-vision"
    stream: int  # FFmpeg's number of the track

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def duration_s(self) -> float:
        """From the first picture to the end of the last."""
        ticks = int(self.shown[-1] - self.shown[0]) + self.samples.last_delta
        return ticks / self.track.timescale

    @property
    def picture_bytes(self) -> int:
        """What the pictures take, without sound and tables."""
        return int(self.samples.size.sum())

    def bytes_of(self, first: int, count: int) -> int:
        """What `count` pictures take from the `first` on, as shown."""
        return int(self.samples.size[self.order[first : first + count]].sum())

    def keys(self) -> Numbers:
        """Where decoding can begin: numbers in the order of showing, the first always among."""
        is_key = self.samples.is_sync[self.order]
        is_key[0] = True
        return np.flatnonzero(is_key)

    def arguments(self, first: int) -> list[str]:
        """FFmpeg's input, beginning with picture number `first`."""
        start_s = int(self.shown[first]) / self.track.timescale
        at = ("-seek_timestamp", "1", "-ss", f"{start_s:.6f}") if first else ()
        return ffmpeg.source(self.file, "mov", *AS_CODED, *at)


@contextmanager
def opened(fd: int) -> Iterator[Film | None]:
    """The film behind an open MP4 or QuickTime file; None where it must be rewritten first.

    Raises `CannotKeep` with the reason why no copy is made, `BadMedia` for a damaged film.
    """
    with os.fdopen(os.dup(fd), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise DecodeFailed("The film is empty.")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            movie = transcode_movie.opened(data)
            yield _film(file, movie) if movie is not None else None


def _film(file: BinaryIO, movie: Movie) -> Film:
    track = movie.picture()
    samples = transcode_movie.samples(movie, track)
    order = np.argsort(samples.pts, kind="stable")
    shown = samples.pts[order]
    if np.any(np.diff(shown) <= 0) or abs(int(shown[-1])) > _LATEST or int(shown[0]) < 0:
        raise CannotKeep("The times of the film's pictures contradict each other.")
    frame = _first_frame(file)
    width, height = transcode_movie.coded_size(movie, track)
    if (frame.width, frame.height) != (width, height):
        raise CannotKeep("The film's header and its pictures differ in size.")
    return Film(
        file=file,
        movie=movie,
        track=track,
        samples=samples,
        order=order,
        shown=shown,
        width=width,
        height=height,
        depth=_depth(frame),
        is_full_range=int(frame.color_range or 0) == 2 or frame.format.name.startswith("yuvj"),
        hdr=_hdr(movie, track, frame),
        stream=movie.tracks.index(track),
    )


def _first_frame(file: BinaryIO) -> Any:
    """The first picture, which knows more than any header."""
    with (
        io.FileIO(os.dup(file.fileno())) as raw,
        io.BufferedReader(raw) as content,
        video.opened(content, "mov") as clip,
    ):
        for shot in video.shots(clip, 0.0):
            return _acceptable(shot.frame)
    raise DecodeFailed("No picture of the film can be decoded.")


def _acceptable(frame: Any) -> Any:
    if frame.interlaced_frame:
        raise CannotKeep("The film is interlaced: a copy would show combs where things move.")
    if frame.width % 2 or frame.height % 2:
        raise CannotKeep("The film has an odd number of rows or columns, which copies cannot have.")
    names = {data.type.name for data in frame.side_data}
    if "DYNAMIC_HDR_PLUS" in names:
        raise CannotKeep("The film carries HDR10+, which a copy would lose.")
    return frame


def _depth(frame: Any) -> int:
    name = frame.format.name
    if name in _COARSENED:
        return 8
    if name not in _PLAIN:
        raise CannotKeep(f"The film's colours ({name}) are finer than a copy would keep them.")
    return _PLAIN[name]


def _hdr(movie: Movie, track: Track, frame: Any) -> str | None:
    profile = dolby_vision_profile(movie, track)
    if profile is not None:
        if profile not in (8, 10):
            raise CannotKeep(f"The film is Dolby Vision profile {profile}, which a copy would lose")
        return "dolby-vision"
    return {16: "pq", 18: "hlg"}.get(int(frame.color_trc or 0))


def dolby_vision_profile(movie: Movie, track: Track) -> int | None:
    """The profile in the configuration record; None for a film that is not Dolby Vision."""
    start, end = track.entry
    for kind, at, _ in boxes.walk(movie.data, start + 78, end):
        if kind in _DOLBY:
            return boxes.number(movie.data, at + 2, 1) >> 1
    return None
