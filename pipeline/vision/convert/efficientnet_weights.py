"""The weights in a file that PyTorch 1.x saved, read without PyTorch and without trusting it.

Such a file is a row of pickles, then the numbers. Pickles can run any code, so the unpickler here
knows exactly the four names that a dictionary of tensors needs, and refuses every other.
"""

from __future__ import annotations

import pickle  # only ever through `_Reader`, which finds four harmless names
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import Invalid

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_MOST_VALUES = 1 << 27


@dataclass(frozen=True, slots=True)
class _Storage:
    """A row of numbers that tensors are views of; its content comes after the pickles."""

    key: str
    kind: str
    length: int


@dataclass(frozen=True, slots=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in values, not bytes


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


_KNOWN: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise Invalid(f"The model file asks for {module}.{name}, which weights never need.")
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(kind), str(key), "cpu", int(length), None):
                return _Storage(key, kind, length)
        raise Invalid("The model file holds its numbers in a way that is not known.")


def read(file: BinaryIO) -> Weights:
    """Every float tensor in `file`, by name. Raises `Invalid` for anything else than weights."""
    try:
        return _read(file)
    except (pickle.UnpicklingError, EOFError, struct.error, ValueError, TypeError) as error:
        raise Invalid("The model file is not a table of PyTorch weights, or was cut.") from error


def _read(file: BinaryIO) -> Weights:
    magic, protocol, _system = (_Reader(file).load() for _ in range(3))
    if (magic, protocol) != (_MAGIC, _PROTOCOL):
        raise Invalid("The model file is not a table of PyTorch weights.")
    views: Mapping[str, _View] = _Reader(file).load()
    keys: list[str] = _Reader(file).load()
    kinds = {view.storage.key: view.storage.kind for view in views.values()}
    values = {key: _values(file, np.dtype(kinds[key])) for key in keys}
    return {
        name: _strided(view, values[view.storage.key])
        for name, view in views.items()
        if view.storage.kind == "<f4"
    }


def _values(file: BinaryIO, kind: np.dtype[Any]) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    if not 0 <= count <= _MOST_VALUES:
        raise ValueError(count)
    return np.frombuffer(file.read(count * kind.itemsize), kind, count)


def _strided(view: _View, values: NDArray[Any]) -> NDArray[np.float32]:
    """Tensors may be stored with their axes in another order: the strides are obeyed."""
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.strides, strict=True))
    if min((view.offset, *view.strides), default=0) < 0 or last >= values.size:
        raise ValueError(last)
    strides = tuple(step * values.itemsize for step in view.strides)
    held = values[view.offset :]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(held, view.shape, strides))
