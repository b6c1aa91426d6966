"""The files resource over a real socket."""

from __future__ import annotations

import httpx

from tests.service.family import Family


async def test_files_are_listed_page_by_page(client: httpx.AsyncClient, family: Family) -> None:
    """Following `next` shows every file once."""
    seen: list[str] = []
    url: str | None = "/api/v2/files?limit=2"
    while url is not None:
        page = (await client.get(url)).json()
        seen += [item["id"] for item in page["items"]]
        url = f"/api/v2/files?limit=2&cursor={page['next']}" if page["next"] else None
    assert len(seen) == len(set(seen)) > 2


async def test_a_file_is_shown_with_its_version(client: httpx.AsyncClient, family: Family) -> None:
    """The ETag of an answer spares the next one."""
    file_id = family.ids[family.photos[0]]
    answer = await client.get(f"/api/v2/files/{file_id}")
    assert answer.status_code == 200
    assert answer.json()["path"] == family.photos[0]
    again = await client.get(
        f"/api/v2/files/{file_id}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.content == b""


async def test_the_original_comes_whole_and_in_parts(
    client: httpx.AsyncClient, family: Family
) -> None:
    """`Range` gives exactly the bytes asked for; what lies behind the end is refused."""
    path = family.photos[0]
    url = f"/api/v2/files/{family.ids[path]}/content"
    whole = (family.core.home.library / path).read_bytes()
    assert (await client.get(url)).content == whole
    part = await client.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(whole)}"
    last = await client.get(url, headers={"Range": "bytes=-3"})
    assert last.content == whole[-3:]
    behind = await client.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert behind.status_code == 416
    head = await client.head(url)
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(whole)))


async def test_media_cannot_run_anything(client: httpx.AsyncClient, family: Family) -> None:
    """Whatever the bytes are, the browser is told to treat them as dead (T54)."""
    answer = await client.get(f"/api/v2/files/{family.ids[family.photos[0]]}/content")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_deleting_puts_into_the_trash(client: httpx.AsyncClient, family: Family) -> None:
    """DELETE is undoable, and a stale version changes nothing."""
    url = f"/api/v2/files/{family.ids[family.photos[0]]}"
    stale = await client.delete(url, headers={"If-Match": '"old"'})
    assert stale.status_code == 412
    done = await client.delete(url)
    assert done.status_code == 200
    assert (await client.get(url)).json()["state"] == "trashed"
