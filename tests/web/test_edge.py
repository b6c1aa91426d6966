"""A cache before Darkroom: what it may show, what it may not, and what it is told to forget."""

from __future__ import annotations

import base64
import hmac
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from config.settings import Settings
from integrations import edge as calling
from integrations import outgoing
from pipeline.core import Core
from pipeline.errors import RemoteDown
from pipeline.service import edge as held
from pipeline.service import shares, trash
from pipeline.service.shares import Wanted
from tests.kit.edge import Edge, open_edge
from tests.service.village import Village, open_village
from tests.web.conftest import OpenGate
from web.app import create_app
from web.server import serving

SECRET = base64.b64encode(b"between the two of us alone").decode()
PICTURE = b"a small picture"


@dataclass(frozen=True, slots=True)
class Before:
    """A village behind a cache; `me` asks Darkroom itself, `anybody` asks the cache."""

    edge: Edge
    village: Village
    core: Core
    me: httpx.AsyncClient
    anybody: httpx.AsyncClient

    async def shown(self, number: int = 0) -> str:
        """The address of a photo's thumbnail, as its month's answer gives it out."""
        told = (await self.me.get("/api/v2/months/undated")).json()
        return str(told["thumbnails"][told["ids"].index(self.village.files[number])])

    async def settle(self) -> None:
        """Tell the cache what it is to forget."""
        await held.catch_up(self.core)
        await calling.deliver(self.core, post=_post)


async def _post(url: str, body: bytes, headers: object) -> outgoing.Reply:
    return await outgoing.post(url, body, headers, allows_private=True)  # type: ignore[arg-type]  # as it comes


@asynccontextmanager
async def before(base: Path) -> AsyncIterator[Before]:
    """A new one at `base`."""
    async with open_edge() as edge, open_village(base) as village:
        web = {"cdn_url": edge.address, "purge_url": edge.hook, "purge_secret": f"whsec_{SECRET}"}
        core = replace(village.core, settings=Settings.model_validate({"web": web}))
        await core.db.write(_make_thumbnails)
        await held.catch_up(core)
        (core.home.cache / "t.jpg").write_bytes(PICTURE)
        async with serving(create_app(core, OpenGate(village.anna)), "127.0.0.1", 0) as origin:
            edge.origin = origin
            async with (
                httpx.AsyncClient(base_url=origin, headers={"X-Actor": "me"}) as me,
                httpx.AsyncClient() as anybody,
            ):
                yield Before(edge, village, core, me, anybody)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Before]:
    """A village behind a cache."""
    async with before(tmp_path / "home") as made:
        yield made


def _make_thumbnails(con: sqlite3.Connection) -> None:
    con.execute(
        "INSERT INTO derivatives (sha256, kind, version, path, mime, width, height, bytes)"
        " SELECT DISTINCT sha256, 'thumbnail', 1, 't.jpg', 'image/jpeg', 1, 1, ?"
        " FROM media_files WHERE path LIKE '%.jpg'",
        (len(PICTURE),),
    )


async def test_pictures_come_from_the_cache_and_nothing_else_does(home: Before) -> None:
    """A signed address needs no credentials, is kept, and opens the one thing that it names."""
    address = await home.shown()
    assert address.startswith(home.edge.address)
    for _ in range(2):
        answer = await home.anybody.get(address)
        assert (answer.status_code, answer.content) == (200, PICTURE)
        assert "public" in answer.headers["Cache-Control"]
    assert home.edge.hits == 1
    told = urlsplit(address)
    for path in ("/api/v2/files", f"/api/v2/files/{home.village.files[0]}", "/api/v2/account"):
        assert (
            await home.anybody.get(f"{home.edge.address}{path}?{told.query}")
        ).status_code == 401


