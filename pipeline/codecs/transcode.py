"""A smaller film that looks the same and says the same: the order in which it is made.

Look at the film, find the quality that reaches the target, code it piece by piece, put the pieces
into a copy of the original's movie, compare. Whatever cannot be kept, reached or saved ends in
`Declined` with its reason; whatever was finished when time ran out is found again next time.
"""

from __future__ import annotations

import logging
import math
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.codecs import encoders, ffmpeg, transcode_graft, transcode_rewrite, transcode_search
from pipeline.codecs.encoders import Codec, Effort, Encoder
from pipeline.codecs.transcode_film import CannotKeep, Film, TooMuchHere
from pipeline.codecs.transcode_pieces import Coding, Piece, Shelf, TimeIsUp, coded, cut, joined
from pipeline.codecs.video_parity import compare_videos
from pipeline.model import Format, Json

_log = logging.getLogger(__name__)
_PROGRAM_BYTES, _PICTURES_HELD = 300_000_000, 90


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `target` is VMAF; `min_gain` the part of the bytes it must save.

    `hardware` is "auto", "off" or one family. `slice_s` ends the work after so many seconds.
    """

    codec: Codec = "hevc"
    target: float = 95.0
    effort: Effort = "normal"
    hardware: str = "auto"
    min_gain: float = 0.2
    threads: int = 1
    slice_s: float | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """The film was made. `gave_up` names encoders that failed on it before."""

    path: Path
    width: int
    height: int
    encoder: str
    quality: float
    vmaf: float
    trials: int
    pieces: int
    reused: int
    bytes_before: int
    bytes_after: int
    hdr: str | None
    gave_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declined:
    """No copy, and why. Where `is_final` is False, another day or machine may do better."""

    why: str
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Time ran out after `done` of `total` pieces; they are kept."""

    done: int
    total: int


Result = Coded | Declined | Unfinished


class _NoGain(Exception):
    """The copy would not be worth it; the text says why."""


def transcode(
    fd: int, told: Format, wish: Wish, shelf: Shelf, target: Callable[[str], Path]
) -> Result:
    """Make the film behind `fd`, of the format `told`; `target` names the file by suffix.

    Pieces are found and kept on `shelf`. Raises `BadMedia` for a film that cannot be decoded.
    """
    try:
        with transcode_rewrite.opened(fd, told, shelf) as film:
            require_memory(film)
            return _made(film, wish, shelf, target)
    except (CannotKeep, _NoGain) as reason:
        return Declined(str(reason))
    except TooMuchHere as reason:
        return Declined(str(reason), is_final=False)
    except TimeIsUp as pause:
        return Unfinished(pause.done, pause.total)


def require_memory(film: Film) -> None:
    """Raise before an encoder that is refused memory hangs or crashes instead of saying so.

    Address space, measured with x265 and SVT-AV1 at 4K, 8 and 10 bit.
    """
    samples = {"yuv422p": 2.0, "yuv444p": 3.0}.get(film.pixels[:7], 1.5)
    picture = film.width * film.height * samples * (2 if film.depth > 8 else 1)
    need = _PROGRAM_BYTES + _PICTURES_HELD * picture
    if need > _limit(resource.RLIMIT_AS):
        raise TooMuchHere(
            f"Coding this film needs {need / 1e9:.1f} GB of memory, more than a worker may use"
            " (work.memory_mb)."
        )


def _require_room(film: Film, share: float) -> None:
    """Raise before hours of work end at the largest file a worker may write."""
    need = film.other_bytes + film.picture_bytes * share
    if need > _limit(resource.RLIMIT_FSIZE):
        raise TooMuchHere(
            f"The copy of this film would have {need / 1e9:.1f} GB, more than a worker may write."
        )


def _limit(which: int) -> float:
    limit, _ = resource.getrlimit(which)
    return math.inf if limit == resource.RLIM_INFINITY else limit


