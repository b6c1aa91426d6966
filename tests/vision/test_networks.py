"""Networks run only from exactly the files of the manifest, once loaded, on one thread."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.vision import networks
from pipeline.vision.models import Absent, manifest
from pipeline.vision.networks import network

FILE = manifest()["faces"].file


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    """A folder with one real model in it."""
    shutil.copyfile(models / FILE, tmp_path / FILE)
    return tmp_path


def test_a_network_runs(folder: Path) -> None:
    """The real file is loaded and gives what the manifest says; the second asker gets the same."""
    found = network(folder, "faces")
    outputs = found.run(np.zeros((1, 3, 64, 96), np.float32))
    assert [output.shape for output in outputs] == [
        (1, channels, 16, 24) for channels in (1, 2, 2, 10)
    ]
    assert network(folder, "faces") is found
    assert found.providers == ("CPUExecutionProvider",)


def test_one_thread(folder: Path) -> None:
    """A worker is one of several: its networks use one thread each."""
    from onnxruntime import SessionOptions

    options: SessionOptions = network(folder, "faces").session.get_session_options()  # type: ignore[attr-defined] # of an ONNX network
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert not options.enable_cpu_mem_arena


@pytest.mark.parametrize("where", [None, Path("/nowhere")])
def test_an_absent_model_says_what_to_do(where: Path | None) -> None:
    """Absent is a sentence with the command that mends it."""
    with pytest.raises(Absent, match="darkroom models fetch"):
        network(where, "faces")


def test_a_cut_file_is_refused(folder: Path) -> None:
    """A model file that lost its end is never loaded."""
    path = folder / FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Absent, match="cut or changed"):
        network(folder, "faces")


def test_a_swapped_file_is_refused(folder: Path, models: Path) -> None:
    """Another network under the name of ours is refused by its hash, also after ours was used."""
    network(folder, "faces")
    shutil.copyfile(models / manifest()["text-lines"].file, folder / FILE)
    for _ in range(2):
        with pytest.raises(Absent, match="cut or changed"):
            network(folder, "faces")


def test_a_flipped_bit_is_refused(folder: Path) -> None:
    """One bit is enough, where the size stays the same."""
    content = bytearray((folder / FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / FILE).write_bytes(content)
    with pytest.raises(Absent):
        network(folder, "faces")


def test_a_mended_file_is_taken(folder: Path, models: Path) -> None:
    """After a new fetch the model works again in the same process."""
    (folder / FILE).write_bytes(b"")
    with pytest.raises(Absent):
        network(folder, "faces")
    shutil.copyfile(models / FILE, folder / FILE)
    assert network(folder, "faces").model.purpose == "faces"


def test_accelerators_that_fail_fall_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An accelerator that is offered but does not start leaves the work to the processor."""
    import onnxruntime

    real, tried = onnxruntime.InferenceSession, []

    def session(content: bytes, options: object, providers: list[str]) -> object:
        tried.append(providers)
        if len(providers) > 1:
            raise RuntimeError("no driver")
        return real(content, options, providers)

    monkeypatch.setattr(networks, "_accelerates", True)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "Other"]
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    networks.forget()
    assert network(folder, "faces").providers == ("CPUExecutionProvider",)
    assert tried == [
        ["CUDAExecutionProvider", "CPUExecutionProvider"],
        ["CPUExecutionProvider"],
    ]
