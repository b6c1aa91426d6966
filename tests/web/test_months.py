"""The grid's data over the API."""

from __future__ import annotations

import httpx

from tests.service.family import Family


async def test_months_and_what_they_hold(client: httpx.AsyncClient, family: Family) -> None:
    """The months tell as many files as they hold; each list has one value for each."""
    months = (await client.get("/api/v2/months")).json()["items"]
    assert months
    for month in months:
        tiles = (await client.get(f"/api/v2/months/{month['month']}")).json()
        assert len(tiles["ids"]) == month["files"]
        assert {len(tiles[name]) for name in ("ids", "taken", "ratios", "kinds", "keys")} == {
            month["files"]
        }


async def test_a_month_that_is_none(client: httpx.AsyncClient) -> None:
    """What is no month is not found; a month without pictures is empty."""
    assert (await client.get("/api/v2/months/2023-13")).status_code == 404
    assert (await client.get("/api/v2/months/1950-01")).json()["ids"] == []
