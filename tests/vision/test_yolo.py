"""A detector of the family's own: every layout of the YOLO family and of NanoDet is understood.

The networks are made here: each answers any picture with the same three things, written in the
layout of its family.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.vision import networks
from pipeline.vision.convert import onnxfile
from pipeline.vision.detect import things, yolo
from pipeline.vision.detect.kinds import COCO
from pipeline.vision.models import Absent, Model, Source
from pipeline.vision.networks import OpenCvNetwork, RuntimeNetwork

SIDE = 320
Array = NDArray[Any]
# What every network here sees: kind, score, corners in pixels of its input.
TRUTH = (
    (16, 0.9, (40.0, 56.0, 136.0, 216.0)),
    (2, 0.8, (160.0, 24.0, 288.0, 120.0)),
    (0, 0.7, (8.0, 8.0, 40.0, 88.0)),
)


def _model() -> Model:
    return Model(
        purpose="objects", file="own.onnx", sha256="", version="own", stage="objects",
        runtime="onnx", licence="", input="", output="", source=Source("url", "", "", 0),
    )  # fmt: skip


def answering(
    outputs: Mapping[str, Array], names: Mapping[int, str] | None = None, side: int | str = SIDE
) -> bytes:
    """A network that takes a picture and gives these outputs, whatever is in it."""
    nodes = [
        onnxfile.node("ReduceMean", ["images"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        onnxfile.node("Mul", ["mean", "nothing"], ["zero"]),
    ]
    nodes += [onnxfile.node("Add", [f"{name}-told", "zero"], [name]) for name in outputs]
    constants = {f"{name}-told": values.astype(np.float32) for name, values in outputs.items()}
    constants["nothing"] = np.zeros((), np.float32)
    told = [onnxfile.value_info(name, array.shape) for name, array in outputs.items()]
    inputs = [onnxfile.value_info("images", (1, 3, side, side))]
    data = onnxfile.model(nodes, constants, inputs, told)
    if names is not None:
        data += onnxfile.text(14, onnxfile.text(1, "names") + onnxfile.text(2, str(names)))
    return data


def detector(data: bytes) -> yolo.Detector:
    """The detector that such a file makes."""
    return yolo.detector(RuntimeNetwork(_model(), data))


def centre(corners: tuple[float, ...]) -> list[float]:
    """Centre and size."""
    left, top, right, bottom = corners
    return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]


def scores(kind: int, score: float, kinds: int = len(COCO)) -> list[float]:
    """A row that is sure of one kind."""
    return [score if k == kind else 0.01 for k in range(kinds)]


def v8(kinds: int = len(COCO)) -> Array:
    """YOLOv8, v9, 11: features x places."""
    rows = np.zeros((2100, 4 + kinds))
    for n, (kind, score, corners) in enumerate(TRUTH):
        rows[n * 7] = [*centre(corners), *scores(kind, score, kinds)]
    return rows.T[None]


def v5() -> Array:
    """YOLOv5, v7: places x features, with how likely there is a thing at all."""
    rows = np.zeros((6300, 85))
    for n, (kind, score, corners) in enumerate(TRUTH):
        rows[n * 9] = [*centre(corners), score, *scores(kind, 1.0)]
    rows[100] = [*centre(TRUTH[0][2]), 0.3, *scores(5, 1.0)]  # hardly a thing
    return rows[None]


def v10() -> Array:
    """YOLOv10: boxes it has chosen itself."""
    rows = np.zeros((300, 6))
    for n, (kind, score, corners) in enumerate(TRUTH):
        rows[n] = [*corners, score, kind]
    return rows[None]


def _grids(strides: tuple[int, ...]) -> list[tuple[int, int, int]]:
    return [(s, y, x) for s in strides for y in range(-(-SIDE // s)) for x in range(-(-SIDE // s))]


def yolox() -> Array:
    """YOLOX: shifts and logarithms, one place a cell."""
    places = _grids((8, 16, 32))
    rows = np.zeros((len(places), 85))
    for n, (kind, score, corners) in enumerate(TRUTH):
        at = 50 + 800 * n
        stride, y, x = places[at]
        cx, cy, width, height = centre(corners)
        sizes = np.log([width / stride, height / stride])
        rows[at] = [cx / stride - x, cy / stride - y, *sizes, score, *scores(kind, 1.0)]
    return rows[None]


def nanodet(strides: tuple[int, ...], steps: int, half: float) -> tuple[Array, Array]:
    """NanoDet: scores, and distances to the four sides as the mean of a distribution."""
    places = _grids(strides)
    kinds = np.full((len(places), 80), 0.01)
    sides = np.zeros((len(places), 4, steps))
    for kind, score, (left, top, right, bottom) in TRUTH:
        cx, cy, *_ = centre((left, top, right, bottom))
        fits = [
            (abs(x - cx) + abs(y - cy), n, s, x, y)
            for n, (s, row, column) in enumerate(places)
            for x, y in [((column + half) * s, (row + half) * s)]
            if max(right - x, bottom - y, x - left, y - top) < (steps - 1) * s
        ]
        _, at, stride, x, y = min(fits)
        kinds[at] = scores(kind, score)
        for side, distance in enumerate((x - left, y - top, right - x, bottom - y)):
            low, share = divmod(distance / stride, 1)
            logits = np.full(steps, -30.0)
            logits[int(low)] = np.log(max(1 - share, 1e-9))
            logits[min(int(low) + 1, steps - 1)] = np.log(max(share, 1e-9))
            sides[at, side] = logits
    return kinds, sides.reshape(len(places), 4 * steps)


def plus() -> Array:
    """NanoDet-Plus: both side by side, four grids, cells counted from their corners."""
    return np.hstack(nanodet((8, 16, 32, 64), 8, 0))[None]


def apart() -> dict[str, Array]:
    """NanoDet's first version: an output for each grid and purpose, in no good order."""
    kinds, sides = nanodet((8, 16, 32), 11, 0.5)
    ends = np.cumsum([(SIDE // s) ** 2 for s in (8, 16, 32)])[:-1]
    made = {f"s{n}": part[None] for n, part in enumerate(np.split(sides, ends))}
    made |= {f"k{n}": part[None] for n, part in enumerate(np.split(kinds, ends))}
    return {name: made[name] for name in ("s2", "k0", "s0", "k2", "k1", "s1")}


LAYOUTS: Mapping[str, Callable[[], Mapping[str, Array]]] = {
    "v8": lambda: {"o": v8()},
    "v5": lambda: {"o": v5()},
    "v10": lambda: {"o": v10()},
    "yolox": lambda: {"o": yolox()},
    "nanodet-plus": lambda: {"o": plus()},
    "nanodet": apart,
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("shape", [(320, 320), (160, 320), (640, 480)])
def test_every_layout(name: str, shape: tuple[int, int]) -> None:
    """Kinds, scores and boxes come out as they were put in, for pictures of any shape."""
    height, width = shape
    found = detector(answering(LAYOUTS[name]())).look(np.zeros((height, width, 3), np.uint8))
    scale = SIDE / max(height, width)
    assert [int(kind) for kind in found.kinds] == [kind for kind, _, _ in TRUTH]
    assert found.scores == pytest.approx([score for _, score, _ in TRUTH], abs=1e-4)
    for corners, (_, _, truth) in zip(found.corners, TRUTH, strict=True):
        size = np.array([width, height, width, height]) * scale
        assert corners * size == pytest.approx(np.clip(truth, 0, size), abs=0.2)


def test_kinds_are_named_by_the_file() -> None:
    """A detector of other things says what they are."""
    names = {k: f"toy {k}" for k in range(20)}
    found = detector(answering({"o": v8(20)}, names))
    assert found.labels[16] == "toy 16"
    assert len(found.look(np.zeros((320, 320, 3), np.uint8))) == 3


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ({"o": v8(20)}, None),
        ({"o": np.zeros((1, 1000))}, None),
        ({"o": np.zeros((1, 7, 7, 30))}, None),
        ({"a": np.zeros((1, 10, 80)), "b": np.zeros((1, 10, 3))}, None),
        ({"o": v8()}, "not a dictionary"),
    ],
)
def test_what_nobody_knows_is_refused(outputs: Mapping[str, Array], names: Any) -> None:
    """A network that is no detector, or does not name its kinds, is said to be so."""
    with pytest.raises(Absent, match=r"vision\.detector"):
        detector(answering(outputs, names))


def test_a_free_input_size() -> None:
    """Where the file leaves the size open, 640 pixels are shown."""
    found = detector(answering({"o": v8()}, side="any"))
    assert (found.shape.height, found.shape.width) == (640, 640)


@pytest.mark.parametrize(
    "purpose", ["faces", "face-embedding", "objects", "objects-centres", "features", "sensitive"]
)
def test_real_models_without_onnxruntime(purpose: str, models: Path) -> None:
    """Every default network gives the same numbers in OpenCV as in onnxruntime."""
    model = networks.manifest(models)[purpose]
    content = networks.checked(models, model)
    one, other = RuntimeNetwork(model, content), OpenCvNetwork(model, content)
    _, *shape = (side if isinstance(side, int) else 64 for side in one.inputs[0].shape)
    blob = np.random.default_rng(0).random((1, *shape), np.float32)
    for ours, theirs in zip(one.run(blob), other.run(blob), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=5e-3)


def test_in_place_of_the_default(tmp_path: Path, models: Path) -> None:
    """Once it is fetched, the stage's own code uses it, without the default models."""
    from config.settings import Vision
    from pipeline.service import models as service

    file = tmp_path / "toys.onnx"
    file.write_bytes(answering({"o": v8(20)}, {k: f"toy {k}" for k in range(20)}))
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copyfile(models / "ssd-mobilenet-v2-coco.onnx", folder / "ssd-mobilenet-v2-coco.onnx")
    service.fetch(folder, Vision(detector=str(file)), ["objects"])
    found = things.find(folder, np.zeros((320, 320, 3), np.uint8))
    assert [thing.label for thing in found.things] == ["toy 16", "toy 2", "toy 0"]
    assert found.model == "toys"
