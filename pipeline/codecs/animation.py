"""Pictures that move, from one format to another: GIF, APNG, WebP and AVIF.

All frames come along as they look, each for as long as it was shown (GIF counts in hundredths of a
second: what is rounded off is made up by the next frame), repeated as often as before. Frames that
show the same one after the other become one that is shown longer.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from PIL import Image

from pipeline.codecs import limits, still
from pipeline.codecs.border import decoding
from pipeline.errors import DecodeFailed, NotMedia, TooBig
from pipeline.metadata.write import copy

MOVING = ("gif", "apng", "webp", "avif")
_MOST_PIXELS = 120_000_000  # of all frames together: they are held while one file is written
_SHORTEST_MS = 10  # what a frame without a time is shown for
_GIF_TICK_MS = 10
_SAVED_AS = {"gif": "GIF", "apng": "PNG", "webp": "WEBP", "avif": "AVIF"}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each frame is shown, in ms, and how often the whole is played (0: for ever)."""

    durations: tuple[int, ...]
    plays: int


@dataclass(frozen=True, slots=True)
class _Film:
    frames: list[Any]  # Pillow images, RGB or RGBA
    timing: Timing
    profile: bytes | None


def frame_count(data: bytes, kind: str) -> int:
    """How many frames there are; 1 for what does not move. Raises `BadMedia`."""
    if kind not in MOVING:
        return 1
    with _opened(data, kind) as image:
        count = int(getattr(image, "n_frames", 1))
        return count - 1 if getattr(image, "default_image", False) else count


def timing(data: bytes, kind: str) -> Timing:
    """When each frame is due. Raises `BadMedia`, `NotMedia` for what does not move."""
    return _read(data, kind).timing


def written(data: bytes, kind: str, to: str, quality: int | None = None) -> bytes:
    """The animation `data` of the format `kind` in the format `to`, both of `MOVING`.

    WebP and AVIF lose what `quality` says; without one WebP, like GIF and APNG, keeps every pixel
    (GIF as far as 256 colours go). Raises `BadMedia`, `TooBig` for more frames than are held.
    """
    if to not in MOVING:
        raise NotMedia("Only GIF, APNG, WebP and AVIF can move.")
    film = _read(data, kind)
    options = _options(to, film, quality)
    if to == "avif":  # takes metadata only while it is made
        told = copy.prepared(data, kind, to)
        words = {"exif": told.exif, "xmp": told.xmp}
        options |= {name: block for name, block in words.items() if block}
    out = io.BytesIO()
    first, *others = film.frames
    with still.quiet():
        first.save(out, _SAVED_AS[to], save_all=True, append_images=others, **options)
    return out.getvalue()


def shows_the_same(data: bytes, kind: str, copy: bytes, to: str) -> bool:
    """True where both show the same pixels for as long, as often. Raises `BadMedia`.

    Colours under what is fully transparent are not shown.
    """
    one, other = _read(data, kind), _read(copy, to)
    if one.timing != other.timing or one.profile != other.profile:
        return False
    return all(
        _shown(before) == _shown(after)
        for before, after in zip(one.frames, other.frames, strict=True)
    )


def _shown(frame: Any) -> tuple[Any, bytes]:
    if frame.mode == "RGBA":
        clear = Image.new("RGBA", frame.size)
        frame = Image.composite(frame, clear, frame.getchannel("A").point(bool, "1"))
    return frame.size, frame.convert("RGBA").tobytes()


def _options(to: str, film: _Film, quality: int | None) -> dict[str, Any]:
    plays = film.timing.plays
    options: dict[str, Any] = {"duration": list(film.timing.durations), "loop": plays}
    if film.profile:
        options["icc_profile"] = film.profile
    if to == "gif":
        options["duration"] = _in_ticks(film.timing.durations)
        if film.frames[0].mode == "RGBA":
            options["disposal"] = 2  # what was seen through a frame must not stay from the last
        if plays == 1:
            del options["loop"]
    elif to == "webp":
        lossless = {"lossless": True, "exact": True, "quality": 60}
        options |= {"method": 4, **(lossless if quality is None else {"quality": quality})}
    elif to == "avif":
        options |= {"quality": quality or 80, "speed": 8, "max_threads": 1}
        del options["loop"]
    return options


def _in_ticks(durations: tuple[int, ...]) -> list[int]:
    """In whole hundredths of a second, such that no frame is due late by more than half of one."""
    due = [round(at / _GIF_TICK_MS) for at in accumulate(durations)]
    starts = [0, *due[:-1]]
    return [max(1, end - start) * _GIF_TICK_MS for start, end in zip(starts, due, strict=True)]


def _read(data: bytes, kind: str) -> _Film:
    if kind not in MOVING:
        raise NotMedia("This picture does not move.")
    with _opened(data, kind) as image:
        first = 1 if getattr(image, "default_image", False) else 0
        count = int(getattr(image, "n_frames", 1)) - first
        _require_bearable(image.size, count)
        frames: list[Any] = []
        durations: list[int] = []
        for number in range(first, first + count):
            image.seek(number)
            image.load()
            frame = image.convert("RGBA" if still.has_alpha(image) else "RGB")
            frame.info = {}  # Pillow would take its word over ours
            lasts = max(_SHORTEST_MS, round(float(image.info.get("duration") or 0)))
            if frames and _is_same(frames[-1], frame):
                durations[-1] += lasts
                continue
            frames.append(frame)
            durations.append(lasts)
        profile = image.info.get("icc_profile")
        plays = image.info.get("loop", 1 if kind == "gif" else 0)
    return _Film(_of_one_mode(frames), Timing(tuple(durations), int(plays)), profile)


def _of_one_mode(frames: list[Any]) -> list[Any]:
    mode = "RGBA" if any(frame.mode == "RGBA" for frame in frames) else "RGB"
    return [frame if frame.mode == mode else frame.convert(mode) for frame in frames]


def _is_same(one: Any, other: Any) -> bool:
    return bool(one.mode == other.mode and one.tobytes() == other.tobytes())


def _require_bearable(size: tuple[int, int], count: int) -> None:
    limits.require_decodable(*size)
    if count < 1:
        raise DecodeFailed("The animation holds no frame.")
    if count > limits.MOST_FRAMES or size[0] * size[1] * count > _MOST_PIXELS:
        raise TooBig(
            f"The animation has {count} frames of {size[0]} x {size[1]} pixels, "
            "more than are converted at once."
        )


@contextmanager
def _opened(data: bytes, kind: str) -> Iterator[Any]:
    with (
        decoding("animation"),
        still.quiet(),
        Image.open(io.BytesIO(data), formats=[still.PLUGINS[kind]]) as image,
    ):
        yield image
