"""Damage done to good photos on purpose, mild to strong, the way cameras and people do it.

Each kind has its strengths; random ones follow a seed, so that figures can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[Any]
Damage: TypeAlias = Callable[[Pixels], Pixels]


def out_of_focus(radius: float) -> Damage:
    """The lens was focused elsewhere: every point becomes a disc."""
    side = 2 * int(np.ceil(radius)) + 1
    at = np.arange(side) - side // 2
    disc = np.clip(radius + 0.5 - np.hypot(at[:, None], at[None, :]), 0, 1).astype(np.float32)
    return lambda pixels: cv2.filter2D(pixels, -1, disc / disc.sum())


def soft(sigma: float) -> Damage:
    """Everything a little soft, as from a smeared lens."""
    return lambda pixels: cv2.GaussianBlur(pixels, (0, 0), sigma)


def shaken(length: int) -> Damage:
    """The camera moved while the shutter was open."""
    line = np.zeros((length, length), np.float32)
    cv2.line(line, (0, length // 3), (length - 1, length - 1 - length // 3), 1.0, 1)
    return lambda pixels: cv2.filter2D(pixels, -1, line / line.sum())


def grainy(sigma: float, *, is_coloured: bool = True) -> Damage:
    """Noise as of a small sensor in the dark."""

    def damage(pixels: Pixels) -> Pixels:
        rng = np.random.default_rng(int(pixels[::7, ::7].sum()) % 2**32)
        shape = pixels.shape if is_coloured else (*pixels.shape[:2], 1)
        return _clipped(pixels + rng.normal(0, sigma, shape).astype(np.float32))

    return damage


def gained(factor: float) -> Damage:
    """Too much or too little light reached the sensor; what is too bright is lost."""
    return lambda pixels: _clipped(255 * _to_screen(_to_light(pixels) * factor))


def curved(gamma: float) -> Damage:
    """Brightened or darkened afterwards."""
    return lambda pixels: _clipped(255 * (pixels / np.float32(255)) ** np.float32(gamma))


def scaled(factor: float) -> Damage:
    """The same in fewer levels: multiplied and clipped, as simple programs do."""
    return lambda pixels: _clipped(pixels * np.float32(factor))


KINDS: Mapping[str, tuple[Damage, ...]] = {
    "blur": (soft(1.2), soft(2), soft(3.5), out_of_focus(2), out_of_focus(5),
             shaken(7), shaken(15)),
    "noise": (grainy(8), grainy(15), grainy(30), grainy(12, is_coloured=False),
              grainy(25, is_coloured=False)),
    "over": (gained(3), gained(6), curved(0.45), curved(0.3), scaled(1.6), scaled(2.2)),
    "under": (gained(1 / 4), gained(1 / 9), curved(2.0), curved(3.0), scaled(0.5), scaled(0.3)),
}  # fmt: skip


def stored(pixels: Pixels, quality: int) -> Pixels:
    """Through a JPEG and back, as nearly every photo comes."""
    _, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    back: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(back[:, :, ::-1])


def _clipped(values: Any) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _to_light(pixels: Pixels) -> Any:
    return (pixels / np.float32(255)) ** np.float32(2.2)


def _to_screen(light: Any) -> Any:
    return np.clip(light, 0, 1) ** np.float32(1 / 2.2)
