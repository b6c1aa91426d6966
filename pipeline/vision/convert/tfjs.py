"""A TensorFlow.js graph model as an ONNX network: the operations of small convolutional networks.

The source is `model.json` with its weights in one binary file. Pictures go in as batch x channels x
height x width, and so do the outputs come: TensorFlow's order of axes is turned once, in the
weights. Only what leads to the outputs asked for is kept.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import Invalid
from pipeline.vision.convert import onnxfile

Node = Mapping[str, Any]
Array = NDArray[Any]
_SIMPLE = {
    "Add": "Add", "AddV2": "Add", "Mul": "Mul", "Sub": "Sub", "Minimum": "Min", "Maximum": "Max",
    "Relu": "Relu", "Sigmoid": "Sigmoid", "Identity": "Identity", "Softmax": "Softmax",
}  # fmt: skip
_CHANNELS_LAST = {1: 2, 2: 3, 3: 1, -1: 1}  # TensorFlow's axes where ONNX has them


def convert(sources: Mapping[str, Path], target: Path, outputs: Sequence[str]) -> None:
    """Write the network that gives `outputs` (names of nodes) of the model in `sources`.

    Raises `Invalid` for operations that are not known here.
    """
    told = next(path for name, path in sources.items() if name.endswith(".json"))
    weights = next(path for name, path in sources.items() if name.endswith(".bin"))
    model = json.loads(told.read_text(encoding="utf-8"))
    graph = _Graph(model["modelTopology"]["node"], _weights(model, weights.read_bytes()))
    target.write_bytes(graph.onnx(outputs))


def _weights(model: Node, data: bytes) -> dict[str, Array]:
    """The constants, as float32 or whole numbers; halves are widened."""
    found: dict[str, Array] = {}
    at = 0
    for entry in (weight for group in model["weightsManifest"] for weight in group["weights"]):
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(data, np.dtype(stored).newbyteorder("<"), count, at)
        at += values.nbytes
        found[entry["name"]] = values.reshape(entry["shape"]).astype(entry["dtype"])
    return found


class _Graph:
    """The graph while it is written: nodes and constants so far, and which values are flat."""

    def __init__(self, nodes: Sequence[Node], weights: Mapping[str, Array]) -> None:
        self.by_name = {node["name"]: node for node in nodes}
        self.weights = weights
        self.nodes: list[bytes] = []
        self.constants: dict[str, Array] = {}
        self.flat: set[str] = set()  # batch x features: no picture any more
        self.inputs: list[bytes] = []

    def onnx(self, outputs: Sequence[str]) -> bytes:
        """The whole file."""
        for node in self._needed(outputs):
            self._write(node)
        told = [
            onnxfile.value_info(name, _sides(name, 2 if name in self.flat else 4))
            for name in outputs
        ]
        return onnxfile.model(self.nodes, self.constants, self.inputs, told)

    def _needed(self, outputs: Sequence[str]) -> Iterator[Node]:
        """What the outputs hang on, each node behind those it reads."""
        seen: set[str] = set()
        waiting = [(name, False) for name in reversed(outputs)]
        while waiting:
            name, is_open = waiting.pop()
            if is_open:
                yield self.by_name[name]
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                below = reversed(self.by_name[name].get("input", ()))
                waiting += ((_plain(one), False) for one in below)

    def _write(self, node: Node) -> None:
        operator = node["op"]
        if operator == "Const":
            return
        writer = _WRITERS.get(operator)
        if writer is not None:
            writer(self, node)
        elif operator in _SIMPLE:
            self._simple(node)
        else:
            raise Invalid(f"The model uses {operator}, which is not known here.")

    def add(self, operator: str, inputs: Sequence[str], output: str, **more: Any) -> str:
        """One ONNX node; its output."""
        self.nodes.append(onnxfile.node(operator, inputs, [output], **more))
        return output

    def constant(self, name: str, values: Array) -> str:
        """Numbers under a name; the name."""
        self.constants[name] = np.ascontiguousarray(values)
        return name

    def value(self, node: Node, index: int) -> Array:
        """The constant that is an input of `node`."""
        return self.weights[_plain(node["input"][index])]

    def read(self, name: str, *, beside_flat: bool = False) -> str:
        """An operand: a value, or a constant turned to ONNX's order of axes."""
        name = _plain(name)
        if name not in self.weights:
            return name
        values = self.weights[name]
        if values.ndim == 1 and not beside_flat:
            values = values.reshape(-1, 1, 1)
        elif values.ndim == 4:
            values = values.transpose(0, 3, 1, 2)
        return self.constant(name, values)

    def _simple(self, node: Node) -> None:
        names = [_plain(name) for name in node["input"]]
        is_flat = any(name in self.flat for name in names)
        operands = [self.read(name, beside_flat=is_flat) for name in names]
        self.add(_SIMPLE[node["op"]], operands, node["name"])
        if is_flat:
            self.flat.add(node["name"])

    def activate(self, node: Node, value: str) -> None:
        """What is fused behind a convolution, under the node's own name."""
        for kind in _fused(node):
            if kind in ("Relu", "Relu6"):
                _ACTIVATIONS[kind](self, value, node["name"])
                return
        self.add("Identity", [value], node["name"])


