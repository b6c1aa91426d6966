"""What makes an open home work: workers, the flow over them, and what goes along with it.

`open_engine` starts them in order and registers their end with the caller's exit stack. In a
rehearsal everything runs but nothing is placed, moved or released.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import structlog

from config.settings import Settings
from pipeline.clock import Clock
from pipeline.errors import DarkroomError, TryLater
from pipeline.events import Recorded
from pipeline.library import emptying, people, placing, quarantine, similar
from pipeline.library.names import Template
from pipeline.library.similar_index import SimilarIndex
from pipeline.model import Home, JsonObject
from pipeline.registry import discover
from pipeline.state.connection import Database
from pipeline.state.faces import recognition_is_on
from pipeline.state.progress import Board
from pipeline.work import learning, rendering, resources, restudy, sampling
from pipeline.work.alongside import alongside
from pipeline.work.asked import Kind
from pipeline.work.flow import Flow, Means
from pipeline.work.gate import Gate
from pipeline.work.resources import Policy
from pipeline.work.sampling import Machine, Sampler
from pipeline.work.settling import follow_twins
from pipeline.work.study import DueStage, mark_of
from pipeline.work.where import TABLE, Whereabouts
from pipeline.work.workers import local
from pipeline.work.workers.contract import Workers
from pipeline.work.workers.limits import Limits
from pipeline.work.workers.local import MIB, LocalSettings, LocalWorkers
from pipeline.work.zone import zone_of

EMPTY_EVERY_S = 1.0  # duplicates leave the inbox in batches of what came within this time
GROUP_EVERY_S = 5.0  # faces are grouped into people in batches of what came within this time
ALIKE_EVERY_S = 2.0  # look-alikes are sought in batches of what came within this time
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the engine stands on."""

    settings: Settings
    home: Home
    clock: Clock
    db: Database
    template: Template
    rehearses: bool
    board: Board


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs."""

    workers: LocalWorkers
    flow: Flow
    index: SimilarIndex
    sampler: Sampler


async def open_engine(stack: AsyncExitStack, ground: Ground) -> Engine:
    """Start everything; it ends, in reverse, with `stack`."""
    db, clock, home = ground.db, ground.clock, ground.home
    own = replace(worker_settings(ground.settings, home), keep=home.pieces)
    workers = await stack.enter_async_context(local.open_workers(own, home.cache / "work"))
    where = Whereabouts(db, clock, home.cache / TABLE)
    stack.callback(where.close)
    stages = due_stages(ground.settings, await _embedding(stack, db))
    mark = await asyncio.to_thread(mark_of, stages, home.models)
    means = Means(
        db=db,
        clock=clock,
        workers=workers,
        home=home,
        stages=stages,
        gate=_gate(ground),
        keep=learning.keep,
        mark=mark,
        board=ground.board,
        asked=() if ground.rehearses else _asked(ground, workers, stages, mark),
        place=functools.partial(_only_name if ground.rehearses else _place, ground, where),
        quarantine=functools.partial(_nothing_moved if ground.rehearses else _quarantine, ground),
    )
    flow = Flow(means)
    index = SimilarIndex()
    await stack.enter_async_context(alongside(flow.run(), "flow"))
    seek = functools.partial(similar.catch_up, db, clock, index)
    alike = _whenever(ground, ("file.studied",), seek, ALIKE_EVERY_S)
    await stack.enter_async_context(alongside(alike, "look-alikes"))
    if not ground.rehearses:
        group = functools.partial(people.catch_up, db, clock, people.Pace())
        await stack.enter_async_context(
            alongside(_whenever(ground, people.EVENTS, group, GROUP_EVERY_S), "people")
        )
        release = functools.partial(emptying.release_duplicates, db, clock, home)
        empty = _whenever(ground, ("file.duplicate", "file.placed"), release, EMPTY_EVERY_S)
        await stack.enter_async_context(alongside(empty, "duplicates in the inbox"))
    return Engine(workers, flow, index, _sampler(ground, workers, flow))


def _sampler(ground: Ground, workers: LocalWorkers, flow: Flow) -> Sampler:
    home = ground.home
    folders = (home.library, home.state, home.cache)

    def read() -> Machine:
        return sampling.read_machine(folders, workers.child_pids)

    return Sampler(ground.db, ground.clock, flow.meter, read)


async def _whenever(
    ground: Ground, names: Sequence[str], act: Callable[[], Awaitable[object]], every_s: float
) -> None:
    """Act at the start and after each of these events, at most every so many seconds, for ever.

    What cannot be done now is tried again; nothing depends on it being soon.
    """
    fresh = asyncio.Event()
    fresh.set()  # what an earlier run left
    stop = ground.db.listen(lambda told: fresh.set() if _any_of(told, names) else None)
    try:
        while True:
            await fresh.wait()
            await ground.clock.sleep(every_s)
            fresh.clear()
            try:
                await act()
            except TryLater as error:
                _log.info("put off", reason=str(error))
                await ground.clock.sleep(error.after_s)
                fresh.set()
    finally:
        stop()


def _any_of(told: Sequence[Recorded], names: Sequence[str]) -> bool:
    return any(event.name in names for event in told)


def worker_settings(settings: Settings, home: Home, *, slots: int = 0) -> LocalSettings:
    """Workers as configured; `slots` overrides how many."""
    memory = settings.work.memory_mb * MIB
    return LocalSettings(
        slots=slots or resources.slots(settings.work.slots, memory // 4),
        limits=Limits(memory=memory),
        timeout_s=settings.work.timeout_s,
        models=home.models,
        accelerates=settings.vision.accelerate,
    )


async def _embedding(stack: AsyncExitStack, db: Database) -> JsonObject:
    """Whether faces may be recognised, as the parameters of their stage: true at every moment."""
    now = {"embed": await db.read(recognition_is_on)}

    def follow(told: Sequence[Recorded]) -> None:
        for event in told:
            if event.name in ("recognition.on", "recognition.off"):
                now["embed"] = event.name == "recognition.on"

    stack.callback(db.listen(follow))
    return now


def due_stages(settings: Settings, faces: JsonObject) -> tuple[DueStage, ...]:
    """The stages of every visit: all but those asked for one by one, and those switched off.

    `faces` are the parameters of the stage of that name.
    """
    return tuple(
        DueStage(stage.name, stage.version, faces if stage.name == "faces" else {})
        for stage in discover("pipeline.stages", "STAGE")
        if not stage.is_on_request and getattr(settings.vision, stage.name, True)
    )


def _gate(ground: Ground) -> Gate:
    work = ground.settings.work
    policy = Policy(
        max_load=work.max_load,
        min_memory=work.min_memory_mb << 20,
        min_free=work.min_free_mb << 20,
        on_battery=work.on_battery,
        quiet_from=work.quiet_from,
        quiet_until=work.quiet_until,
    )
    paths = (ground.home.library, ground.home.state, ground.home.cache)
    return Gate(ground.db, ground.clock, policy, paths, zone_of(ground.settings))


def _asked(
    ground: Ground, workers: Workers, stages: Sequence[DueStage], mark: str
) -> tuple[Kind, ...]:
    """The kinds of work that can be asked for over files of the library."""
    db, clock, home = ground.db, ground.clock, ground.home
    on_request = {
        s.name: s.version for s in discover("pipeline.stages", "STAGE") if s.is_on_request
    }
    making = rendering.Means(db, clock, home, workers, ground.settings.library.trash_days)
    return (
        restudy.kind(db, clock, home, stages, learning.keep, mark),
        *rendering.kinds(making, on_request),
    )


async def _place(
    ground: Ground, where: Whereabouts, file_ids: Sequence[str]
) -> Mapping[str, DarkroomError | None]:
    db, clock = ground.db, ground.clock
    await where.name(file_ids)
    outcome = await placing.place(db, clock, ground.home, ground.template, file_ids)
    await where.name(await follow_twins(db, clock, file_ids))
    return outcome


async def _quarantine(ground: Ground, file_ids: Sequence[str]) -> None:
    await quarantine.put(ground.db, ground.clock, ground.home, file_ids)


async def _only_name(
    _: Ground, where: Whereabouts, file_ids: Sequence[str]
) -> Mapping[str, DarkroomError | None]:
    await where.name(file_ids)
    return {}


async def _nothing_moved(_: Ground, __: Sequence[str]) -> None:
    return None
