"""EfficientNet's weights become a network without PyTorch, and nothing in their file is run."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from pipeline.errors import Invalid
from pipeline.vision.convert import efficientnet, efficientnet_weights

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_HALVING = (1, 3, 5, 11)


class FloatStorage:
    """Stands for PyTorch's class of this name."""


def _rebuild_tensor_v2() -> None:
    """Stands for PyTorch's function of this name."""


@pytest.fixture
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules by the names that PyTorch's pickles mention, so that such pickles can be written."""
    for name, member in (("torch", FloatStorage), ("torch._utils", _rebuild_tensor_v2)):
        module = ModuleType(name)
        setattr(module, member.__name__, member)
        monkeypatch.setattr(member, "__module__", name)
        monkeypatch.setitem(sys.modules, name, module)


class _Tensor:
    def __init__(self, key: str, values: NDArray[np.float32]) -> None:
        self.key, self.values = key, values

    def __reduce__(self) -> Any:
        steps = tuple(step // 4 for step in self.values.strides)
        storage = SimpleNamespace(key=self.key, size=self.values.size)
        return _rebuild_tensor_v2, (storage, 0, self.values.shape, steps, False, OrderedDict())


class _Writer(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, SimpleNamespace):
            return ("storage", FloatStorage, obj.key, "cpu", obj.size, None)
        return None


def _saved(tensors: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The file in which PyTorch 1.x kept these tensors; their memory order is kept."""
    out = io.BytesIO()
    for part in (_MAGIC, _PROTOCOL, {"little_endian": True}):
        pickle.dump(part, out, 2)
    keys = {name: str(number) for number, name in enumerate(tensors)}
    table = OrderedDict((name, _Tensor(keys[name], tensors[name])) for name in tensors)
    _Writer(out, 2).dump(table)
    pickle.dump(list(keys.values()), out, 2)
    for values in tensors.values():
        out.write(struct.pack("<q", values.size) + values.ravel(order="K").tobytes())
    return out.getvalue()


@pytest.mark.usefixtures("_torch")
def test_tensors_come_back_whatever_their_memory_order() -> None:
    """A tensor stored with its axes in another order is read as what it is."""
    plain = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    tensors = {"plain": plain, "turned": plain.transpose(2, 0, 1)}
    read = efficientnet_weights.read(io.BytesIO(_saved(tensors)))
    assert read.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(read[name], values)


@pytest.mark.usefixtures("_torch")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_file_is_refused(share: float) -> None:
    """A file that ends early is refused with a sentence, at whatever place it ends."""
    whole = _saved({"a": np.ones((3, 3), np.float32), "b": np.ones(7, np.float32)})
    with pytest.raises(Invalid):
        efficientnet_weights.read(io.BytesIO(whole[: int(len(whole) * share)]))


def test_nothing_in_the_file_is_run(tmp_path: Path) -> None:
    """A pickle that would start a program when read is refused before it does."""

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path}/ran",)

    data = b"".join(pickle.dumps(part, 2) for part in (_MAGIC, _PROTOCOL, {}, Evil()))
    with pytest.raises(Invalid, match="never need"):
        efficientnet_weights.read(io.BytesIO(data))
    assert not (tmp_path / "ran").exists()


def _norm(name: str, channels: int, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{p}": rng.uniform(0.5, 1.5, channels).astype(np.float32) for p in parts}


def _narrow(rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Weights of the network's shape with four channels everywhere."""
    made: dict[str, NDArray[np.float32]] = {}

    def convolution(name: str, norm: str, inputs: int, side: int) -> None:
        made[f"{name}.weight"] = rng.normal(0, 0.5, (4, inputs, side, side)).astype(np.float32)
        made.update(_norm(norm, 4, rng))

    convolution("_conv_stem", "_bn0", 3, 3)
    for number in range(16):
        block = f"_blocks.{number}"
        if number:
            convolution(f"{block}._expand_conv", f"{block}._bn0", 4, 1)
        convolution(f"{block}._depthwise_conv", f"{block}._bn1", 1, 5 if number % 2 else 3)
        convolution(f"{block}._project_conv", f"{block}._bn2", 4, 1)
    convolution("_conv_head", "_bn1", 4, 1)
    made["_fc.weight"] = rng.normal(0, 0.5, (10, 4)).astype(np.float32)
    made["_fc.bias"] = rng.normal(0, 0.5, 10).astype(np.float32)
    return made


def _reference(x: NDArray[Any], weights: Mapping[str, NDArray[np.float32]]) -> NDArray[Any]:
    """The logits, computed step by step as the paper says: convolution, then batch norm."""

    def layer(x: NDArray[Any], name: str, norm: str, stride: int = 1, top: float = 6) -> Any:
        kernel = weights[f"{name}.weight"]
        outs, per_group, side, _ = kernel.shape
        size = -(-x.shape[1] // stride)
        pad = max(0, (size - 1) * stride + side - x.shape[1])
        x = np.pad(x, ((0, 0), *[(pad // 2, pad - pad // 2)] * 2))
        windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), (1, 2))
        windows = windows[:, ::stride, ::stride]
        how = "chwij,cij->chw" if per_group == 1 and outs == x.shape[0] else "chwij,ocij->ohw"
        x = np.einsum(how, windows, kernel[:, 0] if how[6] == "c" else kernel)
        gain, shift, mean, variance = (
            weights[f"{norm}.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        x = (x - mean) / np.sqrt(variance + 1e-3) * gain + shift
        return np.clip(x, 0, 6) if top == 6 else x

    x = layer(x, "_conv_stem", "_bn0", 2)
    for number in range(16):
        block, entry = f"_blocks.{number}", x
        if number:
            x = layer(x, f"{block}._expand_conv", f"{block}._bn0")
        stride = 2 if number in _HALVING else 1
        x = layer(x, f"{block}._depthwise_conv", f"{block}._bn1", stride)
        x = layer(x, f"{block}._project_conv", f"{block}._bn2", top=0)
        x = x + entry if stride == 1 else x
    x = layer(x, "_conv_head", "_bn1").mean(axis=(1, 2))
    return x @ weights["_fc.weight"].T + weights["_fc.bias"]


def test_the_network_computes_what_the_weights_mean() -> None:
    """Folding, padding, strides and ways around give the numbers of the unfolded network."""
    rng = np.random.default_rng(3)
    weights = _narrow(rng)
    session = onnxruntime.InferenceSession(
        efficientnet.network(weights), providers=["CPUExecutionProvider"]
    )
    image = rng.normal(0, 1, (3, 224, 224)).astype(np.float32)
    (logits,) = session.run(["logits"], {"image": image[None]})
    np.testing.assert_allclose(logits[0], _reference(image, weights), rtol=1e-3, atol=1e-3)


def test_the_same_weights_give_the_same_bytes() -> None:
    """The manifest can pin the hash of the converted file."""
    weights = _narrow(np.random.default_rng(4))
    assert efficientnet.network(weights) == efficientnet.network(weights)
