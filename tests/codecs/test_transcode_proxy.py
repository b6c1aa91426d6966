"""Web copies: what every browser plays, in the colours of the poster, telling no secrets."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.codecs import transcode_proxy, video
from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.model import Done, Json, Later, Outcome, Skip
from tests.kit import footage, visits


def proxied(path: Path, work: Path, **params: Json) -> Outcome:
    """The answer of the stage."""
    work.mkdir(exist_ok=True)
    return visits.visit(path, work, "proxy", params={"proxy": params})["proxy"]


def made(outcome: Outcome, work: Path) -> Path:
    """The file that was made."""
    assert isinstance(outcome, Done), outcome
    return work / outcome.made[0].name


def second(path: Path) -> NDArray[np.uint8]:
    """The film's picture after a second, as a poster would show it."""
    with path.open("rb") as file, video.opened(file, "mov") as clip:
        shot = next(s for s in video.shots(clip, 0.9) if s.time_s >= 0.9)
        return np.asarray(video.developed(clip, shot.frame, 192), np.uint8)


def test_a_web_copy_is_plain_and_silent_about_people(tmp_path: Path) -> None:
    """H.264, BT.709, upright pixels, index in front; no place, no date, no pairing id."""
    original = footage.phone(tmp_path / "film.mov", size="384x216")
    copy = made(proxied(original, tmp_path / "work", side=108), tmp_path / "work")
    data = copy.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(copy) as film:
        context = film.streams.video[0].codec_context
        frame = next(film.decode(video=0))
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.width, context.height, frame.rotation) == (108, 192, 0)
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)
        assert film.streams.audio[0].codec_context.name == "aac"
        assert abs(film.duration / av.time_base - 2.0) < 0.1
    told = kind.sniff(data[: kind.HEAD_BYTES], size=len(data))
    assert told is not None
    facts = read(data, told)
    assert (facts.places, facts.content_id, facts.make) == ((), None, None)
    assert b"com.apple" not in data


def test_hdr_looks_like_its_poster(tmp_path: Path) -> None:
    """Tone-mapped, not washed out and not clipped: the same picture as our own mapping gives."""
    original = footage.hdr10(tmp_path / "film.mp4")
    outcome = proxied(original, tmp_path / "work")
    copy = made(outcome, tmp_path / "work")
    assert isinstance(outcome, Done)
    assert outcome.facts["tone_mapped"] is True
    shown, wanted = second(copy).astype(int), second(original).astype(int)
    assert abs(shown.mean() - wanted.mean()) < 3
    for share in (2, 25, 50, 75, 98):
        assert abs(np.percentile(shown, share) - np.percentile(wanted, share)) < 8


def test_plain_colours_stay(tmp_path: Path) -> None:
    """An ordinary film is not mapped; its colours come out as they were."""
    original = footage.film(tmp_path / "film.mp4")
    copy = made(proxied(original, tmp_path / "work"), tmp_path / "work")
    assert np.abs(second(copy).astype(int) - second(original)).mean() < 6


@pytest.mark.parametrize("container", ["film.mkv", "film.avi", "film.ts"])
def test_any_container(tmp_path: Path, container: str) -> None:
    """Whatever box the film came in, odd sides included."""
    more = ("-f", "mpegts") if container.endswith("ts") else ()
    original = footage.film(tmp_path / container, size="190x106", more=more)
    copy = made(proxied(original, tmp_path / "work", side=55), tmp_path / "work")
    with av.open(copy) as film:
        assert film.streams.video[0].codec_context.height == 54


def test_pieces_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused after each piece and gone on with: as many pictures, evenly spaced, as in one go."""
    original = footage.film(tmp_path / "film.mp4", seconds=3)
    monkeypatch.setattr(transcode_proxy, "PIECE_S", 1.0)
    params: dict[str, Json] = {"keep": str(tmp_path / "keep"), "slice_s": 0}
    for _ in range(2):
        assert isinstance(proxied(original, tmp_path / "work", **params), Later)
    outcome = proxied(original, tmp_path / "work", **params)
    copy = made(outcome, tmp_path / "work")
    assert isinstance(outcome, Done)
    assert (outcome.facts["pieces"], outcome.facts["reused"]) == (3, 2)
    with av.open(copy) as film:
        times = sorted(float(f.pts * f.time_base) for f in film.decode(video=0))
    assert len(times) == 72
    assert all(abs(b - a - 1 / 24) < 2e-3 for a, b in itertools.pairwise(times))


def test_sound_alone_makes_no_film(tmp_path: Path) -> None:
    """What is no video is not asked."""
    path = tmp_path / "sound.wav"
    footage.ran(["-f", "lavfi", "-i", "sine=duration=0.2", str(path)])
    assert isinstance(proxied(path, tmp_path / "work"), Skip)
