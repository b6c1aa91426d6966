"""A Darkroom that runs in a process of its own, and what can be told of it from outside."""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.asking import connect, request
from bench.process import BLIND

START_S, STOP_S = 60, 60
_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_BUCKET = re.compile(r'loop_lag_seconds_bucket\{le="([^"]+)"\} (\d+)')
Lag = Mapping[float, int]  # how often the loop was late, by so many milliseconds at most


@dataclass(frozen=True, slots=True)
class Served:
    """A server's port and process."""

    port: int
    process: psutil.Process

    @property
    def cpu_s(self) -> float:
        """CPU seconds it has used."""
        return sum(self.process.cpu_times()[:2])

    @property
    def memory(self) -> int:
        """Bytes of memory it holds, without its workers."""
        return int(self.process.memory_info().rss)

    async def lag(self, key: str) -> Lag:
        """How late its event loop has been since its start."""
        line = await connect(self.port)
        told = (await line.ask(request("GET", "/metrics", key=key))).body.decode()
        line.close()
        return {1000 * float(bound): int(times) for bound, times in _BUCKET.findall(told)}


def lag_ms(before: Lag, after: Lag, percent: int) -> float:
    """What so many percent of the looks between two readings are not above; a bound of a bucket."""
    counts = {bound: times - before.get(bound, 0) for bound, times in after.items()}
    wanted = percent / 100 * counts[math.inf]
    return min(bound for bound, below in counts.items() if below >= wanted)


@asynccontextmanager
async def darkroom(home: Path) -> AsyncIterator[Served]:
    """`darkroom serve` over that home, at any free port, without models."""
    command = (sys.executable, "-m", "bot", "--home", str(home), "serve")
    environment = {**os.environ, **BLIND, "DARKROOM_WEB__PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            while (found := _ADDRESS.search(await process.stdout.readline())) is None:
                assert process.returncode is None, "it did not start"
        yield Served(int(found[1]), psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            await process.wait()
