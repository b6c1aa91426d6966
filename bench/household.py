"""Ten people use a Darkroom for ten minutes, or as long as it takes in 5,000 photos (T46).

Each begins by having photos of their own taken in, then looks around, edits, tags and comments,
with a moment between two things as people have it. Bars: of 100 answers 95 come within 300 ms, none
is a server's error, of 100 looks at the event loop 99 find it less than 50 ms late, and everybody's
first job starts within a minute. `--minutes`, `--files` and `--people` make it smaller.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import family
from bench.asking import Line, connect, request
from bench.family import Member
from bench.load import ANY, Operation, Told, changes, looks, share, show
from bench.process import small_jpegs
from bench.served import Lag, Served, darkroom, lag_ms
from config.settings import Settings
from pipeline.clock import SystemClock
from pipeline.core import Mode, open_core
from pipeline.model import Surface

MINUTES, FILES, PEOPLE, OWN_FILES = 10.0, 5_000, 10, 20
P95_MS, LAG_MS, START_S = 300.0, 50.0, 60.0
MOMENT_S = (0.2, 1.0)  # between two things that somebody does
LOOK_S = 0.25
SCALE = 160  # 2.5 megapixels


@dataclass(slots=True)
class Measured:
    """What came of it."""

    told: Told = field(default_factory=Told)
    started_s: list[float] = field(default_factory=list)
    most_memory: int = 0


async def accounts(home: Path, people: int) -> tuple[str, list[str]]:
    """The key of who runs the household, and one of everybody else."""
    async with open_core(home, Settings(), SystemClock(), Mode.CHANGE) as core:
        runner = await family.key_of(core.household(Surface.CLI), core)
        return runner, [(await family.somebody(core, f"person{n}"))[1] for n in range(people)]


async def take_in(line: Line, key: str, folder: Path) -> str:
    """Have a folder taken in; the job."""
    told = {"job": {"type": "process", "paths": [str(folder)]}}
    answer = await line.ask(request("POST", "/api/v2/jobs", key=key, body=told))
    assert answer.status == 202, answer
    return str(answer.json()["id"])


async def open_tasks(line: Line, key: str, job: str) -> tuple[int, int, bool]:
    """How many files of a job there are and how many are studied, and whether it is over."""
    told = (await line.ask(request("GET", f"/api/v2/jobs/{job}/progress", key=key))).json()
    return told["total"], told["studied"], told["is_over"]


async def first_job(served: Served, key: str, folder: Path, measured: Measured) -> Member:
    """Have the first photos taken in, and wait for them; who this is then."""
    line = await connect(served.port)
    began = time.monotonic()
    job, studied, is_over = await take_in(line, key, folder), 0, False
    while not is_over:
        await asyncio.sleep(LOOK_S)
        before = studied
        _, studied, is_over = await open_tasks(line, key, job)
        if studied and not before:
            measured.started_s.append(time.monotonic() - began)
    page = (await line.ask(request("GET", "/api/v2/files?limit=100", key=key))).json()
    album = await line.ask(request("POST", "/api/v2/albums", key=key, body={"title": "Ours"}))
    line.close()
    files = tuple(one["id"] for one in page["items"])
    return Member("", key, files, album.json()["id"], job, 0)


def wishes(who: Member, dice: random.Random) -> Iterator[Operation]:
    """What somebody does, without end: mostly looking."""
    while True:
        seen = [
            Operation(kind, request("GET", path, key=who.key), 200)
            for kind, path in looks(dice, who)
        ]
        done = [
            Operation(kind, request(method, path, key=who.key, body=body, more=ANY), status)
            for kind, method, path, body, status in changes(dice, who)
            if kind != "steer"  # of a job that is over there is nothing to steer
        ]
        wanted = [*seen, *done]
        dice.shuffle(wanted)
        yield from wanted


async def live(served: Served, key: str, folder: Path, until: float, measured: Measured) -> None:
    """One person, until that moment."""
    dice = random.Random(key)
    who = await first_job(served, key, folder, measured)
    line = await connect(served.port)
    for one in wishes(who, dice):
        if time.monotonic() > until:
            break
        began = time.perf_counter()
        measured.told.note(one, await line.ask(one.asked), began)
        await asyncio.sleep(dice.uniform(*MOMENT_S))
    line.close()


async def watch(served: Served, key: str, job: str, end: float, measured: Measured) -> None:
    """Until the run is over or the time is: how much memory the core holds at most."""
    line = await connect(served.port)
    is_over, studied, total, began = False, 0, 0, time.monotonic()
    while not is_over and time.monotonic() < end:
        await asyncio.sleep(1)
        measured.most_memory = max(measured.most_memory, served.memory)
        total, studied, is_over = await open_tasks(line, key, job)
    seconds = time.monotonic() - began
    print(f"{seconds:.0f} s; of the run's {total} files {studied} were studied by then")
    line.close()


async def measure(folder: Path, wanted: argparse.Namespace) -> bool:
    """All of it."""
    small_jpegs(wanted.files, 0, folder / "run", scale=SCALE)
    own = [folder / f"own-{n}" for n in range(wanted.people)]
    for number, below in enumerate(own):
        small_jpegs(OWN_FILES, wanted.files + number * OWN_FILES, below)
    runner, keys = await accounts(folder / "home", wanted.people)
    measured = Measured()
    async with darkroom(folder / "home") as served:
        line = await connect(served.port)
        job = await take_in(line, runner, folder / "run")
        late = await served.lag(runner)
        until = time.monotonic() + 60 * wanted.minutes
        run = asyncio.create_task(watch(served, runner, job, until, measured))
        people = [
            asyncio.create_task(live(served, key, below, until, measured))
            for key, below in zip(keys, own, strict=True)
        ]
        await run
        now = await served.lag(runner)
        for one in people:
            one.cancel()
        for ended in await asyncio.gather(*people, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                print(f"somebody ended early: {ended!r}")
    return judged(measured, late, now, wanted.people)


def judged(measured: Measured, late: Lag, now: Lag, people: int) -> bool:
    """Print it; whether all bars are met."""
    show(measured.told)
    p95, held_up = share(measured.told.all_ms, 95), lag_ms(late, now, 99)
    slowest = max(measured.started_s, default=float("inf"))
    wrong = dict(measured.told.wrong)
    print(f"p95 {p95:.0f} ms (bar {P95_MS:.0f}), not as expected: {wrong or 'none'}")
    print(f"loop late: p50 {lag_ms(late, now, 50):g} ms, p99 {held_up:g} ms (bar {LAG_MS:.0f})")
    print(f"{len(measured.started_s)} of {people} first jobs started", end=", ")
    print(f"the last after {slowest:.1f} s (bar {START_S:.0f})")
    print(f"the core's memory: {measured.most_memory / 1e6:.0f} MB at most")
    are_started = len(measured.started_s) == people and slowest <= START_S
    return p95 <= P95_MS and held_up <= LAG_MS and are_started and not wrong


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--people", type=int, default=PEOPLE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        return 0 if asyncio.run(measure(Path(folder), asked)) else 1


if __name__ == "__main__":
    sys.exit(main())
