"""A film whose pictures are changed on the way from its decoder to the encoder.

The rest of the transcoder stays as it is: pieces, encoders, the original's sound and times. What is
fed are the pictures as they were coded, neither turned nor brought to other colours.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import ffmpeg, transcode_movie, transcode_pieces, video
from pipeline.codecs.transcode_film import Film
from pipeline.codecs.transcode_pieces import Coding, Piece
from pipeline.errors import DecodeFailed

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Change = Callable[[int, Plane, tuple[int, int]], Plane]  # frame, plane, its width and height


def frames(film: Film, first: int, count: int) -> Iterator[Any]:
    """Pictures `first` to `first + count` in the order of showing. Raises `DecodeFailed` where one
    is missing.
    """
    with (
        io.FileIO(os.dup(film.file.fileno())) as raw,
        io.BufferedReader(raw) as content,
        video.opened(content, "mov") as clip,
    ):
        wanted = film.shown[first : first + count].tolist()
        clip.container.seek(wanted[0], stream=clip.stream, backward=True)
        for packet in clip.container.demux(clip.stream):
            for frame in _decoded(packet):
                if wanted and frame.pts == wanted[0]:
                    yield frame
                    wanted.pop(0)
            if not wanted:
                return
    raise DecodeFailed("Not every picture of the film can be decoded.")


def _decoded(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except (av.error.InvalidDataError, av.error.EOFError):
        return []


def encode(film: Film, coding: Coding, piece: Piece, change: Change, target: Path) -> None:
    """Code one piece of changed pictures into `target`. Raises `EncodingFailed`."""
    pictures = frames(film, piece.first, piece.count)
    first = next(pictures)
    told = coding.encoder.arguments(coding.quality, film.pixels, coding.threads, coding.effort)
    at = told.index("-vf") + 1
    told[at] = f"{_colours(first)},{told[at]}"
    arguments = [
        *coding.encoder.input_arguments(),
        *("-f", "rawvideo", "-pix_fmt", first.format.name),
        *("-video_size", f"{film.width}x{film.height}", "-framerate", "25"),
        *("-i", ffmpeg.FED, *told, "-map_metadata", "-1", "-f", "mp4", ffmpeg.plain(target)),
    ]

    def changed() -> Iterator[bytes]:
        yield _changed(first, piece.first, change)
        for n, frame in enumerate(pictures, piece.first + 1):
            yield _changed(frame, n, change)

    ffmpeg.feed(arguments, target.parent, changed())
    _require_all(piece, target)


def _require_all(piece: Piece, target: Path) -> None:
    with transcode_pieces.read_back(target) as movie:
        count = len(transcode_movie.samples(movie, movie.picture()))
    if count != piece.count:
        raise ffmpeg.EncodingFailed(
            "The encoder left pictures out.", f"{count} pictures of {piece.count}"
        )


def _colours(frame: Any) -> str:
    """What raw pictures do not say of themselves."""
    is_full = int(frame.color_range or 0) == 2 or frame.format.name.startswith("yuvj")
    return (
        f"setparams=color_primaries={int(frame.color_primaries)}:color_trc={int(frame.color_trc)}"
        f":colorspace={int(frame.colorspace)}:range={'pc' if is_full else 'tv'}"
    )


def _changed(frame: Any, number: int, change: Change) -> bytes:
    """All planes behind each other; samples of more than 8 bits fill their 16 while in hand."""
    depth = frame.format.components[0].bits
    shift = 16 - depth if depth > 8 else 0
    kind = np.uint16 if depth > 8 else np.uint8
    out = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width]
        whole: Any = np.left_shift(rows, shift).astype(kind)
        made: Any = change(number, whole, (plane.width, plane.height))
        out.append(np.right_shift(made, shift).astype(kind).tobytes())
    return b"".join(out)
