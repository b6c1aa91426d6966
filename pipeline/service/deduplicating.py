"""Deciding about look-alikes: keep one, trash the others, and let what was known of them go over.

Totals come before anything is done. Everything is one job: undoing it brings the files back, and
takes back what was merged and decided. What was decided is never asked about again.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.clock import new_id, timestamp
from pipeline.errors import Invalid, NotFound
from pipeline.library import trash
from pipeline.library.duplicates import Review
from pipeline.library.renaming import Kept
from pipeline.library.trash import Asking
from pipeline.model import Actor, FileState
from pipeline.service import duplicates, merging
from pipeline.service.merging import Takeover
from pipeline.state import decisions, files, jobs
from pipeline.state.audit import By
from pipeline.state.duplicates import Member
from pipeline.state.files import FileRow
from pipeline.vision.quality import ranking

if TYPE_CHECKING:
    from pipeline.core import Core

JOB_TYPE = "duplicates"
REASON = "a better one is kept"
MOST = 1_000  # groups decided at once


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of a group is kept, the others go to the trash."""

    keep: str
    trash: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which of a group is kept. Only pairs so near are touched.

    `best` is what is proposed, `quality` the better picture whatever its size, `largest` has most
    pixels, `oldest` is longest in the library.
    """

    prefer: Literal["best", "quality", "largest", "oldest"] = "best"
    folder: str = ""  # of the library: files in it come first
    distance: int = 4  # of 64 bits


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, or would be: groups, files and bytes that go, and what was left and why.

    `takeovers` say what goes over to the files that are kept.
    """

    job_id: str | None
    groups: int
    files: int
    bytes: int
    takeovers: tuple[Takeover, ...]
    left: tuple[Kept, ...]


NOTHING = Applied(None, 0, 0, 0, (), ())


async def by_rule(actor: Actor, core: Core, rule: Rule) -> list[Verdict]:
    """What the rule says of the groups that nobody decided on; the first thousand."""
    groups = await duplicates.alike(actor, core, MOST)
    found = [_verdict(group, rule) for group in groups]
    return [one for one in found if one.trash]


async def apply(
    actor: Actor,
    core: Core,
    verdicts: Sequence[Verdict],
    *,
    merges: bool = True,
    dry_run: bool = False,
) -> Applied:
    """Do as the verdicts say. Raises `Invalid` or `NotFound` before anything is done."""
    rows = await _rows(actor, core, verdicts)
    going = [rows[one] for verdict in verdicts for one in verdict.trash]
    total = sum(row.size for row in going)
    going_over = await takeovers(actor, core, verdicts) if merges else ()
    if dry_run:
        return Applied(None, len(verdicts), len(going), total, going_over, ())
    job_id = await _decide(actor, core, verdicts, going_over)
    asking = Asking(actor.library_id, actor.label, job=job_id, reason=REASON)
    days = core.settings.library.trash_days
    ids = [row.id for row in going]
    results = await trash.put(core.db, core.clock, core.home, ids, asking, days=days)
    left = tuple(one for one in results if isinstance(one, Kept))
    await core.db.write(_end, actor, core, job_id, len(ids), len(left))
    stayed = {one.file_id for one in left}
    gone = [row for row in going if row.id not in stayed]
    freed = sum(row.size for row in gone)
    return Applied(job_id, len(verdicts), len(gone), freed, going_over, left)


async def takeovers(actor: Actor, core: Core, verdicts: Sequence[Verdict]) -> tuple[Takeover, ...]:
    """What would go over to the files that are kept, where anything would."""
    groups = [(one.keep, one.trash) for one in verdicts]
    return tuple(await core.db.read(merging.plan, actor, groups))


async def remember(
    actor: Actor,
    core: Core,
    pairs: Sequence[tuple[str, str]],
    decision: duplicates.Decision | None,
) -> str:
    """Note what a person says of pairs; they are not asked about again. The job, to undo it by.

    None forgets what was decided, so that they are asked about again.

    Raises `NotFound` where one of the files is not there; then nothing is noted.
    """

    def write(con: sqlite3.Connection) -> str:
        job_id = _begin(con, actor, core)
        for pair in pairs:
            _note(con, actor, core, pair, decision, job_id)
        _end(con, actor, core, job_id, len(pairs), 0)
        return job_id

    return await core.db.write(write)


