"""Real files from real cameras, phones and bug reports."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.codecs import decode, poster, video
from pipeline.codecs.picture import Picture, Pixels
from pipeline.intake import kind
from pipeline.model import Category, Done, Reject, Skip
from pipeline.work.workers.local import LocalSettings, open_workers
from tests.kit.corpus import manifest
from tests.kit.visits import all_stages, request

pytestmark = pytest.mark.corpus

# Kept, flagged and shown as far as they go.
TRUNCATED = (
    "corrupt/truncated.jpg",
    "corrupt/BlueSquare_truncated.jpg",
    "corrupt/broken.jpg",
    "corrupt/truncated.gif",
    "corrupt/truncated_end_chunk.png",
    "motion_photo/non-motion-photo-shortened.jpg",
    "raw/sample.cr2",
)


def shown(path: Path) -> Picture:
    """The picture in a file of the corpus."""
    told = kind.sniff_file(path)
    assert told is not None, path
    return decode.decode(path.read_bytes(), told.name, 480)


def poster_of(path: Path) -> Pixels:
    """The poster of a video of the corpus."""
    told = kind.sniff_file(path)
    assert told is not None
    assert told.demuxer is not None
    with video.opened(path.read_bytes(), told.demuxer) as clip:
        return video.developed(clip, poster.choose(clip).frame, 480)


@pytest.mark.timeout(300)
async def test_every_spoilt_file_ends_with_a_reason(corpus: Path, tmp_path: Path) -> None:
    """Corrupt, huge and junk: outcomes for all, no worker lost, none over 30 s (T49, T50)."""
    stages = {n: s for n, s in all_stages().items() if n != "clip"}
    paths = [p for f in ("corrupt", "huge", "junk") for p in sorted((corpus / f).iterdir())]
    async with open_workers(LocalSettings(slots=1, timeout_s=30), tmp_path / "work") as workers:
        for path in paths:
            reply = await workers.visit(request(path, stages))
            for name, outcome in reply.outcomes.items():
                assert isinstance(outcome, Done | Skip | Reject), (path, name, outcome)
                if isinstance(outcome, Reject):
                    assert outcome.why.strip()[0].isupper(), (path, outcome)
                    assert outcome.why.rstrip().endswith("."), (path, outcome)
            await workers.release(reply)
    assert len(paths) > 80


def test_every_whole_photo_is_shown(corpus: Path) -> None:
    """What the manifest says decodes, and is not cut, is decoded without damage."""
    failed, seen = [], 0
    for entry in manifest(corpus):
        told = kind.sniff_file(corpus / entry.path)
        wanted = entry.decodes.startswith("yes") and entry.is_corrupt == "no"
        if not wanted or told is None or told.category is not Category.PHOTO or told.name == "svg":
            continue
        seen += 1
        picture = shown(corpus / entry.path)
        if picture.damage is not None:
            failed.append((entry.path, picture.damage))
    assert not failed
    assert seen > 180


@pytest.mark.parametrize(
    "group", ["f", "landscape1", "landscape2", "kde"], ids=lambda group: f"nd-orient-{group}"
)
def test_however_the_camera_was_held_it_looks_alike(corpus: Path, group: str) -> None:
    """The members of an orientation group are one picture once upright."""
    members = [e.path for e in manifest(corpus) if e.group == f"nd-orient-{group}"]
    pictures = {path: _small(shown(corpus / path)) for path in members}
    assert pictures
    first = next(iter(pictures.values()))
    for path, pixels in pictures.items():
        assert np.corrcoef(first.ravel(), pixels.ravel())[0, 1] > 0.85, path


def test_colour_profiles_are_respected(corpus: Path) -> None:
    """The same numbers, tagged P3 and untagged: close, but the sunset in P3 glows more."""
    wide, plain = (shown(corpus / f"near_dup/Iceland-{n}.jpg").fit(480) for n in ("P3", "sRGB"))
    assert 2 < np.abs(wide.astype(int) - plain).mean() < 8
    glow = [cv2.cvtColor(p, cv2.COLOR_RGB2HSV)[:, :, 1].mean() for p in (wide, plain)]
    assert glow[0] > glow[1] + 2


def test_inks_look_like_the_photo_they_print(corpus: Path) -> None:
    """A CMYK JPEG is neither inverted nor washed out."""
    printed = shown(corpus / "near_dup/flower_small.cmyk.jpg").fit(480).astype(int)
    photo = shown(corpus / "near_dup/flower_small.rgb.png").fit(480).astype(int)
    assert np.abs(printed - photo).mean() < 12


def test_a_gain_map_changes_nothing(corpus: Path) -> None:
    """The base picture of an HDR photo is what ordinary screens are meant to show."""
    for name in ("seine_sdr_gainmap_srgb.jpg", "seine_sdr_gainmap_srgb.avif"):
        assert 140 < shown(corpus / "hdr_gainmap" / name).fit(480).mean() < 190


@pytest.mark.parametrize(
    "name",
    ["dolbyVision-hdr.MOV", "hdr10-av1.mp4", "hlg10-color-test.mp4", "sample_with_color_info.mp4"],
)
def test_hdr_films_are_not_washed_out(corpus: Path, name: str) -> None:
    """PQ and HLG posters have ordinary brightness, real blacks or colours, and few burnt parts."""
    pixels = poster_of(corpus / "video_hdr" / name)
    assert 90 < pixels.mean() < 205
    assert np.percentile(pixels, 98) - np.percentile(pixels, 2) > 90
    assert (pixels >= 254).mean() < 0.35


def test_a_colour_chart_in_hlg_has_its_colours(corpus: Path) -> None:
    """The chart's patches are as far apart as on paper."""
    pixels = poster_of(corpus / "video_hdr/hlg10-color-test.mp4")
    saturation = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[:, :, 1]
    assert np.percentile(saturation, 90) > 100


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("portrait_4k60.mp4", (480, 270)),
        ("quicktime-hvc1.mov", (480, 270)),
        ("with-gps.mov", (480, 270)),
        ("sample_portrait.mp4", (480, 320)),
        ("Sony ILCE-7M3 (A7M3).mts", (270, 480)),
    ],
)
def test_films_stand_upright(corpus: Path, name: str, shape: tuple[int, int]) -> None:
    """A phone's rotation is baked into the poster."""
    assert poster_of(corpus / "video" / name).shape[:2] == shape


@pytest.mark.parametrize("name", TRUNCATED)
def test_truncated_photos_are_shown_and_flagged(corpus: Path, name: str) -> None:
    """What still shows a picture is kept, with a sentence about what is missing."""
    picture = shown(corpus / name)
    assert picture.damage is not None
    assert picture.damage.endswith(".")
    assert picture.fit(480).std() > 1


def _small(picture: Picture) -> Pixels:
    """Thumbnails as one looks at them: 32 grey pixels square."""
    grey = cv2.cvtColor(picture.fit(480), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(float)
