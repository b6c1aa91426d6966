"""A film as the transcoder sees it: its tables, its colours, and whether a copy can be as good.

What a copy could not keep is said here, once, before any work is done: odd sides, colours that no
encoder writes, Dolby Vision and HDR10+ that none here carries over. Of interlaced pictures each
half becomes a picture of its own, shown when it was taken.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import ffmpeg, transcode_movie, video
from pipeline.codecs.transcode_movie import Movie, Numbers, Samples, Track
from pipeline.errors import BadMedia, DecodeFailed
from pipeline.metadata import boxes
from pipeline.metadata.window import Window

# How pictures are coded anew. What old cameras stored with more colour across than down (MJPEG and
# DV with 8 bits) becomes 4:2:0, which every player knows: half of that colour is not seen.
_CODED_AS = {
    **dict.fromkeys(("yuv420p", "yuvj420p", "yuvj422p", "yuv422p", "yuv411p"), "yuv420p"),
    **{name: name for name in ("yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p")},
    **{name: name for name in ("yuv420p12le", "yuv422p12le", "yuv444p12le")},
    "yuvj444p": "yuv444p",
}
_DOLBY = (b"dvcC", b"dvvC", b"dvwC")
# Every picture as it was coded: nothing cut away, turned or cropped by the container's word.
AS_CODED = ("-ignore_editlist", "1", "-noautorotate", "-apply_cropping", "codec")
_LOOKED_AT = 20  # pictures, where it must be seen how they are stored
_LATEST = 1 << 48  # a time no film reaches


class TooMuchHere(Exception):
    """The film is beyond this worker's limits, not beyond all; the text says which."""


class CannotKeep(BadMedia):
    """A copy would lose something that the original has; it is left as it is."""

    code = "cannot-keep"


@dataclass(frozen=True, slots=True)
class Film:
    """An open film. `shown` holds the times of all pictures in the order of showing; `samples` has
    one for each of them.

    `size` is that of the whole original; `weight` what a byte of these pictures weighs there,
    which is not 1 for a film that had to be decoded to be read.
    """

    file: BinaryIO
    movie: Movie
    track: Track
    samples: Samples
    order: Numbers  # decoding number of each picture, in the order of showing
    shown: Numbers
    width: int
    height: int
    pixels: str  # as which the pictures are coded, in FFmpeg's word
    has_fields: bool  # interlaced: of each picture two are made
    is_split: bool  # ... and each half lies in a sample of its own
    hdr: str | None  # "pq", "hlg", "dolby-vision"
    stream: int  # FFmpeg's number of the track
    size: int
    weight: float = 1.0

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def duration_s(self) -> float:
        """From the first picture to the end of the last."""
        ticks = int(self.shown[-1] - self.shown[0]) + self.samples.last_delta
        return ticks / self.track.timescale

    @property
    def depth(self) -> int:
        """Bits of each colour."""
        return int(self.pixels.partition("p")[2].removesuffix("le") or 8)

    @property
    def per(self) -> int:
        """How many pictures are made of one."""
        return 2 if self.has_fields else 1

    @property
    def timescale(self) -> int:
        """Units a second of the pictures that are made."""
        return self.track.timescale * self.per

    def times(self, first: int, count: int) -> Numbers:
        """When the pictures are shown that are made of these, in units of `timescale`."""
        if not self.has_fields:
            return self.shown[first : first + count]
        every = fields_of(self.shown, self.samples.last_delta)
        return every[2 * first : 2 * (first + count)]

    @property
    def filters(self) -> str:
        """What comes before every other filter."""
        return "bwdif=mode=send_field:parity=auto:deint=all," if self.has_fields else ""

    @property
    def picture_bytes(self) -> int:
        """What the pictures take in the original, without sound and tables."""
        return int(self.samples.size.sum() * self.weight)

    @property
    def other_bytes(self) -> int:
        """What everything else takes in a copy."""
        return os.fstat(self.file.fileno()).st_size - int(self.samples.size.sum())

    def bytes_of(self, first: int, count: int) -> int:
        """What `count` pictures take in the original from the `first` on, as shown."""
        return int(self.samples.size[self.order[first : first + count]].sum() * self.weight)

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
    """The film behind an open MP4 or QuickTime file; None for what is no plain movie.

    Raises `CannotKeep` with the reason why no copy is made, `BadMedia` for a damaged film.
    """
    with os.fdopen(os.dup(fd), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise DecodeFailed("The film is empty.")
        movie = transcode_movie.opened(Window(file.fileno()))
        yield _film(file, movie) if movie is not None else None


@contextmanager
def opened_path(path: Path) -> Iterator[Film | None]:
    """The same for a film of our own that lies at `path`."""
    with path.open("rb") as file, opened(file.fileno()) as film:
        yield film


def _film(file: BinaryIO, movie: Movie) -> Film:
    track = movie.picture()
    samples = transcode_movie.samples(movie, track)
    frame = _first_frame(file)
    is_split = bool(frame.interlaced_frame) and _is_split(file, track, samples)
    samples = _paired(samples) if is_split else samples
    order = np.argsort(samples.pts, kind="stable")
    shown = samples.pts[order]
    if np.any(np.diff(shown) <= 0) or abs(int(shown[-1])) > _LATEST or int(shown[0]) < 0:
        raise CannotKeep("The times of the film's pictures contradict each other.")
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
        pixels=_pixels(frame),
        has_fields=bool(frame.interlaced_frame),
        is_split=is_split,
        hdr=_hdr(movie, track, frame),
        stream=movie.tracks.index(track),
        size=len(movie.data),
    )


