"""A family's own detector: the layouts of the YOLO family and of NanoDet, told by their shapes.

| output, for k kinds | layout |
| --- | --- |
| n x 6, up to 1000 | corners, score, kind: a network that chooses its boxes itself (YOLOv10) |
| (4 + k) x n | centre and size, k scores (YOLOv8, v9, 11) |
| n x (5 + k) | centre and size, how likely a thing, k scores (YOLOv5, v6, v7) |
| n x (5 + k), small sizes | the same as shifts and logarithms, one a cell (YOLOX) |
| n x (k + 4 b), or apart | k scores; distances to four sides in b steps (NanoDet) |

Kinds are named by the file (`names` in its metadata), else they are COCO's 80.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.vision.detect.boxes import Array, Seen, thinned
from pipeline.vision.detect.kinds import COCO
from pipeline.vision.models import Absent
from pipeline.vision.networks import Network

SURE = 0.5
_SIDE = 640  # where the file leaves it open
_GREY = 114
_MOST_OVERLAP = 0.6
_MEAN = np.array((103.53, 116.28, 123.675), np.float32)  # NanoDet's: blue, green, red
_SPREAD = np.array((57.375, 57.12, 58.395), np.float32)
_LARGEST_LOG = 20.0  # what is larger is pixels, not their logarithm
_MOST_CHOSEN = 1000
_MOST_STEPS = 32

Raw = tuple[Array, Array]  # n x 4 corners in pixels of the input, n x k scores


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a network: the sides of its input, and how many kinds it knows."""

    height: int
    width: int
    kinds: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a network is fed (from RGB bytes) and read."""

    name: str
    prepare: Callable[[Array], Array]
    decode: Callable[[list[Array], Shape], Raw]


@dataclass(frozen=True, slots=True)
class Detector:
    """One network, what it can name, and how to use it."""

    network: Network
    labels: tuple[str, ...]
    shape: Shape
    layout: Layout

    def look(self, pixels: Array) -> Seen:
        """What it is sure of in RGB pixels of any size."""
        height, width, _ = pixels.shape
        scale = min(self.shape.height / height, self.shape.width / width)
        across, down = max(1, round(width * scale)), max(1, round(height * scale))
        canvas = np.full((self.shape.height, self.shape.width, 3), _GREY, np.uint8)
        canvas[:down, :across] = cv2.resize(pixels, (across, down))
        outputs = _run(self.network, self.layout, canvas)
        corners, scores = self.layout.decode(outputs, self.shape)
        kinds = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), kinds]
        sure = np.flatnonzero(best >= SURE)
        told = np.clip(corners[sure] / (across, down, across, down), 0, 1)
        return thinned(Seen(kinds[sure], best[sure], told.astype(np.float32)), _MOST_OVERLAP)


_known: dict[int, Detector] = {}


def detector(network: Network) -> Detector:
    """How to use this network, found out once by showing it a grey picture. Raises `Absent`."""
    held = _known.get(id(network))
    if held is None or held.network is not network:
        held = _known[id(network)] = _found_out(network)
    return held


def _found_out(network: Network) -> Detector:
    height, width = _sides(network)
    labels = _labels(network)
    grey = np.full((height, width, 3), _GREY, np.uint8)
    outputs = _run(network, _V8, grey)
    layout = _layout(outputs, len(labels))
    if layout is None:
        shapes = ", ".join(" x ".join(map(str, output.shape)) for output in outputs)
        raise Absent(
            f"The detector of vision.detector answers in a way nobody knows ({shapes}), or does not"
            f" name its kinds: {len(labels)} are expected."
        )
    return Detector(network, labels, Shape(height, width, len(labels)), layout)


def _run(network: Network, layout: Layout, canvas: Array) -> list[Array]:
    prepared = layout.prepare(canvas).transpose(2, 0, 1)[None]
    dtype = np.float16 if network.inputs[0].is_half else np.float32
    outputs = network.run(np.ascontiguousarray(prepared, dtype))
    return [output.astype(np.float32) for output in outputs]


def _sides(network: Network) -> tuple[int, int]:
    shape = network.inputs[0].shape
    if len(shape) != 4 or len(network.inputs) != 1:
        raise Absent("The file of vision.detector is no network that takes one picture.")
    height, width = (side if isinstance(side, int) and side > 0 else _SIDE for side in shape[2:])
    return height, width


def _labels(network: Network) -> tuple[str, ...]:
    """The names the file carries, as the text of a Python dictionary, else COCO's."""
    told = network.metadata.get("names")
    if not told:
        return COCO
    try:
        names = ast.literal_eval(told)
        return tuple(str(names[kind]) for kind in range(len(names)))
    except (ValueError, SyntaxError, LookupError, TypeError) as error:
        raise Absent("The detector of vision.detector names its kinds unreadably.") from error


