"""A frozen TensorFlow graph as nodes and constants: the protobuf messages of `graph.proto`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.vision.convert import onnxfile
from pipeline.vision.convert.graph import Node

_TYPES = {1: "<f4", 3: "<i4", 9: "<i8"}


def read(data: bytes) -> tuple[list[Node], dict[str, NDArray[Any]]]:
    """All nodes, and the values of those that are constant numbers."""
    nodes = [_node(message) for message in onnxfile.messages(data, 1)]
    constants = {
        node.name: values
        for node in nodes
        if node.op == "Const" and (values := _tensor(node.attr["value"])) is not None
    }
    return nodes, constants


def _node(message: bytes) -> Node:
    name, operator = (next(onnxfile.messages(message, field)).decode() for field in (1, 2))
    inputs = tuple(text.decode() for text in onnxfile.messages(message, 3))
    attr: dict[str, Any] = {}
    for entry in onnxfile.messages(message, 5):
        key, value = dict(onnxfile.fields(entry)).values()
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        attr[key.decode()] = _value(value)
    return Node(name, operator, inputs, attr)


def _value(message: bytes) -> Any:
    """One attribute: a text, a flag, whole numbers, or a tensor's bytes."""
    for field, value in onnxfile.fields(message):
        if field == 2:
            assert isinstance(value, bytes)
            return value.decode("ascii", "replace")
        if field == 5:
            return bool(value)
        if field == 1:
            assert isinstance(value, bytes)
            return list(_numbers(value, 3))
        if field == 8:
            return value
    return None


def _tensor(message: bytes) -> NDArray[Any] | None:
    """The numbers of a TensorProto; None for texts and other kinds."""
    told = dict(onnxfile.fields(message))
    dtype = _TYPES.get(_int(told.get(1, 0)))
    if dtype is None:
        return None
    shape_message = told.get(2, b"")
    assert isinstance(shape_message, bytes)
    shape = [next(_numbers(dim, 1), 0) for dim in onnxfile.messages(shape_message, 2)]
    raw = told.get(4)
    if isinstance(raw, bytes):
        return np.frombuffer(raw, dtype).reshape(shape)
    packed = told.get(5 if dtype == "<f4" else 7 if dtype == "<i4" else 10, b"")
    if dtype == "<f4" and isinstance(packed, bytes):
        values = np.frombuffer(packed, dtype)
    else:
        unsigned = np.array(list(_numbers(message, 7 if dtype == "<i4" else 10)), "<u8")
        values = unsigned.astype("<i8").astype(dtype)
    count = math.prod(shape)
    return np.resize(values, count).reshape(shape) if values.size else np.zeros(shape, dtype)


def _numbers(message: bytes, field: int) -> Iterator[int]:
    """Whole numbers of a field, packed or one by one."""
    for number, value in onnxfile.fields(message):
        if number == field and isinstance(value, int):
            yield value
        elif number == field and isinstance(value, bytes):
            yield from onnxfile.varints(value)


def _int(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value
