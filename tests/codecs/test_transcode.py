"""Films made smaller: what they must keep, when none is made, and how a pause is survived."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.codecs import encoders, ffmpeg, transcode_pieces, transcode_search
from pipeline.codecs.transcode_search import Choice, Trial
from pipeline.codecs.video_parity import compare_videos
from pipeline.intake import kind
from pipeline.metadata.facts import Facts
from pipeline.metadata.read import read
from pipeline.model import Done, Json, Later, Outcome, Reject, Skip
from pipeline.work.workers import local
from pipeline.work.workers.contract import StageCall, VisitRequest
from tests.kit import footage, visits

ROOT = Path(__file__).resolve().parents[2]

QUICK: Mapping[str, Json] = {"effort": "fast", "target": 88, "min_gain": 0.1}


def transcoded(path: Path, work: Path, **params: Json) -> Outcome:
    """The answer of the stage, asked in a hurry."""
    work.mkdir(exist_ok=True)
    asked = {"transcode": {**QUICK, **params}}
    return visits.visit(path, work, "transcode", params=asked)["transcode"]


def made(outcome: Outcome, work: Path) -> Path:
    """The file that was made."""
    assert isinstance(outcome, Done), outcome
    (file,) = outcome.made
    return work / file.name


def facts_of(path: Path) -> Facts:
    """What our own reader says."""
    data = path.read_bytes()
    told = kind.sniff(data[: kind.HEAD_BYTES], size=len(data), name=path.name)
    assert told is not None
    return read(data, told)


def faults(original: Path, copy: Path) -> tuple[str, ...]:
    """Every way in which the copy is not the same film."""
    with original.open("rb") as before, copy.open("rb") as after:
        return compare_videos(before, after)


def streams(path: Path) -> list[tuple[str, str, int]]:
    """Type, codec tag and number of packets of each stream."""
    with av.open(path) as film:
        counts = {stream.index: 0 for stream in film.streams}
        for packet in film.demux():
            counts[packet.stream_index] += packet.size > 0
        tags = [
            (s.type, s.codec_context.codec_tag if s.codec_context else "") for s in film.streams
        ]
        return [(*tag, counts[n]) for n, tag in enumerate(tags)]


@pytest.mark.parametrize(("codec", "tag"), [("hevc", "hvc1"), ("av1", "av01")])
def test_a_phones_film_keeps_all_it_says(tmp_path: Path, codec: str, tag: str) -> None:
    """Turn, place, date with its offset, pairing id, make: all but the coding stays."""
    original = footage.phone(tmp_path / "film.mov")
    copy = made(transcoded(original, tmp_path / "work", codec=codec), tmp_path / "work")
    before, after = facts_of(original), facts_of(copy)
    assert after.content_id == before.content_id == "8D0D0E4C-2F0B-4E06-9F3A-5B9A6A5D2F11"
    assert (after.dates, after.places, after.orientation) == (
        before.dates,
        before.places,
        before.orientation,
    )
    assert after.orientation in (6, 8)
    assert (after.make, after.model, after.duration_s) == ("Apple", "iPhone 15", before.duration_s)
    assert streams(copy)[0] == ("video", tag, 48)
    assert streams(copy)[1] == streams(original)[1]
    assert copy.suffix == (".mov" if codec == "hevc" else ".mp4")
    assert copy.stat().st_size < 0.9 * original.stat().st_size
    assert faults(original, copy) == ()


def test_playing_can_begin_at_once(tmp_path: Path) -> None:
    """The index stands in front of the pictures (faststart)."""
    original = footage.film(tmp_path / "film.mp4")
    data = made(transcoded(original, tmp_path / "work"), tmp_path / "work").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_hdr_is_kept(tmp_path: Path) -> None:
    """Ten bits, PQ, the mastering display and the brightest light stay with the archive copy."""
    original = footage.hdr10(tmp_path / "film.mp4")
    outcome = transcoded(original, tmp_path / "work")
    copy = made(outcome, tmp_path / "work")
    assert isinstance(outcome, Done)
    assert outcome.facts["hdr"] == "pq"
    with av.open(copy) as film:
        context = film.streams.video[0].codec_context
        frame = next(film.decode(video=0))
        assert context.pix_fmt == "yuv420p10le"
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (9, 16, 9)
        kinds = {data.type.name for data in frame.side_data}
    assert {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"} <= kinds
    data = copy.read_bytes()
    assert b"mdcv" in data[: data.find(b"mdat")]
    assert faults(original, copy) == ()


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    """VFR: every picture is shown at the moment it was, to the tick."""
    original = footage.uneven(tmp_path / "film.mp4")
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    assert faults(original, copy) == ()
    assert len(set(_gaps(copy))) > 1
    assert _gaps(copy) == _gaps(original)


def _gaps(path: Path) -> list[float]:
    with av.open(path) as film:
        times = sorted(float(f.pts * f.time_base) for f in film.decode(video=0))
    return [round(b - a, 6) for a, b in itertools.pairwise(times)]


def test_a_film_without_sound(tmp_path: Path) -> None:
    """Silence is no reason to fail."""
    original = footage.film(tmp_path / "film.mp4", sound=False)
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    assert [row[0] for row in streams(copy)] == ["video"]


def test_what_a_copy_cannot_keep_is_left_alone(tmp_path: Path) -> None:
    """Odd sides: no copy is better than a worse one."""
    original = footage.film(tmp_path / "film.mp4", size="191x107", filters="format=yuv444p")
    outcome = transcoded(original, tmp_path / "work")
    assert isinstance(outcome, Skip)
    assert outcome.is_final
    assert "odd" in outcome.why


def test_fine_colours_stay_fine_or_the_film_stays(tmp_path: Path) -> None:
    """Ten bits of 4:2:2 go into HEVC as they are; AV1 as we write it has no place for them."""
    coding = ("libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv422p10le")
    original = footage.film(tmp_path / "film.mov", encoder=coding)
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    with av.open(copy) as film:
        assert film.streams.video[0].codec_context.pix_fmt == "yuv422p10le"
    assert faults(original, copy) == ()
    refused = transcoded(original, tmp_path / "av1", codec="av1")
    assert isinstance(refused, Skip)
    assert "finer than AV1" in refused.why


def test_no_copy_is_made_without_gain(tmp_path: Path) -> None:
    """A film that is small already stays; nothing is ever made larger."""
    small = ("libx265", "-preset", "ultrafast", "-crf", "44", "-x265-params", "log-level=none")
    original = footage.film(tmp_path / "film.mp4", encoder=small)
    outcome = transcoded(original, tmp_path / "work", target=97)
    assert isinstance(outcome, Skip)
    assert "too little" in outcome.why


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pieces that are really coded, trials left out; cut as short as keyframes allow."""
    pieces: list[int] = []
    encode = transcode_pieces.encode

    def spied(film: Any, coding: Any, piece: Any, target: Path) -> None:
        pieces.append(piece.number)
        encode(film, coding, piece, target)

    monkeypatch.setattr(transcode_pieces, "encode", spied)
    monkeypatch.setattr(transcode_pieces, "_SHORTEST_S", 0.5)
    monkeypatch.setattr(transcode_pieces, "_PIXELS", 1)
    return pieces


