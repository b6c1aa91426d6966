"""Opens everything in order and closes it in reverse: state, roots, library, workers, flow.

`open_core` is the only way in. A home can be opened to look only (beside a running Darkroom), to
change things, to work (workers and flow run meanwhile), or for a rehearsal: the whole work over a
throw-away copy of the state, with nothing placed and nothing of the home touched.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import Settings
from pipeline.access.door import Door
from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import NotFound
from pipeline.events import StateRestored
from pipeline.intake import roots
from pipeline.intake.posts import Posts
from pipeline.library import fsops, names
from pipeline.library.below import Below
from pipeline.model import Actor, Home, RootKind, Surface, Take
from pipeline.state import events, lock, opening, search, sessions, snapshots, users
from pipeline.state.connection import Database, open_database, open_for_reading
from pipeline.state.hub import Hub
from pipeline.state.progress import Board
from pipeline.work.errands import Errands

if TYPE_CHECKING:
    from pipeline.library.similar_index import SimilarIndex
    from pipeline.work.flow import Flow
    from pipeline.work.sampling import Sampler
    from pipeline.work.workers.local import LocalWorkers

OWNER_ROLE = "owner"


class Mode(StrEnum):
    """What a home is opened for."""

    LOOK = "look"
    CHANGE = "change"
    WORK = "work"
    REHEARSE = "rehearse"


@dataclass(frozen=True, slots=True)
class Core:
    """An open home. `flow` and `workers` are there when it was opened to work or to rehearse."""

    settings: Settings
    home: Home
    clock: Clock
    db: Database
    owner_id: str
    mode: Mode
    template: names.Template
    opened: opening.Opening | None = None
    workers: LocalWorkers | None = None
    flow: Flow | None = None
    index: SimilarIndex | None = None
    door: Door = field(default_factory=Door)
    sampler: Sampler | None = None
    hub: Hub | None = None
    board: Board | None = None
    errands: Errands = field(default_factory=Errands)
    posts: Posts = field(default_factory=Posts)

    def household(self, surface: Surface) -> Actor:
        """The household's owner, asking through `surface`."""
        return Actor(self.owner_id, OWNER_ROLE, surface)

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """Folders that no root may lie in."""
        home = self.home
        return (home.library, home.trash, home.quarantine, home.state, home.cache)

    @property
    def progress(self) -> Board:
        """Where the jobs' progress is told."""
        assert self.board is not None, "this core was not opened by open_core"
        return self.board

    @property
    def news(self) -> Hub:
        """Where live receivers of events subscribe."""
        assert self.hub is not None, "this core was not opened by open_core"
        return self.hub

    @property
    def working_flow(self) -> Flow:
        """The flow of a core that was opened to work."""
        assert self.flow is not None, "this core was not opened to work"
        return self.flow


def home_of(path: Path, settings: Settings) -> Home:
    """The folders of the home at `path`, as configured."""
    places = settings.places
    return Home(
        path=path,
        inbox=path / places.inbox,
        library=path / places.library,
        trash=path / places.trash,
        quarantine=path / places.quarantine,
        state=path / places.state,
        cache=path / places.cache,
    )


@asynccontextmanager
async def open_core(
    path: Path, settings: Settings, clock: Clock, mode: Mode = Mode.CHANGE
) -> AsyncIterator[Core]:
    """Open the home at `path`.

    Raises `Busy` when another process owns it (unless only to look or rehearse), `NotFound` when
    there is nothing to look at, `Invalid` for settings that make no sense.
    """
    home = home_of(path, settings)
    template = names.parse(settings.library.template)
    async with AsyncExitStack() as stack:
        match mode:
            case Mode.LOOK:
                db, found = await _open_to_look(stack, home, clock), None
            case Mode.REHEARSE:
                home = _rehearsal_home(stack, home)
                db, found = await _open_copy(stack, home_of(path, settings), home, clock), None
            case Mode.CHANGE | Mode.WORK:
                db, found = await _open_as_owner(stack, home, clock)
        owner = await _household(db, clock, mode)
        core = Core(
            settings,
            home,
            clock,
            db,
            owner,
            mode,
            template,
            found,
            hub=Hub(db),
            board=Board(clock),
        )
        if found is not None:
            await _put_right(core, found)
        if mode in (Mode.WORK, Mode.REHEARSE):
            core = await _set_to_work(stack, core)
        stack.push_async_callback(core.errands.close)
        yield core


