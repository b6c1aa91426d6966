"""Conversions: the same numbers as the source means, the same bytes each time."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from pipeline.errors import Invalid
from pipeline.vision.convert import free_sizes, onnxfile, tfjs

Array = NDArray[np.float32]
RNG = np.random.default_rng(5)
KERNEL = RNG.normal(size=(3, 3, 2, 4)).astype(np.float16)  # height, width, in, out
DEEP = RNG.normal(size=(3, 3, 4, 1)).astype(np.float16)
BIAS = RNG.normal(size=4).astype(np.float16)


def _text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _conv(name: str, operator: str, inputs: list[str], stride: int, *fused: str) -> dict[str, Any]:
    attr = {
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "padding": {"s": _text("SAME")},
        "fused_ops": {"list": {"s": [_text(one) for one in fused]}},
    }
    return {"name": name, "op": operator, "input": inputs, "attr": attr}


def sources(folder: Path, *more: dict[str, Any]) -> dict[str, Path]:
    """A small model as TensorFlow.js keeps it: JSON, and half-precision weights beside it."""
    sides = [{"size": size} for size in ("1", "6", "8", "2")]
    nodes = [
        {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": sides}}}},
        *({"name": name, "op": "Const"} for name in ("kernel", "deep", "bias", "axes")),
        _conv("one", "_FusedConv2D", ["x", "kernel", "bias"], 2, "BiasAdd", "Relu6"),
        _conv("two", "DepthwiseConv2dNative", ["one", "deep"], 1),
        {"name": "sum", "op": "Add", "input": ["two", "bias"], "attr": {}},
        {"name": "mean", "op": "Mean", "input": ["sum", "axes"], "attr": {}},
        *more,
    ]
    half = {"dtype": "float16"}
    weights = [
        {"name": n, "shape": list(w.shape), "dtype": "float32", "quantization": half}
        for n, w in (("kernel", KERNEL), ("deep", DEEP), ("bias", BIAS))
    ]
    weights.append({"name": "axes", "shape": [2], "dtype": "int32"})
    axes = np.array([1, 2], np.int32)
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": weights}]}
    (folder / "m.json").write_text(json.dumps(model))
    data = b"".join(values.tobytes() for values in (KERNEL, DEEP, BIAS, axes))
    (folder / "m.bin").write_bytes(data)
    return {"package/m.json": folder / "m.json", "package/m.bin": folder / "m.bin"}


def _same(picture: Array, kernel: Array, stride: int, *, deep: bool = False) -> Array:
    """A convolution as TensorFlow means "SAME", written out (height x width x channels)."""
    height, width, _ = picture.shape
    rows, columns = -(-height // stride), -(-width // stride)
    missing = [(n - 1) * stride + 3 - side for n, side in ((rows, height), (columns, width))]
    around = [(m // 2, m - m // 2) for m in missing]
    padded = np.pad(picture, (*around, (0, 0)))
    rule = "yxc,yxc->c" if deep else "yxc,yxco->o"
    weights = kernel[:, :, :, 0] if deep else kernel
    return np.array(
        [
            [
                np.einsum(rule, padded[r * stride :, c * stride :][:3, :3], weights)
                for c in range(columns)
            ]
            for r in range(rows)
        ],
        np.float32,
    )


def _run(data: bytes, **inputs: Array) -> list[Array]:
    return list(onnxruntime.InferenceSession(data).run(None, inputs))


def test_the_same_numbers(tmp_path: Path) -> None:
    """Convolutions, padding at odd edges, fused steps, sums and means are those of TensorFlow."""
    target = tmp_path / "m.onnx"
    tfjs.convert(sources(tmp_path), target, ["sum", "mean"])
    picture = RNG.normal(size=(6, 8, 2)).astype(np.float32)
    one = np.clip(_same(picture, KERNEL.astype("f4"), 2) + BIAS.astype("f4"), 0, 6)
    expected = _same(one, DEEP.astype("f4"), 1, deep=True) + BIAS.astype("f4")
    found, mean = _run(target.read_bytes(), x=picture.transpose(2, 0, 1)[None])
    np.testing.assert_allclose(found[0].transpose(1, 2, 0), expected, atol=1e-4)
    np.testing.assert_allclose(mean[0], expected.mean(axis=(0, 1)), atol=1e-4)


def test_the_same_bytes(tmp_path: Path) -> None:
    """A conversion can be pinned by its hash."""
    made = []
    for name in ("a.onnx", "b.onnx"):
        tfjs.convert(sources(tmp_path), tmp_path / name, ["mean"])
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def test_an_unknown_operation(tmp_path: Path) -> None:
    """What is not known here is named, not guessed; what no output needs does not matter."""
    odd = {"name": "odd", "op": "FancyOp", "input": ["sum"], "attr": {}}
    given = sources(tmp_path, odd)
    tfjs.convert(given, tmp_path / "m.onnx", ["sum"])
    with pytest.raises(Invalid, match="FancyOp"):
        tfjs.convert(given, tmp_path / "m.onnx", ["odd"])


def test_sizes_are_freed(tmp_path: Path) -> None:
    """A network that declares one size takes any, and its weights are no inputs any more."""
    weight = RNG.normal(size=(3, 3, 1, 1)).astype(np.float32)
    node = onnxfile.node("Conv", ["x", "w"], ["y"])
    inputs = [onnxfile.value_info("x", (1, 3, 4, 4)), onnxfile.value_info("w", weight.shape)]
    data = onnxfile.model(
        [node], {"w": weight, "unused": weight}, inputs, [onnxfile.value_info("y", (1, 3, 4, 4))]
    )
    (tmp_path / "a.onnx").write_bytes(data)
    free_sizes.convert({"a": tmp_path / "a.onnx"}, tmp_path / "b.onnx")
    freed = (tmp_path / "b.onnx").read_bytes()
    told = onnxfile.declared(freed)
    assert [value.name for value in told.inputs] == ["x"]
    assert told.outputs == ("y",)
    assert b"unused" not in freed
    picture = RNG.normal(size=(2, 3, 5, 9)).astype(np.float32)
    (found,) = _run(freed, x=picture)
    np.testing.assert_allclose(
        found, np.einsum("oi,bihw->bohw", weight[:, :, 0, 0], picture), atol=1e-4
    )


def test_what_a_file_says_of_itself() -> None:
    """Names, shapes and metadata are read without a runtime."""
    data = onnxfile.model(
        [onnxfile.node("Relu", ["x"], ["y"], alpha=1.5, names="n", ints=[1, 2], floats=[0.5])],
        {},
        [onnxfile.value_info("x", (1, "any"), "float16")],
        [onnxfile.value_info("y", (1, "any"), "float16")],
    )
    data += onnxfile.text(14, onnxfile.text(1, "names") + onnxfile.text(2, "{0: 'cat'}"))
    told = onnxfile.declared(data)
    assert told.inputs == (onnxfile.Value("x", (1, "any"), is_half=True),)
    assert told.metadata == {"names": "{0: 'cat'}"}
