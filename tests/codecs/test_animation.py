"""Pictures that move: frames and timing come along."""

from __future__ import annotations

import io
from itertools import product

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.codecs import animation
from pipeline.errors import BadMedia, NotMedia, TooBig
from tests.kit import media


def film(kind: str, durations: list[int], *, clear: bool = False, loop: int = 0) -> bytes:
    """Frames of flat shapes that GIF can hold, each shown as long as said."""
    frames = []
    for number in range(len(durations)):
        pixels = np.full((24, 32, 4 if clear else 3), 255, np.uint8)
        pixels[4:20, number % 20 : number % 20 + 8, :3] = (200, 30, 0)
        if clear:
            pixels[:4, :, 3] = 0
        frames.append(Image.fromarray(pixels))
    out = io.BytesIO()
    options = {"lossless": True} if kind == "webp" else {}
    saved_as = {"gif": "GIF", "apng": "PNG", "webp": "WEBP", "avif": "AVIF"}[kind]
    frames[0].save(
        out,
        saved_as,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=loop,
        **options,
    )
    return out.getvalue()


def frames_of(data: bytes, kind: str) -> list[bytes]:
    """What is seen, frame by frame."""
    with Image.open(io.BytesIO(data)) as image:
        seen = []
        for number in range(image.n_frames):
            image.seek(number)
            seen.append(image.convert("RGBA").tobytes())
    return seen


@pytest.mark.parametrize(("kind", "to"), list(product(("gif", "apng", "webp"), repeat=2)))
def test_frames_and_timing_come_along(kind: str, to: str) -> None:
    """Every frame as it looked, as long as it was shown, as often as before."""
    data = film(kind, [80, 200, 120, 1000])
    made = animation.written(data, kind, to)
    assert animation.timing(made, to) == animation.timing(data, kind)
    assert animation.timing(made, to) == animation.Timing((80, 200, 120, 1000), 0)
    assert frames_of(made, to) == frames_of(data, kind)


@pytest.mark.parametrize("to", ["gif", "apng", "webp"])
def test_what_is_transparent_stays_transparent(to: str) -> None:
    """And nothing of the last frame is seen through the next."""
    data = film("apng", [100, 100, 100], clear=True)
    with Image.open(io.BytesIO(animation.written(data, "apng", to))) as image:
        for number in range(3):
            image.seek(number)
            seen = np.asarray(image.convert("RGBA"))
            assert (seen[:4, :, 3] == 0).all()
            assert (seen[4:, :, 3] == 255).all()
            assert (seen[10, :, 1] < 128).sum() == 8  # one shape, not two


def test_avif_moves_too() -> None:
    """Frames and times; its picture may lose a little."""
    data = film("gif", [80, 200, 120])
    made = animation.written(data, "gif", "avif", 80)
    assert animation.timing(made, "avif").durations == (80, 200, 120)


def test_played_once_stays_played_once() -> None:
    """A GIF without a loop is not repeated for ever as WebP."""
    out = io.BytesIO()
    frames = [Image.fromarray(media.scene(16, 16, n)) for n in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert animation.timing(out.getvalue(), "gif").plays == 1
    made = animation.written(out.getvalue(), "gif", "webp")
    assert animation.timing(made, "webp").plays == 1


@given(st.lists(st.integers(11, 400), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_rounding_to_hundredths_never_adds_up(durations: list[int]) -> None:
    """Each frame of a GIF is due within half a hundredth of a second of when it was."""
    ticks = animation._in_ticks(tuple(durations))
    due, wanted = np.cumsum(ticks), np.cumsum(durations)
    assert np.abs(due - wanted).max() <= 5
    assert min(ticks) >= 10


def test_frames_that_show_the_same_become_one() -> None:
    """Shown for the sum of their times."""
    one, other = media.scene(16, 16), media.scene(16, 16, 2)
    data = bytes(imagecodecs.apng_encode(np.stack([one, one, other]), delay=100))
    assert animation.timing(data, "apng").durations == (200, 100)


def test_a_still_picture_has_one_frame() -> None:
    """Of any kind, also of those that could move."""
    assert animation.frame_count(media.jpeg(), "jpeg") == 1
    assert animation.frame_count(media.SEEDS["picture.webp"](), "webp") == 1


def test_only_four_formats_move() -> None:
    """Others say so."""
    with pytest.raises(NotMedia):
        animation.written(media.gif(), "gif", "jpeg")
    with pytest.raises(NotMedia):
        animation.written(media.jpeg(), "jpeg", "gif")


@pytest.mark.parametrize("kind", ["gif", "apng", "webp"])
def test_half_an_animation_is_refused(kind: str) -> None:
    """Never a crash, never half of it."""
    data = film(kind, [80] * 8)
    with pytest.raises(BadMedia):
        animation.written(data[: len(data) // 2], kind, "gif")


def test_more_frames_than_are_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, before they are decoded."""
    monkeypatch.setattr(animation, "_MOST_PIXELS", 1000)
    with pytest.raises(TooBig, match="frames"):
        animation.written(film("gif", [80] * 4), "gif", "webp")
