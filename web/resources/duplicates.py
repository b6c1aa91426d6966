"""Duplicates: groups with a keeper and its reasons, decisions with totals before, all undoable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from pipeline.access.rights import Right, require
from pipeline.model import Json
from pipeline.service import deduplicating, duplicates, merging
from pipeline.service.answers import Member, Review
from pipeline.service.deduplicating import Applied, Rule, Verdict
from pipeline.service.merging import Takeover
from web.contract import LARGE_BODY, Answer, Asked, Given, Resource, Taken
from web.paging import Paged, cursor_of, cut, links, values_of
from web.undoing import undo_link

RESOURCE = Resource(
    "duplicates", "Files that are the same, or look it; never decided by themselves."
)
EXAMPLES = 50  # groups that are told one by one
Id = Annotated[str, Field(max_length=64)]


class MemberView(Given):
    """One file of a group."""

    file_id: str
    state: str
    path: str | None
    size: int
    format: str | None
    mime: str | None
    width: int | None
    height: int | None
    taken_at: str | None
    taken_from: str | None
    camera: str | None
    has_place: bool
    found_at: str
    quality: Json


class PairView(Given):
    """Two files that look alike, and how many of 64 bits differ."""

    file_id: str
    other_id: str
    distance: int


class GroupView(Given):
    """One group: `keep` is proposed, `why` says the reasons; `reclaimable` are bytes.

    `alike` says what the files share.
    """

    members: list[MemberView]
    pairs: list[PairView]
    keep: str
    why: list[str]
    alike: list[str]
    reclaimable: int


class GroupPage(Given):
    """A page of groups."""

    items: list[GroupView]
    next: str | None


class Groups(Paged):
    """Which groups: pictures that look alike and nobody decided on, equal files, or bursts."""

    kind: Literal["alike", "exact", "series"] = "alike"


class DecidedView(Given):
    """What was said of a pair, and by whom."""

    file_id: str
    other_id: str
    distance: int
    decision: str
    decided_by: str
    name: str
    other_name: str
    state: str
    other_state: str


class DecidedPage(Given):
    """A page of decisions."""

    items: list[DecidedView]
    next: str | None


class PairsDecided(Taken):
    """What a person says of pairs of files; null forgets what was said."""

    decision: Literal["same", "different"] | None
    pairs: Annotated[tuple[tuple[Id, Id], ...], Field(min_length=1, max_length=10_000)]


class VerdictTaken(Taken):
    """One of a group is kept, the others go to the trash."""

    keep: Id
    trash: Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]


class Decisions(Taken):
    """Verdicts. With `merge` what only the others know goes over to the one that is kept."""

    verdicts: Annotated[
        tuple[VerdictTaken, ...], Field(min_length=1, max_length=deduplicating.MOST)
    ]
    merge: bool = True
    dry_run: bool = False


class RuleTaken(Taken):
    """Which of each group is kept: files in `folder` first, then by what is preferred.

    `best` is what is proposed, `quality` the better picture whatever its size, `largest` has most
    pixels, `oldest` is longest in the library. Only pictures that differ in at most `distance` of
    64 bits from the kept one are touched.
    """

    prefer: Literal["best", "quality", "largest", "oldest"] = "best"
    folder: Annotated[str, Field(max_length=1_000)] = ""
    distance: Annotated[int, Field(ge=0, le=16)] = 4
    merge: bool = True
    dry_run: bool = True


class LeftView(Given):
    """A file that stayed, and why."""

    file_id: str
    reason: str


class TakeoverView(Given):
    """What a file that is kept gets from the others; `fields` by their names, albums by title."""

    keep: str
    fields: dict[str, Json]
    tags: list[str]
    albums: list[str]


class VerdictView(Given):
    """Which file of a group is kept, and which go."""

    keep: str
    trash: list[str]


class AppliedView(Given):
    """Totals: what was done, or would be. `job` is what to undo.

    `verdicts` and `takes_over` are those of the first groups.
    """

    job: str | None
    groups: int
    files: int
    bytes: int
    merged: int
    left: list[LeftView]
    verdicts: list[VerdictView]
    takes_over: list[TakeoverView]


class Remembered(Given):
    """Noted; `job` is what to undo."""

    job: str


@RESOURCE.get("/duplicates", right=Right.FILES_READ, gives=GroupPage, query=Groups)
async def listing(asked: Asked, query: Groups) -> Answer:
    """Groups for a review, each with the file that is proposed to be kept, and why."""
    look = {
        "alike": duplicates.alike,
        "exact": duplicates.exact,
        "series": duplicates.series,
    }[query.kind]
    told = values_of(query.cursor, [str])
    after = str(told[0]) if told else ""
    found: Sequence[Review] = await look(asked.actor, asked.core, query.limit, after)
    cursor = cursor_of([found[-1].cursor]) if len(found) == query.limit else None
    page = GroupPage(items=list(map(_group, found)), next=cursor)
    return Answer(page, headers=links(asked.request, cursor))


@RESOURCE.get("/duplicates/pairs", right=Right.FILES_READ, gives=DecidedPage, query=Paged)
async def decided(asked: Asked, query: Paged) -> Answer:
    """What people decided; these pairs are not asked about again."""
    told = values_of(query.cursor, [str, str])
    after = (str(told[0]), str(told[1])) if told else ("", "")
    found = await duplicates.decided(asked.actor, asked.core, query.limit + 1, after)
    shown, cursor = cut(found, query.limit, lambda one: [one.file_id, one.other_id])
    page = DecidedPage(items=[DecidedView.model_validate(one) for one in shown], next=cursor)
    return Answer(page, headers=links(asked.request, cursor))


@RESOURCE.post(
    "/duplicates/pairs",
    right=Right.FILES_WRITE,
    takes=PairsDecided,
    gives=Remembered,
    body_limit=LARGE_BODY,
)
async def pairs(asked: Asked, body: PairsDecided) -> Answer:
    """Say that files are, or are not, the same picture; they are not asked about again.

    With null they are: the decision is forgotten.
    """
    job = await deduplicating.remember(asked.actor, asked.core, body.pairs, body.decision)
    return Answer(Remembered(job=job), headers=undo_link(job))


@RESOURCE.post(
    "/duplicates/decisions",
    right=Right.FILES_TRASH,
    takes=Decisions,
    gives=AppliedView,
    body_limit=LARGE_BODY,
)
async def decide(asked: Asked, body: Decisions) -> Answer:
    """Keep one of each group and put the others into the trash. `dry_run` tells the totals only."""
    verdicts = [Verdict(one.keep, one.trash) for one in body.verdicts]
    return await _applied(asked, verdicts, merges=body.merge, dry_run=body.dry_run)


@RESOURCE.post("/duplicates/rule", right=Right.FILES_TRASH, takes=RuleTaken, gives=AppliedView)
async def by_rule(asked: Asked, body: RuleTaken) -> Answer:
    """Decide every open group by a rule. Rehearses unless `dry_run` is false."""
    rule = Rule(body.prefer, body.folder, body.distance)
    verdicts = await deduplicating.by_rule(asked.actor, asked.core, rule)
    if not verdicts:
        return Answer(_view(deduplicating.NOTHING, ()))
    return await _applied(asked, verdicts, merges=body.merge, dry_run=body.dry_run)


async def _applied(
    asked: Asked, verdicts: Sequence[Verdict], *, merges: bool, dry_run: bool
) -> Answer:
    if merges:
        require(asked.actor, Right.FILES_WRITE)
    done = await deduplicating.apply(
        asked.actor, asked.core, verdicts, merges=merges, dry_run=dry_run
    )
    return Answer(_view(done, verdicts), headers=undo_link(done.job_id))


def _view(done: Applied, verdicts: Sequence[Verdict]) -> AppliedView:
    return AppliedView(
        job=done.job_id,
        groups=done.groups,
        files=done.files,
        bytes=done.bytes,
        merged=len(done.takeovers),
        left=[LeftView(file_id=one.file_id, reason=one.error.message) for one in done.left],
        verdicts=[VerdictView(keep=one.keep, trash=list(one.trash)) for one in verdicts[:EXAMPLES]],
        takes_over=[_takeover(one) for one in done.takeovers[:EXAMPLES]],
    )


def _takeover(one: Takeover) -> TakeoverView:
    told = {name: merging.told(name, said) for name, said in one.fields.items()}
    albums = list(one.albums.values())
    return TakeoverView(keep=one.keep, fields=told, tags=list(one.tags), albums=albums)


def _group(review: Review) -> GroupView:
    return GroupView(
        members=list(map(_member, review.members)),
        pairs=[PairView.model_validate(pair) for pair in review.pairs],
        keep=review.keeper.file_id,
        why=list(review.keeper.reasons),
        alike=list(review.alike),
        reclaimable=review.reclaimable,
    )


def _member(member: Member) -> MemberView:
    return MemberView.model_validate(member)
