"""What a line says: letters from the network, spaces from the gaps in the picture.

The network tells one letter, or none, for every eight pixels of a line that is 48 high ("CTC"). It
was taught to leave out spaces; where columns without ink are wider than gaps between letters, one
is put back.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array
from pipeline.vision.networks import Network

_HEIGHT, _STEP = 48, 8
_WIDEST = 2400  # pixels of a line
_SPACE = 0.245  # of the letters' height: a gap at least this wide may be a space
_WIDER = 2.0  # times the usual gap of the line
_DIGITS = 0.45  # of the letters' height: between two digits, as "1" stands alone in many fonts
_INK = 0.25  # of the line's contrast

Gap = tuple[float, float]  # its middle in pixels, and its width as a share of the letters' height


@dataclass(frozen=True, slots=True)
class Read:
    """What a line says, and how sure the network is: the mean over its letters."""

    text: str
    score: float


def read(network: Network, line: Array) -> Read:
    """The text of one line, in RGB pixels, upright."""
    height, width, _ = line.shape
    across = min(_WIDEST, max(_STEP, round(width * _HEIGHT / height)))
    fitted = cv2.resize(
        line,
        (across, _HEIGHT),
        interpolation=cv2.INTER_AREA if height > _HEIGHT else cv2.INTER_CUBIC,
    )
    blob = (fitted[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    steps = network.run(np.ascontiguousarray(blob))[0][0]
    letters = _letters(network)
    best = steps.argmax(axis=1)
    is_new = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
    places = np.flatnonzero(is_new)
    told = [letters[index] if index < len(letters) else " " for index in best[places]]
    if not told:
        return Read("", 0.0)
    score = float(steps[places, best[places]].mean())
    positions = (places + 0.5) * across / len(steps)
    return Read(_spaced(told, positions, _gaps(fitted)), score)


def _letters(network: Network) -> list[str]:
    """The letters by number; 0 is none, and what follows the last is a space."""
    return ["", *network.metadata["character"].splitlines()]


def _spaced(letters: list[str], positions: Array, gaps: list[Gap]) -> str:
    """The letters with a space in every gap that parts the two around it."""
    before = {int(np.searchsorted(positions, middle)): width for middle, width in gaps}
    words = letters[:1]
    for index in range(1, len(letters)):
        pair = letters[index - 1 : index + 1]
        if index in before and _parts(pair, before[index]):
            words.append(" ")
        words.append(letters[index])
    return " ".join("".join(words).split())


def _parts(pair: list[str], width: float) -> bool:
    if all(_is_wide(letter) for letter in pair):
        return False
    return width >= _DIGITS or not all(letter.isdigit() for letter in pair)


def _is_wide(letter: str) -> bool:
    """Scripts that are written without spaces begin here, with the signs of Chinese."""
    return ord(letter[0]) >= 0x2E80


def _gaps(line: Array) -> list[Gap]:
    """The gaps between words: columns without ink, wider than usual."""
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    paper = float(np.median(grey))
    ink = np.abs(grey - paper)
    contrast = float(np.percentile(ink, 98))
    if contrast < 16:
        return []
    is_ink = ink > _INK * contrast
    rows = np.flatnonzero(is_ink.mean(axis=1) > 0.02)
    height = max(8, int(np.ptp(rows)) if len(rows) else _HEIGHT)
    empty = ~is_ink.any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], empty.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    is_inner = (starts > 0) & (ends < len(empty))
    starts, ends = starts[is_inner], ends[is_inner]
    widths = ends - starts
    if not len(widths):
        return []
    usual = float(np.percentile(widths, 40))
    is_space = widths >= max(_SPACE * height, min(_WIDER * usual, 0.6 * height))
    middles = (starts + ends)[is_space] / 2
    return list(zip(middles.tolist(), (widths[is_space] / height).tolist(), strict=True))
