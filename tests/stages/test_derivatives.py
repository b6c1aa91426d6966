"""What is made for the eye, stage by stage."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import phash
from pipeline.model import Done, Outcome, Reject, Skip
from tests.kit import media
from tests.kit.visits import visit


def visited(folder: Path, name: str, data: bytes) -> dict[str, Outcome]:
    """The outcomes of all stages for a file with this content."""
    path = folder / name
    path.write_bytes(data)
    workdir = folder / "work"
    workdir.mkdir()
    return dict(visit(path, workdir))


def done(outcomes: dict[str, Outcome], stage: str) -> Done:
    """The outcome of one stage, which must be good."""
    outcome = outcomes[stage]
    assert isinstance(outcome, Done), outcome
    return outcome


def test_a_photo_gets_preview_and_thumbnail(tmp_path: Path) -> None:
    """Upright, in the sizes promised, as plain JPEGs; the files are what was announced."""
    outcomes = visited(tmp_path, "a.jpg", media.jpeg(media.scene(2000, 1500), orientation=6))
    preview = done(outcomes, "preview")
    assert preview.facts == {"width": 1500, "height": 2000}
    assert [(m.kind, m.width, m.height) for m in preview.made] == [
        ("preview", 1080, 1440),
        ("thumbnail", 360, 480),
    ]
    for made in preview.made:
        with Image.open(tmp_path / "work" / made.name) as image:
            assert image.size == (made.width, made.height)
            assert Image.MIME[image.format or ""] == made.mime


def test_a_small_photo_is_not_enlarged(tmp_path: Path) -> None:
    """A stamp stays a stamp."""
    preview = done(visited(tmp_path, "a.png", media.saved(media.scene(), "PNG")), "preview")
    assert [(m.width, m.height) for m in preview.made] == [(96, 64), (96, 64)]


def test_a_truncated_photo_is_shown_and_flagged(tmp_path: Path) -> None:
    """It is kept with what is left of it; one stage says so, none quarantines it."""
    data = media.jpeg(media.scene(800, 600))
    outcomes = visited(tmp_path, "a.jpg", data[: len(data) // 2])
    assert isinstance(outcomes["hash"], Done)
    assert len(done(outcomes, "preview").made) == 2
    assert outcomes["whole"] == Reject(done(outcomes, "preview").facts["damage"])


def test_a_whole_photo_is_not_flagged(tmp_path: Path) -> None:
    """Nothing is said where nothing is wrong."""
    assert visited(tmp_path, "a.jpg", media.jpeg())["whole"] == Done()


def test_a_hopeless_photo_is_flagged_once(tmp_path: Path) -> None:
    """One stage says why it cannot be shown; the others have nothing to add."""
    outcomes = visited(tmp_path, "a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 300)
    assert isinstance(outcomes["hash"], Done)
    assert isinstance(outcomes["preview"], Reject)
    assert isinstance(outcomes["similar"], Skip)
    assert outcomes["whole"] == Done()


def test_look_alikes_are_told_from_the_preview(tmp_path: Path) -> None:
    """Facts are plain JSON and carry what `phash` made of the upright picture."""
    facts = done(visited(tmp_path, "a.jpg", media.jpeg()), "similar").facts
    assert -(2**63) <= facts["phash"] < 2**63
    assert phash.unpack(base64.b64decode(facts["detail"])).width == 96
    assert facts["flat"] is False


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_copy_looks_alike(tmp_path: Path, orientation: int) -> None:
    """The signature is of the upright picture, however it was stored."""
    upright = media.scene(400, 300)
    turns = {3: 2, 6: 1, 8: 3}[orientation]
    stored = media.jpeg(np.ascontiguousarray(np.rot90(upright, turns)), orientation)
    one = done(visited(tmp_path, "a.jpg", media.jpeg(upright)), "similar").facts
    (tmp_path / "other").mkdir()
    other = done(visited(tmp_path / "other", "b.jpg", stored), "similar").facts
    assert phash.distance(one["phash"], other["phash"]) <= 6


def test_a_video_gets_poster_thumbnail_and_clip(tmp_path: Path) -> None:
    """And its size as shown."""
    outcomes = visited(tmp_path, "a.mov", media.video("mov", frames=30, rotate=90))
    poster = done(outcomes, "poster")
    assert [m.kind for m in poster.made] == ["poster", "thumbnail"]
    assert (poster.facts["width"], poster.facts["height"]) == (96, 128)
    (clip,) = done(outcomes, "clip").made
    assert (clip.kind, clip.mime, clip.width, clip.height) == ("clip", "video/mp4", 96, 128)
    assert b"moov" in (tmp_path / "work" / clip.name).read_bytes()[:64]  # starts at once


def test_a_pdf_gets_its_first_page(tmp_path: Path) -> None:
    """Drawn on white, with a thumbnail."""
    page = done(visited(tmp_path, "a.pdf", pdf()), "page")
    assert page.facts == {"pages": 1}
    first = page.made[0]
    assert (first.kind, first.width, first.height) == ("page", 720, 1440)
    with Image.open(tmp_path / "work" / "page.jpg") as image:
        assert image.getpixel((700, 20)) == (255, 255, 255)
        red = image.getpixel((60, 1380))
    assert isinstance(red, tuple)
    assert red[0] > 200
    assert red[1] < 60


def test_a_song_gets_its_cover(tmp_path: Path) -> None:
    """The picture inside an MP3 becomes its thumbnail; sound without one is skipped."""
    song = visited(tmp_path, "a.mp3", mp3(media.jpeg(media.scene(600, 600))))
    (cover,) = done(song, "cover").made
    assert (cover.kind, cover.width, cover.height) == ("thumbnail", 480, 480)
    (tmp_path / "b").mkdir()
    silent = visited(tmp_path / "b", "b.wav", media.SEEDS["sound.wav"]())
    assert silent["cover"] == Skip("it has no cover picture")


def test_a_drawing_is_not_rendered(tmp_path: Path) -> None:
    """SVG is kept and never shown."""
    outcomes = visited(tmp_path, "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert isinstance(outcomes["hash"], Done)
    assert isinstance(outcomes["preview"], Skip)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"PK\3\4" + b"\0" * 60, "ZIP"), (b"MZ" + b"\0" * 90, "Windows program")],
)
def test_what_is_nothing_we_keep_says_why(tmp_path: Path, data: bytes, words: str) -> None:
    """The gate refuses in words a person understands, and nothing else looks at the file."""
    outcomes = visited(tmp_path, "a.jpg", data)
    gate = outcomes.pop("hash")
    assert isinstance(gate, Reject)
    assert words in gate.why
    assert all(isinstance(o, Skip) for o in outcomes.values())


def pdf() -> bytes:
    """One page, half as wide as high, with a red square at its lower left."""
    draw = b"1 0 0 rg 0 0 20 20 re f"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 400]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(draw), draw),
    )
    body = b"%PDF-1.4\n"
    table = b"xref\n0 5\n0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj%sendobj\n" % (number, content)
    trailer = b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)
    return body + table + trailer


def mp3(cover: bytes) -> bytes:
    """A second of silence with an ID3 tag that holds a picture."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as output:
        stream = output.add_stream("libmp3lame", rate=44100, layout="mono")
        for _ in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
            frame.sample_rate = 44100
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    picture = b"\0image/jpeg\0\x03\0" + cover
    frame_ = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = len(frame_)
    safe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    sound = out.getvalue()
    start = 10 + int.from_bytes(sound[6:10], "big") if sound[:3] == b"ID3" else 0
    return b"ID3\x03\0\0" + safe + frame_ + sound[start:]
