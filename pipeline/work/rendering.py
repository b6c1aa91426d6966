"""Making things of files on request: smaller copies, other formats, web copies, blurred ones.

A rendition is made once for each content and wish, kept in the cache, and written into the ledger
with what it saved; asking again brings back what is known. Nothing is made smaller twice: where a
file is a smaller copy already, its original is taken, and where that is gone nothing is done.

A smaller copy is held against its original by a visit of its own, which did not make it; only one
without a fault is kept, and only such a one may take the original's place.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from pipeline.clock import Clock, new_id, timestamp
from pipeline.errors import Refused, TryLater
from pipeline.intake import kind
from pipeline.library import fsops, replacing
from pipeline.library.below import Below
from pipeline.library.replacing import Replacing
from pipeline.library.trash import Asking as TrashAsking
from pipeline.model import Category, Done, Format, Home, Json, JsonObject, Later, Made, Reject, Skip
from pipeline.state import bundles, jobs, originals, people, renditions
from pipeline.state.asked import LibraryFile
from pipeline.state.connection import Database
from pipeline.state.queue import Task
from pipeline.state.renditions import Rendition, Wish
from pipeline.state.replacements import Copy
from pipeline.work.asked import Answer, Asking, Kind
from pipeline.work.workers.contract import StageCall, VisitRequest, Workers

SMALLER = frozenset({"optimise", "transcode"})  # never done to what they made themselves
RESUMED = frozenset({"transcode", "proxy"})  # long work that leaves finished pieces behind
TIMEOUTS_S: Mapping[str, float] = {  # of films
    "transcode": 12 * 3600.0,
    "proxy": 4 * 3600.0,
    "blur": 12 * 3600.0,
}
TIMEOUT_S = 900.0
SLICE_S = 300.0  # of a long film, before others may have the slot
COMPARE = "compare"  # the stage that holds a copy against its original


@dataclass(frozen=True, slots=True)
class Means:
    """What making works with. `days` is how long a replaced original stays in the trash."""

    db: Database
    clock: Clock
    home: Home
    workers: Workers
    days: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job asks for: the stage's own parameters, and whether the copy is to replace."""

    wish: JsonObject
    replaces: bool
    actor: str

    @classmethod
    def of(cls, con: sqlite3.Connection, task: Task) -> Wanted:
        """As the task's job was started."""
        assert task.job_id is not None, "making is always asked for by a job"
        job = jobs.require(con, task.job_id, task.owner_id)
        return cls(job.params["wish"], bool(job.params["replaces"]), job.actor)


def kinds(means: Means, versions: Mapping[str, int]) -> tuple[Kind, ...]:
    """One kind of asked work for each stage that makes something, given with its version."""
    return tuple(
        Kind(
            stage,
            functools.partial(_ask, means.home, stage, version),
            functools.partial(_finish, means, stage, version),
        )
        for stage, version in versions.items()
        if stage != COMPARE
    )


def _ask(
    home: Home, stage: str, version: int, con: sqlite3.Connection, task: Task, file: LibraryFile
) -> Asking:
    params = _meant(con, stage, file, Wanted.of(con, task).wish)
    source = _source(con, home, stage, file, params)
    if source is None:
        return Asking(())
    known = renditions.known(con, source.sha256, Wish.of(stage, version, params))
    if known and all(_is_there(home, one) for one in known):
        return Asking((), source=source, note=params)
    return Asking(
        stages=(StageCall(stage, {**params, **_keeping(home, stage, source)}),),
        facts=originals.facts(con, source.sha256),
        timeout_s=_timeout_s(stage, source),
        source=source,
        note=params,
    )


def _meant(con: sqlite3.Connection, stage: str, file: LibraryFile, wish: JsonObject) -> JsonObject:
    """The wish as it is meant for this file: who is known, and where it was made, stands in the
    state; a bundle was made in one place, whichever of its files tells it."""
    if stage == "blur" and wish.get("faces") == "others":
        return {**wish, "keep": people.known_boxes(con, file.id)}
    if stage == "scrub" and wish.get("location") == "zones":
        return {**wish, "places": bundles.positions(con, file.id)}
    return wish


