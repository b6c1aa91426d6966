"""One sweep over a root: list it, wait for what is still being written, admit the rest.

What was passed over and what could not be read is counted, so that nothing is silently lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.clock import Clock
from pipeline.intake import scan
from pipeline.intake.admit import Admitted, Request, admit, recognise
from pipeline.intake.scan import Batch, Problem, Seen
from pipeline.intake.stability import Settling, is_settled_by_age
from pipeline.model import Candidate
from pipeline.state.connection import Database

UNFINISHED = "it is still being written"
PATIENCE = 10  # times the quiet time; then one run goes on without a file that keeps changing
_PROBLEMS_KEPT = 1000


@dataclass(slots=True)
class Swept:
    """What one sweep found."""

    new: list[str] = field(default_factory=list)  # ids of rows
    known: list[str] = field(default_factory=list)  # ids of rows that were there before
    passed: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def note(self, admitted: Admitted) -> None:
        """Add what was admitted."""
        self.new.extend(admitted.new)
        self.known.extend(admitted.known)

    def note_batch(self, batch: Batch) -> None:
        """Add what was passed over; of very many problems only the first are kept word by word."""
        self.passed.update(batch.passed)
        self.problem_count += len(batch.problems)
        room = max(_PROBLEMS_KEPT - len(self.problems), 0)
        self.problems.extend(batch.problems[:room])


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a root a sweep looks at."""

    only: tuple[str, ...] | None = None  # exactly these files
    below: tuple[str, ...] = ("",)  # else these directories
    deep: bool = True
    skip: tuple[Path, ...] = ()  # never entered: our own folders


_ALL = Extent()


class Sweeper:
    """Sweeps one root, once or again and again; remembers what is not finished yet."""

    def __init__(self, db: Database, clock: Clock, request: Request, quiet_s: float) -> None:
        self._db = db
        self._clock = clock
        self._request = request
        self._quiet_s = quiet_s
        self._settling = Settling(quiet_s)

    @property
    def next_at(self) -> float | None:
        """When (monotonic) an unfinished file may be finished; None if there is none."""
        return self._settling.next_at()

    def forget(self) -> None:
        """The root went away: what was seen there begins anew when it comes back."""
        self._settling = Settling(self._quiet_s)

    async def sweep(self, extent: Extent = _ALL, *, by_age: bool = False) -> Swept:
        """Admit what is finished. With `by_age` a file's age may prove that it is."""
        swept = Swept()
        if extent.only is not None:
            batch = await asyncio.to_thread(scan.pick, self._request.root, extent.only)
            await self._take(batch, swept, by_age=by_age)
            return swept
        batches = scan.scan(
            self._request.root, below=extent.below, skip=extent.skip, deep=extent.deep
        )
        async for batch in batches:
            await self._take(batch, swept, by_age=by_age)
        return swept

    async def settle(self) -> Swept:
        """Look again at the unfinished files only; those that are gone are forgotten."""
        swept = Swept()
        waiting = sorted(self._settling.waiting(self._request.root.id))
        batch = await asyncio.to_thread(scan.pick, self._request.root, waiting)
        self._settling.forget(self._request.root.id, (p.path for p in batch.problems))
        batch.problems.clear()
        await self._take(batch, swept, by_age=False)
        return swept

    def unfinished(self) -> list[Problem]:
        """What is still being written, as problems for a person."""
        waiting = sorted(self._settling.waiting(self._request.root.id))
        return [Problem(path, UNFINISHED) for path in waiting]

    async def _take(self, batch: Batch, swept: Swept, *, by_age: bool) -> None:
        swept.note_batch(batch)
        ctimes = {one.candidate: one.ctime_ns for one in batch.seen}
        known, rest = await recognise(self._db, self._request, list(ctimes))
        swept.known.extend(known)
        finished = self._finished([Seen(c, ctimes[c]) for c in rest], by_age=by_age)
        if finished:
            swept.note(await admit(self._db, self._clock, self._request, finished))

    def _finished(self, seen: Sequence[Seen], *, by_age: bool) -> list[Candidate]:
        if self._quiet_s <= 0:
            return [s.candidate for s in seen]
        wall_s = self._clock.now().timestamp()
        old: list[Candidate] = []
        young: list[Candidate] = []
        for one in seen:
            is_old = by_age and is_settled_by_age(
                one.candidate.mtime_ns, one.ctime_ns, wall_s=wall_s, quiet_s=self._quiet_s
            )
            (old if is_old else young).append(one.candidate)
        return old + self._settling.look(young, self._clock.monotonic())


async def sweep_once(
    db: Database, clock: Clock, request: Request, extent: Extent = _ALL, *, quiet_s: float = 0.0
) -> Swept:
    """Everything that lies there now, waiting for what is being written, but not for ever."""
    sweeper = Sweeper(db, clock, request, quiet_s)
    swept = await sweeper.sweep(extent, by_age=True)
    patience_until = clock.monotonic() + PATIENCE * quiet_s
    while (next_at := sweeper.next_at) is not None and clock.monotonic() < patience_until:
        await clock.sleep(max(next_at - clock.monotonic(), 0.05))
        later = await sweeper.settle()
        swept.new.extend(later.new)
        swept.known.extend(later.known)
    swept.note_batch(Batch("", problems=sweeper.unfinished()))
    return swept
