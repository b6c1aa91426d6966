"""Is a copied film the same film? What its index tells, without decoding a picture.

Two plain movies are compared track by track: the same tracks in the same order, the same bytes of
everything but the pictures, the same times of every picture, the same words of the movie about
itself. Other containers are compared by what FFmpeg finds in them. What must be looked at (does it
decode, does it show the same) is the gate's.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

import numpy as np

from pipeline.codecs import transcode_film, transcode_movie
from pipeline.codecs.transcode_movie import Movie, Track
from pipeline.errors import BadMedia
from pipeline.metadata import boxes

_NAMES = {b"soun": "sound", b"vide": "picture", b"meta": "timed metadata", b"tmcd": "timecode",
          b"text": "chapters", b"sbtl": "subtitles", b"subt": "subtitles"}  # fmt: skip


def compare_videos(original: BinaryIO, copy: BinaryIO) -> tuple[str, ...]:
    """Every way in which `copy` is not the same film, as sentences; empty when it is.

    Both are open MP4 or QuickTime files. Raises `BadMedia` for an original that is no whole movie.
    """
    with ExitStack() as stack:
        before = _opened(original, stack)
        if before is None:
            raise BadMedia("The original is no plain movie, so no copy of it can be judged so.")
        try:
            after = _opened(copy, stack)
            if after is None:
                return ("The copy is no whole movie.",)
            return tuple(_faults(before, after))
        except BadMedia as error:
            return (f"The copy cannot be read. {error.message}",)


def _opened(file: BinaryIO, stack: ExitStack) -> Movie | None:
    if os.fstat(file.fileno()).st_size == 0:
        return None
    data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return transcode_movie.opened(data)


def _faults(before: Movie, after: Movie) -> Iterator[str]:
    if [t.handler for t in before.tracks] != [t.handler for t in after.tracks]:
        yield f"The copy has {len(after.tracks)} of its original's {len(before.tracks)} tracks."
        return
    picture = before.tracks.index(before.picture())
    for n, (old, new) in enumerate(zip(before.tracks, after.tracks, strict=True)):
        if n == picture:
            yield from _pictures(before, old, after, new)
        elif not _same_samples(before, old, after, new):
            yield f"The copy has lost part of the {_NAMES.get(old.handler, 'data')} track."
    yield from _words(before, after)


def _pictures(before: Movie, old: Track, after: Movie, new: Track) -> Iterator[str]:
    """Size, number and times of the pictures, how they are turned, and their HDR."""
    sizes = transcode_movie.coded_size(before, old), transcode_movie.coded_size(after, new)
    if sizes[0] != sizes[1]:
        yield f"The copy's pictures are {sizes[1]} instead of {sizes[0]}."
    was = np.sort(transcode_movie.samples(before, old).pts) / old.timescale
    now = np.sort(transcode_movie.samples(after, new).pts) / new.timescale
    if len(was) != len(now):
        yield f"The copy has {len(now)} of its original's {len(was)} pictures."
    elif np.abs((was - was[0]) - (now - now[0])).max() > 1e-6:
        yield "The copy shows its pictures at other times than its original."
    if _matrix(before, old) != _matrix(after, new):
        yield "The copy is turned another way than its original."
    is_dolby = transcode_film.dolby_vision_profile(before, old) is not None
    if is_dolby and transcode_film.dolby_vision_profile(after, new) is None:
        yield "The copy has lost its original's Dolby Vision."
    if _colours(before, old) not in (None, _colours(after, new)):
        yield "The copy's colours are labelled otherwise than its original's."


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
    sizes = transcode_movie.sizes(before, old), transcode_movie.sizes(after, new)
    if not np.array_equal(first.count, second.count) or (sizes[0] is None) != (sizes[1] is None):
        return False
    if sizes[0] is None or sizes[1] is None:
        return _stsz(before, old) == _stsz(after, new)
    if not np.array_equal(sizes[0], sizes[1]):
        return False
    total = np.concatenate(([0], np.cumsum(sizes[0])))
    lengths = total[first.first + first.count] - total[first.first]
    rows = zip(first.offset.tolist(), second.offset.tolist(), lengths.tolist(), strict=True)
    return all(before.data[a : a + n] == after.data[b : b + n] for a, b, n in rows)


def _stsz(movie: Movie, track: Track) -> bytes:
    found = boxes.find(movie.data, track.stbl, b"stsz")
    return bytes(movie.data[found[0] : found[1]]) if found else b""


def _words(before: Movie, after: Movie) -> Iterator[str]:
    """Dates, place, ContentIdentifier, titles: the boxes that hold them, byte for byte."""
    for kind, what in ((b"udta", "user data"), (b"meta", "metadata"), (b"mvhd", "dates")):
        old = boxes.find(before.data, before.moov, kind)
        new = boxes.find(after.data, after.moov, kind)
        if old and (not new or before.data[slice(*old)] != after.data[slice(*new)]):
            yield f"The copy does not carry its original's {what}."
