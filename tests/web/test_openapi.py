"""The API's description is true and complete."""

from __future__ import annotations

import inspect

import httpx

from pipeline.registry import discover
from web.contract import Resource


async def test_every_route_is_described(client: httpx.AsyncClient) -> None:
    """Each operation has a summary, a right or none on purpose, and its problem documents."""
    document = (await client.get("/api/v2/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    resources: tuple[Resource, ...] = discover("web.resources", "RESOURCE")
    for route in (route for resource in resources for route in resource.routes):
        assert inspect.getdoc(route.handler), f"{route.name} has no description"
    names = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(names) == len(set(names)), "operations share a name"
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert "429" in operation["responses"]


async def test_every_reference_leads_somewhere(client: httpx.AsyncClient) -> None:
    """No schema is named that is not there."""
    text = (await client.get("/api/v2/openapi.json")).text
    document = (await client.get("/api/v2/openapi.json")).json()
    prefix = '"$ref": "#/components/schemas/'
    used = {part.split('"')[0] for part in text.split(prefix)[1:]}
    assert used <= document["components"]["schemas"].keys()