# --- choosing ----------------------------------------------------------------------------------


def _verdict(group: Review, rule: Rule) -> Verdict:
    keep = max(group.members, key=functools.partial(_worth, group, rule)).file_id
    near = {
        file_id
        for pair in group.pairs
        if pair.distance <= rule.distance and keep in (pair.file_id, pair.other_id)
        for file_id in (pair.file_id, pair.other_id)
    }
    others = [one for one in group.members if one.file_id in near - {keep}]
    return Verdict(keep, tuple(one.file_id for one in others if one.path is not None))


def _worth(group: Review, rule: Rule, member: Member) -> tuple[bool, float, bool]:
    is_there = bool(rule.folder) and (member.path or "").startswith(f"{rule.folder.rstrip('/')}/")
    is_best = member.file_id == group.keeper.file_id
    match rule.prefer:
        case "largest":
            return is_there, float((member.width or 0) * (member.height or 0)), is_best
        case "quality":
            return is_there, float(_beaten(group, member)), is_best
        case "oldest":
            older = sum(member.found_at < other.found_at for other in group.members)
            return is_there, float(older), is_best
    return is_there, float(is_best), is_best


def _beaten(group: Review, member: Member) -> int:
    """Than how many of the others it is clearly the better picture."""
    return sum(ranking.better(member.quality, other.quality) > 0 for other in group.members)


async def _rows(actor: Actor, core: Core, verdicts: Sequence[Verdict]) -> dict[str, FileRow]:
    if not verdicts or len(verdicts) > MOST:
        raise Invalid(f"1 to {MOST:,} groups can be decided at once.")
    keeps = {one.keep for one in verdicts}
    going = [file_id for one in verdicts for file_id in one.trash]
    if keeps & set(going) or len(set(going)) < len(going) or not going:
        raise Invalid("Each file is either kept or trashed, once; something has to go.")
    wanted = [*keeps, *going]
    rows = await core.db.read(files.get_many, actor.library_id, wanted)
    for file_id in wanted:
        row = rows.get(file_id)
        if row is None or row.state is not FileState.DONE or row.path is None:
            raise NotFound(f"The file {file_id!r} does not lie in the library now.")
    kept = {rows[one].bundle_id for one in keeps} - {None}
    if any(rows[one].bundle_id in kept for one in going):
        raise Invalid("What belongs to a file that is kept cannot go alone.")
    return rows


# --- the job -----------------------------------------------------------------------------------


async def _decide(
    actor: Actor, core: Core, verdicts: Sequence[Verdict], takeovers: Sequence[Takeover]
) -> str:
    def write(con: sqlite3.Connection) -> str:
        job_id = _begin(con, actor, core)
        for verdict in verdicts:
            for other in verdict.trash:
                _note(con, actor, core, (verdict.keep, other), "same", job_id)
        for one in takeovers:
            merging.carry_out(con, actor, core, one, job_id)
        return job_id

    return await core.db.write(write)


def _note(
    con: sqlite3.Connection,
    actor: Actor,
    core: Core,
    pair: tuple[str, str],
    decision: str | None,
    job_id: str,
) -> None:
    is_known = decisions.decide(
        con, actor.library_id, pair, decision, core.clock, job_id=job_id, actor=actor.label
    )
    if not is_known:
        raise NotFound("There are no two such files.")


def _begin(con: sqlite3.Connection, actor: Actor, core: Core) -> str:
    now = core.clock.now()
    job_id = new_id(now)
    jobs.begin(con, By(actor, timestamp(now)), job_id, JOB_TYPE, {})
    return job_id


def _end(
    con: sqlite3.Connection, actor: Actor, core: Core, job_id: str, count: int, left: int
) -> None:
    at = timestamp(core.clock.now())
    jobs.count(con, job_id, count, left)
    jobs.end(con, job_id, "done", at, actor=actor.label)
