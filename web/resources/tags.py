"""Tags: which there are, another name for one, and writing all of it beside the files."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.errors import NotFound
from pipeline.service import batches, finding, tags
from pipeline.service.batches import Begun, Selection
from pipeline.service.requests import Retag
from web.contract import API, Answer, Asked, Given, Resource, Taken
from web.undoing import undo_link

RESOURCE = Resource("tags", "Words that people, files and models gave to files.")
SHOWN = 1_000


class TagUse(Given):
    """A tag and how many files have it, by who says so."""

    tag: str
    files: int
    by_person: int
    by_file: int
    by_model: int


class TagList(Given):
    """Tags, the most used first."""

    items: list[TagUse]


class TagQuery(Taken):
    """Which tags are wanted."""

    q: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1_000


class NewName(Taken):
    """What the tag is to be called."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


class Retagged(Given):
    """So many files have other tags; `job` is what to undo."""

    job: str | None
    files: int
    is_over: bool


class ExportWanted(Taken):
    """Which files are to have a sidecar that says what Darkroom knows; all without a query."""

    query: Annotated[str, Field(max_length=4_000)] = ""
    dry_run: bool = False


class SidecarView(Given):
    """The sidecar of one file; `action` is new, changed, unchanged or left."""

    file: str
    sidecar: str
    action: str
    reason: str


class Exported(Given):
    """What was written, or would be; the first thousand are named."""

    job: str | None
    files: int
    written: int
    left: int
    items: list[SidecarView]


@RESOURCE.get("/tags", right=Right.FILES_READ, gives=TagList, query=TagQuery)
async def listing(asked: Asked, query: TagQuery) -> TagList:
    """Every tag in use, the most used first; `q` is a part of the word."""
    wanted = query.q.casefold()
    found = await tags.used(asked.actor, asked.core)
    fitting = [one for one in found if wanted in one.tag.casefold()]
    return TagList(items=[TagUse.model_validate(one) for one in fitting[: query.limit]])


@RESOURCE.patch(
    "/tags/<tag>", right=Right.FILES_WRITE, takes=NewName, gives=Retagged, errors=(202,)
)
async def rename(asked: Asked, tag: str, body: NewName) -> Answer:
    """Call a tag something else on every file that has it; a name that is used joins the two."""
    return await _everywhere(asked, tag, Retag(add=(body.name,), remove=(tag,)))


@RESOURCE.delete("/tags/<tag>", right=Right.FILES_WRITE, gives=Retagged, status=200, errors=(202,))
async def remove(asked: Asked, tag: str) -> Answer:
    """Take a tag away from every file that has it."""
    return await _everywhere(asked, tag, Retag(remove=(tag,)))


@RESOURCE.post("/tags/export", right=Right.FILES_WRITE, takes=ExportWanted, gives=Exported)
async def export(asked: Asked, body: ExportWanted) -> Exported:
    """Write tags, people, stars and what people said as XMP beside the files; undone as a job."""
    query = finding.query_of(asked.core, body.query)
    made = await tags.export(asked.actor, asked.core, query, dry_run=body.dry_run)
    return Exported(
        job=made.job_id,
        files=len(made.items),
        written=sum(one.action in ("new", "changed") for one in made.items),
        left=sum(one.action == "left" for one in made.items),
        items=[SidecarView.model_validate(one) for one in made.items[:SHOWN]],
    )


async def _everywhere(asked: Asked, tag: str, change: Retag) -> Answer:
    ids = await tags.having(asked.actor, asked.core, tag)
    if not ids:
        raise NotFound(f"No file has the tag {tag!r}.")
    named = Selection(tuple(ids[: batches.MOST_NAMED]))
    return _answer(await batches.start(asked.actor, asked.core, named, change))


def _answer(begun: Begun) -> Answer:
    told = Retagged(job=begun.job_id, files=begun.files, is_over=begun.result is not None)
    headers = {"Location": f"{API}/jobs/{begun.job_id}", **undo_link(begun.job_id)}
    return Answer(told, status=200 if told.is_over else 202, headers=headers)
