"""T64, T66: every route of the API, asked by every role, of things own, lent and foreign."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from pipeline.access.reach import NEEDS, Permission
from pipeline.access.rights import Right
from pipeline.registry import discover
from tests.kit import things
from tests.kit.matrix import HIDDEN, NOBODY, REFUSED, ROLES, SEEN, TABLE, Row
from tests.kit.things import Owner
from tests.web.village import Clients, open_clients
from web.contract import Resource, Route
from web.endpoint import asks_a_library
from web.rates import POLICIES, Policy, Rates

BYTES = b"preview"
EVERYBODY_ELSE = "ben"


def _routes() -> dict[str, Route]:
    resources: tuple[Resource, ...] = discover("web.resources", "RESOURCE")
    return {f"{r.method} {r.rule}": r for one in resources for r in one.routes}


def test_every_route_has_its_row() -> None:
    """A new route without a row fails here; so does a row whose route is gone."""
    routes = _routes()
    assert sorted(routes.keys() - TABLE.keys()) == [], "add a row to tests/kit/matrix.py"
    assert sorted(TABLE.keys() - routes.keys()) == [], "these rows have no route any more"


def test_a_row_without_a_thing_names_nobodys_thing() -> None:
    """Roles are ordered, and every row says one of them."""
    assert {row.lowest for row in TABLE.values()} <= {NOBODY, *ROLES}


def test_no_body_takes_what_it_does_not_name() -> None:
    """T65: whatever else a body says is refused, in every route and however deep."""
    lenient = {
        f"{key}: {model.__name__}"
        for key, route in _routes().items()
        for asked in (route.takes, route.query)
        if asked is not None
        for model in _models(asked)
        if model.model_config.get("extra") != "forbid"
    }
    assert lenient == set()


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those within it."""
    yield model
    for field in model.model_fields.values():
        for inner in _classes(field.annotation):
            yield from _models(inner)


def _classes(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _classes(one)


@dataclass(frozen=True, slots=True)
class Walk:
    """A served village, and what a request of the walk needs."""

    clients: Clients
    own: Owner
    other: Owner

    async def answer(self, key: str, row: Row, values: dict[str, str], role: str) -> int:
        """The status that this cell answers with."""
        method, _, rule = key.partition(" ")
        told = {**row.path, **values}
        path = re.sub(r"<(\w+)>", lambda found: told.get(found[1], "nothing"), rule)
        headers = {} if role == NOBODY else {"X-Actor": f":{role}"}
        body = None if method in ("GET", "DELETE") else _filled(row.body, told)
        answer = await self.clients.stranger.request(
            method,
            f"{path}?{_filled_text(row.query, told)}",
            json=body,
            headers={**headers, "If-Match": "*", **row.headers},
        )
        return answer.status_code


@pytest.fixture
async def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Walk]:
    """A village in which every made file has the same bytes, and nobody is slowed down."""
    unhindered = {name: Policy(name, 1_000_000, 1) for name in POLICIES}
    monkeypatch.setattr(Rates.__init__, "__defaults__", (unhindered,))
    async with open_clients(tmp_path / "home") as clients:
        village = clients.village
        home = village.family.world.home
        (home.cache / "preview.jpg").write_bytes(BYTES)
        (home.library / "made").mkdir()
        own = Owner(village.anna.user_id, village.family.world.library.id)
        yield Walk(clients, own, Owner(EVERYBODY_ELSE, f"root-{EVERYBODY_ELSE}"))


def _filled(body: object, told: dict[str, str]) -> object:
    return json.loads(_filled_text(json.dumps(body if body is not None else {}), told))


def _filled_text(text: str, told: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: told.get(found[1], found[0]), text)


def _wanted(row: Row, role: str, whose: str) -> str:
    """What the table says of a cell."""
    if role == NOBODY:
        return "unknown"
    if ROLES.index(role) < ROLES.index(row.lowest):
        return REFUSED
    if whose == "own" or (row.all_from and ROLES.index(role) >= ROLES.index(row.all_from)):
        return SEEN
    return row.lent if whose == "lent" else row.foreign


def _told(status: int) -> str:
    """What an answer comes to."""
    if status >= 500:
        return f"broken ({status})"
    return {401: "unknown", 403: REFUSED, 404: HIDDEN}.get(status, SEEN)


def _cells(row: Row) -> Iterator[tuple[str, str]]:
    for role in (NOBODY, *ROLES):
        for whose in ("foreign", "lent", "own") if row.thing else ("none",):
            yield role, whose