def test_a_pause_costs_no_finished_piece(tmp_path: Path, counted: list[int]) -> None:
    """Cut off after each piece, the next run goes on behind it; the film is whole and the same."""
    original = footage.film(tmp_path / "film.mp4")
    params: dict[str, Json] = {"keep": str(tmp_path / "keep"), "slice_s": 0}
    for done in (1, 2, 3):
        outcome = transcoded(original, tmp_path / "work", **params)
        assert isinstance(outcome, Later)
        assert f"{done} of 4" in outcome.why
    outcome = transcoded(original, tmp_path / "work", **params)
    assert isinstance(outcome, Done)
    assert outcome.facts["reused"] == 3
    assert counted == [0, 1, 2, 3]
    assert faults(original, made(outcome, tmp_path / "work")) == ()


def test_a_spoilt_piece_is_made_anew(tmp_path: Path, counted: list[int]) -> None:
    """A piece that a kill or a disk left half-written is never believed."""
    original = footage.film(tmp_path / "film.mp4")
    keep = tmp_path / "keep"
    assert isinstance(transcoded(original, tmp_path / "work", keep=str(keep)), Done)
    piece = next(keep.rglob("piece-00001.mp4"))
    piece.write_bytes(piece.read_bytes()[:-50])
    again = transcoded(original, tmp_path / "work", keep=str(keep))
    assert isinstance(again, Done)
    assert again.facts["reused"] == 3
    assert counted == [0, 1, 2, 3, 1]
    assert faults(original, made(again, tmp_path / "work")) == ()


