"""Copies and shots made on purpose: what must be found, what must stay apart, how often each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.codecs import phash
from pipeline.codecs.phash import Signature
from pipeline.library.same_shot import is_same_shot
from pipeline.library.similar_index import RADIUS
from tests.kit import scenes
from tests.kit.lookalike import shot
from tests.kit.scenes import Picture

SCENES = range(24)
ORIGINAL = {"camera": "Maker One", "taken_at": "2024-05-01T10:00:00.250", "taken_from": "exif"}


@cache
def scene(seed: int) -> Picture:
    """The world in front of the camera."""
    return scenes.scene(seed)


@cache
def original(seed: int) -> tuple[Picture, Signature]:
    """One shot of a scene."""
    picture = scenes.framed(scene(seed))
    return picture, phash.signature(picture)


def asked(one: Signature, other: Signature, mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether the two would be suggested."""
    near = phash.distance(one.phash, other.phash) <= RADIUS
    return near and is_same_shot(shot(1, one, **mine), shot(2, other, **theirs))


def rate(
    change: Callable[[Picture], Picture], mine: dict[str, Any], theirs: dict[str, Any]
) -> float:
    """The share of scenes for which the changed picture is suggested."""
    told = 0
    for seed in SCENES:
        picture, signature = original(seed)
        told += asked(signature, phash.signature(change(picture)), mine, theirs)
    return told / len(SCENES)


def shots(change: Callable[[Picture], Picture], theirs: dict[str, Any]) -> float:
    """The share of scenes for which another shot is (wrongly) suggested."""
    told = 0
    for seed in SCENES:
        other = scenes.recompressed(change(scene(seed)), 92)
        told += asked(original(seed)[1], phash.signature(other), dict(theirs), dict(theirs))
    return told / len(SCENES)


@pytest.mark.parametrize("copy", scenes.COPIES)
def test_copies_without_metadata_are_found(copy: str) -> None:
    """A copy that lost everything but its pixels is found, 19 times of 20."""
    assert rate(scenes.COPIES[copy], ORIGINAL, {}) >= 0.95


def test_crops_of_an_original_are_found() -> None:
    """A picture cut by 2 % is found beside the camera's original, with or without its metadata."""

    def change(picture: Picture) -> Picture:
        return scenes.cropped(picture, 0.01)

    assert rate(change, ORIGINAL, {}) >= 0.9
    assert rate(change, ORIGINAL, ORIGINAL) >= 0.9


@pytest.mark.parametrize("kind", scenes.SHOTS)
def test_another_shot_from_the_hand_is_kept_apart(kind: str) -> None:
    """Frames of one scene stay apart by their pixels alone, with nothing known about either."""
    assert shots(scenes.SHOTS[kind], {}) == 0


def test_strangers_are_kept_apart() -> None:
    """Different scenes are never suggested, nor mirrored, nor turned."""
    signatures = [original(seed)[1] for seed in SCENES]
    assert not any(
        is_same_shot(shot(1, one), shot(2, other), orientation)
        for n, one in enumerate(signatures)
        for other in signatures[:n]
        for orientation in (1, 2, 6)
    )


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_and_mirrored_copies_are_found(orientation: int) -> None:
    """A copy in any of the other seven orientations is the same picture again."""
    for seed in SCENES[:8]:
        picture, signature = original(seed)
        plane = phash.turn(np.moveaxis(picture, -1, 0).astype(np.float32), orientation)
        copy = phash.signature(np.ascontiguousarray(np.moveaxis(plane, 0, -1)).astype(np.uint8))
        found = phash.orientations(signature.phash)[orientation - 1]
        assert phash.distance(found, copy.phash) <= 4
        assert is_same_shot(shot(1, signature), shot(2, copy), orientation)


def test_flat_pictures_are_not_duplicates() -> None:
    """White pages and moons on black are asked about only when camera and moment are the same."""
    night = np.zeros((480, 640, 3), np.uint8)
    moons = [
        phash.signature(cv2.circle(night.copy(), (320 + n, 240), 40, (235, 235, 230), -1))
        for n in range(3)
    ]
    assert all(moon.flat for moon in moons)
    assert not is_same_shot(shot(1, moons[0]), shot(2, moons[1]))
    assert not is_same_shot(shot(1, moons[0]), shot(2, moons[0]))
    assert is_same_shot(shot(1, moons[0], **ORIGINAL), shot(2, moons[0], **ORIGINAL))


def test_icons_are_not_duplicates() -> None:
    """Pictures of a few pixels are never asked about."""
    icon = phash.signature(scenes.resized(scenes.scene(1), 0.04))
    assert not is_same_shot(shot(1, icon), shot(2, icon))
