"""What all routes share: problem documents, limits, versions, keys."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.service.family import Family

FILES = "/api/v2/files"


@pytest.mark.parametrize(
    ("method", "url", "headers", "status"),
    [
        ("GET", "/api/v2/nothing", {}, 404),
        ("GET", "/api/v2/files/", {}, 404),
        ("PUT", FILES, {}, 405),
        ("TRACE", FILES, {}, 405),
        ("GET", FILES, {"Accept": "text/html"}, 406),
        ("GET", f"{FILES}?limit=0", {}, 422),
        ("GET", f"{FILES}?unknown=1", {}, 422),
        ("GET", f"{FILES}?cursor=nonsense", {}, 400),
        ("GET", f"{FILES}?q=rating:lots", {}, 422),
        ("GET", f"{FILES}/00000000-0000-7000-8000-000000000000", {}, 404),
        ("GET", FILES, {"X-Actor": "broken"}, 401),
        ("DELETE", f"{FILES}/x", {"X-Actor": "x:viewer"}, 403),
    ],
)
async def test_every_refusal_is_a_problem_document(
    client: httpx.AsyncClient, method: str, url: str, headers: dict[str, str], status: int
) -> None:
    """RFC 9457, everywhere, with the security headers (T69, T81)."""
    answer = await client.request(method, url, headers=headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert {"type", "title", "instance", "request_id"} <= told.keys()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_without_credentials_there_is_nothing(stranger: httpx.AsyncClient) -> None:
    """The answer says how to sign in."""
    answer = await stranger.get(FILES)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_refusal_names_the_missing_right(client: httpx.AsyncClient) -> None:
    """Who is refused knows what to ask for."""
    answer = await client.delete(f"{FILES}/x", headers={"X-Actor": "x:viewer"})
    assert "files.trash" in answer.json()["detail"]


async def test_the_bucket_runs_dry_and_says_when(client: httpx.AsyncClient, family: Family) -> None:
    """429 with Retry-After once a caller asks too often; others are not touched."""
    from web.rates import Policy, Rates

    rates = Rates({"default": Policy("default", 3, 60)})
    left = [rates.take("default", "anna", 0.0)["RateLimit"] for _ in range(3)]
    assert [one.split(";")[1] for one in left] == ["r=2", "r=1", "r=0"]
    with pytest.raises(Exception) as caught:
        rates.take("default", "anna", 0.0)
    assert caught.value.headers["Retry-After"] == "20"  # type: ignore[attr-defined]  # a Problem
    rates.take("default", "ben", 0.0)
    rates.take("default", "anna", 20.0)


async def test_options_tells_what_an_address_takes(client: httpx.AsyncClient) -> None:
    """OPTIONS is answered everywhere."""
    answer = await client.options(FILES)
    assert answer.status_code == 204
    assert "GET" in answer.headers["Allow"]


async def test_long_answers_are_packed(client: httpx.AsyncClient) -> None:
    """Who takes gzip gets it for text of some length; who does not gets it plain, and is told."""
    url = "/api/v2/openapi.json"
    packed = await client.get(url)
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 4
    small = await client.get("/api/v2/months")
    assert "Content-Encoding" not in small.headers


async def test_deep_and_wide_json_is_refused(client: httpx.AsyncClient) -> None:
    """A body of any shape costs no more than its limit (T73)."""
    deep = "[" * 100_000
    answer = await client.get(FILES, params={"q": deep[:5_000]})
    assert answer.status_code == 422
    assert json.loads(answer.content)["code"] == "invalid"
