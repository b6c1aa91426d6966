"""Is a copied film the same film? What its index tells, without decoding a picture.

Two plain movies are compared track by track: the same tracks in the same order, the same bytes of
everything but the pictures, the same times of every picture, the same words of the movie about
itself. Films in other containers are `film_parity`'s; what must be looked at (does it decode, does
it show the same) is the gate's. Files of any size are read in small blocks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from pipeline.codecs import transcode_film, transcode_movie
from pipeline.codecs.transcode_movie import Movie, Numbers, Span, Track
from pipeline.errors import BadMedia
from pipeline.metadata import boxes
from pipeline.metadata.window import Window

_BLOCK = 1 << 20
_NAMES = {b"soun": "sound", b"vide": "picture", b"meta": "timed metadata", b"tmcd": "timecode",
          b"text": "chapters", b"sbtl": "subtitles", b"subt": "subtitles"}  # fmt: skip


def compare_videos(
    original: BinaryIO, copy: BinaryIO, *, has_fields: bool = False
) -> tuple[str, ...]:
    """Every way in which `copy` is not the same film, as sentences; empty when it is.

    Both are open MP4 or QuickTime files. `has_fields` says that the original is interlaced: the
    copy then shows each half of a picture at its own time. Raises `BadMedia` for an original that
    is no whole movie.
    """
    before = opened(original)
    if before is None:
        raise BadMedia("The original is no plain movie, so no copy of it can be judged so.")
    try:
        after = opened(copy)
        if after is None:
            return ("The copy is no whole movie.",)
        return tuple(_faults(before, after, has_fields))
    except BadMedia as error:
        return (f"The copy cannot be read. {error.message}",)


def opened(file: BinaryIO) -> Movie | None:
    """The movie in an open file, while it stays open; None for what is no plain movie."""
    if os.fstat(file.fileno()).st_size == 0:
        return None
    return transcode_movie.opened(Window(file.fileno()))


def _faults(before: Movie, after: Movie, has_fields: bool) -> Iterator[str]:
    yield from compare_tracks(before, after, has_fields=has_fields)
    if len(before.tracks) == len(after.tracks):
        yield from _words(before, after)


def compare_tracks(before: Movie, after: Movie, *, has_fields: bool = False) -> Iterator[str]:
    """The same for the tracks alone, whatever the movies say about themselves."""
    if [t.handler for t in before.tracks] != [t.handler for t in after.tracks]:
        yield f"The copy has {len(after.tracks)} of its original's {len(before.tracks)} tracks."
        return
    picture = before.tracks.index(before.picture())
    for n, (old, new) in enumerate(zip(before.tracks, after.tracks, strict=True)):
        name = _NAMES.get(old.handler, "data")
        if n == picture:
            yield from _pictures(before, old, after, new, has_fields)
        elif not _same_samples(before, old, after, new):
            yield f"The copy has lost part of the {name} track."
        if _language(before, old) != _language(after, new):
            yield f"The copy names another language for the {name} track."


def _pictures(
    before: Movie, old: Track, after: Movie, new: Track, has_fields: bool
) -> Iterator[str]:
    """Size, number and times of the pictures, how they are turned, and their HDR."""
    sizes = transcode_movie.coded_size(before, old), transcode_movie.coded_size(after, new)
    if sizes[0] != sizes[1]:
        yield f"The copy's pictures are {sizes[1]} instead of {sizes[0]}."
    now = _shown(after, new, False)
    was = _shown(before, old, False)
    if has_fields and len(now) != len(was):  # else each half was a sample already
        was = _shown(before, old, True)
    yield from _times(was, now)
    if _matrix(before, old) != _matrix(after, new):
        yield "The copy is turned another way than its original."
    is_dolby = transcode_film.dolby_vision_profile(before, old) is not None
    if is_dolby and transcode_film.dolby_vision_profile(after, new) is None:
        yield "The copy has lost its original's Dolby Vision."
    if _colours(before, old) not in (None, _colours(after, new)):
        yield "The copy's colours are labelled otherwise than its original's."


def _shown(movie: Movie, track: Track, has_fields: bool) -> Numbers:
    """When each picture is shown, in millionths of a second after the first."""
    samples = transcode_movie.samples(movie, track)
    shown = np.sort(samples.pts)
    times = shown - shown[0]
    if has_fields:
        times = transcode_film.fields_of(times, samples.last_delta)
    scale = track.timescale * (2 if has_fields else 1)
    return np.asarray(np.rint(times * (1e6 / scale)), np.int64)


def _times(was: Numbers, now: Numbers) -> Iterator[str]:
    if len(was) != len(now):
        yield f"The copy has {len(now)} of its original's {len(was)} pictures."
    elif np.abs(was - now).max() > 1:
        yield "The copy shows its pictures at other times than its original."


def _language(movie: Movie, track: Track) -> bytes:
    mdhd = boxes.find(movie.data, track.span, b"mdia", b"mdhd")
    assert mdhd is not None, "a track without a media header is no track"
    at = mdhd[0] + (32 if movie.data[mdhd[0]] else 20)
    return bytes(movie.data[at : at + 2])


def _matrix(movie: Movie, track: Track) -> bytes:
    tkhd = boxes.find(movie.data, track.span, b"tkhd")
    assert tkhd is not None, "a track without a header is no track"
    at = tkhd[0] + (52 if movie.data[tkhd[0]] else 40)
    return bytes(movie.data[at : at + 36])


def _colours(movie: Movie, track: Track) -> tuple[int, int, int] | None:
    """Primaries, transfer and matrix as the track's entry tells them (H.273)."""
    start, end = track.entry
    for kind, at, _ in boxes.walk(movie.data, start + 78, end):
        if kind == b"colr" and movie.data[at : at + 4] in (b"nclx", b"nclc"):
            first, second, third = (boxes.number(movie.data, at + n, 2) for n in (4, 6, 8))
            return first, second, third
    return None