def test_another_wish_reuses_nothing(tmp_path: Path, counted: list[int]) -> None:
    """What changes a byte of a piece is part of its name."""
    original = footage.film(tmp_path / "film.mp4")
    keep = str(tmp_path / "keep")
    assert isinstance(transcoded(original, tmp_path / "work", keep=keep), Done)
    again = transcoded(original, tmp_path / "work", keep=keep, target=90)
    assert isinstance(again, Done)
    assert again.facts["reused"] == 0
    assert len(counted) == 8


@pytest.mark.parametrize(("which", "word"), [("RLIMIT_AS", "memory"), ("RLIMIT_FSIZE", "write")])
def test_what_is_too_much_for_a_worker_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str, word: str
) -> None:
    """Limits are looked at before the work; where they are raised, the film is done after all."""
    getrlimit = resource.getrlimit
    low = getattr(resource, which)
    monkeypatch.setattr(resource, "getrlimit", lambda n: (9, 9) if n == low else getrlimit(n))
    outcome = transcoded(footage.film(tmp_path / "film.mp4"), tmp_path / "work")
    assert isinstance(outcome, Skip)
    assert not outcome.is_final
    assert word in outcome.why


def test_an_encoder_that_fails_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hardware encoder that looked well but fails on this film: the program takes over."""
    works = encoders.works
    monkeypatch.setattr(encoders, "works", lambda name: name == "hevc_nvenc" or works(name))
    original = footage.film(tmp_path / "film.mp4")
    outcome = transcoded(original, tmp_path / "work")
    assert isinstance(outcome, Done)
    assert outcome.facts["encoder"] == "libx265"
    assert outcome.facts["gave_up"] == ["hevc_nvenc"]


def test_an_encoder_that_drops_pictures_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece with one picture too few is refused, whoever coded it (a seeded fault)."""
    encode = transcode_pieces.encode

    def lossy(film: Any, coding: Any, piece: Any, target: Path) -> None:
        short = transcode_pieces.Piece(piece.number, piece.first, piece.count - 1)
        encode(film, coding, short, target)

    monkeypatch.setattr(transcode_pieces, "encode", lossy)
    original = footage.film(tmp_path / "film.mp4")
    outcome = transcoded(original, tmp_path / "work")
    assert isinstance(outcome, Skip)
    assert "libx265" in outcome.why


