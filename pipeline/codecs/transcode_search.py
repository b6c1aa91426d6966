"""Which quality number gives this film the wanted look: a few short trials, measured by VMAF.

Trials are windows of the film, coded as the whole will be and compared with it.
VMAF (0 to 100) is libvmaf's default model; for HDR it is no calibrated number, but rises and falls
with what is lost all the same. Two to four trials, by secant from a known slope.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.codecs import ffmpeg
from pipeline.codecs.encoders import Encoder
from pipeline.codecs.transcode_film import AS_CODED, Film
from pipeline.codecs.transcode_pieces import Coding, Piece, encode

_PLACES = (0.15, 0.5, 0.85)  # of the film's length
_WINDOW_PIXELS = 1920 * 1080 * 40  # of one window: 40 pictures of Full HD, 10 of 4K
_FEWEST, _MOST = 8, 60  # pictures of one window
_SHARE = 0.1  # of the film that one window may be
_NEAR = 0.75  # above the target: near enough
_BELOW = 0.25  # below the target: not told apart
_MOST_TRIALS = 4
_LOG = "vmaf.json"


@dataclass(frozen=True, slots=True)
class Trial:
    """What one quality gave: the look, and bytes as a part of the original's."""

    quality: float
    vmaf: float
    share: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The quality to be used, and all that was tried for it."""

    trial: Trial
    trials: tuple[Trial, ...]


def search(film: Film, coding: Coding, target: float, most: float, workdir: Path) -> Choice | None:
    """The cheapest quality that reaches `target` VMAF in at most `most` of the bytes, or None.

    A trial that looks worse than wanted and is too large already ends the search. Raises
    `EncodingFailed` when the encoder does not work on this film.
    """
    windows = windows_of(film)
    tried: list[Trial] = []
    quality = coding.encoder.first
    while len(tried) < _MOST_TRIALS:
        trial = measured(film, _with(coding, quality), windows, workdir)
        tried.append(trial)
        if -_BELOW <= trial.vmaf - target <= _NEAR:
            break
        if trial.vmaf < target and trial.share > most:
            return None
        wanted = _next(tried, coding.encoder, target + _NEAR / 2)
        if any(abs(wanted - t.quality) < 0.5 for t in tried):
            break
        quality = wanted
    reached = [trial for trial in tried if trial.vmaf >= target - _BELOW]
    best = min(reached, key=lambda trial: trial.share, default=None)
    return Choice(best, tuple(tried)) if best is not None and best.share <= most else None


def windows_of(film: Film) -> list[Piece]:
    """Short runs of pictures spread over the film, each from where decoding can begin if near."""
    affordable = _WINDOW_PIXELS // (film.width * film.height)
    count = max(_FEWEST, min(_MOST, affordable, int(len(film) * _SHARE)))
    if len(film) <= 3 * count:
        return [Piece(0, 0, len(film))]
    keys = film.keys()
    found: list[Piece] = []
    for n, part in enumerate(_PLACES):
        wished = int(len(film) * part)
        key = int(keys[abs(keys - wished).argmin()])
        is_near = abs(key - wished) <= 2 * count and key + count <= len(film)
        start = key if is_near else min(wished, len(film) - count)
        if not found or start >= found[-1].first + count:
            found.append(Piece(n, start, count))
    return found


def measured(film: Film, coding: Coding, windows: Sequence[Piece], workdir: Path) -> Trial:
    """Code the windows and compare each with the film; means weighted by their pictures."""
    points, coded, original, pictures = 0.0, 0, 0, 0
    for window in windows:
        target = workdir / f"trial-{window.number}.mp4"
        encode(film, coding, window, target)
        points += vmaf(film, window, target, coding.threads) * window.count
        coded += target.stat().st_size - _OVERHEAD
        original += film.bytes_of(window.first, window.count)
        pictures += window.count
    share = max(coded, 1) / max(original, 1)
    return Trial(coding.quality, round(points / pictures, 3), round(share, 4))


_OVERHEAD = 1_200  # bytes of the box around a trial, which the film has anyway


def vmaf(film: Film, window: Piece, coded: Path, threads: int = 1) -> float:
    """How much the pictures in `coded` look like those of the window: mean VMAF, 0..100.

    A run of its own: together with the encoder it would need the memory of both.
    """
    alike = f"format={film.pixels},settb=1/25,setpts=N"
    graph = (
        f"[0:{film.stream}]{film.filters}{alike}[before];[1:0]{alike}[after];"
        f"[after][before]libvmaf=n_threads={threads}:log_fmt=json:log_path={_LOG}:shortest=1[out]"
    )
    log = coded.with_name(_LOG)
    log.write_bytes(b"")  # what an earlier run said must not be taken for this one's
    with coded.open("rb") as file:
        arguments = [
            *film.arguments(window.first),
            *ffmpeg.source(file, "mov", *AS_CODED),
            *("-filter_complex", graph, "-map", "[out]", "-frames:v", str(window.count * film.per)),
            *("-fps_mode", "passthrough", "-f", "null", "-"),
        ]
        ffmpeg.run(arguments, coded.parent, inputs=[film.file, file])
    return _score(log)


def _score(log: Path) -> float:
    try:
        pooled = json.loads(log.read_text(encoding="utf-8"))["pooled_metrics"]["vmaf"]
        return float(pooled["mean"])
    except (OSError, ValueError, KeyError) as error:
        raise ffmpeg.EncodingFailed("The copy could not be compared with the film.", "") from error


def _next(tried: Sequence[Trial], encoder: Encoder, aim: float) -> float:
    """Along the line through the two trials nearest to the aim, or by the encoder's own slope."""
    near = sorted(tried, key=lambda trial: abs(trial.vmaf - aim))[:2]
    slope = encoder.slope
    if len(near) == 2 and near[0].quality != near[1].quality:
        found = (near[0].vmaf - near[1].vmaf) / (near[0].quality - near[1].quality)
        slope = found if found * encoder.slope > 0 else slope
    wanted = near[0].quality + (aim - near[0].vmaf) / slope
    low, high = sorted((encoder.best, encoder.worst))
    return float(round(min(high, max(low, wanted)) * 2) / 2)


def _with(coding: Coding, quality: float) -> Coding:
    return Coding(coding.encoder, quality, coding.effort, coding.threads)