async def test_the_same_address_for_hours(home: Before) -> None:
    """Who asks again is given the same address, so that the cache has it."""
    assert await home.shown() == await home.shown()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("thumbnail", "preview"),
        ("derivatives/thumbnail", "content"),
        (r"v=\w", "v=f"),
        (r"u\.[^&]+", "u.ben"),
        (r"until=\d", "until=9"),
        (r"sig=\w{4}", "sig=0000"),
        (r".$", "_"),
        (r"$", "&download=1"),
    ],
)
async def test_a_changed_address_is_none(home: Before, old: str, new: str) -> None:
    """Each part is signed: 404, and nothing is kept."""
    address = re.sub(old, new, await home.shown(), count=1)
    assert (await home.anybody.get(address)).status_code == 404
    assert not home.edge.kept


async def test_another_photo_by_a_photos_address(home: Before) -> None:
    """The signature of one opens no other."""
    one, other = await home.shown(0), await home.shown(1)
    mixed = f"{urlsplit(one)._replace(path=urlsplit(other).path).geturl()}"
    assert (await home.anybody.get(mixed)).status_code == 404


async def test_a_photo_in_the_trash_is_gone_from_the_cache(home: Before) -> None:
    """The hook is told by a signed call, once more half a minute later, and no other is lost."""
    gone, stays = await home.shown(0), await home.shown(1)
    for address in (gone, stays):
        await home.anybody.get(address)
    await trash.put(home.village.anna, home.core, [home.village.files[0]])
    await home.settle()
    assert [home.edge.address + target for target in home.edge.kept] == [stays]
    assert (await home.anybody.get(gone)).status_code == 404
    headers, body = home.edge.calls[0]
    assert json.loads(body)["data"]["addresses"] == [gone]
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(base64.b64decode(SECRET), said, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert 0 < await held.wait_s(home.core) <= 30


async def test_a_link_that_ends_takes_its_pictures_along(home: Before) -> None:
    """What was given out inside a link is called back when it is revoked."""
    made = await shares.of_files(home.village.anna, home.core, home.village.files[:1], Wanted())
    async with httpx.AsyncClient(base_url=home.edge.origin) as guest:
        page = (await guest.post(made.path, data={"password": ""}, follow_redirects=True)).text
    found = re.search(rf'"({re.escape(home.edge.address)}[^"]+/thumbnail[^"]+)"', page)
    assert found is not None, page
    address = found[1].replace("&amp;", "&")
    assert (await home.anybody.get(address)).content == PICTURE
    assert home.village.anna.user_id not in address
    await shares.revoke(home.village.anna, home.core, made.share.id)
    await home.settle()
    assert not home.edge.kept
    assert (await home.anybody.get(address)).status_code == 404


async def test_a_cache_that_is_down_is_told_later(home: Before) -> None:
    """The call is kept, tried again later and later, and a person hears of it."""
    await home.anybody.get(await home.shown())
    await trash.put(home.village.anna, home.core, home.village.files)
    home.edge.status = 500
    waits = []
    for _ in range(3):
        await home.settle()
        waits.append(await held.wait_s(home.core))
        await home.core.db.write(_make_due)
    assert waits == sorted(waits)
    needs = (await home.me.get("/api/v2/status")).json()["needs"]
    assert "edge-late" in {need["kind"] for need in needs}
    home.edge.status = 204
    await home.settle()
    assert not home.edge.kept


def _make_due(con: sqlite3.Connection) -> None:
    con.execute("UPDATE edge_calls SET due_at = created_at")


async def test_pages_let_pictures_in_from_there_and_nothing_more(home: Before) -> None:
    """The policy of a page names the cache for pictures and films alone."""
    page = await home.me.get(f"/library/{home.village.files[0]}")
    policy = dict(
        part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; ")
    )
    naming = {name for name, places in policy.items() if home.edge.address in places}
    assert naming == {"img-src", "media-src"}


async def test_nobody_is_called_in_the_house_unless_allowed(home: Before) -> None:
    """T70: the hook's address is judged as any other; the setting beside it allows the house."""
    with pytest.raises(outgoing.NotAllowed):
        await outgoing.post(home.edge.hook, b"", {})
    with pytest.raises(RemoteDown):
        await outgoing.post("http://127.0.0.1:1/", b"", {}, allows_private=True)
    assert not home.edge.calls
