"""The examples of docs/api.md are true: each is run, in order, and answers what it says."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from pipeline.registry import discover
from pipeline.service.requests import Retag
from tests.kit.served import serving
from tests.service.family import Family
from tests.web.conftest import OpenGate
from web.app import App

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
_EXAMPLE = re.compile(r"```http\n(.*?)\n```\n→ (\d{3})", re.DOTALL)


def _filled(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


async def _run(client: httpx.AsyncClient, example: str) -> httpx.Response:
    head, _, body = example.partition("\n\n")
    request, *headers = head.split("\n")
    method, _, url = request.partition(" ")
    told = dict(line.split(": ", 1) for line in headers)
    return await client.request(method, url, headers=told, content=body.encode() or None)


def _learn(known: dict[str, str], answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        return
    if "ETag" in answer.headers:
        known["version"] = answer.headers["ETag"]
    if "Location" in answer.headers:
        known["location"] = answer.headers["Location"]
    if answer.content and isinstance(answer.json().get("job"), str):
        known["job"] = answer.json()["job"]


async def test_every_example_answers_as_it_says(client: httpx.AsyncClient, family: Family) -> None:
    """A programmer who follows the page sees what it shows."""
    await family.run(Retag(add=("lake",)), family.photos[0])
    known = {"photo": family.ids[family.photos[0]]}
    examples = _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) > 20
    assert len(examples) == PAGE.read_text(encoding="utf-8").count("```http")
    for example, status in examples:
        answer = await _run(client, _filled(example, known))
        assert answer.status_code == int(status), f"{example}\n{answer.text}"
        _learn(known, answer)


async def test_a_resource_is_one_file(family: Family) -> None:
    """The page's example, as it stands: served, described, and closed to who has no account."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {"__name__": "words"}
    exec(compile(code, "words.py", "exec"), names)
    found = (*discover("web.resources", "RESOURCE"), names["RESOURCE"])
    app = App(family.core, OpenGate(family.actor), found)
    async with serving(app, "127.0.0.1", 0) as base, httpx.AsyncClient(base_url=base) as client:
        me = {"X-Actor": "me"}
        assert (await client.get("/api/v2/words", headers=me)).json() == {"count": 0}
        assert (await client.get("/api/v2/words")).status_code == 401
        told = (await client.get("/api/v2/openapi.json", headers=me)).json()
        assert told["paths"]["/api/v2/words"]["get"]["summary"] == "The words of the library."
