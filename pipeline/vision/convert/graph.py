"""A graph of TensorFlow's operations written as ONNX: what small convolutional networks need.

Pictures go in as batch x channels x height x width, and so do the outputs come: TensorFlow's order
of axes is turned once, in the weights. Only what leads to the outputs asked for is kept, and what
hangs on constants alone is worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import Invalid
from pipeline.vision.convert import onnxfile

Array = NDArray[Any]
_SIMPLE = {
    "Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Mul": "Mul", "Sub": "Sub", "Minimum": "Min",
    "Maximum": "Max", "Relu": "Relu", "Sigmoid": "Sigmoid", "Identity": "Identity",
    "Softmax": "Softmax",
}  # fmt: skip
_FOLDED: Mapping[str, Callable[..., Array]] = {
    "Add": np.add, "Mul": np.multiply, "Sub": np.subtract, "Identity": np.asarray,
    "Rsqrt": lambda values: np.float32(1) / np.sqrt(values),
}  # fmt: skip
_CHANNELS_LAST = {1: 2, 2: 3, 3: 1, -1: 1}  # TensorFlow's axes where ONNX has them


@dataclass(frozen=True, slots=True)
class Node:
    """One operation as TensorFlow has it. `attr` holds plain values, texts decoded."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attr: Mapping[str, Any]


class Graph:
    """The graph while it is written: nodes and constants so far, and which values are flat."""

    def __init__(self, nodes: Sequence[Node], weights: Mapping[str, Array]) -> None:
        self.by_name = {node.name: node for node in nodes}
        self.weights = dict(weights)
        self.nodes: list[bytes] = []
        self.constants: dict[str, Array] = {}
        self.flat: set[str] = set()  # batch x features: no picture any more
        self.sides: dict[str, tuple[int, int]] = {}  # height and width of each picture
        self.inputs: list[bytes] = []

    def onnx(self, outputs: Sequence[str]) -> bytes:
        """The whole file, with these nodes' values as its outputs."""
        self.write(outputs)
        told = [
            onnxfile.value_info(name, _sides(name, 2 if name in self.flat else 4))
            for name in outputs
        ]
        return self.finished(told)

    def write(self, outputs: Sequence[str]) -> None:
        """Write everything that these nodes hang on, and them."""
        for node in self._needed(outputs):
            self._write(node)

    def finished(self, outputs: Sequence[bytes]) -> bytes:
        """The file as written so far, with these outputs (see `onnxfile.value_info`)."""
        return onnxfile.model(self.nodes, self.constants, self.inputs, outputs)

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
                below = reversed(self.by_name[name].inputs)
                waiting += ((_plain(one), False) for one in below)

    def _write(self, node: Node) -> None:
        operator = node.op
        if operator in ("Const", "NoOp") or self._fold(node):
            return
        writer = _WRITERS.get(operator)
        if writer is not None:
            writer(self, node)
        elif operator in _SIMPLE:
            self._simple(node)
        else:
            raise Invalid(f"The model uses {operator}, which is not known here.")

    def _fold(self, node: Node) -> bool:
        """Work out what hangs on constants alone."""
        names = [_plain(name) for name in node.inputs]
        if node.op not in _FOLDED or not all(name in self.weights for name in names):
            return False
        self.weights[node.name] = _FOLDED[node.op](*(self.weights[name] for name in names))
        return True

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
        return self.weights[_plain(node.inputs[index])]

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
        names = [_plain(name) for name in node.inputs]
        is_flat = any(name in self.flat for name in names)
        operands = [self.read(name, beside_flat=is_flat) for name in names]
        sides = [self.sides[name] for name in names if name in self.sides]
        if sides:
            self.sides[node.name] = max(sides)  # the smaller one is spread over the larger
        self.add(_SIMPLE[node.op], operands, node.name)
        if is_flat:
            self.flat.add(node.name)

    def activate(self, node: Node, value: str) -> None:
        """What is fused behind a convolution, under the node's own name."""
        for kind in node.attr.get("fused_ops", ()):
            if kind in ("Relu", "Relu6"):
                _ACTIVATIONS[kind](self, value, node.name)
                return
        self.add("Identity", [value], node.name)


def _placeholder(graph: Graph, node: Node) -> None:
    _, height, width, channels = node.attr["shape"]
    graph.sides[node.name] = height, width
    graph.inputs.append(onnxfile.value_info(node.name, ("batch", channels, height, width)))


