"""EfficientNet-Lite0 from its PyTorch weights to an ONNX network, without PyTorch.

The network: "EfficientNet-Lite" of the TensorFlow TPU models (no squeeze-and-excite, ReLU6). Batch
norms are folded into the convolutions before them. One input, `image`: 1 x 3 x 224 x 224, RGB as
(x - 127) / 128. Two outputs: `features` (1280) and `logits` (the 1000 classes of ImageNet).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.vision.convert import efficientnet_weights, onnxfile
from pipeline.vision.convert.efficientnet_weights import Weights

SIDE = 224
_BLOCKS = 16
_HALVING = frozenset((1, 3, 5, 11))  # blocks whose depthwise convolution has a stride of two
_EPSILON = 1e-3  # of the batch norms, as trained


def convert(sources: Mapping[str, Path], target: Path) -> None:
    """Write the network whose weights are the one source. Raises `Invalid` for other files."""
    (source,) = sources.values()
    with source.open("rb") as file:
        weights = efficientnet_weights.read(file)
    target.write_bytes(network(weights))


def network(weights: Weights) -> bytes:
    """The ONNX file of the network with these weights. Raises `Invalid` where one is missing."""
    graph = _Graph(weights)
    x = graph.convolution("image", "_conv_stem", "_bn0", stride=2, is_clipped=True)
    for number in range(_BLOCKS):
        x = _block(graph, x, f"_blocks.{number}", stride=2 if number in _HALVING else 1)
    x = graph.convolution(x, "_conv_head", "_bn1", is_clipped=True)
    x = graph.node("GlobalAveragePool", [x], "pool")
    graph.node("Flatten", [x], "features", axis=1)
    classes = ["features", graph.kept("_fc.weight"), graph.kept("_fc.bias")]
    graph.node("Gemm", classes, "logits", transB=1)
    return graph.to_bytes()


def _block(graph: _Graph, x: str, name: str, stride: int) -> str:
    """Widen, filter each channel by itself, narrow; with a way around where the shape stays."""
    entry = x
    if graph.has(f"{name}._expand_conv.weight"):
        x = graph.convolution(x, f"{name}._expand_conv", f"{name}._bn0", is_clipped=True)
    depthwise = f"{name}._depthwise_conv"
    x = graph.convolution(x, depthwise, f"{name}._bn1", stride=stride, is_clipped=True)
    x = graph.convolution(x, f"{name}._project_conv", f"{name}._bn2")
    if stride > 1 or graph.width[entry] != graph.width[x]:
        return x
    return graph.node("Add", [x, entry], f"{name}.sum")


class _Graph:
    """The network while it is put together; `width` is the channels of what each node gives."""

    def __init__(self, weights: Weights) -> None:
        self.width: dict[str, int] = {}
        self._weights = weights
        self._nodes: list[bytes] = []
        self._constants: dict[str, NDArray[Any]] = {
            "zero": np.array(0, np.float32),
            "six": np.array(6, np.float32),
        }

    def has(self, name: str) -> bool:
        """True where the weights have one of this name."""
        return name in self._weights

    def kept(self, name: str) -> str:
        """A weight that is used as it is."""
        self._constants[name] = self._weights[name]
        return name

    def node(self, operator: str, inputs: list[str], output: str, **how: onnxfile.Attribute) -> str:
        """One operation; the name of what it gives."""
        self._nodes.append(onnxfile.node(operator, inputs, [output], **how))
        self.width[output] = self.width.get(inputs[0], 0)
        return output

    def convolution(
        self, x: str, name: str, norm: str, *, stride: int = 1, is_clipped: bool = False
    ) -> str:
        """A convolution with the batch norm behind it, and ReLU6 where `is_clipped`."""
        weight, bias = self._folded(name, norm)
        channels, per_group, side, _ = weight.shape
        self._constants |= {f"{name}.weight": weight, f"{name}.bias": bias}
        before, after = (side - stride) // 2, (side - stride + 1) // 2  # sides divide by the stride
        out = self.node(
            "Conv",
            [x, f"{name}.weight", f"{name}.bias"],
            f"{name}.out",
            pads=[before, before, after, after],  # TensorFlow's: the odd pixel right and below
            group=channels if per_group == 1 else 1,
            kernel_shape=[side, side],
            strides=[stride, stride],
        )
        self.width[out] = channels
        return self.node("Clip", [out, "zero", "six"], f"{name}.clip") if is_clipped else out

    def _folded(self, name: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The convolution that does what convolution and batch norm did."""
        mean, variance, gain, shift = (
            self._weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        factor = gain / np.sqrt(variance + _EPSILON)
        weight = self._weights[f"{name}.weight"] * factor[:, None, None, None]
        return weight.astype(np.float32), (shift - mean * factor).astype(np.float32)

    def to_bytes(self) -> bytes:
        """The finished file."""
        image = onnxfile.value_info("image", [1, 3, SIDE, SIDE])
        outputs = [
            onnxfile.value_info("features", [1, self._weights["_fc.weight"].shape[1]]),
            onnxfile.value_info("logits", [1, self._weights["_fc.weight"].shape[0]]),
        ]
        return onnxfile.model(self._nodes, self._constants, [image], outputs)
