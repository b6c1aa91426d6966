"""Faces: which are in a file, and whose they are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import files, people
from pipeline.service.answers import Face
from web.contract import Asked, Given, Resource, Taken

RESOURCE = Resource("faces", "Faces in pictures; boxes are fractions of the upright picture.")
Id = Annotated[str, Field(max_length=64)]
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=1_000)]


class FaceView(Given):
    """One face: x, y, width and height, and whose it is as far as anybody knows."""

    id: str
    file_id: str
    box: tuple[float, float, float, float]
    score: float
    sharpness: float
    person_id: str | None
    by_person: bool


class FaceList(Given):
    """The faces of one file."""

    items: list[FaceView]


class MoveFaces(Taken):
    """Faces, and whose they are: somebody's id or name, or null for somebody new."""

    faces: Ids
    to: Annotated[str, Field(max_length=200)] | None


class NotTheirs(Taken):
    """Faces that are not who they were taken for."""

    faces: Ids


class Decided(Given):
    """A decision about people; `decision` is what to undo."""

    decision: str


@RESOURCE.get("/files/<file_id>/faces", right=Right.PEOPLE_READ, gives=FaceList)
async def of_file(asked: Asked, file_id: str) -> FaceList:
    """The faces in one file."""
    row = await files.one(asked.actor, asked.core, file_id)
    found = await people.faces_of(asked.actor, asked.core, row.id)
    return FaceList(items=list(map(face_view, found)))


@RESOURCE.post("/faces/move", right=Right.PEOPLE_WRITE, takes=MoveFaces, gives=Decided)
async def move(asked: Asked, body: MoveFaces) -> Decided:
    """Give faces to somebody, or to somebody new."""
    return Decided(decision=await people.move(asked.actor, asked.core, body.faces, body.to))


@RESOURCE.post("/faces/exclude", right=Right.PEOPLE_WRITE, takes=NotTheirs, gives=Decided)
async def exclude(asked: Asked, body: NotTheirs) -> Decided:
    """Say that faces are not who they were taken for; they are never taken for them again."""
    return Decided(decision=await people.exclude(asked.actor, asked.core, body.faces))


def face_view(face: Face) -> FaceView:
    """A face as it is answered."""
    x, y, w, h = face.box
    return FaceView(
        id=face.id,
        file_id=face.file_id,
        box=(x, y, w, h),
        score=face.score,
        sharpness=face.sharpness,
        person_id=face.person_id,
        by_person=face.by_person,
    )