def _source(
    con: sqlite3.Connection, home: Home, stage: str, file: LibraryFile, wish: JsonObject
) -> LibraryFile | None:
    """The bytes to work on: the file's own, or its original's.

    None where these bytes are a smaller copy themselves, the original is gone, and nothing less
    than what was made then is asked for: a second loss would bring nothing.
    """
    maker = renditions.maker_of(con, file.sha256, stage) if stage in SMALLER else None
    if maker is None:
        return file
    found = originals.of(con, file.sha256)
    if found is None:
        had, now = (told.get("target") for told in (maker.facts, wish))
        return file if had is not None and now is not None and now < had else None
    return replace(
        file,
        location=home.trash / found.trash_path,
        sha256=found.sha256,
        format=found.format,
        size=found.size,
    )


def _keeping(home: Home, stage: str, source: LibraryFile) -> JsonObject:
    """Long work leaves finished pieces for the next visit, and lets others have a turn."""
    keep = str(_pieces(home, source))
    return {"keep": keep, "slice_s": SLICE_S} if stage in RESUMED else {}


def _timeout_s(stage: str, source: LibraryFile) -> float:
    is_film = source.category is Category.VIDEO
    return TIMEOUTS_S.get(stage, TIMEOUT_S) if is_film else TIMEOUT_S


def _pieces(home: Home, source: LibraryFile) -> Path:
    return home.pieces / source.sha256[:16]


def _is_there(home: Home, one: Rendition) -> bool:
    if one.outcome == "skipped" or one.replaced_at is not None:
        return True
    return one.path is not None and (home.cache / one.path).is_file()


async def _finish(means: Means, stage: str, version: int, answer: Answer) -> None:
    db, task, file = means.db, answer.task, answer.file
    source = answer.asking.source
    if source is None:
        return  # made smaller before, and the original is gone: there is nothing to do
    wanted = await db.read(Wanted.of, task)
    wish = Wish.of(stage, version, answer.asking.note)
    if answer.reply is None:
        made = await db.read(renditions.known, source.sha256, wish)
        await db.write(renditions.claim, [one.id for one in made], task.job_id or "")
    else:
        made = await asyncio.to_thread(lambda: list(_made(means, wish, answer, source)))
        if stage in SMALLER:
            made = [await _compared(means, one, source) for one in made]
        await db.write(_keep, made)
        await asyncio.to_thread(fsops.remove_trees, [_pieces(means.home, source)])
    if wanted.replaces and _may_replace(made):
        await _replace(means, file, made[0], wanted.actor, task.job_id)


async def _compared(means: Means, one: Rendition, source: LibraryFile) -> Rendition:
    """The rendition if its copy is without a fault; else that none was made, and why."""
    if one.outcome != "made":
        return one
    place = Below(means.home.cache, one.path or "")
    digest, seen = await asyncio.to_thread(fsops.hash_file, place)
    params = {
        "original": str(source.location),
        "most_bytes": source.size - 1,
        "score": one.facts.get("score", one.facts.get("vmaf")),
        "target": one.facts.get("target"),
    }
    request = VisitRequest(
        visit_id=f"compare-{one.id}",
        path=place.path,
        name=place.path.name,
        size=seen.size,
        mtime_ns=seen.mtime_ns,
        inode=seen.inode,
        stages=(StageCall(COMPARE, params),),
        timeout_s=_timeout_s(one.stage, source),
    )
    reply = await means.workers.visit(request)
    await means.workers.release(reply)
    outcome = reply.outcomes[COMPARE]
    if isinstance(outcome, Later):
        raise TryLater(outcome.why, after_s=outcome.after_s)
    faults = outcome.facts["faults"] if isinstance(outcome, Done) else [outcome.why]
    if not faults and digest == one.made_sha256:
        return one
    await asyncio.to_thread(fsops.remove_own_file, place)
    why = faults[0] if faults else "It changed on the disk."
    return replace(
        one, outcome="skipped", reason=f"The copy did not pass: {why}", path=None, made_sha256=None
    )