def _made(film: Film, wish: Wish, shelf: Shelf, target: Callable[[str], Path]) -> Result:
    before = film.size
    ends_at = time.monotonic() + wish.slice_s if wish.slice_s is not None else None
    pieces = cut(film)
    gave_up: list[str] = []
    is_hungry = False
    for encoder in _willing(film, wish, shelf):
        try:
            plan = _plan(film, wish, encoder, shelf)
            _require_room(film, plan.share)
            coding = Coding(encoder, plan.quality, wish.effort, wish.threads)
            paths = list(_filled(film, wish, coding, pieces, shelf, ends_at))
            path = target(_suffix(film, encoder))
            transcode_graft.write(film.movie, film.file, joined(film, pieces, paths), path)
            _require_same(film, path)
        except ffmpeg.EncodingFailed as failure:
            _log.warning("%s gave up: %s %s", encoder.name, failure.message, failure.said)
            gave_up.append(encoder.name)
            is_hungry |= failure.is_hungry
            continue
        after = path.stat().st_size
        if after > before * (1 - wish.min_gain):
            raise _NoGain(_no_gain(1 - after / before))
        return Coded(
            path, film.width, film.height, encoder.name, plan.quality, plan.vmaf, plan.trials,
            len(pieces), shelf.reused, before, after, film.hdr, tuple(gave_up),
        )  # fmt: skip
    if is_hungry:
        return Declined("Coding this film needs more memory than a worker may use.", is_final=False)
    return Declined(f"No encoder works on this film; tried: {', '.join(gave_up) or 'none'}.")


def _willing(film: Film, wish: Wish, shelf: Shelf) -> Iterator[Encoder]:
    """Encoders to be tried: the one of an earlier run first, programs only for Dolby Vision.

    Raises `CannotKeep` where none writes colours as fine as the film's.
    """
    able = [e for e in encoders.candidates(wish.codec, wish.hardware) if e.takes(film.pixels)]
    if not able and film.pixels not in encoders.ORDINARY:
        raise CannotKeep(
            f"The film's colours ({film.pixels}) are finer than {wish.codec.upper()} keeps them."
        )
    if film.hdr == "dolby-vision":
        able = [encoder for encoder in able if not encoder.is_hardware]
    chosen = (shelf.plan() or {}).get("encoder")
    yield from sorted(able, key=lambda encoder: encoder.name != chosen)


# --- The plan ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    quality: float
    vmaf: float
    trials: int
    share: float  # of the bytes that the pictures took


def _plan(film: Film, wish: Wish, encoder: Encoder, shelf: Shelf) -> _Plan:
    """The quality to be used: an earlier run's, or searched for now."""
    found = shelf.plan()
    if found is not None and found.get("encoder") == encoder.name:
        return _Plan(found["quality"], found["vmaf"], found["trials"], found["share"])
    most = (1 - wish.min_gain) * film.size - film.other_bytes
    coding = Coding(encoder, encoder.first, wish.effort, wish.threads)
    choice = transcode_search.search(
        film, coding, wish.target, most / film.picture_bytes, shelf.folder
    )
    if choice is None:
        raise _NoGain("A copy that looks as good would save too little.")
    trial = choice.trial
    plan = _Plan(trial.quality, trial.vmaf, len(choice.trials), trial.share)
    told: dict[str, Json] = {"encoder": encoder.name, "quality": plan.quality}
    shelf.decide(told | {"vmaf": plan.vmaf, "trials": plan.trials, "share": plan.share})
    return plan


def _no_gain(gain: float) -> str:
    return (
        f"A copy that looks as good would save {max(0, round(gain * 100))} %, which is too little."
    )


# --- The pieces ----------------------------------------------------------------------------------


def _filled(
    film: Film,
    wish: Wish,
    coding: Coding,
    pieces: list[Piece],
    shelf: Shelf,
    ends_at: float | None,
) -> Iterator[Path]:
    """All pieces; gives up as soon as they are too large, stops between two when time is up."""
    most = film.picture_bytes * (1 - wish.min_gain) + film.size * 0.02
    total = 0
    for done, piece in enumerate(pieces, 1):
        path = coded(film, coding, piece, shelf)
        total += path.stat().st_size
        if total > most:
            raise _NoGain(_no_gain(1 - total / film.picture_bytes))
        yield path
        is_over = ends_at is not None and time.monotonic() >= ends_at
        if is_over and shelf.coded and done < len(pieces):
            raise TimeIsUp(done, len(pieces))


def _suffix(film: Film, encoder: Encoder) -> str:
    """QuickTime stays QuickTime; AV1 is at home in MP4 only."""
    data = film.movie.data
    is_quicktime = data[4:8] != b"ftyp" or data[8:12] == b"qt  "
    return ".mov" if is_quicktime and encoder.codec != "av1" else ".mp4"


def _require_same(film: Film, path: Path) -> None:
    """Read the copy as a stranger's; what it lost counts against the encoder."""
    with path.open("rb") as copy:
        faults = compare_videos(film.file, copy, has_fields=film.has_fields)
    if faults:
        raise ffmpeg.EncodingFailed("The copy is not the same film.", " ".join(faults))
