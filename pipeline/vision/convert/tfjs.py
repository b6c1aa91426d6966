"""A TensorFlow.js graph model as an ONNX network; the source is a JSON file and one of weights."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.vision.convert.graph import Graph, Node


def convert(sources: Mapping[str, Path], target: Path, outputs: Sequence[str]) -> None:
    """Write the network that gives `outputs` (names of nodes) of the model in `sources`.

    Raises `Invalid` for operations that are not known here.
    """
    told = next(path for name, path in sources.items() if name.endswith(".json"))
    weights = next(path for name, path in sources.items() if name.endswith(".bin"))
    model = json.loads(told.read_text(encoding="utf-8"))
    nodes = [_node(entry) for entry in model["modelTopology"]["node"]]
    graph = Graph(nodes, _weights(model, weights.read_bytes()))
    target.write_bytes(graph.onnx(outputs))


def _weights(model: Mapping[str, Any], data: bytes) -> dict[str, NDArray[Any]]:
    """The constants, as float32 or whole numbers; halves are widened."""
    found: dict[str, NDArray[Any]] = {}
    at = 0
    for entry in (weight for group in model["weightsManifest"] for weight in group["weights"]):
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(data, np.dtype(stored).newbyteorder("<"), count, at)
        at += values.nbytes
        found[entry["name"]] = values.reshape(entry["shape"]).astype(entry["dtype"])
    return found


def _node(entry: Mapping[str, Any]) -> Node:
    attr = {name: _value(value) for name, value in entry.get("attr", {}).items()}
    return Node(entry["name"], entry["op"], tuple(entry.get("input", ())), attr)


def _value(value: Mapping[str, Any]) -> Any:
    """A protobuf's attribute as JSON has it: numbers and texts come as base64 or decimal text."""
    match value:
        case {"s": text}:
            return base64.b64decode(text).decode("ascii")
        case {"b": flag}:
            return flag
        case {"list": {"i": numbers}}:
            return [int(number) for number in numbers]
        case {"list": {"s": texts}}:
            return [base64.b64decode(text).decode("ascii") for text in texts]
        case {"shape": {"dim": dims}}:
            return [int(dim["size"]) for dim in dims]
    return None