def _placeholder(graph: _Graph, node: Node) -> None:
    sides = [int(dim["size"]) for dim in node["attr"]["shape"]["shape"]["dim"]]
    _, height, width, channels = sides
    graph.inputs.append(onnxfile.value_info(node["name"], ("batch", channels, height, width)))


def _convolve(graph: _Graph, node: Node) -> None:
    """TensorFlow keeps weights as height x width x in x out, ONNX as out x in x height x width."""
    weights = graph.value(node, 1)
    groups = 1
    if "Depthwise" in node["op"]:
        height, width, groups, times = weights.shape
        weights = weights.transpose(2, 3, 0, 1).reshape(groups * times, 1, height, width)
    else:
        weights = weights.transpose(3, 2, 0, 1)
    names = [_plain(node["input"][0]), graph.constant(f"{node['name']}/w", weights)]
    if "BiasAdd" in _fused(node):
        names.append(graph.constant(f"{node['name']}/b", graph.value(node, 2)))
    attr = node["attr"]
    strides = [int(i) for i in attr["strides"]["list"]["i"]][1:3]
    padding = "SAME_UPPER" if _text(attr["padding"]["s"]) == "SAME" else "VALID"
    bare = f"{node['name']}/conv"
    graph.add("Conv", names, bare, group=groups, strides=strides, auto_pad=padding)
    graph.activate(node, bare)


def _multiply(graph: _Graph, node: Node) -> None:
    names = [_plain(node["input"][0]), graph.constant(f"{node['name']}/w", graph.value(node, 1))]
    bare = graph.add("MatMul", names, f"{node['name']}/mm")
    if "BiasAdd" in _fused(node):
        bias = graph.constant(f"{node['name']}/b", graph.value(node, 2))
        bare = graph.add("Add", [bare, bias], f"{node['name']}/sum")
    graph.activate(node, bare)
    graph.flat.add(node["name"])


def _mean(graph: _Graph, node: Node) -> None:
    axes = [_CHANNELS_LAST[int(axis)] for axis in graph.value(node, 1).ravel()]
    keeps = bool(node["attr"].get("keep_dims", {}).get("b", False))
    graph.add(
        "ReduceMean", [_plain(node["input"][0])], node["name"], axes=axes, keepdims=int(keeps)
    )
    if not keeps:
        graph.flat.add(node["name"])


def _join(graph: _Graph, node: Node) -> None:
    *names, _ = node["input"]
    axis = _CHANNELS_LAST[int(graph.value(node, len(names)).ravel()[0])]
    graph.add("Concat", [graph.read(name) for name in names], node["name"], axis=axis)


def _enlarge(graph: _Graph, node: Node) -> None:
    """To a fixed size, as TensorFlow 1 counted pixels: from their corners."""
    size = graph.value(node, 1).astype(np.int64)
    source = _plain(node["input"][0])
    whole = graph.add("Shape", [source], f"{node['name']}/shape")
    head = graph.constant("first-two", np.array([0, 1], np.int64))
    kept = graph.add("Gather", [whole, head], f"{node['name']}/head")
    tail = graph.constant(f"{node['name']}/tail", size)
    sizes = graph.add("Concat", [kept, tail], f"{node['name']}/sizes", axis=0)
    has_half = bool(node["attr"].get("half_pixel_centers", {}).get("b", False))
    mode = "half_pixel" if has_half else "asymmetric"
    names = [source, "", "", sizes]
    graph.add("Resize", names, node["name"], mode="linear", coordinate_transformation_mode=mode)


def _clip(graph: _Graph, value: str, output: str) -> None:
    low = graph.constant("zero", np.array(0, np.float32))
    high = graph.constant("six", np.array(6, np.float32))
    graph.add("Clip", [value, low, high], output)


def _relu(graph: _Graph, value: str, output: str) -> None:
    graph.add("Relu", [value], output)


def _relu6(graph: _Graph, node: Node) -> None:
    _clip(graph, _plain(node["input"][0]), node["name"])


_ACTIVATIONS: Mapping[str, Callable[[_Graph, str, str], None]] = {"Relu": _relu, "Relu6": _clip}
_WRITERS: Mapping[str, Callable[[_Graph, Node], None]] = {
    "Placeholder": _placeholder,
    "Conv2D": _convolve,
    "_FusedConv2D": _convolve,
    "DepthwiseConv2dNative": _convolve,
    "FusedDepthwiseConv2dNative": _convolve,
    "_FusedMatMul": _multiply,
    "Mean": _mean,
    "ConcatV2": _join,
    "ResizeBilinear": _enlarge,
    "Relu6": _relu6,
}


def _fused(node: Node) -> list[str]:
    return [_text(kind) for kind in node["attr"].get("fused_ops", {}).get("list", {}).get("s", ())]


def _plain(name: str) -> str:
    return name.lstrip("^").removesuffix(":0")


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("ascii")


def _sides(name: str, count: int) -> list[str]:
    return [f"{name}-{axis}" for axis in range(count)]
