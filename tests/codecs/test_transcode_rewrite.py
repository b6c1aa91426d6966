"""Films of every container made smaller: what they say comes along, or they stay as they are."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import pytest

from pipeline.codecs import gate, transcode_search
from pipeline.codecs.transcode_search import Choice, Trial
from pipeline.intake import kind
from pipeline.metadata.read import read
from pipeline.metadata.window import Window
from pipeline.model import Done, Outcome, Skip
from tests.kit import footage, visits


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for a quality is of no interest here."""
    choice = Choice(Trial(34, 90.0, 0.3), ())
    monkeypatch.setattr(transcode_search, "search", lambda *_: choice)


def transcoded(path: Path, work: Path) -> Outcome:
    """The answer of the stage."""
    work.mkdir()
    asked = {"transcode": {"effort": "fast", "target": 85, "min_gain": 0.05}}
    return visits.visit(path, work, "transcode", params=asked)["transcode"]


def made(outcome: Outcome, work: Path) -> Path:
    """The file that was made."""
    assert isinstance(outcome, Done), outcome
    (file,) = outcome.made
    return work / file.name


@pytest.mark.parametrize("name", footage.OLD)
def test_every_container_becomes_a_film_of_today(tmp_path: Path, name: str) -> None:
    """HEVC in a movie that plays from the start, and the gate finds nothing missing."""
    original = footage.old(tmp_path / name)
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    assert gate.check(original, copy) == ()
    with av.open(copy) as film:
        assert film.streams.video[0].codec_context.codec_tag == "hvc1"
    data = copy.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    assert len(data) < original.stat().st_size


def test_a_film_keeps_its_words(tmp_path: Path) -> None:
    """Subtitles, chapters, languages, titles and the date are the movie's own afterwards."""
    original = footage.spoken(tmp_path / "film.mkv")
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    assert gate.check(original, copy) == ()
    with av.open(copy) as film:
        assert [c["metadata"]["title"] for c in film.chapters()] == ["The beach", "The way home"]
        assert "Anna" in film.metadata.values()
        assert [s.language for s in film.streams if s.type in ("audio", "subtitle")] == [
            "deu",
            "eng",
        ]
        (words,) = (s for s in film.streams if s.type == "subtitle")
        said = b"".join(bytes(packet) for packet in film.demux(words))
    assert b"a seal" in said
    assert b"Over there!" in said
    told = kind.sniff_file(copy)
    assert told is not None
    with copy.open("rb") as file:
        facts = read(Window(file.fileno()), told)
    assert facts.title == "Holiday"
    assert "2019-05-04T10:11:12" in {date.local for date in facts.dates}


def test_halves_become_pictures(tmp_path: Path) -> None:
    """An interlaced film shows twice as many pictures, each half when it was taken."""
    original = footage.old(tmp_path / "camcorder.mts")
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    with av.open(copy) as film:
        frames = list(film.decode(video=0))
        times = [float(f.pts * f.time_base) for f in frames]
    assert len(frames) == 48
    assert not any(frame.interlaced_frame for frame in frames)
    assert all(b - a == pytest.approx(1 / 24, abs=1e-4) for a, b in itertools.pairwise(times))


def test_an_avchd_camera(tmp_path: Path, corpus: Path) -> None:
    """Halves that are samples of their own, as cameras code them; the camera's date is kept."""
    camera = corpus / "video" / "Sony ILCE-7M3 (A7M3).mts"
    original = tmp_path / "film.mts"
    footage.ran(["-i", str(camera), "-map", "0:0", "-map", "0:1", "-c", "copy",
                 "-f", "mpegts", str(original)])  # fmt: skip
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    assert gate.check(original, copy) == ()
    assert isinstance(refused := transcoded(camera, tmp_path / "whole"), Skip)
    assert "subtitles (hdmv_pgs_subtitle)" in refused.why


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("-attach", __file__, "-metadata:s:t:0", "mimetype=text/plain"), "files attached"),
        (("-c:s", "ass"), "subtitles (ass)"),
    ],
)
def test_what_a_movie_has_no_place_for_is_named(
    tmp_path: Path, more: tuple[str, ...], why: str
) -> None:
    """A film of which something would be lost stays, with the reason."""
    original = footage.spoken(tmp_path / "film.mkv", more=more)
    outcome = transcoded(original, tmp_path / "work")
    assert isinstance(outcome, Skip)
    assert outcome.is_final
    assert why in outcome.why


def test_rewriting_is_taken_up_again(tmp_path: Path) -> None:
    """The rewritten film outlives a pause like any other piece."""
    original = footage.old(tmp_path / "disc.mpg")
    keep = tmp_path / "keep"
    asked = {"transcode": {"effort": "fast", "min_gain": 0.05, "keep": str(keep)}}
    (tmp_path / "work").mkdir()
    first = visits.visit(original, tmp_path / "work", "transcode", params=asked)["transcode"]
    assert isinstance(first, Done)
    (plain,) = keep.rglob("plain-copy.mov")
    before = plain.stat().st_mtime_ns
    again = visits.visit(original, tmp_path / "work", "transcode", params=asked)["transcode"]
    assert isinstance(again, Done)
    assert plain.stat().st_mtime_ns == before