def test_a_live_photo_still_pairs(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pairing id and the timed metadata that marks the still's moment survive, byte for byte."""
    choice = Choice(Trial(34, 90.0, 0.5), ())
    monkeypatch.setattr(transcode_search, "search", lambda *_: choice)  # of no interest here
    original = corpus / "live_photo" / "train.mov"
    outcome = transcoded(original, tmp_path / "work", min_gain=0.05)
    copy = made(outcome, tmp_path / "work")
    assert faults(original, copy) == ()
    assert facts_of(copy).content_id == facts_of(original).content_id
    data = copy.read_bytes()
    assert b"com.apple.quicktime.still-image-time" in data[: data.find(b"mdat")]
    assert [row[2] for row in streams(copy)] == [row[2] for row in streams(original)]


def test_dolby_vision_is_kept(tmp_path: Path, corpus: Path) -> None:
    """A phone's Dolby Vision (profile 8.4) stays Dolby Vision."""
    original = corpus / "video_hdr" / "dolbyVision-hdr.MOV"
    copy = made(transcoded(original, tmp_path / "work", min_gain=0.05), tmp_path / "work")
    assert facts_of(copy).hdr == facts_of(original).hdr == "dolby-vision"
    assert faults(original, copy) == ()


def test_exiftool_agrees(tmp_path: Path) -> None:
    """Another program's reading of the copy says what it says of the original."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed")
    original = footage.phone(tmp_path / "film.mov")
    copy = made(transcoded(original, tmp_path / "work"), tmp_path / "work")
    told = ["-G1", "-a", "-s", "-Keys:all", "-ItemList:all", "-UserData:all", "-Track1:Matrix*",
            "-QuickTime:CreateDate", "-Rotation", "-GPSCoordinates"]  # fmt: skip
    said = [
        subprocess.run([program, *told, str(p)], capture_output=True, text=True, check=True).stdout
        for p in (original, copy)
    ]
    assert said[0] == said[1]
    assert "ContentIdentifier" in said[0]


def test_damage_rejects_or_skips(tmp_path: Path) -> None:
    """A film cut short is no film to be copied, and no crash."""
    original = footage.film(tmp_path / "film.mp4", more=("-movflags", "+faststart"))
    data = original.read_bytes()
    original.write_bytes(data[: int(len(data) * 0.6)])
    assert isinstance(transcoded(original, tmp_path / "work"), Reject | Skip)


def test_a_parameter_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A slip of the pen does not transcode a library with defaults."""
    original = footage.film(tmp_path / "film.mp4", seconds=0.5)
    assert not isinstance(transcoded(original, tmp_path / "work", kodec="av1"), Done)


def test_names_never_reach_ffmpegs_parsers(tmp_path: Path) -> None:
    """A name that is an option, a filter and a pattern at once is only a name (T53)."""
    original = footage.film(tmp_path / "film.mp4")
    strange = tmp_path / "-y %03d [x];:'$(touch x) |.mp4"
    strange.write_bytes(original.read_bytes())
    assert isinstance(transcoded(strange, tmp_path / "work"), Done)
    assert not (tmp_path / "x").exists()


def test_an_encoder_counts_only_after_it_worked() -> None:
    """Listed is not working: machines without the card say no, the programs say yes."""
    assert encoders.works("libx264")
    assert encoders.works("libx265")
    assert [e.name for e in encoders.candidates("hevc", "off")] == ["libx265"]
    assert not encoders.works("hevc_videotoolbox") or ffmpeg.program().endswith("macos")


async def test_a_confined_worker_can_do_it(tmp_path: Path) -> None:
    """Without network, within its memory, writing nowhere else: FFmpeg works inside a worker."""
    path = footage.film(tmp_path / "film.mp4")
    seen = path.stat()
    calls = (StageCall("transcode", QUICK), StageCall("proxy", {"side": 54}))
    identity = (seen.st_size, seen.st_mtime_ns, seen.st_ino)
    asked = VisitRequest("visit", path, path.name, *identity, calls)
    settings = local.LocalSettings(slots=1, is_warm=False)
    async with local.open_workers(settings, tmp_path / "work") as workers:
        reply = await workers.visit(asked)
        assert all(isinstance(o, Done) for o in reply.outcomes.values()), reply.outcomes
        assert (reply.workdir / "transcode.mp4").stat().st_size > 0
        assert (reply.workdir / "proxy.mp4").stat().st_size > 0


_RUN = """
import sys
from pathlib import Path
from pipeline.codecs import transcode_pieces
from tests.codecs import test_transcode
transcode_pieces._SHORTEST_S, transcode_pieces._PIXELS = 0.5, 1
original, work, keep = map(Path, sys.argv[1:])
outcome = test_transcode.transcoded(original, work, keep=str(keep))
print(outcome.facts["reused"], outcome.facts["pieces"])
"""


@pytest.mark.timeout(50)
def test_a_kill_leaves_no_encoder_and_no_loss(tmp_path: Path) -> None:
    """SIGKILL in the middle: FFmpeg dies too, and the next run goes on behind the last piece."""
    original = footage.film(tmp_path / "film.mp4", seconds=4, size="320x180")
    keep = tmp_path / "keep"
    command = [sys.executable, "-c", _RUN, str(original), str(tmp_path / "work"), str(keep)]
    started = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    while not any(log.read_text().count("\n") >= 2 for log in keep.rglob("done.txt")):
        assert started.poll() is None, "it ended before it could be killed"
    os.kill(started.pid, signal.SIGKILL)  # it alone: what it started must end by itself
    started.wait()
    while _works_below(keep):
        pass  # the kernel takes a moment; the test's own time limit bounds it
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    reused, pieces = map(int, again.stdout.split())
    assert 2 <= reused < pieces


def _works_below(folder: Path) -> list[str]:
    """Programs that were started with a file below `folder`."""
    found = []
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = told.read_bytes()
            if os.fsencode(folder) in words:
                found.append(str(told))
    return found
