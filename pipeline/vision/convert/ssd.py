"""SSD on MobileNetV2 for 80 kinds of things, from TensorFlow's frozen graph.

Written is the network between the scaled picture and the raw predictions: `boxes` (anchors x 4, as
offsets) and `scores` (anchors x 91, already through the sigmoid). TensorFlow's own picture reading
and its choice of boxes, half of the file, are left out; `detect.anchors` does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.vision.convert import onnxfile, tensorflow
from pipeline.vision.convert.graph import Graph, Node

SIDE = 300
_PICTURE = "Preprocessor/sub"  # RGB scaled to -1..1
_MAPS = 6
_KINDS = 91  # 0 is "nothing"


def convert(sources: Mapping[str, Path], target: Path) -> None:
    """Write the network of the one frozen graph."""
    (source,) = (path for name, path in sources.items() if name.endswith(".pb"))
    nodes, constants = tensorflow.read(source.read_bytes())
    picture = Node(_PICTURE, "Placeholder", (), {"shape": [1, SIDE, SIDE, 3]})
    kept = [picture if node.name == _PICTURE else node for node in nodes]
    graph = Graph(kept, constants)
    heads = [f"BoxPredictor_{n}/{kind}Predictor/BiasAdd" for kind in _HEADS for n in range(_MAPS)]
    graph.write(heads)
    _join(graph, heads[:_MAPS], 4, "boxes")
    _join(graph, heads[_MAPS:], _KINDS, "logits")
    graph.add("Sigmoid", ["logits"], "scores")
    told = [
        onnxfile.value_info("boxes", ("batch", "anchors", 4)),
        onnxfile.value_info("scores", ("batch", "anchors", _KINDS)),
    ]
    target.write_bytes(graph.finished(told))


_HEADS = ("BoxEncoding", "Class")


def _join(graph: Graph, heads: list[str], width: int, output: str) -> None:
    """Six maps of predictions as one long list: row by row, each anchor of a place in turn."""
    shape = graph.constant(f"{output}/shape", np.array([0, -1, width], np.int64))
    flat = []
    for head in heads:
        turned = graph.add("Transpose", [head], f"{head}/turned", perm=[0, 2, 3, 1])
        flat.append(graph.add("Reshape", [turned, shape], f"{head}/flat"))
    graph.add("Concat", flat, output, axis=1)
