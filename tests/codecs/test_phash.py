"""The picture signature: stable for copies, turned without the pixels, honest when flat."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pipeline.codecs import phash

Picture = NDArray[np.uint8]


def scene(seed: int, width: int = 640, height: int = 480) -> Picture:
    """A smooth random picture with the 1/f look of photographs."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (3, 6, 12, 24, 48):
        noise = random.normal(0, 1 / cells, (cells, cells, 3)).astype(np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = total.min(), total.max()
    return ((total - low) / (high - low) * 255).astype(np.uint8)


def recompressed(picture: Picture, quality: int) -> Picture:
    """The picture after a JPEG."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held).convert("RGB"))


def displayed(picture: Picture, orientation: int) -> Picture:
    """What EXIF says a viewer shows for that orientation (Exif 2.32, table of tag 274)."""
    turned = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.swapaxes(0, 1),
        6: np.rot90(picture, -1),
        7: picture.swapaxes(0, 1)[::-1, ::-1],
        8: np.rot90(picture, 1),
    }
    return np.ascontiguousarray(turned[orientation])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("change", ["resize", "jpeg", "gray", "brightness", "stretch"])
def test_copies_stay_close(seed: int, change: str) -> None:
    """Resized, recompressed, grey, brightened and squeezed copies keep at least 58 of 64 bits."""
    original = scene(seed)
    copies = {
        "resize": cv2.resize(original, (200, 150), interpolation=cv2.INTER_AREA),
        "jpeg": recompressed(original, 40),
        "gray": cv2.cvtColor(original, cv2.COLOR_RGB2GRAY),
        "brightness": cv2.convertScaleAbs(original, alpha=0.85, beta=20),
        "stretch": cv2.resize(original, (300, 300), interpolation=cv2.INTER_AREA),
    }
    one, other = phash.signature(original), phash.signature(copies[change])
    assert phash.distance(one.phash, other.phash) <= 6


def test_other_pictures_are_far() -> None:
    """Two unrelated pictures share about half of their bits, like coin tosses."""
    hashes = [phash.signature(scene(seed, 160, 120)).phash for seed in range(60)]
    apart = [phash.distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(apart) > 12
    assert 30 < sum(apart) / len(apart) < 34


@given(seed=st.integers(0, 10_000), orientation=st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_orientations_follow_from_the_hash(seed: int, orientation: int) -> None:
    """The hash and the second look of a turned picture are found without its pixels."""
    picture = scene(seed, 120, 120)
    upright, turned = phash.signature(picture), phash.signature(displayed(picture, orientation))
    predicted = phash.orientations(upright.phash)
    assert predicted[0] == upright.phash
    assert phash.distance(predicted[orientation - 1], turned.phash) <= 1
    seen = phash.unpack(turned.detail).luma
    assert np.abs(phash.turn(phash.unpack(upright.detail).luma, orientation) - seen).max() <= 1


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((50, 60, 3), np.uint8),
        np.full((50, 60, 3), 255, np.uint8),
        cv2.circle(np.zeros((480, 640, 3), np.uint8), (300, 200), 40, (240, 240, 230), -1),
        np.random.default_rng(1).integers(100, 130, (480, 640, 3), dtype=np.uint8),
    ],
    ids=["black", "white", "moon on black", "sensor noise"],
)
def test_flat_pictures_say_so(picture: Picture) -> None:
    """Near-uniform pictures are marked, in the value and in the stored bytes."""
    found = phash.signature(picture)
    assert found.flat
    assert phash.is_flat(found.detail)
    assert phash.unpack(found.detail).flat


def test_photographs_are_not_flat() -> None:
    """A picture with something on it is not marked."""
    assert not any(phash.signature(scene(seed)).flat for seed in range(20))


def test_detail_is_small_and_whole() -> None:
    """The second look fits 600 bytes and tells size, brightness and colour back."""
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:, 80:] = (200, 40, 40)
    found = phash.signature(picture)
    detail = phash.unpack(found.detail)
    assert len(found.detail) == phash.DETAIL_BYTES <= 600
    assert (detail.width, detail.height, detail.gray) == (160, 90, False)
    assert detail.luma[5, 2] == 0
    assert detail.luma[5, 17] == pytest.approx(88, abs=1)
    assert detail.chroma[1, 4, 7] > 60


def test_a_gray_picture_is_known_as_gray() -> None:
    """Grey input in one or three channels gives the same signature, marked as grey."""
    gray = cv2.cvtColor(scene(3), cv2.COLOR_RGB2GRAY)
    one, three = phash.signature(gray), phash.signature(np.dstack([gray] * 3))
    assert phash.distance(one.phash, three.phash) <= 1
    assert phash.unpack(one.detail).gray
    assert phash.unpack(three.detail).gray


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (3, 2), (39, 41), (40, 40)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    """Pictures smaller than the square, and absurdly long ones, get a signature too."""
    picture = np.arange(size[0] * size[1] * 3).reshape(*size, 3).astype(np.uint8)
    found = phash.signature(picture)
    assert -(1 << 63) <= found.phash < 1 << 63
    assert len(found.detail) == phash.DETAIL_BYTES


def test_foreign_bytes_are_refused() -> None:
    """A detail that is not ours, or is cut short, is an error and not a wrong answer."""
    detail = phash.signature(scene(1)).detail
    for damaged in (detail[:-1], b"\xff" + detail[1:]):
        with pytest.raises(ValueError, match="not a picture signature"):
            phash.unpack(damaged)
