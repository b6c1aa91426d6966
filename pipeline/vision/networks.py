"""From a model file to something that runs: checked against its hash, loaded once per process.

One thread each, and no memory kept between runs that the next run does not need: a worker holds
several networks. Accelerators are used where onnxruntime offers them and `accelerate` was called;
what does not start on one runs on the processor.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from pipeline.vision.convert import onnxfile
from pipeline.vision.convert.onnxfile import Value
from pipeline.vision.models import Absent, Model, manifest

Array: TypeAlias = NDArray[Any]
_ACCELERATORS = ("CUDAExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider")
_PROCESSOR = "CPUExecutionProvider"
_ERRORS_ONLY = 3

_Stamp: TypeAlias = tuple[Path, int, int]  # file, size, time of its last change
_ready: dict[str, tuple[_Stamp, Network]] = {}
_refused: dict[_Stamp, str] = {}
_accelerates = False


class Network:
    """One loaded network: which model it is, where it runs, what it takes and says of itself."""

    model: Model
    providers: tuple[str, ...]
    inputs: tuple[Value, ...]
    metadata: Mapping[str, str]

    def run(self, *inputs: Array) -> list[Array]:
        """All outputs for these inputs, both in the order of the file."""
        raise NotImplementedError


class RuntimeNetwork(Network):
    """A network in onnxruntime."""

    def __init__(self, model: Model, content: bytes) -> None:
        self.model = model
        self.session = _session(content)
        self.providers = tuple(self.session.get_providers())
        self.metadata = dict(self.session.get_modelmeta().custom_metadata_map)
        self.inputs = tuple(
            Value(one.name, tuple(one.shape), one.type == "tensor(float16)")
            for one in self.session.get_inputs()
        )

    def run(self, *inputs: Array) -> list[Array]:
        """See `Network.run`."""
        names = (one.name for one in self.inputs)
        return list(self.session.run(None, dict(zip(names, inputs, strict=True))))


class OpenCvNetwork(Network):
    """The same in OpenCV's `dnn`, for machines without onnxruntime; slower, and all in floats."""

    providers = ("OpenCV",)

    def __init__(self, model: Model, content: bytes) -> None:
        import cv2
        import numpy as np

        told = onnxfile.declared(content)
        self.model, self.inputs, self.metadata = model, told.inputs, told.metadata
        self._outputs = told.outputs
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))

    def run(self, *inputs: Array) -> list[Array]:
        """See `Network.run`."""
        for value, array in zip(self.inputs, inputs, strict=True):
            self._net.setInput(array.astype("float32"), value.name)
        return list(self._net.forward(self._outputs))


def accelerate() -> None:
    """Let networks that are loaded from now on use what onnxruntime offers besides processors."""
    global _accelerates  # noqa: PLW0603 - said once per process, by its command line
    _accelerates = True


def network(folder: Path | None, purpose: str) -> Network:
    """The network for `purpose` out of the folder of model files, ready to run.

    Raises `Absent` when its file is missing, was cut or swapped, or cannot be loaded.
    """
    model = manifest(folder).get(purpose)
    if folder is None or model is None:
        raise Absent(f"There is no model for {purpose}. Get it with: darkroom models fetch")
    stamp = _stamp(folder, model)
    held = _ready.get(purpose)
    if held is not None and held[0] == stamp and held[1].model == model:
        return held[1]
    loaded = _loaded(folder, model)
    _ready[purpose] = stamp, loaded
    return loaded


def data(folder: Path | None, purpose: str) -> bytes:
    """The bytes of a model file that is no network, checked. Raises `Absent`."""
    model = manifest(folder).get(purpose)
    if folder is None or model is None:
        raise Absent(f"There is no model for {purpose}. Get it with: darkroom models fetch")
    return checked(folder, model)


def checked(folder: Path, model: Model) -> bytes:
    """The bytes of a model file, which are exactly those the manifest names. Raises `Absent`."""
    stamp = _stamp(folder, model)
    if stamp in _refused:
        raise Absent(_refused[stamp])
    content = stamp[0].read_bytes()
    if hashlib.sha256(content).hexdigest() != model.sha256:
        _refused[stamp] = (
            f"The model file {model.file} is not the one it should be: it was cut or changed, and"
            " is not used. Get it anew with: darkroom models fetch"
        )
        raise Absent(_refused[stamp])
    return content


def forget() -> None:
    """Drop every loaded network, for instance before measuring memory."""
    _ready.clear()
    _refused.clear()


def _stamp(folder: Path, model: Model) -> _Stamp:
    path = folder / model.file
    try:
        status = path.stat()
    except OSError as error:
        raise Absent(
            f"The model file {model.file} is missing. Get it with: darkroom models fetch"
        ) from error
    return path, status.st_size, status.st_mtime_ns


def _loaded(folder: Path, model: Model) -> Network:
    content = checked(folder, model)
    try:
        return (RuntimeNetwork if _has_runtime() else OpenCvNetwork)(model, content)
    except _failures() as error:
        raise Absent(f"The model file {model.file} cannot be loaded: {error}") from error


def _failures() -> tuple[type[Exception], ...]:
    """What loading raises; the two libraries' errors have no base of their own."""
    import cv2

    if not _has_runtime():
        return RuntimeError, ValueError, cv2.error
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    theirs = (one for one in vars(state).values() if isinstance(one, type))
    failures = (one for one in theirs if issubclass(one, Exception))
    return RuntimeError, ValueError, *failures


def _has_runtime() -> bool:
    return importlib.util.find_spec("onnxruntime") is not None


def _session(content: bytes) -> Any:  # onnxruntime is untyped
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    offered = onnxruntime.get_available_providers() if _accelerates else ()
    wanted = [name for name in _ACCELERATORS if name in offered]
    if wanted:
        try:
            return onnxruntime.InferenceSession(content, options, [*wanted, _PROCESSOR])
        except _failures():
            pass  # a driver that is not there, or memory the worker may not have
    return onnxruntime.InferenceSession(content, options, [_PROCESSOR])
