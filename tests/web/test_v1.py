"""Version 1 answers as it was recorded: shapes, statuses, and that it says it is old.

A recording names ids and times by placeholders. `DARKROOM_RECORD=1` writes what is missing; a
recording that is there is never written anew, since programs out there rely on it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.service.requests import Retag
from tests.service.family import Family

FIXTURES = Path(__file__).parent / "fixtures" / "v1"
_TOLD = ("deprecation", "sunset", "link", "content-type", "content-range", "content-disposition")
_TIME = re.compile(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REQUESTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "files": ("GET", "/files", {}),
    "files-first": ("GET", "/files?limit=1&search=IMG_0", {}),
    "file": ("GET", "/files/{photo}", {}),
    "file-missing": ("GET", "/files/00000000-0000-7000-8000-000000000000", {}),
    "download": ("GET", "/files/{photo}/download", {"Range": "bytes=0-4"}),
    "delete": ("DELETE", "/files/{photo}", {}),
    "delete-refused": ("DELETE", "/files/{photo}", {"X-Actor": ":viewer"}),
    "jobs": ("GET", "/jobs", {}),
    "job": ("GET", "/jobs/{job}", {}),
    "status": ("GET", "/status", {}),
    "unknown-parameter": ("GET", "/files?page=2", {}),
}


async def _names(family: Family) -> dict[str, str]:
    """What stands for what in a recording."""
    result = await family.run(Retag(add=("lake",)), family.photos[0])
    ids = {file_id: f"<{path}>" for path, file_id in family.ids.items()}
    return {"photo": family.ids[family.photos[0]], "job": str(result.job_id), **ids}


def _plain(text: str, names: dict[str, str]) -> str:
    """`text` with placeholders for what differs from day to day."""
    for file_id, name in names.items():
        if name.startswith("<"):
            text = text.replace(file_id, name)
    text = text.replace(names["job"], "<job>")
    return re.sub(r'"request_id": "\w+"', '"request_id": "<request>"', _TIME.sub("<time>", text))


def _recorded(answer: httpx.Response, names: dict[str, str]) -> dict[str, Any]:
    headers = {
        name: _plain(answer.headers[name], names) for name in _TOLD if name in answer.headers
    }
    body = _plain(answer.text, names)
    is_json = "json" in answer.headers.get("content-type", "")
    told = json.loads(body) if is_json else body
    if isinstance(told, dict) and isinstance(told.get("offset"), int):
        told["offset"] = "<offset>"
    return {"status": answer.status_code, "headers": headers, "body": told}


@pytest.mark.parametrize("name", REQUESTS)
async def test_version_1_is_as_it_was(client: httpx.AsyncClient, family: Family, name: str) -> None:
    """The recording replayed gives the same answer."""
    method, path, headers = REQUESTS[name]
    names = await _names(family)
    answer = await client.request(
        method, "/api/v1" + path.format(**{k: names[k] for k in ("photo", "job")}), headers=headers
    )
    now = _recorded(answer, names)
    kept = FIXTURES / f"{name}.json"
    if os.environ.get("DARKROOM_RECORD") and not kept.exists():
        kept.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    assert now == json.loads(kept.read_text(encoding="utf-8"))
    if answer.status_code < 400:
        assert answer.headers["Deprecation"].startswith("@")
        assert 'rel="successor-version"' in answer.headers["Link"]