async def _walk_row(walk: Walk, key: str, row: Row, number: int) -> list[str]:
    wrong: list[str] = []
    cells = list(_cells(row))
    made = await walk.clients.village.core.db.write(_things, walk, row, cells, number)
    for (role, whose), values in zip(cells, made, strict=True):
        told = _told(await walk.answer(key, row, values, role))
        if row.thing or role == NOBODY or ROLES.index(role) < ROLES.index(row.lowest):
            is_right = told == _wanted(row, role, whose)
        else:  # the thing that it would be about is not there, which is said by who may ask
            is_right = told in (SEEN, HIDDEN)
        if not is_right:
            wrong.append(f"{key} as {role}, {whose}: {told}, not {_wanted(row, role, whose)}")
    return wrong


def _things(
    con: sqlite3.Connection, walk: Walk, row: Row, cells: list[tuple[str, str]], number: int
) -> list[dict[str, str]]:
    """A fresh thing for each cell: what one request does to it, no other sees."""
    made: list[dict[str, str]] = []
    for role, whose in cells:
        values: things.Values = {}
        if row.thing:
            owner = walk.own if whose == "own" else walk.other
            lent_to = walk.own.user_id if whose == "lent" else ""
            values = things.make(con, row.thing, owner, f"{whose}-{role}-{number}", lent_to)
        if "file_id" in values:
            path = walk.clients.village.core.home.library / "made" / f"{values['file_id']}.jpg"
            path.write_bytes(BYTES)
        made.append(dict(values))
    return made


@pytest.mark.parametrize("part", range(4))
async def test_every_cell_is_as_the_table_says(walk: Walk, part: int) -> None:
    """Nobody: 401; a role too low: 403; foreign: 404, as if it were not there; own: answered."""
    rows = [(key, row) for key, row in sorted(TABLE.items()) if row.lowest != NOBODY]
    wrong: list[str] = []
    for number, (key, row) in enumerate(rows[part::4]):
        if key in _routes() and key != "GET /api/v2/events/stream":  # it never ends
            wrong += await _walk_row(walk, key, row, number)
    assert not wrong, "\n".join(wrong)


async def test_a_library_is_entered_as_far_as_it_is_lent(walk: Walk) -> None:
    """T64: `X-Library` is answered 404 until it is lent, and 403 where a look is too little."""
    asked = [key for key, route in _routes().items() if asks_a_library(route)]
    assert len(asked) > 20
    headers = {"X-Library": walk.other.user_id}
    unlent = {key: await _with(walk, key, headers) for key in asked}
    assert {key: status for key, status in unlent.items() if status != 404} == {}
    core = walk.clients.village.core
    await core.db.write(things.lend_library, walk.other, walk.own.user_id)
    narrow = [key for key in asked if NEEDS[_right(key)] > Permission.VIEW]
    lent = {key: await _with(walk, key, headers) for key in narrow}
    assert {key: status for key, status in lent.items() if status != 403} == {}
    assert await _with(walk, "GET /api/v2/files", headers) == 200


def _right(key: str) -> Right:
    right = _routes()[key].right
    assert right is not None
    return right


async def _with(walk: Walk, key: str, headers: dict[str, str]) -> int:
    row = replace(TABLE[key], headers={**TABLE[key].headers, **headers})
    return await walk.answer(key, row, {}, "owner")


async def test_what_needs_no_account_stands_none(walk: Walk) -> None:
    """Routes for anybody answer a stranger with a refusal or an answer, never with a failure."""
    wrong: list[str] = []
    for key, row in TABLE.items():
        if row.lowest == NOBODY and key in _routes():
            status = await walk.answer(key, row, {}, NOBODY)
            wrong += [f"{key}: {status}"] if status >= 500 else []
    assert wrong == []


async def test_the_walk_sees_a_hole(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seeded fault is found: a check that lets everybody in, a thing that is everybody's."""
    from pipeline.service import albums
    from web import endpoint

    key = "GET /api/v2/audit"
    assert await _walk_row(walk, key, TABLE[key], 1) == []
    monkeypatch.setattr(endpoint, "require", lambda actor, right: None)
    monkeypatch.setattr("pipeline.service.audit.require", lambda actor, right: None)
    assert len(await _walk_row(walk, key, TABLE[key], 2)) == 3
    key = "GET /api/v2/albums/<album_id>/files"
    monkeypatch.setattr(albums.reach, "album", lambda con, actor, album_id, needs: None)
    assert len(await _walk_row(walk, key, TABLE[key], 3)) == 5
