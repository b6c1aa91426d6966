"""A movie with another picture track: everything else of the original stays, byte for byte.

The new film keeps the original's `moov` with all it says (dates, place, ContentIdentifier, the
turn of the picture, Apple's keys and timed metadata, chapters, timecode), its sound as it was
coded, its edit lists and the order of its chunks. Only the tables of the picture change. The
index stands first, so that playing can begin before all of it has come.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import transcode_movie as movies
from pipeline.codecs.transcode_movie import Movie, Numbers, Span, Track
from pipeline.codecs.transcode_times import (
    box,
    fuller,
    later,
    longer,
    new_edits,
    sync_table,
    times_of,
    u4,
)
from pipeline.errors import DecodeFailed
from pipeline.metadata import boxes
from pipeline.metadata.findings import Data

_INTO = frozenset({b"mdia", b"minf", b"stbl", b"edts"})
_LEFT_OUT = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"})
# What a sample entry says about the look of the picture, whatever it is coded with.
_LOOKS = (b"pasp", b"clap", b"colr", b"mdcv", b"clli", b"amve", b"SmDm", b"CoLL")
_ENTRY_HEAD = 78  # bytes of a visual sample entry before its boxes (12.1.3)
_AV1_BRANDS = b"iso6\0\0\2\0iso6av01mp41"
_WIDE = 1 << 32
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class NewPicture:
    """The newly coded pictures in decoding order; `entry` is their sample entry, a whole box.

    `files` and `first` say which file holds the samples from which number on.
    """

    entry: bytes
    size: Numbers
    offset: Numbers
    pts: Numbers  # in the original track's units, or parts of them where there are more
    is_sync: NDArray[np.bool_]
    files: tuple[Path, ...]
    first: tuple[int, ...]
    per: int = 1  # how many there are for one sample of the original
    finer: int = 1  # how many units its unit of time became

    def chunks(self, movie: Movie, track: Track) -> movies.Chunks:
        """The original's chunks, counted in new pictures."""
        where = movies.chunks(movie, track)
        return movies.Chunks(where.offset, where.first * self.per, where.count * self.per)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk on its way: of which track, which of its chunks, and how many bytes."""

    track: int
    chunk: int
    source: int
    length: int


def write(
    movie: Movie,
    original: BinaryIO,
    picture: NewPicture,
    target: Path,
    drops: frozenset[bytes] = frozenset(),
) -> None:
    """Write the film with its new pictures. Raises `DecodeFailed` where the tables are damaged.

    Tracks that `movie` was stripped of are left out, and so are boxes of the kinds in `drops`;
    where there are any, nothing that lies beside the movie comes along either.
    """
    track = movie.picture()
    layout = _layout(movie, track, picture)
    length = sum(piece.length for piece in layout)
    try:
        head = _head(movie, track, picture, layout, length, drops)
    except struct.error as error:
        raise DecodeFailed("A header of the film is cut short; it is left as it is.") from error
    with target.open("wb") as out:
        out.write(head)
        _copy(layout, track, picture.chunks(movie, track), picture, original, out)
        for start, end in _rest(movie) if not drops else ():
            _copy_range(original, start, end - start, out)


# --- Where everything goes -----------------------------------------------------------------------


def _layout(movie: Movie, track: Track, picture: NewPicture) -> list[_Piece]:
    """All chunks of all tracks, in the order in which the original has them."""
    starts = {t.number: movies.chunks(movie, t) for t in movie.tracks}
    if len(starts) != len(movie.tracks):
        raise DecodeFailed("Two tracks of the film have one number; it is left as it is.")
    known = np.unique(np.concatenate([c.offset for c in starts.values()]))
    ends = _data_ends(movie)
    found: list[_Piece] = []
    for one in movie.tracks:
        where = starts[one.number]
        if one.number == track.number:
            lengths = _summed(picture.size, picture.chunks(movie, one))
        else:
            size = movies.sizes(movie, one)
            room = _room(where.offset, known, ends)
            lengths = room if size is None else _within(_summed(size, where), where.offset, ends)
        rows = zip(where.offset.tolist(), lengths.tolist(), strict=True)
        found += [_Piece(one.number, n, at, length) for n, (at, length) in enumerate(rows)]
    return sorted(found, key=lambda piece: (piece.source, piece.track))


def _summed(size: Numbers, where: movies.Chunks) -> Numbers:
    if int(where.count.sum()) != len(size):
        raise DecodeFailed("The film's tables contradict each other; it is left as it is.")
    total = np.concatenate(([0], np.cumsum(size)))
    return np.asarray(total[where.first + where.count] - total[where.first], np.int64)


def _data_ends(movie: Movie) -> list[Span]:
    return [(start, end) for kind, start, end in movie.top if kind == b"mdat"]


def _end_of(at: int, ends: Iterable[Span]) -> int:
    for start, end in ends:
        if start <= at < end:
            return end
    raise DecodeFailed("Part of the film is missing: its tables point behind its end.")


def _within(lengths: Numbers, offsets: Numbers, ends: list[Span]) -> Numbers:
    for at, length in zip(offsets.tolist(), lengths.tolist(), strict=True):
        if length and at + length > _end_of(at, ends):
            raise DecodeFailed("Part of the film is missing: its tables point behind its end.")
    return lengths


def _room(offsets: Numbers, known: Numbers, ends: list[Span]) -> Numbers:
    """Up to the next chunk of any track: never less than the chunk holds."""
    following = np.searchsorted(known, offsets, side="right")
    room = []
    for at, n in zip(offsets.tolist(), following.tolist(), strict=True):
        end = _end_of(at, ends)
        room.append((min(int(known[n]), end) if n < len(known) else end) - at)
    return np.array(room, np.int64)


def _rest(movie: Movie) -> list[Span]:
    """Top boxes that are kept as they are, headers included, and what follows the last box."""
    kept, at = [], 0
    for kind, start, end in movie.top:
        if kind not in _LEFT_OUT:
            if kind == b"meta" and boxes.find(movie.data, (start + 4, end), b"iloc"):
                raise DecodeFailed("The film holds pictures beside its tracks; it is left as it is")
            kept.append((at, end))
        at = end
    if at < len(movie.data):
        kept.append((at, len(movie.data)))
    return kept


# --- The index -----------------------------------------------------------------------------------


def _head(
    movie: Movie,
    track: Track,
    picture: NewPicture,
    layout: list[_Piece],
    length: int,
    drops: frozenset[bytes],
) -> bytes:
    """Everything in front of the samples; made twice, because offsets count from its end."""
    first = _type(movie, picture)
    is_wide = length + (64 << 20) > _WIDE
    data_head = struct.pack(">I4sQ", 1, b"mdat", length + 16) if is_wide else b""
    data_head = data_head or struct.pack(">I4s", 8 + length, b"mdat")
    empty = _moov(movie, track, picture, _offsets(layout, 0), is_wide, drops)
    base = len(first) + len(empty) + len(data_head)
    moov = _moov(movie, track, picture, _offsets(layout, base), is_wide, drops)
    return first + moov + data_head


def _offsets(layout: list[_Piece], base: int) -> Mapping[int, Numbers]:
    placed: dict[int, dict[int, int]] = {}
    for piece in layout:
        placed.setdefault(piece.track, {})[piece.chunk] = base
        base += piece.length
    return {
        track: np.array([chunks[n] for n in range(len(chunks))], np.int64)
        for track, chunks in placed.items()
    }


def _type(movie: Movie, picture: NewPicture) -> bytes:
    """The brands stay, unless they promise what AV1 breaks."""
    found = next((span for kind, *span in movie.top if kind == b"ftyp"), None)
    if picture.entry[4:8] == b"av01":
        return box(b"ftyp", _AV1_BRANDS)
    return box(b"ftyp", bytes(movie.data[found[0] : found[1]])) if found else b""


def _moov(
    movie: Movie,
    track: Track,
    picture: NewPicture,
    offsets: Mapping[int, Numbers],
    is_wide: bool,
    drops: frozenset[bytes],
) -> bytes:
    by_start = {t.span[0]: t for t in movie.tracks}
    out = []
    for kind, start, end in boxes.walk(movie.data, *movie.moov):
        one = by_start.get(start) if kind == b"trak" else None
        if one is None:
            if kind != b"trak" and kind not in drops:
                out.append(box(kind, bytes(movie.data[start:end])))
            continue
        table = _offset_table(offsets.get(one.number, np.zeros(0, np.int64)), is_wide)
        changes: dict[bytes, Callable[[Span], bytes]] = {}
        changes |= dict.fromkeys((b"stco", b"co64"), partial(_always, table))
        if one is track:
            changes = _picture_changes(movie, track, picture, table)
        changes |= dict.fromkeys(drops, partial(_always, b""))
        out.append(box(b"trak", _rebuilt(movie.data, (start, end), changes)))
    return box(b"moov", b"".join(out))


def _rebuilt(data: Data, span: Span, changes: Mapping[bytes, Callable[[Span], bytes]]) -> bytes:
    out = []
    for kind, start, end in boxes.walk(data, *span):
        if kind in changes:
            out.append(changes[kind]((start, end)))
        elif kind in _INTO:
            out.append(box(kind, _rebuilt(data, (start, end), changes)))
        else:
            out.append(box(kind, bytes(data[start:end])))
    return b"".join(out)


def _always(made: bytes, _: Span) -> bytes:
    return made


def _offset_table(offsets: Numbers, is_wide: bool) -> bytes:
    head = struct.pack(">II", 0, len(offsets))
    if is_wide:
        return box(b"co64", head + offsets.astype(">i8").tobytes())
    return box(b"stco", head + offsets.astype(">u4").tobytes())


def _picture_changes(
    movie: Movie, track: Track, picture: NewPicture, offsets: bytes
) -> dict[bytes, Callable[[Span], bytes]]:
    data = movie.data
    last_delta = movies.samples(movie, track).last_delta * picture.finer // picture.per
    times = times_of(picture.pts, last_delta)
    stsc = boxes.find(data, track.stbl, b"stsc")
    assert stsc is not None, "read before as part of the chunks"
    table = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1) + _entry(data, track, picture))
        + times.tables
        + sync_table(picture.is_sync)
        + box(b"stsc", fuller(data, stsc, picture.per))
        + box(b"stsz", struct.pack(">III", 0, 0, len(picture.size)) + u4(picture.size))
        + offsets,
    )
    has_edits = boxes.find(data, track.span, b"edts", b"elst") is not None

    def header(span: Span) -> bytes:
        kept = box(b"tkhd", bytes(data[span[0] : span[1]]))
        needs_edits = times.shift > 0 and not has_edits
        return kept + (new_edits(data, span, times.shift) if needs_edits else b"")

    return {
        b"stbl": partial(_always, table),
        b"mdhd": lambda span: longer(data, span, times.duration, picture.finer),
        b"elst": lambda span: later(data, span, times.shift, picture.finer),
        b"tkhd": header,
    }


def _entry(data: Data, track: Track, picture: NewPicture) -> bytes:
    """The new coding's entry, with the original's words about the look of the picture."""
    kind, payload = picture.entry[4:8], picture.entry[8:]
    start, end = track.entry
    kept = {
        name: bytes(data[at:after])
        for name, at, after in boxes.walk(data, start + _ENTRY_HEAD, end)
        if name in _LOOKS
    }
    own = [
        box(name, payload[at:after])
        for name, at, after in boxes.walk(payload, _ENTRY_HEAD, len(payload))
        if name not in kept and name != b"btrt"
    ]
    looks = [box(name, value) for name, value in kept.items()]
    return box(kind, payload[:_ENTRY_HEAD] + b"".join(own + looks))


# --- Bytes ---------------------------------------------------------------------------------------


def _copy(
    layout: list[_Piece],
    track: Track,
    where: movies.Chunks,
    picture: NewPicture,
    original: BinaryIO,
    out: BinaryIO,
) -> None:
    coded = [path.open("rb") for path in picture.files]
    owner = np.searchsorted(picture.first, np.arange(len(picture.size)), side="right") - 1
    try:
        for piece in layout:
            if piece.track != track.number:
                _copy_range(original, piece.source, piece.length, out)
                continue
            first = int(where.first[piece.chunk])
            for n in range(first, first + int(where.count[piece.chunk])):
                file = coded[int(owner[n])]
                _copy_range(file, int(picture.offset[n]), int(picture.size[n]), out)
    finally:
        for file in coded:
            file.close()


def _copy_range(source: BinaryIO, at: int, length: int, out: BinaryIO) -> None:
    source.seek(at)
    while length > 0:
        block = source.read(min(length, _BLOCK))
        if not block:
            raise DecodeFailed("Part of the film is missing: it ends before its tables say.")
        out.write(block)
        length -= len(block)
