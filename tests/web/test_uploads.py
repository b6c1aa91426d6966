"""Uploads over a real socket: resumed, checked, within the quota, hostile names, swept (T72)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from pipeline.service import quotas, uploads
from pipeline.state.quotas import Limits
from pipeline.work.resources import Disk
from tests.service.family import Family
from web.resources import uploads as resource

URL = "/api/v2/uploads"
DATA = bytes(range(256)) * 400
TYPE = {"Content-Type": "application/offset+octet-stream"}


async def begin(client: httpx.AsyncClient, name: str = "IMG_1.jpg", **more: str) -> str:
    """A new upload of `DATA`; its address."""
    answer = await client.post(URL, json={"name": name, "size": len(DATA), **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Upload-Offset"] == "0"
    return answer.headers["Location"]


async def send(
    client: httpx.AsyncClient, url: str, offset: int, data: bytes | AsyncIterator[bytes]
) -> httpx.Response:
    """One piece."""
    return await client.patch(url, content=data, headers={**TYPE, "Upload-Offset": str(offset)})


def lying(family: Family) -> list[str]:
    """What lies where uploads arrive, without markers."""
    base = family.core.home.path / "uploads" / family.actor.user_id
    return sorted(
        str(path.relative_to(base))
        for path in base.rglob("*")
        if path.is_file() and path.name != ".darkroom-root"
    )


async def test_sent_in_pieces_and_taken_in(client: httpx.AsyncClient, family: Family) -> None:
    """HEAD tells where to go on; the last piece makes a file of whoever sent it."""
    digest = hashlib.sha256(DATA).hexdigest()
    url = await begin(client, "Trip/IMG_1.jpg", sha256=digest, modified_at="2020-01-02T03:04:05Z")
    first = await send(client, url, 0, DATA[:50_000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "50000")
    head = await client.head(url)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Complete"]) == ("50000", "?0")
    last = await send(client, url, 50_000, DATA[50_000:])
    assert (last.status_code, last.json()["status"]) == (200, "taken"), last.text
    row = await family.world.row(last.json()["file_id"])
    assert (row["owner_id"], row["state"], row["size"]) == (
        family.actor.user_id,
        "found",
        len(DATA),
    )
    assert row["mtime_ns"] == 1_577_934_245 * 10**9
    assert [name.split("/", 1)[1] for name in lying(family)] == ["Trip/IMG_1.jpg"]
    base = family.core.home.path / "uploads" / family.actor.user_id
    assert (base / lying(family)[0]).read_bytes() == DATA
    assert (await client.head(url)).status_code == 404


async def test_a_piece_elsewhere_is_refused(client: httpx.AsyncClient) -> None:
    """409 with the offset that is right; nothing was written."""
    url = await begin(client)
    await send(client, url, 0, DATA[:10])
    for offset in (0, 5, 11):
        answer = await send(client, url, offset, DATA[10:20])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "10")
    missing = await client.patch(url, content=b"x", headers=TYPE)
    assert missing.status_code == 400
    other = await client.patch(url, content=b"x", headers={"Upload-Offset": "10"})
    assert other.status_code == 415


async def test_a_wrong_checksum_is_not_kept(client: httpx.AsyncClient, family: Family) -> None:
    """409, and nothing of it is left."""
    url = await begin(client, sha256="0" * 64)
    answer = await send(client, url, 0, DATA)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert lying(family) == []
    assert (await client.get(URL)).json()["items"] == []


async def test_more_than_announced_is_refused(client: httpx.AsyncClient) -> None:
    """413; what fits stays where it is."""
    url = await begin(client)
    answer = await send(client, url, 0, DATA + b"more")
    assert answer.status_code == 413
    large = await send(client, url, 0, bytes(resource.PIECE + 1))
    assert large.status_code == 413


async def test_what_the_library_has_is_not_sent(client: httpx.AsyncClient, family: Family) -> None:
    """By its hash; also for a thousand at once."""
    digest = hashlib.sha256(b"photo 0").hexdigest()
    body = {"name": "again.jpg", "size": 7, "sha256": digest}
    answer = await client.post(URL, json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "known")
    assert answer.json()["file_id"] == family.ids[family.photos[0]]
    many = [body, {"name": "Thumbs.db", "size": 5}, {"name": "new.jpg", "size": 5}]
    items = (await client.post(f"{URL}/many", json={"files": many})).json()["items"]
    assert [one["status"] for one in items] == [200, 422, 201]
    assert "not taken" in items[1]["reason"]


async def test_quotas_hold_for_uploads_at_once(client: httpx.AsyncClient, family: Family) -> None:
    """Ten begin together, room is for three: seven get 413; ending one gives room again."""
    used = (await quotas.get(family.actor, family.core, family.actor.user_id)).usage.bytes
    limits = Limits(hard_bytes=used + 3 * len(DATA))
    await quotas.put(family.actor, family.core, family.actor.user_id, limits)
    bodies = [{"name": f"{n}.jpg", "size": len(DATA)} for n in range(10)]
    answers = await asyncio.gather(*(client.post(URL, json=body) for body in bodies))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * 3 + [413] * 7
    mine = next(answer for answer in answers if answer.status_code == 201)
    assert (await client.delete(mine.headers["Location"])).status_code == 204
    assert (await client.post(URL, json=bodies[0])).status_code == 201


async def test_a_full_disk_is_told_before_anything_is_sent(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507."""
    full = Disk(Path("/"), free=1 << 20, total=100 << 30)
    monkeypatch.setattr("pipeline.work.resources.disks", lambda _: iter([full]))
    answer = await client.post(URL, json={"name": "a.jpg", "size": 5})
    assert answer.status_code == 507


