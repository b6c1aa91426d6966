"""A core in a process of its own, for tests that end it: `python -m tests.work.core_under_test`.

Arguments: what to do, and the folder of an earlier rig. `drain` works until the queue is empty and
kills itself when it meets a poison file; `serve` works until told to stop; `stubborn` never closes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from pipeline.state import queue
from pipeline.work.alongside import alongside
from pipeline.work.stop import run_until_signal
from pipeline.work.workers.contract import VisitReply, VisitRequest, Workers
from tests.work.rig import Rig, open_rig


class Deadly:
    """Workers that end the whole core when a poison file comes."""

    def __init__(self, real: Workers) -> None:
        self._real = real
        self.slots = real.slots
        self.release = real.release

    async def visit(self, request: VisitRequest) -> VisitReply:
        """Die, or visit."""
        if request.name.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        return await self._real.visit(request)


async def drain(folder: Path) -> int:
    """Until nothing is open."""
    async with open_rig(folder) as rig:
        rig.workers = Deadly(rig.workers)
        async with alongside(rig.flow().run(), "flow"):
            while await rig.db.read(queue.open_count):
                await asyncio.sleep(0.05)
    return 0


async def serve(folder: Path) -> int:
    """Until told to stop; says when its slots are busy."""
    async with open_rig(folder, slots=4) as rig, alongside(rig.flow().run(), "flow"):
        await _until_busy(rig)
        print("busy", flush=True)
        await asyncio.sleep(3600)
    return 0


async def stubborn(folder: Path) -> int:
    """Does not close when asked."""
    async with open_rig(folder, slots=4) as rig:
        try:
            async with alongside(rig.flow().run(), "flow"):
                await _until_busy(rig)
                print("busy", flush=True)
                await asyncio.sleep(3600)
        finally:
            print("closing", flush=True)
            await asyncio.sleep(3600)
    return 0


async def _until_busy(rig: Rig) -> None:
    while len(list((rig.home.path.parent / "work").glob("slot-*/*"))) < 4:
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    sys.exit(run_until_signal(globals()[sys.argv[1]](Path(sys.argv[2]))))
