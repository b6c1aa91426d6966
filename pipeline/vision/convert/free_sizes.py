"""An ONNX file whose picture size is fixed, made to take any: only what it declares is changed.

Weights that are listed as inputs as well, an old habit, are taken off that list; the runtime can
then fold them, which makes the network faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.vision.convert import onnxfile

_TAKES = ("batch", 3, "height", "width")
_GIVES = ("batch", "channels", "rows", "columns")
_NODE, _NAME, _CONSTANT, _INPUT, _OUTPUT = 1, 2, 5, 11, 12


def convert(sources: Mapping[str, Path], target: Path) -> None:
    """Write the one source again with free height and width."""
    (source,) = sources.values()
    target.write_bytes(_freed(source.read_bytes()))


def _freed(data: bytes) -> bytes:
    """The model with another graph; IR version 4 is the first that needs no constant inputs."""
    out = b""
    for number, value in onnxfile.fields(data):
        if number == 1:
            out += onnxfile.number(1, max(4, _int(value)))
        elif isinstance(value, int):
            out += onnxfile.number(number, value)
        else:
            out += onnxfile.text(number, _graph(value) if number == 7 else value)
    return out


def _graph(graph: bytes) -> bytes:
    """Nodes and the weights they use as they are; inputs and outputs declared anew."""
    constants = {_text_of(value, 8) for number, value in _parts(graph) if number == _CONSTANT}
    used = {name for number, value in _parts(graph) if number == _NODE for name in _inputs(value)}
    out = bytearray()
    for number, value in _parts(graph):
        if number in (_NODE, _NAME) or (number == _CONSTANT and _text_of(value, 8) in used):
            out += onnxfile.text(number, value)
        elif number in (_INPUT, _OUTPUT) and (name := _text_of(value, 1)) not in constants:
            shape = _TAKES if number == _INPUT else _GIVES
            out += onnxfile.text(number, onnxfile.value_info(name, shape))
    return bytes(out)


def _inputs(node: bytes) -> Iterator[str]:
    return (value.decode() for number, value in _parts(node) if number == 1)


def _parts(message: bytes) -> Iterator[tuple[int, bytes]]:
    return ((n, value) for n, value in onnxfile.fields(message) if isinstance(value, bytes))


def _text_of(message: bytes, field: int) -> str:
    return next(value for number, value in _parts(message) if number == field).decode()


def _int(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value
