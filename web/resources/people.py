"""People: who there is, what is decided about them, and whether anybody is recognised at all."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.errors import Invalid
from pipeline.service import people
from pipeline.service.answers import Portrait
from web.contract import Answer, Asked, Given, Resource, Taken
from web.resources.faces import Decided, FaceView, face_view

RESOURCE = Resource(
    "people", "The people in the pictures. What is erased for privacy stays erased."
)
Id = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class PersonView(Given):
    """Somebody, or a group of faces that looks like somebody. `cover` is the face to show."""

    id: str
    name: str | None
    consent: str
    is_hidden: bool
    faces: int
    files: int
    cover: str | None
    created_at: str


class PersonList(Given):
    """People, the most seen first."""

    items: list[PersonView]


class PortraitView(FaceView):
    """A face with the file it is in."""

    path: str | None
    taken_at: str | None


class PersonDetail(PersonView):
    """Somebody with their faces, the newest taken first."""

    portraits: list[PortraitView]


class PeopleQuery(Taken):
    """With `everybody` also hidden people and groups of few faces."""

    everybody: bool = False


class PersonQuery(Taken):
    """How many faces are wanted."""

    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class PersonChange(Taken):
    """One thing about somebody: what is left out stays."""

    name: Name | None = None
    is_hidden: bool | None = None
    cover: Id | None = None
    consent: Literal["unknown", "yes", "no"] | None = None


class Changed(Given):
    """Somebody as they are now; `decision` is what to undo, null where nothing can be."""

    person: PersonView
    decision: str | None
    erased: int = 0


class Other(Taken):
    """Somebody who is the same person."""

    other: Id


class DoubtView(Given):
    """Two faces of which a person may say whether they are the same."""

    one: PortraitView
    other: PortraitView
    one_name: str | None
    other_name: str | None
    similarity: float


class DoubtList(Given):
    """Questions, the likeliest first."""

    items: list[DoubtView]


class AnswerTaken(Taken):
    """Whether two faces are the same person."""

    one: Id
    other: Id
    is_same: bool


class DecisionView(Given):
    """A decision that can be taken back."""

    id: str
    action: str
    summary: str
    actor: str
    at: str


class DecisionList(Given):
    """Decisions, newest first."""

    items: list[DecisionView]


class Recognition(Given):
    """Whether faces are recognised; what switching it did."""

    is_on: bool
    erased: int = 0
    studied_again: int = 0


class RecognitionWanted(Taken):
    """Whether faces are to be recognised."""

    is_on: bool


@RESOURCE.get("/people", right=Right.PEOPLE_READ, gives=PersonList, query=PeopleQuery)
async def listing(asked: Asked, query: PeopleQuery) -> PersonList:
    """The people there are."""
    found = await people.listing(asked.actor, asked.core, everybody=query.everybody)
    return PersonList(items=[PersonView.model_validate(one) for one in found])


@RESOURCE.get("/people/questions", right=Right.PEOPLE_READ, gives=DoubtList)
async def questions(asked: Asked) -> DoubtList:
    """Pairs of faces that may be one person."""
    found = await people.questions(asked.actor, asked.core)
    return DoubtList(
        items=[
            DoubtView(
                one=_portrait(one.one),
                other=_portrait(one.other),
                one_name=one.one_name,
                other_name=one.other_name,
                similarity=one.similarity,
            )
            for one in found
        ]
    )


@RESOURCE.post("/people/answers", right=Right.PEOPLE_WRITE, takes=AnswerTaken, gives=Decided)
async def answer(asked: Asked, body: AnswerTaken) -> Decided:
    """Say whether two faces are the same person, for ever."""
    told = await people.answer(asked.actor, asked.core, body.one, body.other, is_same=body.is_same)
    return Decided(decision=told)


@RESOURCE.get("/people/decisions", right=Right.PEOPLE_READ, gives=DecisionList)
async def decisions(asked: Asked) -> DecisionList:
    """What was decided about people and can be taken back."""
    found = await people.undoable(asked.actor, asked.core)
    return DecisionList(items=[DecisionView.model_validate(one) for one in found])


@RESOURCE.post("/people/decisions/<decision>/undo", right=Right.PEOPLE_WRITE, gives=DecisionView)
async def undo(asked: Asked, decision: str) -> DecisionView:
    """Take a decision back."""
    return DecisionView.model_validate(await people.undo(asked.actor, asked.core, decision))


@RESOURCE.get("/people/recognition", right=Right.PEOPLE_READ, gives=Recognition)
async def recognition(asked: Asked) -> Recognition:
    """Whether faces are recognised in this household."""
    return Recognition(is_on=await people.recognition_is_on(asked.actor, asked.core))


@RESOURCE.put(
    "/people/recognition", right=Right.PEOPLE_WRITE, takes=RecognitionWanted, gives=Recognition
)
async def set_recognition(asked: Asked, body: RecognitionWanted) -> Recognition:
    """Switch recognition on or off. Off erases everything anybody was recognised by, for good."""
    if body.is_on:
        again = await people.turn_recognition_on(asked.actor, asked.core)
        return Recognition(is_on=True, studied_again=again)
    erased = await people.turn_recognition_off(asked.actor, asked.core)
    return Recognition(is_on=False, erased=erased.faces)


@RESOURCE.get("/people/<person>", right=Right.PEOPLE_READ, gives=PersonDetail, query=PersonQuery)
async def show(asked: Asked, person: str, query: PersonQuery) -> PersonDetail:
    """Somebody by id or name, with their faces."""
    found = await people.show(asked.actor, asked.core, person, query.limit)
    view = PersonView.model_validate(found.person)
    return PersonDetail(**view.model_dump(), portraits=list(map(_portrait, found.portraits)))


@RESOURCE.patch("/people/<person>", right=Right.PEOPLE_WRITE, takes=PersonChange, gives=Changed)
async def change(asked: Asked, person: str, body: PersonChange) -> Answer:
    """Name somebody, hide or show them, choose their face, or note their consent; one at a time.

    Consent "no" erases what they were recognised by, for good.
    """
    told = [name for name in body.model_fields_set if getattr(body, name) is not None]
    if len(told) != 1:
        raise Invalid("Say one thing at a time.")
    found = await people.show(asked.actor, asked.core, person, 1)
    decision, erased = await _change(asked, found.person.id, body)
    now = await people.show(asked.actor, asked.core, found.person.id, 1)
    view = PersonView.model_validate(now.person)
    return Answer(Changed(person=view, decision=decision, erased=erased))


@RESOURCE.post("/people/<person>/merge", right=Right.PEOPLE_WRITE, takes=Other, gives=Decided)
async def merge(asked: Asked, person: str, body: Other) -> Decided:
    """Say that two are one person; the one of the address stays."""
    return Decided(decision=await people.merge(asked.actor, asked.core, person, body.other))


async def _change(asked: Asked, who: str, body: PersonChange) -> tuple[str | None, int]:
    actor, core = asked.actor, asked.core
    if body.name is not None:
        return await people.name(actor, core, who, body.name), 0
    if body.is_hidden is not None:
        return await people.hide(actor, core, who, is_hidden=body.is_hidden), 0
    if body.cover is not None:
        return await people.cover(actor, core, who, body.cover), 0
    assert body.consent is not None, "one thing is said"
    return None, (await people.consent(actor, core, who, body.consent)).faces


def _portrait(one: Portrait) -> PortraitView:
    face = face_view(one.face)
    return PortraitView(**face.model_dump(), path=one.path, taken_at=one.taken_at)
