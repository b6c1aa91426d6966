"""Films in other containers (AVI, Matroska, MPEG streams, Windows Media, Flash, fragmented MP4) as
a plain movie that the transcoder works on.

Pictures and sound go along as they were coded where a movie can hold them; sound that it cannot
hold is stored without loss, and so are, for the time of the work, pictures. Words, chapters and
subtitles become the movie's own. What has no place in a movie is the reason why no copy is made.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline.codecs import census, ffmpeg, transcode_film, video
from pipeline.codecs.census import Census, Stream
from pipeline.codecs.transcode_film import CannotKeep, Film, TooMuchHere
from pipeline.codecs.transcode_pieces import Shelf
from pipeline.errors import BadMedia
from pipeline.metadata import read as reading
from pipeline.metadata.facts import Facts, TakenFrom
from pipeline.metadata.window import Window
from pipeline.model import Format

_PICTURES = frozenset(
    (
        *("h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "dvvideo"),
        *("prores", "dnxhd", "h263"),
    )
)
# Sound that players find in an MP4, and the plain one that QuickTime holds besides.
_SOUND = frozenset(("aac", "mp3", "mp2", "ac3", "eac3", "dts", "flac", "opus", "alac"))
_PLAIN_SOUND = frozenset(
    (
        *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
        *("pcm_f32le", "pcm_f32be", "pcm_u8", "pcm_alaw", "pcm_mulaw"),
    )
)
_TEXTS = frozenset(("subrip", "webvtt", "mov_text", "text"))
_LOOKED_AT = 60
_EXACT = ("libx264", "-qp", "0", "-preset", "ultrafast", "-g", "48")
_OTHERS = {TakenFrom.NAME, TakenFrom.MTIME, TakenFrom.SIDECAR, TakenFrom.TAKEOUT}


@contextmanager
def opened(fd: int, told: Format, shelf: Shelf) -> Iterator[Film]:
    """The film behind `fd`, of the format `told`; one that is no plain movie is rewritten first,
    onto `shelf`, and found there again.

    Raises `CannotKeep` with the reason why no copy is made, `TooMuchHere` where the worker lacks
    room, `BadMedia` for a damaged film.
    """
    if told.demuxer == "mov":
        with transcode_film.opened(fd) as film:
            if film is not None:
                yield film
                return
    with os.fdopen(os.dup(fd), "rb") as original, _rewritten(original, told, shelf) as film:
        yield film


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is written: streams by number, how the main picture is stored, and the words."""

    streams: tuple[Stream, ...]
    picture: Stream
    words: tuple[str, ...]
    container: str
    is_interlaced: bool


@contextmanager
def _rewritten(original: BinaryIO, told: Format, shelf: Shelf) -> Iterator[Film]:
    _require_room(original)
    plan = _plan(original, told)
    weight = census.bytes_of(original, told.demuxer or "", plan.picture.number)
    with ExitStack() as stack:
        film = _plain(original, told, plan, shelf, stack)
        yield replace(
            film,
            size=os.fstat(original.fileno()).st_size,
            weight=weight / max(1, film.picture_bytes),
        )


def _plain(original: BinaryIO, told: Format, plan: _Plan, shelf: Shelf, stack: ExitStack) -> Film:
    """Pictures are taken as they were coded; where that gives no sound movie, as they look."""
    ways = ("copy", "exact") if plan.picture.codec in _PICTURES else ("exact",)
    for way in ways:
        try:
            make = partial(_write, original, told.demuxer or "", plan, way)
            path = shelf.kept(f"plain-{way}.mov", way, make)
            film = stack.enter_context(transcode_film.opened_path(path))
        except BadMedia:
            if way == ways[-1]:
                raise
            continue
        if film is not None and (way == ways[-1] or _keeps_time(film)):
            return film
    raise CannotKeep("The film cannot be rewritten as a plain movie; it is left as it is.")


def _keeps_time(film: Film) -> bool:
    """Do the first pictures come when the new tables say? AVI tells no times of its own, and one
    that was coded out of order does not follow from those that FFmpeg makes up.
    """
    seen = transcode_film.first_moments(film.file, _LOOKED_AT)
    told = film.shown[: len(seen)] / film.track.timescale
    return len(seen) > 0 and bool(np.allclose(np.diff(seen), np.diff(told), atol=1e-4))


def _require_room(original: BinaryIO) -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    need = os.fstat(original.fileno()).st_size
    if limit not in (-1, resource.RLIM_INFINITY) and need > limit:
        raise TooMuchHere(
            f"Rewriting this film needs {need / 1e9:.1f} GB on the disk, more than a worker may use"
        )


# --- What is kept, and how ------------------------------------------------------------------------