def _first_frame(file: BinaryIO) -> Any:
    """The first picture, which knows more than any header."""
    for shot in first_shots(file, 1):
        return _acceptable(shot.frame)
    raise DecodeFailed("No picture of the film can be decoded.")


def first_shots(file: BinaryIO, count: int) -> Iterator[video.Shot]:
    """The first pictures as they are decoded, which is more than any table tells."""
    with (
        io.FileIO(os.dup(file.fileno())) as raw,
        io.BufferedReader(raw) as content,
        video.opened(content, "mov") as clip,
    ):
        yield from itertools.islice(video.shots(clip, 0.0), count)


def first_moments(file: BinaryIO, count: int) -> NDArray[np.float64]:
    """When the first pictures are shown, in seconds, as the decoder says it."""
    frames = (shot.frame for shot in first_shots(file, count))
    return np.array([float(f.pts * f.time_base) for f in frames if f.pts is not None])


def _is_split(file: BinaryIO, track: Track, samples: Samples) -> bool:
    """Cameras for AVCHD code both halves of a picture as pictures of their own: twice as many
    samples as there is to be seen.
    """
    seen = first_moments(file, _LOOKED_AT)
    told = np.sort(samples.pts) / track.timescale
    count = len(seen)
    if count < 2 or len(samples) < 2 * count or len(samples) % 2:
        return False
    return bool(np.allclose(np.diff(seen), np.diff(told[: 2 * count : 2]), atol=1e-4))


def _paired(samples: Samples) -> Samples:
    """Both halves as one. Raises `CannotKeep` where some stand alone."""
    first, second = samples.pts[::2], samples.pts[1::2]
    if np.any(np.abs(second - first) > 2 * samples.last_delta):
        raise CannotKeep("The film's pictures are stored partly whole and partly as halves.")
    return Samples(
        size=samples.size[::2] + samples.size[1::2],
        offset=samples.offset[::2],
        pts=np.minimum(first, second),
        is_sync=samples.is_sync[::2] | samples.is_sync[1::2],
        last_delta=2 * samples.last_delta,
    )


def _acceptable(frame: Any) -> Any:
    if frame.width % 2 or frame.height % 2:
        raise CannotKeep("The film has an odd number of rows or columns, which copies cannot have.")
    names = {data.type.name for data in frame.side_data}
    if "DYNAMIC_HDR_PLUS" in names:
        raise CannotKeep("The film carries HDR10+, which a copy would lose.")
    return frame


def _pixels(frame: Any) -> str:
    name = frame.format.name
    if name not in _CODED_AS:
        raise CannotKeep(f"The film's colours ({name}) are finer than a copy would keep them.")
    return _CODED_AS[name]


def fields_of(shown: Numbers, last_delta: int) -> Numbers:
    """When each half of interlaced pictures is shown, in half units: the second one midway.

    The last picture lasts as long as the one before it; `last_delta` counts where there is none.
    """
    last = shown[-1] - shown[-2] if len(shown) > 1 else last_delta
    following = np.append(shown[1:], shown[-1] + last)
    return np.asarray(np.column_stack((2 * shown, shown + following)).ravel(), np.int64)


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