def _same_samples(before: Movie, old: Track, after: Movie, new: Track) -> bool:
    """Are all chunks there, byte for byte?"""
    first, second = transcode_movie.chunks(before, old), transcode_movie.chunks(after, new)
    if not np.array_equal(first.count, second.count) or _stsz(before, old) != _stsz(after, new):
        return False
    lengths = _chunk_lengths(before, old, first)
    rows = zip(first.offset.tolist(), second.offset.tolist(), lengths.tolist(), strict=True)
    return all(_same_bytes(before, (a, a + n), after, (b, b + n)) for a, b, n in rows)


def _chunk_lengths(movie: Movie, track: Track, where: transcode_movie.Chunks) -> Numbers:
    """Bytes of each chunk. QuickTime's sound of one size tells in its entry what a sample takes."""
    size = transcode_movie.sizes(movie, track)
    if size is not None:
        total = np.concatenate(([0], np.cumsum(size)))
        return np.asarray(total[where.first + where.count] - total[where.first], np.int64)
    stsz = boxes.find(movie.data, track.stbl, b"stsz")
    assert stsz is not None, "read before as part of the sizes"
    of_one = boxes.number(movie.data, stsz[0] + 4, 4)
    at = track.entry[0]
    is_packed = track.handler == b"soun" and boxes.number(movie.data, at + 8, 2) == 1
    samples = boxes.number(movie.data, at + 28, 4) if is_packed else 0
    if samples:
        packets = where.count // samples
        return np.asarray(packets * boxes.number(movie.data, at + 36, 4), np.int64)
    return np.asarray(where.count * of_one, np.int64)


def _same_bytes(before: Movie, was: Span, after: Movie, now: Span) -> bool:
    """Compared a block at a time: a track, or a box, may have any size."""
    if was[1] - was[0] != now[1] - now[0]:
        return False
    for done in range(0, was[1] - was[0], _BLOCK):
        end = min(was[0] + done + _BLOCK, was[1])
        old = before.data[was[0] + done : end]
        if old != after.data[now[0] + done : now[0] + done + len(old)]:
            return False
    return True


def _stsz(movie: Movie, track: Track) -> bytes:
    found = boxes.find(movie.data, track.stbl, b"stsz")
    return bytes(movie.data[found[0] : found[1]]) if found else b""


def _words(before: Movie, after: Movie) -> Iterator[str]:
    """Dates, place, ContentIdentifier, titles: the boxes that hold them, byte for byte."""
    for kind, what in ((b"udta", "user data"), (b"meta", "metadata"), (b"mvhd", "dates")):
        old = boxes.find(before.data, before.moov, kind)
        new = boxes.find(after.data, after.moov, kind)
        if old and (not new or not _same_bytes(before, old, after, new)):
            yield f"The copy does not carry its original's {what}."
