"""The web copy of a film: H.264 and AAC that every browser plays, small, upright, in plain colours.

HDR is tone-mapped to the look of its poster and everything is tagged BT.709; interlaced pictures
are woven together; nothing the film says about people and places comes along. Coded in pieces of
even length, so that a pause costs little.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.codecs import encoders, ffmpeg, resize, tonemap, video
from pipeline.codecs.encoders import Encoder
from pipeline.codecs.transcode_pieces import Shelf, TimeIsUp
from pipeline.errors import DecodeFailed

PIECE_S = 60.0
_LIST, _TABLE = "pieces.txt", "look.cube"
_TAGS = "setparams=color_primaries=bt709:color_trc=bt709"


@dataclass(frozen=True, slots=True)
class ProxyWish:
    """What is asked for: the shorter side, pictures a second at most, quality by CRF."""

    side: int = 720
    rate: float = 30.0
    quality: float = 23.0
    hardware: str = "auto"
    threads: int = 1
    slice_s: float | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """The web copy. `is_mapped` says that HDR was brought down to an ordinary screen."""

    path: Path
    width: int
    height: int
    encoder: str
    is_mapped: bool
    pieces: int
    reused: int
    gave_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first picture tells about all of them."""

    width: int
    height: int
    rate: float
    duration_s: float
    filters: str
    is_mapped: bool
    source_pixels: int  # of one picture of the film


def proxy(fd: int, demuxer: str, wish: ProxyWish, shelf: Shelf, target: Path) -> Proxy:
    """Write the web copy of the film behind `fd` to `target`.

    Raises `TimeIsUp` between two pieces, `BadMedia` for a film that cannot be shown.
    """
    look = _look(fd, demuxer, wish, shelf.folder)
    gave_up: list[str] = []
    for encoder in encoders.candidates("h264", wish.hardware):
        try:
            pieces = list(_pieces(_Work(fd, demuxer, wish, look, encoder), shelf))
            _join(fd, demuxer, pieces, shelf.folder, target)
        except ffmpeg.EncodingFailed as failure:
            gave_up.append(encoder.name)
            last = failure
            continue
        return Proxy(
            target, look.width, look.height, encoder.name, look.is_mapped, len(pieces),
            shelf.reused, tuple(gave_up),
        )  # fmt: skip
    raise last if gave_up else DecodeFailed("There is no encoder for web copies.")


def _look(fd: int, demuxer: str, wish: ProxyWish, folder: Path) -> _Look:
    with (
        open(f"/proc/self/fd/{fd}", "rb") as file,  # noqa: PTH123 - a descriptor, not a path
        video.opened(file, demuxer) as clip,
    ):
        shot = next(video.shots(clip, 0.0), None)
        if shot is None:
            raise DecodeFailed("No picture of the film can be shown; it may be cut short.")
        told = float(clip.stream.average_rate or clip.stream.guessed_rate or wish.rate)
        rate = min(told if 1 <= told <= 240 else wish.rate, wish.rate)
        size = _fitted(clip.width, clip.height, wish.side)
        frame = shot.frame
        is_mapped = tonemap.write_cube(
            folder / _TABLE, int(frame.color_primaries), int(frame.color_trc)
        )
        filters = _filters(size, frame, is_mapped)
        pixels = int(frame.width * frame.height)
        return _Look(*size, rate, clip.duration_s, filters, is_mapped, pixels)


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Even sides, the shorter one at most `side`."""
    shorter = min(width, height)
    longest = max(width, height) * min(1.0, side / shorter)
    shown = resize.fitted((width, height), max(2, round(longest)))
    return max(2, shown[0] // 2 * 2), max(2, shown[1] // 2 * 2)


def _filters(size: tuple[int, int], frame: Any, is_mapped: bool) -> str:
    """FFmpeg turns the picture upright before these."""
    width, height = size
    steps = ["bwdif=mode=send_frame"] if frame.interlaced_frame else []
    if is_mapped:
        steps += [
            f"scale={width}:{height}:flags=area",
            "format=gbrp16le",
            f"lut3d=file={_TABLE}:interp=tetrahedral",
            f"{_TAGS}:colorspace=gbr:range=pc",
            "scale=out_color_matrix=bt709:out_range=tv",
        ]
    else:
        steps.append(f"scale={width}:{height}:flags=area:out_color_matrix=bt709:out_range=tv")
    return ",".join([*steps, "format=yuv420p", f"{_TAGS}:colorspace=bt709:range=tv", "setsar=1"])


@dataclass(frozen=True, slots=True)
class _Work:
    """One film, one encoder."""

    fd: int
    demuxer: str
    wish: ProxyWish
    look: _Look
    encoder: Encoder

    @property
    def frames(self) -> int:
        """Of one piece."""
        return round(PIECE_S * self.look.rate)

    @property
    def count(self) -> int:
        """How many pieces there are; what is left of a piece's end joins the last."""
        return max(1, math.ceil((self.look.duration_s - 0.2) * self.look.rate / self.frames))


def _pieces(work: _Work, shelf: Shelf) -> Iterator[Path]:
    wish, look = work.wish, work.look
    ends_at = time.monotonic() + wish.slice_s if wish.slice_s is not None else math.inf
    size = f"{look.width}x{look.height}:{look.rate:g}"
    for number in range(work.count):
        label = f"{work.encoder.name}:{wish.quality:g}:{size}:{work.frames}"
        yield shelf.kept(f"proxy-{number:05d}.mp4", label, partial(_encode, work, number))
        if shelf.coded and number < work.count - 1 and time.monotonic() >= ends_at:
            raise TimeIsUp(number + 1, work.count)


def _encode(work: _Work, number: int, path: Path) -> None:
    wish, look = work.wish, work.look
    coding = work.encoder.arguments(wish.quality, "yuv420p", wish.threads, "fast")
    at = coding.index("-vf") + 1
    coding[at] = f"fps={look.rate:g}:start_time=0,{look.filters},{coding[at]}"
    start = ("-ss", f"{number * work.frames / look.rate:.6f}") if number else ()
    is_last = number == work.count - 1
    arguments = [
        *work.encoder.input_arguments(),
        *ffmpeg.source(work.fd, work.demuxer, *start),
        *("-map", "0:v:0", "-an", "-sn", "-dn", *coding),
        *(() if is_last else ("-frames:v", str(work.frames))),
        *("-maxrate", "5M", "-bufsize", "10M", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", "mp4", ffmpeg.plain(path)),
    ]
    ffmpeg.run(
        arguments,
        path.parent,
        inputs=[work.fd],
        timeout_s=work.encoder.patience_s(look.source_pixels * work.frames),
        needs_space=work.encoder.needs_space,
    )
    if not path.stat().st_size:
        raise ffmpeg.EncodingFailed("No picture of the film can be shown.", "")


def _join(fd: int, demuxer: str, pieces: list[Path], folder: Path, target: Path) -> None:
    """All pieces behind each other, with the sound of the whole film."""
    rows = "".join(f"file '{path.name}'\n" for path in pieces)
    (folder / _LIST).write_text(f"ffconcat version 1.0\n{rows}", encoding="ascii")
    arguments = [
        *("-f", "concat", "-i", ffmpeg.plain(folder / _LIST)),
        *ffmpeg.source(fd, demuxer),
        *("-map", "0:v:0", "-map", "1:a:0?", "-c:v", "copy", "-c:a", "aac", "-b:a", "128k"),
        *("-ac", "2", "-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart"),
        *("-f", "mp4", ffmpeg.plain(target)),
    ]
    ffmpeg.run(arguments, folder, inputs=[fd])