def _plan(original: BinaryIO, told: Format) -> _Plan:
    found = census.taken(original, told.demuxer or "")
    _require_keepable(found, told)
    sounds = {s.codec for s in found.of("sound")}
    return _Plan(
        streams=found.streams,
        picture=found.of("picture")[0],
        words=tuple(_words(reading.read(Window(original.fileno()), told))),
        container="mov" if sounds & _PLAIN_SOUND else "mp4",
        is_interlaced=_is_interlaced(original, told),
    )


def _is_interlaced(original: BinaryIO, told: Format) -> bool:
    with video.opened(original, told.demuxer or "") as clip:
        shot = next(video.shots(clip, 0.0), None)
        return shot is not None and bool(shot.frame.interlaced_frame)


def _require_keepable(found: Census, told: Format) -> None:
    """Raise `CannotKeep` naming what a movie has no place for."""
    for stream in found.streams:
        if not stream.codec and stream.kind in ("picture", "sound"):
            raise CannotKeep("The film is coded in a way that is not known here.")
        if stream.kind == "subtitle" and stream.codec not in _TEXTS:
            raise CannotKeep(
                f"The film has subtitles ({stream.codec}) that an MP4 has no place for."
            )
        if stream.kind == "attachment":
            raise CannotKeep("The film has files attached to it that an MP4 has no place for.")
        if stream.kind == "data":
            raise CannotKeep("The film has data of its own kind that a copy would lose.")
        if stream.kind == "cover" and stream.codec not in ("mjpeg", "png"):
            raise CannotKeep("The film has a cover that an MP4 has no place for.")
    if len(found.of("picture")) != 1:
        raise CannotKeep("The film has not one picture track, but none or several.")


def _words(facts: Facts) -> Iterator[str]:
    """What our own reader found, under the names that Apple's players know."""
    told = {
        "creationdate": _date(facts),
        "location.ISO6709": _place(facts),
        "make": facts.make,
        "model": facts.model,
        "title": facts.title,
        "description": facts.description,
        "keywords": ",".join(facts.keywords),
        "content.identifier": facts.content_id,
    }
    for name, text in told.items():
        if text:
            yield f"com.apple.quicktime.{name}={text}"


def _date(facts: Facts) -> str | None:
    dates = [date for date in facts.dates if date.source not in _OTHERS]
    surest = max(dates, key=lambda date: date.confidence, default=None)
    if surest is None:
        return None
    if surest.offset_min is None:
        return surest.local
    sign, minutes = "-" if surest.offset_min < 0 else "+", abs(surest.offset_min)
    return f"{surest.local}{sign}{minutes // 60:02}{minutes % 60:02}"


def _place(facts: Facts) -> str | None:
    """ISO 6709: degrees, and metres where known."""
    if not facts.places:
        return None
    place = facts.places[0]
    height = "" if place.alt is None else f"{place.alt:+.3f}"
    return f"{place.lat:+011.7f}{place.lon:+012.7f}{height}/"


# --- Writing --------------------------------------------------------------------------------------


def _write(original: BinaryIO, demuxer: str, plan: _Plan, way: str, target: Path) -> None:
    """Raises `EncodingFailed` where FFmpeg cannot write it."""
    arguments = [
        *ffmpeg.source(original, demuxer, "-fflags", "+genpts"),
        *(word for stream in plan.streams for word in ("-map", f"0:{stream.number}")),
        *("-c", "copy", *_pictures(plan, way), *_sounds(plan), "-c:s", "mov_text"),
        *("-map_metadata", "0", "-map_chapters", "0"),
        *(word for told in plan.words for word in ("-metadata", told)),
        *_titles(plan),
        *("-movflags", "use_metadata_tags", "-f", plan.container, ffmpeg.plain(target)),
    ]
    ffmpeg.run(arguments, target.parent, inputs=[original])


def _pictures(plan: _Plan, way: str) -> Sequence[str]:
    if way == "exact":
        halves = ("-flags:v:0", "+ildct+ilme") if plan.is_interlaced else ()
        return ("-c:v:0", *_EXACT, *halves, "-fps_mode", "passthrough", "-enc_time_base", "demux")
    if plan.picture.codec == "mpeg4":
        return ("-bsf:v:0", "mpeg4_unpack_bframes")  # DivX put two pictures into one packet
    return ()


def _titles(plan: _Plan) -> Iterator[str]:
    """A track of an MP4 is called by its handler's name."""
    for n, stream in enumerate(plan.streams):
        if stream.title:
            yield from (f"-metadata:s:{n}", f"handler_name={stream.title}")


def _sounds(plan: _Plan) -> Iterator[str]:
    """Sound that has no place in a movie is stored as ALAC: sample for sample the same."""
    sounds = [stream for stream in plan.streams if stream.kind == "sound"]
    for n, stream in enumerate(sounds):
        if stream.codec not in _SOUND | _PLAIN_SOUND:
            yield from (f"-c:a:{n}", "alac")
