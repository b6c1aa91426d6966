"""100,000 files appear in the inbox at once, while somebody looks at the dashboard (T47).

A folder is moved into the inbox of a Darkroom that serves. Until every file is known, and for a
minute of work behind that, pages and answers are asked for as a family does. Bars: the core holds
at most 400 MB, of 100 answers 95 come within 500 ms, none is a server's error. `--files` makes it
smaller.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from bench.asking import connect, request
from bench.household import accounts
from bench.load import Operation, Told, share, show
from bench.process import small_jpegs
from bench.served import Served, darkroom, lag_ms

FILES, AT_WORK_S, MOMENT_S, WAIT_S = 100_000, 60.0, 0.2, 900.0
MEMORY, P95_MS = 400e6, 500.0
PAGES = ("/", "/now", "/timeline", "/system", "/people", "/trash")
ANSWERS = (
    "/api/v2/status", "/api/v2/months", "/api/v2/files?limit=50", "/api/v2/jobs",
    "/api/v2/stats/series?seconds=3600", "/api/v2/events?limit=50", "/api/v2/system",
)  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What was seen from outside."""

    told: Told = field(default_factory=Told)
    memory: int = 0
    known_s: float = 0.0
    files: int = 0  # known
    done: int = 0  # studied


def prepare(folder: Path, files: int) -> None:
    """Files that differ: one picture, each with other bytes behind its end."""
    small_jpegs(1, 0, folder / "one")
    picture = next((folder / "one").iterdir()).read_bytes()
    crowd = folder / "crowd"
    for number in range(files):
        below = crowd / f"{number // 1_000:03d}"
        if number % 1_000 == 0:
            below.mkdir(parents=True)
        (below / f"IMG_{number:06d}.jpg").write_bytes(picture + number.to_bytes(8, "big"))


def operations(key: str) -> Iterator[Operation]:
    """Pages and answers in turn."""
    wanted = [path for pair in zip(cycle(PAGES), ANSWERS, strict=False) for path in pair]
    return cycle(
        [Operation(path.split("?")[0], request("GET", path, key=key), 200) for path in wanted]
    )


async def look(served: Served, key: str, seen: Seen) -> None:
    """Somebody at the dashboard, until cancelled."""
    line = await connect(served.port)
    for one in operations(key):
        began = time.perf_counter()
        seen.told.note(one, await line.ask(one.asked), began)
        await asyncio.sleep(MOMENT_S)


async def watch(served: Served, key: str, files: int, seen: Seen) -> None:
    """Until all files are known, and a while longer."""
    line = await connect(served.port)
    began, end = time.monotonic(), time.monotonic() + WAIT_S
    while time.monotonic() < end:
        await asyncio.sleep(1)
        seen.memory = max(seen.memory, served.memory)
        told = (await line.ask(request("GET", "/metrics", key=key))).body.decode()
        seen.done = int(_figure(told, "files_total"))
        seen.files = seen.done + int(_figure(told, "queue_length"))
        if seen.files >= files and not seen.known_s:
            seen.known_s = time.monotonic() - began
            end = min(end, time.monotonic() + AT_WORK_S)
    line.close()


def _figure(told: str, name: str) -> float:
    found = re.search(rf"^darkroom_{name} ([\d.e+]+)$", told, re.MULTILINE)
    assert found, f"{name} is not told"
    return float(found[1])


async def measure(folder: Path, files: int) -> bool:
    """All of it."""
    await asyncio.to_thread(prepare, folder, files)
    key, _ = await accounts(folder / "home", 0)
    seen = Seen()
    async with darkroom(folder / "home") as served:
        looking = asyncio.create_task(look(served, key, seen))
        await asyncio.sleep(5)
        late, quiet = await served.lag(key), served.memory
        (folder / "crowd").rename(folder / "home" / "inbox" / "crowd")
        await watch(served, key, files, seen)
        now = await served.lag(key)
        looking.cancel()
        await asyncio.wait([looking])
    show(seen.told)
    p95, wrong = share(seen.told.all_ms, 95), dict(seen.told.wrong)
    print(
        f"{seen.files} of {files} known after {seen.known_s:.0f} s, {seen.done} studied", end="; "
    )
    print(f"loop late: p99 {lag_ms(late, now, 99):g} ms; not as expected: {wrong or 'none'}")
    print(f"memory {quiet / 1e6:.0f} MB, then {seen.memory / 1e6:.0f} (bar {MEMORY / 1e6:.0f})")
    print(f"p95 {p95:.0f} ms (bar {P95_MS:.0f})")
    return seen.files >= files and seen.memory <= MEMORY and p95 <= P95_MS and not wrong


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        return 0 if asyncio.run(measure(Path(folder), asked.files)) else 1


if __name__ == "__main__":
    sys.exit(main())
