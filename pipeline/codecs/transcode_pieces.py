"""A film coded piece by piece: finished pieces outlive the process that made them.

A piece begins at a picture that can be decoded alone and holds a known number of pictures; it is
accepted only when it holds exactly those, at exactly their times. Finished ones are written down
with their hash, and the next run takes them up again; a half-written one is simply made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.codecs import ffmpeg, transcode_movie
from pipeline.codecs.encoders import Effort, Encoder
from pipeline.codecs.transcode_film import Film
from pipeline.codecs.transcode_graft import NewPicture
from pipeline.codecs.transcode_times import box
from pipeline.errors import DecodeFailed
from pipeline.metadata.window import Window
from pipeline.model import Json

# A minute of Full HD at 30 pictures a second, less of what is costlier: minutes of work at most.
_PIXELS = 1920 * 1080 * 30 * 60
_SHORTEST_S, _LONGEST_S = 8.0, 60.0
_REVISION = 2  # raise it when the same wish gives other pieces
_DONE = "done.txt"
_PLAN = "plan.json"
_STRANGE = "The encoder left pictures out, or moved them."


@dataclass(frozen=True, slots=True)
class Piece:
    """Pictures `first` to `first + count`, in the order of showing."""

    number: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """Its file in the folder of pieces."""
        return f"piece-{self.number:05d}.mp4"


@dataclass(frozen=True, slots=True)
class Coding:
    """How pictures are coded; whatever changes a byte of a piece stands here."""

    encoder: Encoder
    quality: float
    effort: Effort
    threads: int = 1


class TimeIsUp(Exception):
    """The slice is over; `done` pieces of `total` are on the shelf."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done, self.total = done, total


def cut(film: Film, longest_s: float = _LONGEST_S) -> list[Piece]:
    """The film's pieces; a film with few places to begin has few, long ones."""
    rate = len(film) / max(film.duration_s, 1e-3)
    affordable_s = _PIXELS / (film.width * film.height * rate)
    span = int(min(longest_s, max(_SHORTEST_S, affordable_s)) * film.track.timescale)
    starts = [0]
    for key in film.keys().tolist():
        if int(film.shown[key] - film.shown[starts[-1]]) >= span:
            starts.append(key)
    ends = [*starts[1:], len(film)]
    return [Piece(n, a, b - a) for n, (a, b) in enumerate(zip(starts, ends, strict=True))]


def encode(film: Film, coding: Coding, piece: Piece, target: Path) -> None:
    """Code one piece into `target`, a movie of its own. Raises `EncodingFailed`."""
    encoder = coding.encoder
    arguments = [
        *encoder.input_arguments(),
        *film.arguments(piece.first),
        *("-map", f"0:{film.stream}", "-frames:v", str(piece.count * film.per)),
        *_coding(film, coding),
        *_dolby_vision(film, encoder),
        *("-enc_time_base", f"1:{film.timescale}", "-fps_mode", "passthrough"),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-video_track_timescale", str(film.timescale), "-strict", "unofficial"),
        *("-f", "mp4", ffmpeg.plain(target)),
    ]
    ffmpeg.run(
        arguments,
        target.parent,
        inputs=[film.file],
        timeout_s=encoder.patience_s(film.width * film.height * piece.count),
        needs_space=encoder.needs_space,
    )


def _coding(film: Film, coding: Coding) -> list[str]:
    """Filters, encoder and quality."""
    told = coding.encoder.arguments(coding.quality, film.pixels, coding.threads, coding.effort)
    at = told.index("-vf") + 1
    return [*told[:at], film.filters + told[at], *told[at + 1 :]]


def _dolby_vision(film: Film, encoder: Encoder) -> list[str]:
    """x265 carries Dolby Vision's metadata over only under a bound of the rate."""
    if film.hdr != "dolby-vision":
        return []
    bound = ["-maxrate", "100M", "-bufsize", "100M"] if encoder.name == "libx265" else []
    return ["-dolbyvision", "1", *bound]


def coded(film: Film, coding: Coding, piece: Piece, shelf: Shelf) -> Path:
    """One piece, checked, on the shelf. Raises `EncodingFailed`."""
    label = f"{coding.encoder.name}:{coding.quality:g}:{piece.first}:{piece.count}"

    def make(path: Path) -> None:
        encode(film, coding, piece, path)
        check(film, piece, path)

    return shelf.kept(piece.name, label, make)


def shelf_name(*wished: Json) -> str:
    """The folder of one film coded one way: what a piece depends on, and nothing else.

    Encoder and quality are no part of it: the plan on the shelf names them, and each piece its own.
    """
    told = json.dumps([_REVISION, ffmpeg.program(), *wished])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


