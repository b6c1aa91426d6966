"""Smaller copies on request: which way a picture goes, what is said of it, and when it stays."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.codecs import animation, decode, gate, lossless, ssimulacra2
from pipeline.metadata.write import behind
from pipeline.model import Done, Json, JsonObject, Outcome, Reject, Skip
from tests.codecs.test_behind import with_gain_map
from tests.kit import media
from tests.kit.visits import visit


def photo(width: int = 480, height: int = 320) -> np.ndarray:
    """Soft, with a little grain, as photos are."""
    rough = cv2.GaussianBlur(media.scene(width, height), (0, 0), 2)
    noise = np.random.default_rng(3).normal(0, 1.5, rough.shape)
    return np.clip(rough + noise, 0, 255).astype(np.uint8)


def optimised(
    folder: Path, name: str, data: bytes, facts: JsonObject | None = None, **params: Json
) -> Outcome:
    """The answer of the stage for a file with this content."""
    (folder / name).write_bytes(data)
    workdir = folder / "work"
    workdir.mkdir()
    stages = ("facts", "preview", "optimise")
    return visit(folder / name, workdir, *stages, params={"optimise": params}, facts=facts)[
        "optimise"
    ]


@pytest.mark.parametrize("lane", ["jpeg", "webp", "avif", "heic", "jxl"])
def test_a_photo_gets_a_smaller_copy_that_looks_the_same(tmp_path: Path, lane: str) -> None:
    """In any lane: the target is met, less bytes, metadata kept, upright; facts tell the truth."""
    data = media.jpeg(photo(), orientation=6, quality=98)
    outcome = optimised(tmp_path, "a.jpg", data, lane=lane, target=80)
    assert isinstance(outcome, Done), outcome
    (made,) = outcome.made
    copy = (tmp_path / "work" / made.name).read_bytes()
    facts = outcome.facts
    assert made.kind == "optimised"
    assert (made.width, made.height) == (320, 480)
    assert facts["bytes_after"] == len(copy) < facts["bytes_before"] == len(data)
    assert facts["worst"] == facts["score"] >= 80
    assert facts["worst"] <= 81 or facts["no_closer_step"]
    assert ("no step between" in facts["why"]) == (facts["worst"] > 81)
    shown = decode.decode(copy, lane, None).pixels
    original = decode.decode(data, "jpeg", None).pixels
    assert ssimulacra2.score(original, shown) == pytest.approx(facts["score"], abs=0.05)
    assert not gate.check(tmp_path / "a.jpg", tmp_path / "work" / made.name)


def test_without_loss_a_jpeg_goes_into_a_jpeg_xl_and_comes_back(tmp_path: Path) -> None:
    """The whole file, bit by bit."""
    data = media.jpeg(photo(), orientation=3)
    outcome = optimised(tmp_path, "a.jpg", data, lane="lossless")
    assert isinstance(outcome, Done), outcome
    assert lossless.restore((tmp_path / "work" / outcome.made[0].name).read_bytes()) == data
    assert outcome.facts["quality"] is None
    assert outcome.made[0].mime == "image/jxl"


def test_without_loss_in_the_same_format(tmp_path: Path) -> None:
    """Equal pixels in a JPEG with better tables."""
    data = media.jpeg(photo(), quality=90)
    asked = {"lane": "lossless", "same_format": True, "min_gain": 0.01}
    outcome = optimised(tmp_path, "a.jpg", data, **asked)
    assert isinstance(outcome, Done), outcome
    copy = (tmp_path / "work" / "optimised.jpg").read_bytes()
    assert np.array_equal(
        decode.decode(copy, "jpeg", None).pixels, decode.decode(data, "jpeg", None).pixels
    )


@pytest.mark.parametrize("content", ["screenshot", "document", "drawing"])
@pytest.mark.parametrize("lane", ["jpeg", "webp"])
def test_sharp_content_is_never_made_worse(tmp_path: Path, content: str, lane: str) -> None:
    """Whatever the lane: every pixel stays."""
    pixels = np.full((200, 300, 3), 240, np.uint8)
    cv2.putText(pixels, "Darkroom", (10, 110), 0, 1.5, (10, 10, 10), 2)
    data = media.saved(pixels, "PNG", compress_level=1)
    facts = {"kind": {"kind": content, "confidence": 0.9}}
    outcome = optimised(tmp_path, "a.png", data, facts, lane=lane)
    assert isinstance(outcome, Done), outcome
    copy = (tmp_path / "work" / outcome.made[0].name).read_bytes()
    kind = {"jpeg": "png"}.get(lane, lane)
    assert np.array_equal(decode.decode(copy, kind, None).pixels, pixels)
    assert content in outcome.facts["why"]


def test_faces_are_looked_at_closely(tmp_path: Path) -> None:
    """Boxes of faces and lines of text are judged for themselves."""
    facts = {
        "faces": {"faces": [{"box": [0.2, 0.2, 0.2, 0.3], "score": 0.9}]},
        "text": {"text": "x", "lines": [{"box": [0.6, 0.6, 0.3, 0.1]}, {"box": None}]},
    }
    outcome = optimised(tmp_path, "a.jpg", media.jpeg(photo(), quality=98), facts)
    assert isinstance(outcome, Done), outcome
    assert outcome.facts["worst"] >= 82
    assert "2 faces and texts" in outcome.facts["why"]


@pytest.mark.parametrize(
    ("facts", "params", "words"),
    [
        ({}, {"lane": "keep"}, "policy"),
        ({}, {"min_gain": 0.99}, "small enough"),
        ({"facts": {"hdr": "gainmap"}}, {"lane": "webp"}, "HDR"),
        ({"facts": {"hdr": "pq"}}, {}, "HDR"),
        ({"facts": {"motion": {"offset": 1}}}, {"lane": "avif"}, "video"),
    ],
)
def test_what_had_better_stay_stays(
    tmp_path: Path, facts: JsonObject, params: JsonObject, words: str
) -> None:
    """With a reason a person understands."""
    (tmp_path / "a.jpg").write_bytes(media.jpeg(photo()))
    workdir = tmp_path / "work"
    workdir.mkdir()
    answer = visit(
        tmp_path / "a.jpg", workdir, "optimise", params={"optimise": params}, facts=facts
    )["optimise"]
    assert isinstance(answer, Skip), answer
    assert words in answer.why


@pytest.mark.parametrize("name", ["moving.gif", "camera.dng"])
def test_frames_and_raw_data_are_never_made_worse(tmp_path: Path, name: str) -> None:
    """There is no lossy way that keeps them."""
    assert isinstance(optimised(tmp_path, name, media.SEEDS[name]()), Skip)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("lane", ["jpeg", "lossless"])
def test_a_gain_map_goes_along(tmp_path: Path, lane: str, orientation: int) -> None:
    """HDR survives: behind the smaller JPEG, or in the file that comes out of a JPEG XL again."""
    data = with_gain_map(orientation)
    outcome = optimised(tmp_path, "a.jpg", data, lane=lane, target=75)
    assert isinstance(outcome, Done), outcome
    copy = (tmp_path / "work" / outcome.made[0].name).read_bytes()
    if lane == "lossless":
        assert lossless.restore(copy) == data
    else:
        assert behind.pictures(copy) == behind.pictures(data)
        assert len(copy) < len(data)


@pytest.mark.parametrize(("lane", "mime"), [("lossless", "image/webp"), ("webp", "image/webp")])
def test_what_moves_is_packed_better(tmp_path: Path, lane: str, mime: str) -> None:
    """An animated GIF as WebP: every frame the same, for as long, as often."""
    frames = [Image.fromarray(np.roll(photo(160, 120) // 32 * 32, 9 * n, axis=1)) for n in range(5)]
    out = io.BytesIO()
    options = {"duration": 80, "loop": 2, "optimize": False}
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], **options)
    outcome = optimised(tmp_path, "a.gif", out.getvalue(), lane=lane)
    assert isinstance(outcome, Done), outcome
    assert outcome.made[0].mime == mime
    copy = (tmp_path / "work" / outcome.made[0].name).read_bytes()
    assert len(copy) < len(out.getvalue())
    assert animation.shows_the_same(out.getvalue(), "gif", copy, "webp")


@pytest.mark.parametrize(
    "params", [{"lane": "best"}, {"target": 12}, {"min_gain": 1.5}, {"colour": "red"}]
)
def test_nonsense_is_told_apart(tmp_path: Path, params: JsonObject) -> None:
    """A parameter that makes no sense is named."""
    outcome = optimised(tmp_path, "a.jpg", media.jpeg(), **params)
    assert isinstance(outcome, Reject)
    assert "Invalid" in outcome.why


@pytest.mark.parametrize("name", ["photo.jpg", "picture.png", "phone.heic", "picture.webp"])
@pytest.mark.parametrize("lane", ["jpeg", "lossless", "webp"])
def test_half_a_file_is_never_copied(tmp_path: Path, name: str, lane: str) -> None:
    """It is flagged or left, with a reason; there is no copy."""
    data = media.SEEDS[name]()
    outcome = optimised(tmp_path, name, data[: len(data) * 2 // 3], lane=lane)
    assert isinstance(outcome, Reject | Skip), outcome
    assert outcome.why


def test_a_copy_that_fails_the_gate_is_not_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded fault: metadata is not put back; the copy is refused."""
    from pipeline.codecs import shrinking

    monkeypatch.setattr(shrinking, "carried", lambda o, k, made, *_: made)
    words = Image.Exif()
    words[0x010F] = "A maker"
    words[0x9003] = "2020:01:02 03:04:05"
    out = io.BytesIO()
    Image.fromarray(photo()).save(out, "JPEG", quality=98, exif=words)
    outcome = optimised(tmp_path, "a.jpg", out.getvalue())
    assert isinstance(outcome, Skip), outcome
    assert "does not say" in outcome.why
