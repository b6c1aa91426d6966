"""A cache before Darkroom, and the hook by which it is told what to forget, over real sockets.

It keeps what `Cache-Control` says that everybody may keep, for as long as it says, and nothing
else; it passes no cookies and no credentials on.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

Said = tuple[int, Mapping[str, str], bytes]  # status, headers, body


@dataclass(slots=True)
class Edge:
    """`address` is the cache's, `hook` takes the calls; `status` is what the hook answers."""

    address: str = ""
    origin: str = ""
    status: int = 204
    calls: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    kept: dict[str, Said] = field(default_factory=dict)
    hits: int = 0
    called: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def hook(self) -> str:
        """Where it is told what to forget."""
        return f"{self.address}/hook"

    async def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Said:
        """One request."""
        if target == "/hook":
            return self._told(headers, body)
        if target in self.kept:
            self.hits += 1
            return self.kept[target]
        async with httpx.AsyncClient() as client:
            found = await client.request(method, self.origin + target)
        answer = (found.status_code, dict(found.headers), found.content)
        if _may_be_kept(found):
            self.kept[target] = answer
        return answer

    def _told(self, headers: Mapping[str, str], body: bytes) -> Said:
        self.calls.append((headers, body))
        if self.status < 300:
            for address in json.loads(body)["data"]["addresses"]:
                self.kept.pop(address.removeprefix(self.address), None)
        self.called.set()
        return self.status, {}, b""


def _may_be_kept(found: httpx.Response) -> bool:
    told = found.headers.get("Cache-Control", "")
    age = re.search(r"max-age=([1-9]\d*)", told)
    return found.status_code == 200 and "public" in told and age is not None


@asynccontextmanager
async def open_edge() -> AsyncIterator[Edge]:
    """A cache that still has to be told its `origin`."""
    edge = Edge()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        told = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(told.get("content-length", 0)))
        method, target, _ = first.split(" ")
        status, headers, content = await edge.answer(method, target, told, body)
        kept = ("content-type", "cache-control", "cross-origin-resource-policy")
        said = [f"{name}: {headers[name]}" for name in kept if name in headers]
        said += [f"Content-Length: {len(content)}", "Connection: close", "", ""]
        writer.write(f"HTTP/1.1 {status} X\r\n".encode() + "\r\n".join(said).encode() + content)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        edge.address = f"http://127.0.0.1:{port}"
        yield edge
