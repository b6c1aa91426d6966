"""ONNX files, read and written byte by byte: the few messages of the format that we need.

ONNX is a protobuf; the field numbers stand in `onnx.proto` (IR version 8). Written out here so that
a conversion gives the same bytes on every machine and needs no library.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Attribute: TypeAlias = int | float | str | Sequence[int] | Sequence[float] | NDArray[Any]
_IR_VERSION, _OPSET = 8, 13
_TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10}


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of one message in order: number, and the number or bytes it holds."""
    at = 0
    while at < len(message):
        key, at = _varint_at(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint_at(message, at)
            yield key >> 3, value
            continue
        size, at = _varint_at(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield key >> 3, message[at : at + size]
        at += size


def varints(data: bytes) -> Iterator[int]:
    """The whole numbers of a packed field."""
    at = 0
    while at < len(data):
        value, at = _varint_at(data, at)
        yield value


def number(field: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return _varint(field << 3) + _varint(value & (1 << 64) - 1)


def text(field: int, value: str | bytes) -> bytes:
    """A field that holds text, bytes or another message."""
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


@dataclass(frozen=True, slots=True)
class Value:
    """A declared input: its sides are numbers, or texts where they are free."""

    name: str
    shape: tuple[int | str, ...]
    is_half: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file says of itself."""

    inputs: tuple[Value, ...]
    outputs: tuple[str, ...]
    metadata: Mapping[str, str]


def declared(data: bytes) -> Declared:
    """Inputs (weights are none), the names of the outputs, and the metadata."""
    graph = next(messages(data, 7))
    constants = {_name(one, 8) for one in messages(graph, 5)}
    inputs = (_value(one) for one in messages(graph, 11))
    pairs = ((_name(one, 1), _name(one, 2)) for one in messages(data, 14))
    return Declared(
        tuple(one for one in inputs if one.name not in constants),
        tuple(_name(one, 1) for one in messages(graph, 12)),
        dict(pairs),
    )


def messages(message: bytes, field: int) -> Iterator[bytes]:
    """What the fields of this number hold, where it is text, bytes or messages."""
    found = (value for number, value in fields(message) if number == field)
    return (value for value in found if isinstance(value, bytes))


def _name(message: bytes, field: int) -> str:
    return next(messages(message, field), b"").decode("utf-8", "replace")


def _value(message: bytes) -> Value:
    tensor = next(messages(next(messages(message, 2), b""), 1), b"")
    kind = next((value for number, value in fields(tensor) if number == 1), 0)
    sides = messages(next(messages(tensor, 2), b""), 1)
    shape = tuple(next((_side(v) for _, v in fields(side)), "") for side in sides)
    return Value(_name(message, 1), shape, kind == _TYPES["float16"])


def _side(value: int | bytes) -> int | str:
    return value if isinstance(value, int) else value.decode("utf-8", "replace")


def value_info(name: str, shape: Sequence[int | str], dtype: str = "float32") -> bytes:
    """A named input or output; a side given as text is free."""
    dims = b"".join(
        text(1, number(1, side) if isinstance(side, int) else text(2, side)) for side in shape
    )
    tensor = number(1, _TYPES[dtype]) + text(2, dims)
    return text(1, name) + text(2, text(1, tensor))


def tensor(name: str, values: NDArray[Any]) -> bytes:
    """Named constant numbers."""
    dims = b"".join(number(1, side) for side in values.shape)
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return dims + number(2, _TYPES[values.dtype.name]) + text(8, name) + text(9, little.tobytes())


def node(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Attribute
) -> bytes:
    """One operation."""
    named = b"".join(text(1, name) for name in inputs) + b"".join(text(2, o) for o in outputs)
    told = b"".join(text(5, _attribute(name, value)) for name, value in attributes.items())
    return named + text(3, outputs[0]) + text(4, operator) + told


def model(
    nodes: Sequence[bytes],
    constants: Mapping[str, NDArray[Any]],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    opset: int = _OPSET,
) -> bytes:
    """A whole file of these parts; inputs and outputs are made by `value_info`."""
    graph = b"".join(text(1, one) for one in nodes) + text(2, "darkroom")
    graph += b"".join(text(5, tensor(name, values)) for name, values in constants.items())
    graph += b"".join(text(11, one) for one in inputs) + b"".join(text(12, o) for o in outputs)
    return number(1, _IR_VERSION) + text(2, "darkroom") + text(7, graph) + _opset(opset)


def _opset(version: int) -> bytes:
    return text(8, text(1, "") + number(2, version))


def _attribute(name: str, value: Attribute) -> bytes:
    """An AttributeProto; its kind follows from the value."""
    head = text(1, name)
    if isinstance(value, int):
        return head + number(3, value) + number(20, 2)
    if isinstance(value, float):
        return head + _float(2, value) + number(20, 1)
    if isinstance(value, str):
        return head + text(4, value) + number(20, 3)
    if isinstance(value, np.ndarray):
        return head + text(5, tensor("", value)) + number(20, 4)
    if all(isinstance(item, int) for item in value):
        return head + b"".join(number(8, int(item)) for item in value) + number(20, 7)
    return head + b"".join(_float(7, item) for item in value) + number(20, 6)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