def _convolve(graph: Graph, node: Node) -> None:
    """TensorFlow keeps weights as height x width x in x out, ONNX as out x in x height x width."""
    weights = graph.value(node, 1)
    groups = 1
    if "Depthwise" in node.op:
        height, width, groups, times = weights.shape
        weights = weights.transpose(2, 3, 0, 1).reshape(groups * times, 1, height, width)
    else:
        weights = weights.transpose(3, 2, 0, 1)
    names = [_plain(node.inputs[0]), graph.constant(f"{node.name}/w", weights)]
    if "BiasAdd" in node.attr.get("fused_ops", ()):
        names.append(graph.constant(f"{node.name}/b", graph.value(node, 2)))
    strides = node.attr["strides"][1:3]
    is_padded = node.attr["padding"] == "SAME"
    pads = _pads(graph.sides[names[0]], weights.shape[2:], strides) if is_padded else [0] * 4
    bare = f"{node.name}/conv"
    graph.add("Conv", names, bare, group=groups, strides=strides, pads=pads)
    graph.sides[node.name] = _left_over(graph.sides[names[0]], weights.shape[2:], strides, pads)
    graph.activate(node, bare)


def _pads(sides: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> list[int]:
    """TensorFlow's "SAME", in numbers: all above and left, then all below and right.

    ONNX has a word for it, which not every program that reads ONNX takes to mean the same.
    """
    missing = [
        max((-(-side // stride) - 1) * stride + width - side, 0)
        for side, width, stride in zip(sides, kernel, strides, strict=True)
    ]
    return [pad // 2 for pad in missing] + [(pad + 1) // 2 for pad in missing]


def _left_over(
    sides: Sequence[int], kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int]
) -> tuple[int, int]:
    height, width = (
        (sides[axis] + pads[axis] + pads[axis + 2] - kernel[axis]) // strides[axis] + 1
        for axis in (0, 1)
    )
    return height, width


def _multiply(graph: Graph, node: Node) -> None:
    names = [_plain(node.inputs[0]), graph.constant(f"{node.name}/w", graph.value(node, 1))]
    bare = graph.add("MatMul", names, f"{node.name}/mm")
    if "BiasAdd" in node.attr.get("fused_ops", ()):
        bias = graph.constant(f"{node.name}/b", graph.value(node, 2))
        bare = graph.add("Add", [bare, bias], f"{node.name}/sum")
    graph.activate(node, bare)
    graph.flat.add(node.name)


def _mean(graph: Graph, node: Node) -> None:
    axes = [_CHANNELS_LAST[int(axis)] for axis in graph.value(node, 1).ravel()]
    keeps = bool(node.attr.get("keep_dims", False))
    graph.add("ReduceMean", [_plain(node.inputs[0])], node.name, axes=axes, keepdims=int(keeps))
    if keeps:
        graph.sides[node.name] = 1, 1
    else:
        graph.flat.add(node.name)


def _join(graph: Graph, node: Node) -> None:
    *names, _ = node.inputs
    axis = _CHANNELS_LAST[int(graph.value(node, len(names)).ravel()[0])]
    graph.add("Concat", [graph.read(name) for name in names], node.name, axis=axis)
    graph.sides[node.name] = graph.sides[_plain(names[0])]


def _enlarge(graph: Graph, node: Node) -> None:
    """To a fixed size, as TensorFlow 1 counted pixels: from their corners."""
    size = graph.value(node, 1).astype(np.int64)
    graph.sides[node.name] = int(size[0]), int(size[1])
    source = _plain(node.inputs[0])
    whole = graph.add("Shape", [source], f"{node.name}/shape")
    head = graph.constant("first-two", np.array([0, 1], np.int64))
    kept = graph.add("Gather", [whole, head], f"{node.name}/head")
    tail = graph.constant(f"{node.name}/tail", size)
    sizes = graph.add("Concat", [kept, tail], f"{node.name}/sizes", axis=0)
    has_half = bool(node.attr.get("half_pixel_centers", False))
    mode = "half_pixel" if has_half else "asymmetric"
    names = [source, "", "", sizes]
    graph.add("Resize", names, node.name, mode="linear", coordinate_transformation_mode=mode)


def _clip(graph: Graph, value: str, output: str) -> None:
    low = graph.constant("zero", np.array(0, np.float32))
    high = graph.constant("six", np.array(6, np.float32))
    graph.add("Clip", [value, low, high], output)


def _relu(graph: Graph, value: str, output: str) -> None:
    graph.add("Relu", [value], output)


def _relu6(graph: Graph, node: Node) -> None:
    source = _plain(node.inputs[0])
    graph.sides[node.name] = graph.sides[source]
    _clip(graph, source, node.name)


_ACTIVATIONS: Mapping[str, Callable[[Graph, str, str], None]] = {"Relu": _relu, "Relu6": _clip}
_WRITERS: Mapping[str, Callable[[Graph, Node], None]] = {
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


def _plain(name: str) -> str:
    return name.lstrip("^").removesuffix(":0")


def _sides(name: str, count: int) -> list[str]:
    return [f"{name}-{axis}" for axis in range(count)]
