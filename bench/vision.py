"""What seeing costs: one photo with two faces, through a real worker with all default models.

CPU seconds of the vision stages (the visit with them minus the visit without, medians of
alternating runs in a warm worker) and the peak memory of that worker. Exits 1 above the bars.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from bench.corpus import location
from config.settings import Settings
from pipeline.engine import due_stages
from pipeline.work.workers import local
from pipeline.work.workers.contract import StageCall, VisitReply, VisitRequest
from pipeline.work.workers.local import LocalSettings
from tests.kit import models

CPU_BAR_S, MEMORY_BAR = 0.45, 900 << 20
ROUNDS = 7
PHOTO = "faces/two_people.jpg"
SEEING = frozenset(("faces", "objects", "features", "scene", "quality", "kind"))


async def measure() -> tuple[float, float, int]:
    """CPU seconds with and without seeing, and the worker's peak memory in bytes."""
    photo = location() / PHOTO
    names = [stage.name for stage in due_stages(Settings(), {"embed": True})]
    settings = LocalSettings(slots=1, models=models.location())
    with tempfile.TemporaryDirectory() as folder:
        async with local.open_workers(settings, Path(folder) / "work") as workers:

            async def visit(number: int, wanted: list[str]) -> VisitReply:
                reply = await workers.visit(request(photo, number, wanted))
                await workers.release(reply)
                return reply

            plain = [name for name in names if name not in SEEING]
            await visit(0, names)  # loads the models
            seeing, blind, peak = [], [], 0
            for number in range(1, ROUNDS + 1):
                reply = await visit(2 * number, names)
                seeing.append(reply.cpu_s)
                peak = max(peak, reply.peak_rss)
                blind.append((await visit(2 * number + 1, plain)).cpu_s)
    return statistics.median(seeing), statistics.median(blind), peak


def request(photo: Path, number: int, names: list[str]) -> VisitRequest:
    """A visit of the photo to these stages."""
    seen = photo.stat()
    calls = tuple(StageCall(name) for name in names)
    identity = (seen.st_size, seen.st_mtime_ns, seen.st_ino)
    return VisitRequest(f"visit-{number}", photo, photo.name, *identity, calls)


def main() -> int:
    """Measure and print; the exit status."""
    seeing, blind, peak = asyncio.run(measure())
    cost = seeing - blind
    print(f"one photo with two faces: {cost:.3f} s of CPU for seeing (bar {CPU_BAR_S})")
    print(f"  the whole visit {seeing:.3f} s, without seeing {blind:.3f} s")
    print(f"the worker's peak memory: {peak / 2**20:.0f} MiB (bar {MEMORY_BAR >> 20})")
    return 0 if cost <= CPU_BAR_S and peak <= MEMORY_BAR else 1


if __name__ == "__main__":
    sys.exit(main())