class Shelf:
    """A folder of finished pieces of one film, coded one way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reused = self.coded = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._done = dict(_finished(folder / _DONE))

    def plan(self) -> Mapping[str, Json] | None:
        """What an earlier run decided, if it came that far."""
        try:
            found = json.loads((self.folder / _PLAN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def decide(self, plan: Mapping[str, Json]) -> None:
        """Write down what was decided, so that the next run need not find it out again."""
        _kept(self.folder / _PLAN, json.dumps(plan).encode(), "wb")

    def kept(self, name: str, label: str, make: Callable[[Path], None]) -> Path:
        """The piece called `name`: found finished and made the way `label` says, or made now.

        Raises what `make` raises; nothing is then kept.
        """
        path = self.folder / name
        if self._is_finished(path, label):
            self.reused += 1
        else:
            make(path)
            self._finish(path, label)
            self.coded += 1
        return path

    def _is_finished(self, path: Path, label: str) -> bool:
        told = self._done.get(path.name)
        return told is not None and path.is_file() and told == (label, _digest(path))

    def _finish(self, path: Path, label: str) -> None:
        digest = _digest(path)
        self._done[path.name] = (label, digest)
        line = f"{path.name} {label} {digest}\n".encode()
        _kept(self.folder / _DONE, line, "ab")


def _finished(listing: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name, how it was coded, and hash; a last line that was cut short says nothing."""
    try:
        lines = listing.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError:
        return
    for line in lines:
        words = line.split()
        if line.endswith("\n") and len(words) == 3:
            yield words[0], (words[1], words[2])


def _kept(path: Path, data: bytes, mode: str) -> None:
    with path.open(mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(film: Film, piece: Piece, path: Path) -> None:
    """Raise `EncodingFailed` unless the piece holds exactly its pictures at their times."""
    with read_back(path) as movie:
        track = movie.picture()
        size = transcode_movie.coded_size(movie, track)
        shown = np.sort(transcode_movie.samples(movie, track).pts)
    wanted = film.times(piece.first, piece.count)
    sure = len(wanted) - (film.per - 1)  # no picture follows that tells when the last half is due
    if size != (film.width, film.height):
        raise ffmpeg.EncodingFailed(_STRANGE, f"pictures of {size}")
    is_all = len(shown) == len(wanted)
    if not is_all or np.any((shown - shown[0])[:sure] != (wanted - wanted[0])[:sure]):
        raise ffmpeg.EncodingFailed(_STRANGE, f"{len(shown)} pictures of {len(wanted)}")


@contextmanager
def read_back(path: Path) -> Iterator[transcode_movie.Movie]:
    """The movie in a piece, while its file is open."""
    with path.open("rb") as file:
        movie = transcode_movie.opened(Window(file.fileno()))
        if movie is None:
            raise DecodeFailed("A piece of the film could not be read back.")
        yield movie


def joined(film: Film, pieces: Sequence[Piece], paths: Sequence[Path]) -> NewPicture:
    """All pieces as the pictures of one track.

    Raises `EncodingFailed` when they cannot be one track: a decoder gets one configuration only.
    """
    entries, sizes, offsets, times, marks = [], [], [], [], []
    for piece, path in zip(pieces, paths, strict=True):
        with read_back(path) as movie:
            track = movie.picture()
            samples = transcode_movie.samples(movie, track)
            entries.append(box(track.entry_kind, bytes(movie.data[slice(*track.entry)])))
        rank = np.empty(len(samples), np.int64)
        rank[np.argsort(samples.pts, kind="stable")] = np.arange(len(samples))
        sizes.append(samples.size)
        offsets.append(samples.offset)
        times.append(film.times(piece.first, piece.count)[rank])
        marks.append(samples.is_sync)
    if len({_configuration(entry) for entry in entries}) > 1:
        raise ffmpeg.EncodingFailed("The pieces of the film do not fit together.", "")
    return NewPicture(
        entry=entries[0],
        size=np.concatenate(sizes),
        offset=np.concatenate(offsets),
        pts=np.concatenate(times),
        is_sync=np.concatenate(marks),
        files=tuple(paths),
        first=tuple(piece.first * film.per for piece in pieces),
        per=1 if film.is_split else film.per,
        finer=film.per,
    )


def _configuration(entry: bytes) -> bytes:
    """The entry without its bit rate, which differs from piece to piece."""
    at = entry.find(b"btrt")
    return entry[4:] if at < 0 else entry[4 : at - 4] + entry[at + 16 :]
