"""Batches: one operation over up to ten thousand files, or all that fit a query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.access.rights import Right, require
from pipeline.model import Json
from pipeline.service import batches
from pipeline.service.batches import MOST_NAMED, Begun, Selection
from pipeline.service.editing import Say, Shift, Zone
from pipeline.service.requests import (
    Convert,
    Copy,
    Delete,
    Gather,
    Move,
    Operation,
    Rename,
    Retag,
)
from web.contract import API, LARGE_BODY, Answer, Asked, Given, Resource, Taken
from web.paging import Paged, cursor_of, links, values_of
from web.undoing import undo_link

RESOURCE = Resource("batches", "One operation over many files, rehearsed first, undone as a job.")
SHOWN = 1_000  # items of an answer; the others are told page by page
Text = Annotated[str, Field(max_length=1_000)]
Words = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=200)]


class MoveTo(Taken):
    """Into a folder of the library, under the names they have."""

    kind: Literal["move"]
    target: Text

    def operation(self) -> Operation:
        """As the services take it."""
        return Move(self.target)


class RenameBy(Taken):
    """By a template such as `{taken:%Y-%m-%d} {name}`."""

    kind: Literal["rename"]
    template: Text

    def operation(self) -> Operation:
        """As the services take it."""
        return Rename(self.template)


class CopyTo(Taken):
    """Verified copies in a folder below `exports` of the home."""

    kind: Literal["copy"]
    destination: Text

    def operation(self) -> Operation:
        """As the services take it."""
        return Copy(Path(self.destination))


class ConvertTo(Taken):
    """Copies in another format, in a folder below `exports` of the home."""

    kind: Literal["convert"]
    to: Annotated[str, Field(max_length=10)]
    destination: Text
    quality: Annotated[int, Field(ge=1, le=100)] | None = None
    lossless: bool = False

    def operation(self) -> Operation:
        """As the services take it."""
        destination = Path(self.destination)
        return Convert(self.to, destination, quality=self.quality, lossless=self.lossless)


class Trash(Taken):
    """Into the trash."""

    kind: Literal["trash"]
    reason: Text = ""

    def operation(self) -> Operation:
        """As the services take it."""
        return Delete(self.reason)


class Tag(Taken):
    """Tags to give and to take away."""

    kind: Literal["retag"]
    add: Words = ()
    remove: Words = ()

    def operation(self) -> Operation:
        """As the services take it."""
        return Retag(self.add, self.remove)


class Edit(Taken):
    """Title, description, rating, taken_at or position; null says that there is none."""

    kind: Literal["edit"]
    fields: dict[Annotated[str, Field(max_length=20)], Any] = {}  # noqa: RUF012 - pydantic copies it
    reset: Words = ()

    def operation(self) -> Operation:
        """As the services take it."""
        return Say(self.fields, self.reset)


class ShiftBy(Taken):
    """Taken so many seconds later, or earlier."""

    kind: Literal["shift"]
    seconds: int

    def operation(self) -> Operation:
        """As the services take it."""
        return Shift(self.seconds)


class SetZone(Taken):
    """Taken in this zone: an IANA name, or an offset such as +02:00."""

    kind: Literal["zone"]
    zone: Annotated[str, Field(max_length=64)]
    keep: Literal["clock", "moment"] = "clock"

    def operation(self) -> Operation:
        """As the services take it."""
        return Zone(self.zone, self.keep)


class IntoAlbum(Taken):
    """Into an album that is one's own, or that one may add to."""

    kind: Literal["album"]
    album: Annotated[str, Field(max_length=64)]

    def operation(self) -> Operation:
        """As the services take it."""
        return Gather(self.album)


Wish = Annotated[
    MoveTo | RenameBy | CopyTo | ConvertTo | Trash | Tag | Edit | ShiftBy | SetZone | IntoAlbum,
    Field(discriminator="kind"),
]