# --- state -------------------------------------------------------------------------------------


async def _open_to_look(stack: AsyncExitStack, home: Home, clock: Clock) -> Database:
    if not home.database.exists():
        raise NotFound(
            "There is no Darkroom here yet.",
            path=home.path,
            hint="darkroom process PATH starts one, or choose another --home.",
        )
    return await stack.enter_async_context(open_for_reading(home.database, clock))


async def _open_as_owner(
    stack: AsyncExitStack, home: Home, clock: Clock
) -> tuple[Database, opening.Opening]:
    _make_folders(home)
    was_closed = stack.enter_context(lock.owned(home.state / "lock"))
    move = functools.partial(move_own, home.state)
    ready = functools.partial(opening.make_ready, was_closed=was_closed)
    found = await asyncio.to_thread(ready, home.database, clock.now(), move)
    return await stack.enter_async_context(open_database(home.database, clock)), found


def _rehearsal_home(stack: AsyncExitStack, home: Home) -> Home:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-rehearsal-")))
    state, cache = folder / "state", folder / "cache"
    state.mkdir()
    cache.mkdir()
    return replace(home, state=state, cache=cache)


async def _open_copy(stack: AsyncExitStack, real: Home, rehearsal: Home, clock: Clock) -> Database:
    if real.database.exists():
        await asyncio.to_thread(snapshots.copy_live, real.database, rehearsal.database)
    return await stack.enter_async_context(open_database(rehearsal.database, clock))


async def _household(db: Database, clock: Clock, mode: Mode) -> str:
    if mode is Mode.LOOK:
        return await db.read(users.household) or ""
    now = clock.now()
    return await db.write(users.ensure_household, new_id(now), timestamp(now))


def _make_folders(home: Home) -> None:
    for folder in (home.path, home.inbox, home.library, home.trash, home.quarantine, home.cache):
        folder.mkdir(parents=True, exist_ok=True)
    home.state.mkdir(mode=0o700, parents=True, exist_ok=True)


def move_own(state: Path, source: Path, target: Path) -> None:
    """Rename a file of the state folder, over an older one, durably."""
    old, new = (Below(state, str(path.relative_to(state))) for path in (source, target))
    fsops.replace_file(old, new)


# --- roots and recovery ------------------------------------------------------------------------


async def _put_right(core: Core, found: opening.Opening) -> None:
    """Mark our own roots; finish or take back what a crash left; refill a restored state."""
    from pipeline.library import people_erasing, recover, replacing, rescan, sidecars

    for folder, kind in ((core.home.library, RootKind.LIBRARY), (core.home.inbox, RootKind.INBOX)):
        wanted = roots.Wanted(folder, kind, Take.MOVE, core.owner_id)
        await roots.ensure(core.db, core.clock, wanted)
    await recover.settle(core.db, core.clock, core.home)
    await _fill_index(core.db)
    await people_erasing.finish(core.db, core.home)
    await sidecars.resume(core.db, core.clock, core.home)
    await replacing.resume(core.db, core.clock, core.home, days=core.settings.library.trash_days)
    if not found.needs_rescan:
        return
    if found.reason:
        await core.db.write(_tell_restored, found.reason, core.clock)
    await rescan.rescan(core.db, core.clock, core.home, core.owner_id)


async def _fill_index(db: Database) -> None:
    """After an upgrade no file has its line for searching yet: each commit writes some."""
    before, left = None, await db.read(search.waiting)
    while left and left != before:
        before, left = left, await db.write(search.waiting)


def _tell_restored(con: sqlite3.Connection, reason: str, clock: Clock) -> None:
    event, at = StateRestored("state", reason), timestamp(clock.now())
    events.append(con, event, actor="core", at=at)
    sessions.end_everybody(con, "restored", at)


async def _set_to_work(stack: AsyncExitStack, core: Core) -> Core:
    from pipeline.engine import Ground, open_engine

    rehearses = core.mode is Mode.REHEARSE
    ground = Ground(
        core.settings, core.home, core.clock, core.db, core.template, rehearses, core.progress
    )
    engine = await open_engine(stack, ground)
    return replace(
        core,
        workers=engine.workers,
        flow=engine.flow,
        index=engine.index,
        sampler=engine.sampler,
    )
