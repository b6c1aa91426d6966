"""Pictures that no camera made: screenshots, scanned pages, memes and drawings, by seed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
_WORDS = "milk eggs bread call Anna back at seven the train leaves from platform two do not forget"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)


def _colour(rng: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in rng.integers(low, high, 3))
    return red, green, blue


def _line(rng: np.random.Generator, words: int) -> str:
    return " ".join(rng.choice(_WORDS.split(), words))


def screenshot(seed: int, width: int = 1080, height: int = 2340) -> Pixels:
    """A phone's list: bars, rows with icons and text, a few buttons."""
    rng = np.random.default_rng(seed)
    is_dark = rng.random() < 0.4
    page = np.full((height, width, 3), 18 if is_dark else 250, np.uint8)
    ink = (225, 225, 225) if is_dark else (30, 30, 30)
    cv2.rectangle(page, (0, 0), (width, height // 14), _colour(rng), -1)
    row = height // int(rng.integers(10, 18))
    for top in range(height // 10, height - row, row):
        cv2.circle(page, (row // 2 + 10, top + row // 2), row // 3, _colour(rng), -1)
        for number, scale in enumerate((1.1, 0.8)):
            at = (row + 30, top + row // 3 + number * row // 3)
            cv2.putText(page, _line(rng, 6), at, _FONTS[0], scale, ink, 2, cv2.LINE_AA)
        cv2.line(page, (row, top), (width, top), (128, 128, 128), 1)
    cv2.rectangle(page, (40, height - row), (width - 40, height - 30), _colour(rng), -1)
    return page


def document(seed: int, width: int = 1240, height: int = 1754) -> Pixels:
    """A page of text as a scanner gives it: paper nearly white, letters, a heading, some grain."""
    rng = np.random.default_rng(seed)
    page = np.full((height, width, 3), int(rng.integers(228, 252)), np.uint8)
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    cv2.putText(page, _line(rng, 3), (120, 160), font, 2, (20, 20, 20), 3, cv2.LINE_AA)
    spacing = int(rng.integers(34, 56))
    for top in range(260, height - 160, spacing):
        if rng.random() < 0.12:
            continue
        text = _line(rng, int(rng.integers(5, 12)))
        cv2.putText(page, text, (120, top), font, spacing / 56, (35, 35, 40), 1, cv2.LINE_AA)
    grain = rng.normal(0, rng.uniform(0, 4), page.shape)
    return np.clip(page + grain, 0, 255).astype(np.uint8)


def meme(photo: Pixels, seed: int) -> Pixels:
    """A photo with large letters across its top and bottom, or under a white strip with a line."""
    rng = np.random.default_rng(seed)
    side = 720
    image = np.ascontiguousarray(cv2.resize(photo, (side, side * photo.shape[0] // photo.shape[1])))
    if rng.random() < 0.5:
        strip = np.full((110, side, 3), 255, np.uint8)
        cv2.putText(strip, _line(rng, 6), (16, 66), _FONTS[0], 1.1, (0, 0, 0), 2, cv2.LINE_AA)
        return np.vstack([strip, image])
    for at in ((24, 70), (24, image.shape[0] - 28)):
        text = _line(rng, 3).upper()
        for across in (-3, 0, 3):
            for down in (-3, 0, 3):
                edge = at[0] + across, at[1] + down
                cv2.putText(image, text, edge, _FONTS[1], 1.7, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(image, text, at, _FONTS[1], 1.7, (255, 255, 255), 3, cv2.LINE_AA)
    return image


def drawing(seed: int, width: int = 900, height: int = 700) -> Pixels:
    """A child's computer picture: even colours, thick outlines, sun, house, hills."""
    rng = np.random.default_rng(seed)
    page = np.full((height, width, 3), _colour(rng, 150), np.uint8)
    for _ in range(int(rng.integers(5, 12))):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(30, width // 3)), int(rng.integers(30, height // 3))
        turn = int(rng.integers(180))
        cv2.ellipse(page, centre, axes, turn, 0, 360, _colour(rng), -1, cv2.LINE_AA)
        cv2.ellipse(page, centre, axes, turn, 0, 360, (0, 0, 0), 4, cv2.LINE_AA)
    corners = rng.integers(0, (width, height), (3, 2)).astype(np.int32)
    cv2.fillPoly(page, [corners], _colour(rng), cv2.LINE_AA)
    cv2.polylines(page, [corners], True, (0, 0, 0), 4, cv2.LINE_AA)
    return page