def _layout(outputs: list[Array], kinds: int) -> Layout | None:
    """The first layout that fits the shapes."""
    if any(output.ndim != 3 for output in outputs):
        return None
    widths = [output.shape[2] for output in outputs]
    if len(outputs) > 1:
        is_halved = 2 * widths.count(kinds) == len(widths)
        has_steps = all(width == kinds or width % 4 == 0 for width in widths)
        return _NANODET if is_halved and has_steps else None
    rows, columns = outputs[0].shape[1:]
    if columns == 5 + kinds:
        is_log = outputs[0][..., 2:4].max() <= _LARGEST_LOG
        return _YOLOX if is_log else _V5
    if columns == 6 and rows <= _MOST_CHOSEN:
        return _CHOSEN
    if rows == 4 + kinds:
        return _V8
    steps, rest = divmod(columns - kinds, 4)
    return _NANODET if 1 < steps <= _MOST_STEPS and rest == 0 else None


# --- feeding -------------------------------------------------------------------------------------


def _unit_rgb(pixels: Array) -> Array:
    return np.asarray(pixels.astype(np.float32) / 255)


def _plain_bgr(pixels: Array) -> Array:
    return pixels[:, :, ::-1].astype(np.float32)


def _spread_bgr(pixels: Array) -> Array:
    return np.asarray((pixels[:, :, ::-1].astype(np.float32) - _MEAN) / _SPREAD)


# --- reading -------------------------------------------------------------------------------------


def _chosen(outputs: list[Array], _: Shape) -> Raw:
    rows = outputs[0][0]
    kinds = rows[:, 5].astype(np.intp).clip(0)
    scores = np.zeros((len(rows), int(kinds.max(initial=0)) + 1), np.float32)
    scores[np.arange(len(rows)), kinds] = rows[:, 4]
    return rows[:, :4], scores


def _v8(outputs: list[Array], _: Shape) -> Raw:
    columns = outputs[0][0].T
    return _around(columns[:, :2], columns[:, 2:4]), _likely(columns[:, 4:])


def _v5(outputs: list[Array], _: Shape) -> Raw:
    rows = outputs[0][0]
    return _around(rows[:, :2], rows[:, 2:4]), rows[:, 4:5] * rows[:, 5:]


def _yolox(outputs: list[Array], shape: Shape) -> Raw:
    rows = outputs[0][0]
    cells, strides = _cells(shape, len(rows))
    sizes = np.exp(rows[:, 2:4]) * strides
    return _around((rows[:, :2] + cells) * strides, sizes), rows[:, 4:5] * rows[:, 5:]


def _nanodet(outputs: list[Array], shape: Shape) -> Raw:
    """Distances come as probabilities of steps; version "Plus" counts cells from their corners."""
    scores, steps = _scores_and_steps(outputs, shape.kinds)
    cells, strides = _cells(shape, len(scores))
    count = steps.shape[1] // 4
    odds = np.exp(steps.reshape(-1, 4, count) - steps.reshape(-1, 4, count).max(2, keepdims=True))
    sides = (odds / odds.sum(2, keepdims=True)) @ np.arange(count, dtype=np.float32) * strides
    is_plus = strides.max() > 32
    centres = (cells + (0 if is_plus else 0.5)) * strides
    corners = np.hstack([centres - sides[:, :2], centres + sides[:, 2:]])
    return corners, _likely(scores)


def _scores_and_steps(outputs: list[Array], kinds: int) -> Raw:
    """One output holds both, or each grid has one for scores and one for steps, in any order."""
    if len(outputs) == 1:
        rows = outputs[0][0]
        return rows[:, :kinds], rows[:, kinds:]
    ordered = sorted((output[0] for output in outputs), key=len, reverse=True)
    scores = [output for output in ordered if output.shape[1] == kinds]
    steps = [output for output in ordered if output.shape[1] != kinds]
    return np.concatenate(scores), np.concatenate(steps)


def _cells(shape: Shape, count: int) -> Raw:
    """Column and row of every cell, and its stride, for the grids that make up `count`."""
    for strides in ((8, 16, 32), (8, 16, 32, 64)):
        grids = [(-(-shape.height // s), -(-shape.width // s), s) for s in strides]
        if sum(down * across for down, across, _ in grids) == count:
            break
    else:
        raise Absent(f"The detector of vision.detector has {count} places; no grids have so many.")
    cells = [np.stack(np.meshgrid(range(across), range(down)), 2) for down, across, _ in grids]
    sizes = [np.full((down * across, 1), s) for down, across, s in grids]
    return (
        np.concatenate([grid.reshape(-1, 2) for grid in cells]).astype(np.float32),
        np.concatenate(sizes).astype(np.float32),
    )


def _around(centres: Array, sizes: Array) -> Array:
    return np.hstack([centres - sizes / 2, centres + sizes / 2])


def _likely(scores: Array) -> Array:
    """Some exports leave out the last step."""
    is_done = scores.size == 0 or (scores.min() >= 0 and scores.max() <= 1)
    return scores if is_done else np.asarray(1 / (1 + np.exp(-scores)))


_CHOSEN = Layout("chosen", _unit_rgb, _chosen)
_V8 = Layout("v8", _unit_rgb, _v8)
_V5 = Layout("v5", _unit_rgb, _v5)
_YOLOX = Layout("yolox", _plain_bgr, _yolox)
_NANODET = Layout("nanodet", _spread_bgr, _nanodet)
