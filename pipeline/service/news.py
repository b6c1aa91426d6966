"""What has happened, for those who may know: pages of the past, and a stream of the present.

An actor is told of what is theirs and of what lies in libraries lent to them, each kind of event
only with the right to look at that kind of thing.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.access.reach import NEEDS, Permission
from pipeline.access.rights import Right, allows
from pipeline.events import Recorded
from pipeline.model import Actor, JsonObject
from pipeline.state import audience, events, readers
from pipeline.state.audience import EVERYBODY, NOTHING, Bulletin, Told
from pipeline.state.hub import Subscription
from pipeline.state.progress import INTERVAL_S, Progress

if TYPE_CHECKING:
    from pipeline.core import Core

RIGHTS: Mapping[str, Right] = {
    "file": Right.FILES_READ,
    "similar": Right.FILES_READ,
    "job": Right.JOBS_READ,
    "root": Right.STATUS_READ,
    "person": Right.PEOPLE_READ,
    "people": Right.PEOPLE_READ,
    "faces": Right.PEOPLE_READ,
    "album": Right.ALBUMS_READ,
    "share": Right.SHARES_WRITE,
    "quota": Right.ACCOUNT_READ,
    "flow": Right.STATUS_READ,
    "storage": Right.STATUS_READ,
    "state": Right.STATUS_READ,
    "recognition": Right.PEOPLE_READ,
}
SCAN = 2_000  # events looked through for one page, at most
FIRST_LOOK = 100  # of them at once, at first: most pages are full by then
GATHER_S = 0.03  # what comes within it goes out together
IDLE_S = 2.0  # a stream that has nothing to tell says so this often


@dataclass(frozen=True, slots=True)
class Sight:
    """What one actor may be told of."""

    actor: Actor
    libraries: Mapping[str, str] = field(default_factory=dict)  # owner -> how far

    @property
    def view(self) -> Hashable:
        """Equal for those who are told the same."""
        return self.actor, frozenset(self.libraries.items())

    def sees(self, kind: str, owner_id: str) -> bool:
        """May the actor be told of such a thing of this owner?"""
        right = RIGHTS.get(kind, Right.ACCOUNT_READ)
        if not owner_id or not allows(self.actor, right):
            return False
        if owner_id in (EVERYBODY, self.actor.user_id):
            return True
        reached = self.libraries.get(owner_id)
        if reached is None:
            return False
        return Permission[reached.upper()] >= NEEDS.get(right, Permission.OWN)


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order. `seq` is the last one looked at: go on behind it."""

    events: tuple[Told, ...]
    seq: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for; empty wants all. Names may end early: `file.`."""

    names: tuple[str, ...] = ()
    subject: str | None = None

    def fits(self, told: Told) -> bool:
        """Is this one asked for?"""
        if self.subject is not None and told.subject != self.subject:
            return False
        return not self.names or told.name.startswith(self.names)


@dataclass(frozen=True, slots=True)
class News:
    """What a stream tells at once; empty: it is still there. `seq` is where to resume."""

    seq: int
    bulletin: Bulletin = NOTHING
    progress: tuple[Progress, ...] = ()


ALL = Wanted()


async def sight(actor: Actor, core: Core) -> Sight:
    """What the actor may be told of at this moment."""
    return Sight(actor, await core.db.read(audience.libraries, actor.user_id))


async def page(actor: Actor, core: Core, *, after: int, limit: int, wanted: Wanted = ALL) -> Page:
    """Events after the number `after` that the actor may know of, oldest first."""
    eyes = await sight(actor, core)
    seen: list[Told] = []
    last, left, step = after, SCAN, max(limit + 1, FIRST_LOOK)
    while True:
        found = await core.db.read(_read, last, step, wanted.subject)
        told = await core.news.teller.told(found)
        seen += [one for one in told if wanted.fits(one) and eyes.sees(one.kind, one.owner_id)]
        last, left = (found[-1].seq if found else last), left - step
        has_more = len(found) == step
        if len(seen) > limit or not has_more or left <= 0:
            break
        step = min(2 * step, left)
    shown = tuple(seen[:limit])
    is_cut = len(seen) > limit
    return Page(shown, shown[-1].seq if is_cut else last, is_cut or has_more)


def _read(
    con: sqlite3.Connection, after: int, limit: int, subject: str | None
) -> Sequence[Recorded]:
    if subject is None:
        return events.read_after(con, after, limit)
    return events.about_after(con, subject, after, limit)


async def newest(core: Core) -> int:
    """The number of the newest event."""
    return await core.db.read(events.latest_seq)


async def stream(
    core: Core, look: Callable[[], Sight], after: int, *, wanted: Wanted = ALL
) -> AsyncGenerator[News, None]:
    """What happens after the number `after` and may be told, and the progress of jobs, for ever.

    No event is left out and none comes twice; progress comes at most four times a second for each
    job. Something comes at least every two seconds, if only empty. `look` answers with what may be
    told at that moment. A receiver that is slow reads the log: it holds up nobody, and costs the
    memory of one page.
    """
    readers.begin()  # who listens was here before whoever asks now
    with core.news.subscribe(after, policy="catch_up") as subscription:
        receiver = _Receiver(core, subscription, look, wanted)
        stop = core.progress.listen(receiver.hear)
        try:
            while True:
                news = await receiver.next()
                if news is not None:
                    yield news
        finally:
            stop()


class _Receiver:
    """One stream: what waits to be told, and when it was told last."""

    def __init__(
        self,
        core: Core,
        subscription: Subscription,
        look: Callable[[], Sight],
        wanted: Wanted,
    ) -> None:
        self._core = core
        self._subscription = subscription
        self._look = look
        self._wanted = wanted
        self._progress = {one.job_id: one for one in core.progress.running()}
        self._progress_at = self._spoke_at = -math.inf
        self._is_busy = False  # there were events just now, and there may be more

    def hear(self, progress: Progress) -> None:
        """A job went on."""
        if not self._progress:
            self._subscription.nudge()
        self._progress[progress.job_id] = progress

    async def next(self) -> News | None:
        """What there is to tell by now; None: nothing yet."""
        if self._is_busy:
            await self._core.clock.sleep(GATHER_S)
        found = await self._subscription.take(self._patience())
        eyes, wanted = self._look(), self._wanted
        bulletin = await self._core.news.teller.bulletin(
            found,
            (eyes.view, wanted),
            lambda one: wanted.fits(one) and eyes.sees(one.kind, one.owner_id),
        )
        now = self._core.clock.monotonic()
        progress = self._due(eyes, now)
        if not (bulletin.events or progress or now - self._spoke_at >= IDLE_S):
            return None
        self._spoke_at, self._is_busy = now, bool(found)
        return News(self._subscription.last_seq, bulletin, progress)

    def _patience(self) -> float:
        """How long nothing needs to be told."""
        now = self._core.clock.monotonic()
        until = self._spoke_at + IDLE_S
        if self._progress:
            until = min(until, self._progress_at + INTERVAL_S)
        return max(0.0, until - now)

    def _due(self, eyes: Sight, now: float) -> tuple[Progress, ...]:
        if not self._progress or now - self._progress_at < INTERVAL_S:
            return ()
        told = tuple(one for one in self._progress.values() if eyes.sees("job", one.owner_id))
        self._progress.clear()
        self._progress_at = now
        return told


def progress_json(progress: Progress) -> JsonObject:
    """Progress as it is told to programs."""
    return {
        "job_id": progress.job_id,
        "total": progress.total,
        "processed": progress.processed,
        "studied": progress.studied,
        "errors": progress.errors,
        "stages": dict(progress.stages),
        "current": progress.current.encode("utf-8", "replace").decode(),
        "bytes_total": progress.bytes_total,
        "bytes_done": progress.bytes_done,
        "share": progress.share,
        "files_per_s": progress.files_per_s,
        "bytes_per_s": progress.bytes_per_s,
        "left_s": progress.left_s,
        "why": progress.why,
        "is_over": progress.is_over,
    }


def messages(news: News) -> Iterator[str]:
    """News as JSON objects, none of them large; what is empty is left out.

    Who has read one resumes behind its `seq`; the last is the news' own.
    """
    *first, last = news.bulletin.pieces or ((news.seq, ""),)
    for seq, told in first:
        yield f'{{"seq":{seq},"events":{told}}}'
    parts = [f'"seq":{news.seq}']
    if last[1]:
        parts.append(f'"events":{last[1]}')
    if news.progress:
        told = json.dumps([progress_json(one) for one in news.progress], separators=(",", ":"))
        parts.append(f'"progress":{told}')
    yield "{" + ",".join(parts) + "}"
