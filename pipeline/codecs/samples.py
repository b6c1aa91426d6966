"""From whatever layout a decoder delivers to height x width x 3 of eight bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.codecs.picture import Pixels

PAPER = 255  # what shines through transparent parts: white, as paper is


def as_rgb(array: NDArray[Any]) -> Pixels:
    """Grey, grey + alpha, RGB or RGBA of 8 or 16 bits or floats 0..1; alpha is laid on white."""
    eight = _eight_bits(array)
    if eight.ndim == 2:
        eight = eight[..., None]
    channels = eight.shape[2]
    if channels in (2, 4):
        eight = _on_paper(eight[..., :-1], eight[..., -1:])
    if eight.shape[2] == 1:
        eight = np.repeat(eight, 3, axis=2)
    return np.ascontiguousarray(eight[..., :3])


def _eight_bits(array: NDArray[Any]) -> Pixels:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f":
        top = float(np.nanmax(array, initial=1.0))
        scaled = np.nan_to_num(array.astype(np.float32)) * (255.0 / max(top, 1e-6))
        return np.asarray(np.clip(scaled + 0.5, 0, 255), np.uint8)
    top = int(array.max(initial=0))
    shift = max(0, 8 if top > 4095 else top.bit_length() - 8)  # 12 bits often come in 16
    return np.asarray(np.clip(array >> shift, 0, 255), np.uint8)


def _on_paper(colour: Pixels, alpha: Pixels) -> Pixels:
    weight = alpha.astype(np.uint16)
    mixed = colour * weight + PAPER * (255 - weight)
    return ((mixed + 127) // 255).astype(np.uint8)
