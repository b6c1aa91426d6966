"""Pictures that look like photographs to a program, what copies do to them, and what hands do.

Made from numbers, the same every time. A scene is larger than the frame, so that a frame can move
in it as a camera does.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def scene(seed: int, width: int = 720, height: int = 540) -> Picture:
    """Smooth shapes and some edges with the 1/f look of photographs."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (3, 6, 12, 24, 48):
        gray = random.normal(0, 1 / cells, (cells, cells, 1))
        tint = random.normal(0, 0.4 / cells, (cells, cells, 3))
        noise = (gray + tint).astype(np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(total, (0.5, 99.5))
    picture = np.clip((total - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    for _ in range(12):
        corner = random.integers(0, (width, height))
        size = random.integers(20, 120, 2)
        colour = [int(c) for c in random.integers(0, 255, 3)]
        cv2.rectangle(picture, corner.tolist(), (corner + size).tolist(), colour, -1)
    return picture


def framed(picture: Picture, dx: float = 0, dy: float = 0, turn: float = 0) -> Picture:
    """The inner nine tenths, moved by shares of the side and turned by degrees: one shot."""
    height, width = picture.shape[:2]
    motion = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 0.9)
    offset = np.array([[0, 0, dx * width], [0, 0, dy * height]])
    inverse = cv2.invertAffineTransform(motion) + offset
    return cv2.warpAffine(
        picture, inverse, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


def cropped(picture: Picture, share: float) -> Picture:
    """`share` of every side cut off, at the old size."""
    height, width = picture.shape[:2]
    x, y = round(width * share), round(height * share)
    return cv2.resize(picture[y : height - y, x : width - x], (width, height))


def recompressed(picture: Picture, quality: int) -> Picture:
    """The picture after a JPEG."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held).convert("RGB"))


def resized(picture: Picture, share: float) -> Picture:
    """Fewer pixels."""
    return cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def marked(picture: Picture) -> Picture:
    """A photographer's name in the corner."""
    copy = picture.copy()
    height, width = copy.shape[:2]
    where = (round(width * 0.6), round(height * 0.96))
    font = cv2.FONT_HERSHEY_SIMPLEX
    return np.asarray(cv2.putText(copy, "(c) family", where, font, width / 1100, (255,) * 3, 1))


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "smaller": lambda p: resized(p, 0.4),
    "JPEG 30": lambda p: recompressed(p, 30),
    "chat": lambda p: recompressed(resized(p, 0.6), 50),
    "brighter": lambda p: cv2.convertScaleAbs(p, alpha=1.0, beta=25),
    "flatter": lambda p: cv2.convertScaleAbs(p, alpha=0.8, beta=20),
    "gamma": lambda p: (255 * (p / 255.0) ** 0.8).astype(np.uint8),
    "grey": lambda p: np.dstack([cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)] * 3),
    "warmer": lambda p: np.clip(p * np.array([1.1, 1.0, 0.88]), 0, 255).astype(np.uint8),
    "marked": marked,
    "squeezed": lambda p: cv2.resize(p, (300, 300), interpolation=cv2.INTER_AREA),
}
SHOTS: dict[str, Callable[[Picture], Picture]] = {
    "0.8 % aside": lambda p: framed(p, dx=0.008),
    "1 % up": lambda p: framed(p, dy=-0.01),
    "2 % askew": lambda p: framed(p, dx=0.014, dy=0.014),
    "4 % aside": lambda p: framed(p, dx=-0.04),
    "1 degree": lambda p: framed(p, turn=1),
    "3 degrees": lambda p: framed(p, dx=0.005, turn=-3),
}
