"""Playlists and scripts under media names open nothing and call nobody."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.model import Done, Reject
from tests.kit.disguises import disguises
from tests.kit.visits import visit

CANARY = "a-canary.jpg"
READER = """
import sys
from pathlib import Path
from tests.kit.visits import visit
for name in sys.argv[2:]:
    work = Path(sys.argv[1]) / ("work-" + Path(name).name)
    work.mkdir()
    visit(Path(name), work)
    print("visited", name, flush=True)
"""
CARELESS = """
import av, sys
for name in sys.argv[2:]:
    try:
        next(av.open(name, format="concat", options={"safe": "0"}).decode(video=0))
    except Exception as error:
        print(error)
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who would be called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def files(tmp_path: Path, listener: socket.socket) -> list[Path]:
    """The disguises, and the canary they name."""
    canary = tmp_path / "elsewhere" / CANARY
    canary.parent.mkdir()
    canary.write_bytes(b"a secret")
    found = []
    for name, data in disguises(canary, listener.getsockname()[1]).items():
        path = tmp_path / name
        path.write_bytes(data)
        found.append(path)
    return found


def test_none_is_taken_for_media(tmp_path: Path, files: list[Path]) -> None:
    """Each is refused by what it says, or kept as the drawing or film that it is."""
    for path in files:
        workdir = tmp_path / f"work-{path.name}"
        workdir.mkdir()
        outcomes = visit(path, workdir)
        assert not list(workdir.glob("preview*")), path.name
        if path.suffix not in (".svg", ".mov") and path.name != "linked.png":
            assert isinstance(outcomes["hash"], Reject), path.name


def test_no_canary_is_opened_and_nobody_is_called(
    tmp_path: Path, files: list[Path], listener: socket.socket
) -> None:
    """Traced from outside: 0 opens of the canary, 0 connections (T51)."""
    trace = _trace(READER, tmp_path, files)
    assert "hls.mp4" in trace  # the trace saw the reading itself
    assert CANARY not in trace
    assert f"sin_port=htons({listener.getsockname()[1]})" not in trace
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_the_trace_catches_a_careless_reader(tmp_path: Path, files: list[Path]) -> None:
    """The harness of T51 can fail: a guessed playlist does open the canary."""
    careless = [path for path in files if path.name == "concat.jpg"]
    assert CANARY in _trace(CARELESS, tmp_path, careless)


def test_a_reference_movie_shows_no_other_file(tmp_path: Path, files: list[Path]) -> None:
    """A film whose pictures are said to lie elsewhere is read as it is, or not at all."""
    (movie,) = [path for path in files if path.name == "reference.mov"]
    workdir = tmp_path / "work"
    workdir.mkdir()
    outcomes = visit(movie, workdir)
    assert isinstance(outcomes["hash"], Done)


def _trace(program: str, folder: Path, files: list[Path]) -> str:
    """What a program opens and whom it connects to while it reads `files`."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: what is opened cannot be seen")
    log = folder / "trace"
    command = [strace, "-f", "-qq", "-e", "trace=open,openat,openat2,connect", "-o", str(log)]
    command += [sys.executable, "-c", program, str(folder), *map(str, files)]
    done = subprocess.run(
        command,
        cwd=Path.cwd(),
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        check=False,
    )
    if done.returncode and "ptrace" in done.stderr.decode():
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr.decode()
    return log.read_text(errors="replace")