class BatchWanted(Taken):
    """What is to be done, and to which files: `files` by id or path, or a `query`."""

    operation: Wish
    files: Annotated[tuple[Text, ...], Field(max_length=MOST_NAMED)] = ()
    query: Annotated[str, Field(max_length=4_000)] | None = None
    dry_run: bool = False


class ItemView(Given):
    """What became of one file, or would become; `reason` says why it was left as it is."""

    file: str
    id: str | None = None
    ok: bool
    before: Json = None
    after: Json = None
    reason: str = ""


class BatchView(Given):
    """A batch. `items` are the first thousand where it is over; `left` counts the files left.

    `bytes` is how large the files named are together; `job` is what to undo, null for a rehearsal.
    """

    job: str | None
    dry_run: bool
    is_over: bool
    files: int
    bytes: int
    left: int
    items: list[ItemView]
    more: bool


class BatchState(Given):
    """How a batch stands."""

    job: str
    operation: str
    status: str
    files: int
    left: int
    created_at: str
    completed_at: str | None
    error: str | None


class ItemPage(Given):
    """A page of what became of each file, in the order in which they were named."""

    items: list[ItemView]
    next: str | None


@RESOURCE.post(
    "/batches",
    right=Right.FILES_WRITE,
    takes=BatchWanted,
    gives=BatchView,
    body_limit=LARGE_BODY,
    errors=(202,),
)
async def start(asked: Asked, body: BatchWanted) -> Answer:
    """Do something to many files. With `dry_run` the answer says what would happen.

    What belongs to a file goes with it, and one that cannot be done never stops the others. More
    than 200 files are done behind the answer: 202, and the job at `Location`.
    """
    if isinstance(body.operation, Trash):
        require(asked.actor, Right.FILES_TRASH)
    begun = await batches.start(
        asked.actor,
        asked.core,
        Selection(body.files, body.query),
        body.operation.operation(),
        dry_run=body.dry_run,
    )
    headers = {}
    if begun.job_id is not None:
        headers = {"Location": f"{API}/jobs/{begun.job_id}", **undo_link(begun.job_id)}
    status = 202 if begun.result is None else 200
    return Answer(_view(begun, dry_run=body.dry_run), status=status, headers=headers)


@RESOURCE.get("/batches/<job_id>", right=Right.FILES_READ, gives=BatchState)
async def show(asked: Asked, job_id: str) -> BatchState:
    """How a batch stands."""
    job = await batches.job(asked.actor, asked.core, job_id)
    return BatchState(
        job=job.id,
        operation=job.job_type.removeprefix(batches.PREFIX),
        status=job.status,
        files=job.processed_count,
        left=job.error_count,
        created_at=job.created_at,
        completed_at=job.completed_at,
        error=job.error,
    )


@RESOURCE.get("/batches/<job_id>/items", right=Right.FILES_READ, gives=ItemPage, query=Paged)
async def items(asked: Asked, job_id: str, query: Paged) -> Answer:
    """What became of each file; empty while the batch runs, and after a month."""
    after = values_of(query.cursor, [int])
    start = int(after[0]) if after else 0
    found = await batches.items(asked.actor, asked.core, job_id, after=start, limit=query.limit + 1)
    cursor = cursor_of([start + query.limit]) if len(found) > query.limit else None
    page = ItemPage(items=_items(found[: query.limit]), next=cursor)
    return Answer(page, headers=links(asked.request, cursor))


def _view(begun: Begun, *, dry_run: bool) -> BatchView:
    told = begun.result.items if begun.result else ()
    return BatchView(
        job=begun.job_id,
        dry_run=dry_run,
        is_over=begun.result is not None,
        files=begun.files,
        bytes=begun.result.bytes if begun.result else 0,
        left=sum(not item.ok for item in told),
        items=_items(told[:SHOWN]),
        more=len(told) > SHOWN,
    )


def _items(found: Sequence[Any]) -> list[ItemView]:
    return [ItemView.model_validate(one) for one in found]
