"""One child process: how it is started, spoken to and killed.

Pipes only, no sockets; the process gets no descriptor and no environment of the core beyond what
it needs to start. A child that speaks unasked, too long or not at all has broken the protocol, and
whoever waits for it is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import Busy
from pipeline.work.workers.contract import LINE_LIMIT
from pipeline.work.workers.limits import Limits

START_TIMEOUT_S = 60.0
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]
_SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class ChildGone(Exception):
    """The child ended or broke the protocol; the text says how."""

    was_killed = False  # by somebody else's SIGKILL


@dataclass(frozen=True, slots=True)
class Launch:
    """What a child is started with."""

    work: Path
    log: Path
    limits: Limits
    stages: str
    is_warm: bool
    models: Path | None = None
    accelerates: bool = False
    keep: Path | None = None

    def command(self) -> list[str]:
        """The command line; `-P` keeps the current directory off the import path."""
        command = [sys.executable, "-P", "-m", "pipeline.work.workers.child"]
        command += ["--work", str(self.work), "--log", str(self.log), "--parent", str(os.getpid())]
        command += ["--memory", str(self.limits.memory)]
        command += ["--file-size", str(self.limits.file_size), "--stages", self.stages]
        if self.models is not None:
            command += ["--models", str(self.models)]
        if self.accelerates:
            command.append("--accelerate")
        if self.keep is not None:
            command += ["--keep", str(self.keep)]
        return [*command, "--warm"] if self.is_warm else command

    def environment(self) -> dict[str, str]:
        """All of it: where the package lies, where to write, one thread per library."""
        places = {"PYTHONPATH": str(_PACKAGE_ROOT), "TMPDIR": str(self.work), "PYTHONUTF8": "1"}
        return places | dict.fromkeys(_SINGLE_THREADED, "1")


async def start_child(launch: Launch, starter: Executor) -> Child:
    """Start a process and wait until it has confined itself. Raises `Busy` when it cannot.

    `starter` is one thread that outlives the child: the kernel kills the child when it ends.
    """
    launching = asyncio.create_task(_launch(launch, starter), name="launch a worker")
    try:
        child = await asyncio.shield(launching)
    except asyncio.CancelledError:
        await (await launching).kill()  # whoever gave up waiting must not leave it running
        raise
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            child.protections = _protections(await child.next_line())
    except (TimeoutError, ValueError, ChildGone) as error:
        await child.kill()
        raise Busy(f"A worker process could not be started; see {launch.log}.") from error
    except BaseException:
        await child.kill()
        raise
    return child


def _spawn(launch: Launch) -> tuple[subprocess.Popen[bytes], int, int]:
    theirs_in, errands = os.pipe()
    replies, theirs_out = os.pipe()
    try:
        process = subprocess.Popen(
            launch.command(),
            stdin=theirs_in,
            stdout=theirs_out,
            stderr=subprocess.DEVNULL,
            env=launch.environment(),
            cwd=launch.work,
            start_new_session=True,
        )
    except BaseException:
        os.close(errands)
        os.close(replies)
        raise
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return process, errands, replies


async def _launch(launch: Launch, starter: Executor) -> Child:
    loop = asyncio.get_running_loop()
    process, errands, replies = await loop.run_in_executor(starter, _spawn, launch)
    listener = _Listener(loop)
    reading, _ = await loop.connect_read_pipe(lambda: listener, os.fdopen(replies, "rb", 0))
    writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(errands, "wb", 0))
    return Child(process, listener, reading, writing, starter)


def _protections(line: bytes) -> dict[str, bool]:
    match json.loads(line):
        case {"ready": dict(ready)}:
            return {str(name): value is True for name, value in ready.items()}
    raise ValueError("the first line is not a greeting")


class _Listener(asyncio.Protocol):
    """Collects one line at a time, only while somebody waits for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.fault: str | None = None
        self.has_ended = False
        self._loop = loop
        self._buffer = bytearray()
        self._waiting: asyncio.Future[bytes] | None = loop.create_future()

    def expect(self) -> None:
        """From now on one line may come."""
        self._waiting = self._loop.create_future()

    async def line(self) -> bytes:
        """The expected line. Raises `ChildGone`."""
        assert self._waiting is not None
        if self.fault is not None:
            raise ChildGone(self.fault)
        return await self._waiting

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._waiting is None or self._waiting.done():
            return self._fail("it spoke without being asked")
        self._buffer += data
        if len(self._buffer) > LINE_LIMIT:
            return self._fail("its answer was too long")
        if b"\n" in data:
            line, rest = bytes(self._buffer), self._buffer.index(b"\n") + 1 < len(self._buffer)
            self._buffer.clear()
            if rest:
                return self._fail("it said more than it was asked")
            self._waiting.set_result(line)
        return None

    def connection_lost(self, _: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self.has_ended = self.fault is None  # a pipe that is closed after a fault says nothing new
        self._fail("it ended before it answered")

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or fault
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ChildGone(self.fault))
            self._waiting.exception()  # retrieved: nobody may be waiting any more


class Child:
    """One live process and its two pipes."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        listener: _Listener,
        reading: asyncio.BaseTransport,
        writing: asyncio.WriteTransport,
        starter: Executor,
    ) -> None:
        self.visits = 0
        self.protections: dict[str, bool] = {}
        self._process = process
        self._listener = listener
        self._reading = reading
        self._writing = writing
        self._starter = starter

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False once it ended or broke the protocol."""
        return self._listener.fault is None

    async def ask(self, line: bytes) -> bytes:
        """Send one line and wait for the one that answers it. Raises `ChildGone`."""
        self.visits += 1
        self._listener.expect()
        self._writing.write(line)
        try:
            return await self._listener.line()
        except ChildGone as gone:
            gone.was_killed = self._listener.has_ended and await self._wait() == -signal.SIGKILL
            raise

    async def next_line(self) -> bytes:
        """The line that is expected already. Raises `ChildGone`."""
        return await self._listener.line()

    async def kill(self) -> None:
        """SIGKILL to its whole process group, then wait until it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._reading.close()
        if not self._writing.is_closing():
            self._writing.abort()
        await asyncio.shield(self._wait())

    async def _wait(self) -> int:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._starter, self._process.wait)
