"""Frames, posters and trailers."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.codecs import poster, trailer, video
from pipeline.errors import BadMedia
from tests.kit import bombs, media

KINDS = {"mp4": "mov", "mov": "mov", "matroska": "matroska", "avi": "avi", "mpegts": "mpegts"}


@pytest.mark.parametrize("container", KINDS)
def test_every_container_gives_a_poster(container: str) -> None:
    """Whatever the box, the frame inside is the scene that was filmed."""
    with video.opened(media.video(container), KINDS[container]) as clip:
        shot = poster.choose(clip)
        pixels = video.developed(clip, shot.frame, 1440)
    assert pixels.shape == (96, 128, 3)
    still = media.scene(128, 96)
    assert np.abs(pixels[:36].astype(int) - still[:36]).mean() < 12


@pytest.mark.parametrize(("rotate", "shape"), [(0, (96, 128)), (90, (128, 96)), (180, (96, 128))])
def test_rotation_is_baked_in(rotate: int, shape: tuple[int, int]) -> None:
    """A phone held upright gives an upright poster."""
    with video.opened(media.video("mov", rotate=rotate), "mov") as clip:
        pixels = video.developed(clip, poster.choose(clip).frame, 1440)
        assert (clip.height, clip.width) == shape
    assert pixels.shape[:2] == shape
    expected = np.rot90(media.scene(128, 96), rotate // 90)
    assert np.abs(pixels.astype(int) - expected).mean() < 25  # wrongly turned it is above 50


def test_black_and_white_are_passed_over() -> None:
    """A fade from black, then one from white: the poster shows what comes behind."""
    film = _film([np.zeros((64, 96, 3), np.uint8)] * 8 + [np.full((64, 96, 3), 255, np.uint8)] * 8)
    with video.opened(film, "mov") as clip:
        shot = poster.choose(clip)
        assert shot.time_s >= 15 / 12
        assert 40 < video.developed(clip, shot.frame, 96).mean() < 220


def test_a_black_film_still_has_a_poster() -> None:
    """Nothing to see is no reason to show nothing."""
    film = _film([np.zeros((64, 96, 3), np.uint8)] * 4, with_scene=False)
    with video.opened(film, "mov") as clip:
        assert video.developed(clip, poster.choose(clip).frame, 96).mean() < 5


def test_a_trailer_is_short_small_and_silent(tmp_path: Path) -> None:
    """Four seconds at most, playable, without sound."""
    path = tmp_path / "clip.mp4"
    with video.opened(media.video(frames=12 * 9), "mov") as clip:
        size = trailer.write(clip, 2.0, path)
    with av.open(path) as made:
        assert [s.type for s in made.streams] == ["video"]
        frames = list(itertools.islice(made.decode(video=0), 200))
        assert made.streams.video[0].codec_context.name == "h264"
    assert size == (128, 96)
    assert 40 <= len(frames) <= 49


def test_a_costly_film_is_walked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where motion would cost too much, keyframes of the whole film stand for it."""
    monkeypatch.setattr(trailer, "_PIXEL_BUDGET", 1)
    with video.opened(media.video(frames=120), "mov") as clip:
        trailer.write(clip, 0.0, tmp_path / "clip.mp4")
    with av.open(tmp_path / "clip.mp4") as made:
        assert 10 <= sum(1 for _ in made.decode(video=0)) <= 12


@pytest.mark.parametrize("keep", [0.7, 0.95])
def test_a_film_cut_short_shows_its_beginning(keep: float) -> None:
    """What was copied of a film before the cable came off still has a poster."""
    data = media.video("matroska", frames=60)
    with video.opened(data[: int(len(data) * keep)], "matroska") as clip:
        assert poster.choose(clip).frame is not None


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x18ftypmp42" + b"\0" * 64, b"junk" * 99])
def test_hopeless_films_raise_bad_media(data: bytes) -> None:
    """What is no film says so, in the tree's own words."""
    with pytest.raises(BadMedia), video.opened(data, "mov") as clip:
        poster.choose(clip)


@pytest.mark.timeout(20)
def test_a_million_samples_cost_nothing() -> None:
    """Tables that lie are not believed, and seeking in them is not quadratic (T50)."""
    with pytest.raises(BadMedia), video.opened(bombs.mp4_samples(), "mov") as clip:
        poster.choose(clip)


def test_sound_alone_is_no_film() -> None:
    """An MP4 without pictures says so."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(BadMedia, match="no moving picture"), video.opened(out.getvalue(), "mov"):
        pass


def _film(lead: list[media.Pixels], *, with_scene: bool = True) -> bytes:
    """An MP4 of `lead`, then twelve frames of the scene."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=12, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for pixels in lead + [media.scene()] * (12 if with_scene else 0):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        output.mux(stream.encode(None))
    return out.getvalue()