async def test_a_body_that_stops_coming_is_kept_so_far(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """408 for a sender that falls asleep; it goes on where it stopped."""
    monkeypatch.setattr(resource, "SLOWEST_S", 0.2)
    url = await begin(client)
    asleep = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield DATA[:1_000]
        await asyncio.wait([asyncio.create_task(asleep.wait())], timeout=0.6)

    answer = await send(client, url, 0, slow())
    asleep.set()
    assert answer.status_code == 408
    assert (await client.head(url)).headers["Upload-Offset"] == "1000"


async def test_a_broken_connection_loses_nothing_that_came(
    client: httpx.AsyncClient, address: str, family: Family
) -> None:
    """The sender vanishes in the middle of a piece; what lies on the disk is told."""
    url = await begin(client)
    host, _, port = address.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"PATCH {url} HTTP/1.1\r\nHost: x\r\nX-Actor: me\r\nUpload-Offset: 0\r\n"
    head += f"Content-Type: {TYPE['Content-Type']}\r\nContent-Length: 5000\r\n\r\n"
    writer.write(head.encode() + DATA[:2_000])
    await writer.drain()
    parts = family.core.home.path / "uploads" / family.actor.user_id / ".darkroom-parts"
    async with asyncio.timeout(5):
        while not list(parts.glob("*")):
            await asyncio.sleep(0.01)
        writer.close()
        while (offset := (await client.head(url)).headers["Upload-Offset"]) == "0":
            await asyncio.sleep(0.01)
    assert offset == "2000"
    done = await send(client, url, 2_000, DATA[2_000:])
    assert done.status_code == 200, done.text


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.jpg",
        "/etc/passwd.jpg",
        "..\\..\\boot.jpg",
        "a/./b/../c.jpg",
        "CON.jpg",
        "x\u0000y.jpg",
        "-rf.jpg",
        "\u202egpj.exe.jpg",
        "C:\\temp\\a.jpg",
        "%2e%2e%2fa.jpg",
    ],
)
async def test_names_are_never_paths(client: httpx.AsyncClient, family: Family, name: str) -> None:
    """Whatever a file is called, it lies below its folder (T71)."""
    outside = set(family.core.home.path.parent.iterdir())
    url = await begin(client, name)
    assert (await send(client, url, 0, DATA)).status_code == 200
    (lies,) = lying(family)
    assert ".." not in lies.split("/")
    assert set(family.core.home.path.parent.iterdir()) == outside


async def test_equal_names_do_not_meet(client: httpx.AsyncClient, family: Family) -> None:
    """Two files of one name in one batch both arrive."""
    for last in (b"1", b"2"):
        url = await begin(client, "IMG_1.jpg", batch="phone")
        assert (await send(client, url, 0, DATA[:-1] + last)).status_code == 200
    assert len(lying(family)) == 2


async def test_what_belongs_together_is_joined(client: httpx.AsyncClient, family: Family) -> None:
    """A photo and its film of one folder become one bundle as from any folder."""
    ids = []
    for name in ("DCIM/IMG_7.HEIC", "DCIM/IMG_7.MOV"):
        url = await begin(client, name, batch="phone")
        ids.append((await send(client, url, 0, DATA[:-1] + name[-1:].encode())).json()["file_id"])
    rows = [await family.world.row(file_id) for file_id in ids]
    assert rows[0]["bucket"] == rows[1]["bucket"]
    assert rows[0]["source_dir"] == rows[1]["source_dir"]


async def test_a_thousand_abandoned_parts_are_swept(
    client: httpx.AsyncClient, family: Family
) -> None:
    """After a day nothing of them is left: no row, no part, no promised room (T72)."""
    many = {"files": [{"name": f"{n}.jpg", "size": 10} for n in range(1_000)]}
    items = (await client.post(f"{URL}/many", json=many)).json()["items"]
    for one in items[:20]:
        await send(client, f"{URL}/{one['upload']['id']}", 0, b"part")
    assert len(lying(family)) == 20
    fresh = await begin(client)
    await send(client, fresh, 0, DATA[:10])
    await family.world.execute(
        "UPDATE uploads SET updated_at = '2000-01-01T00:00:00.000Z' WHERE size = 10"
    )
    assert await uploads.sweep(family.core) == 1_000
    assert len(lying(family)) == 1
    assert (await client.head(fresh)).headers["Upload-Offset"] == "10"


async def test_what_a_power_cut_left_whole_is_taken_in(
    client: httpx.AsyncClient, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that got its name and was not told to intake is found by the next sweep."""
    url = await begin(client)

    async def cut(*_: object) -> str:
        raise RuntimeError("the power went off")

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_admit", cut)
        assert (await send(client, url, 0, DATA)).status_code == 500
    before = len(await family.world.rows())
    await uploads.sweep(family.core)
    assert len(await family.world.rows()) == before + 1


async def test_foreign_uploads_are_not_there(client: httpx.AsyncClient) -> None:
    """To nobody else (T64); a viewer may not send (T66)."""
    url = await begin(client)
    for method in ("GET", "DELETE"):
        answer = await client.request(method, url, headers={"X-Actor": "stranger:owner"})
        assert answer.status_code == 404
    body = {"name": "a.jpg", "size": 1}
    assert (await client.post(URL, json=body, headers={"X-Actor": ":viewer"})).status_code == 403