def _keep(con: sqlite3.Connection, made: Sequence[Rendition]) -> None:
    for one in made:
        renditions.add(con, one)


def _made(means: Means, wish: Wish, answer: Answer, source: LibraryFile) -> Iterator[Rendition]:
    """What the worker made, moved into the cache; or why it made nothing. Blocking."""
    blank = Rendition(
        id=new_id(means.clock.now()), file_id=answer.file.id, owner_id=answer.file.owner_id,
        job_id=answer.task.job_id, stage=wish.stage, version=wish.version, params=wish.params,
        sha256=source.sha256, outcome="skipped", reason=None, facts={}, kind="", path=None,
        mime=None, width=None, height=None, made_sha256=None, bytes_before=source.size,
        bytes_after=None, original_id=None, made_at=timestamp(means.clock.now()), replaced_at=None,
    )  # fmt: skip
    match answer.outcomes[wish.stage]:
        case Done(facts, made) if made:
            for one in made:
                yield _adopted(means, blank, facts, one, answer)
        case Done(facts):
            yield replace(blank, facts=facts, reason=str(facts.get("why") or "nothing to gain"))
        case Skip(why):
            yield replace(blank, reason=why)
        case Reject(why):
            raise Refused(f"Nothing could be made of it: {why}", path=source.location)


def _adopted(
    means: Means, blank: Rendition, facts: JsonObject, made: Made, answer: Answer
) -> Rendition:
    assert answer.reply is not None, "what was made lies in the reply's directory"
    cache, sha256 = means.home.cache, blank.sha256
    wish = Wish(blank.stage, blank.version, blank.params)
    name = f"{sha256}.{wish.digest}.{made.kind}{PurePath(made.name).suffix}"
    kept = Below(cache, f"renditions/{sha256[:2]}/{name}")
    size = fsops.adopt_derivative(Below(answer.reply.workdir, made.name), kept)
    digest, _ = fsops.hash_file(kept)
    return replace(
        blank,
        id=new_id(means.clock.now()),
        outcome="made",
        facts=facts,
        kind=made.kind,
        path=kept.relative,
        mime=made.mime,
        width=made.width,
        height=made.height,
        made_sha256=digest,
        bytes_after=size,
    )


def _may_replace(made: Sequence[Rendition]) -> bool:
    """One copy, made to be smaller (and so compared), that does not stand for it already."""
    if len(made) != 1:
        return False
    one = made[0]
    return one.stage in SMALLER and one.outcome == "made" and one.replaced_at is None


async def _replace(
    means: Means, file: LibraryFile, made: Rendition, actor: str, job_id: str | None
) -> None:
    place = Below(means.home.cache, made.path or "")
    digest, identity = await asyncio.to_thread(fsops.hash_file, place)
    if digest != made.made_sha256:
        raise Refused("The copy in the cache has changed; the original stays.", path=place.path)
    told = await asyncio.to_thread(_format, place.path)
    copy = Copy(
        digest, told.name, told.category, made.mime or told.mime, identity.size,
        identity.mtime_ns, identity.inode, made.width, made.height,
    )  # fmt: skip
    wanted = Replacing(file.id, made.id, place, copy, PurePath(place.relative).suffix)
    asking = TrashAsking(file.owner_id, actor, job=job_id, reason=replacing.REASON)
    await replacing.replace_file(means.db, means.clock, means.home, wanted, asking, days=means.days)
    await asyncio.to_thread(fsops.remove_own_file, place)  # it lies in the library now


def _format(path: Path) -> Format:
    """By content, as for any file that comes in."""
    told = kind.sniff_file(path)
    if told is None:
        raise Refused("The copy is no kind of file Darkroom keeps.", path=path)
    return told


def params(wish: JsonObject, *, replaces: bool) -> dict[str, Json]:
    """The parameters of a job that makes renditions."""
    return {"wish": json.loads(json.dumps(wish)), "replaces": replaces}
