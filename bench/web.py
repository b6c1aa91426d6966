"""A small JSON answer over 50 connections: our API against plain Quart on hypercorn.

Bar: at most 0.6 x the CPU a request, all of ours included: who asks, rights, rate limit, checks,
version, security headers. The two servers run one after the other in processes of their own, in
alternating rounds; only their CPU counts, not that of who asks.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from subprocess import PIPE, Popen

import psutil

BAR = 0.6
CONNECTIONS = 50
REQUESTS = 10_000
ROUNDS = 3
OURS = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from pipeline.access.rights import Right
from pipeline.clock import SystemClock
from pipeline.model import Actor, Surface
from web.app import App
from web.contract import Given, Resource
from web.rates import POLICIES, Policy
from web.server import serving

class Small(Given):
    name: str
    count: int
    is_open: bool

RESOURCE = Resource("small", "A small answer.")

@RESOURCE.get("/small", right=Right.FILES_READ, gives=Small)
async def small(asked):
    "A small answer."
    return Small(name="anna", count=3, is_open=True)

class Gate:
    async def actor_of(self, request):
        key = request.headers.get("X-API-Key")
        return Actor(key, "owner", Surface.WEB) if key else None

async def main():
    core = SimpleNamespace(clock=SystemClock())
    app = App(core, Gate(), [RESOURCE])
    app.rates._policies = {"default": Policy("default", 10**9, 60)}
    async with serving(app, "127.0.0.1", 0) as address:
        print(address, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
PLAIN = """
import asyncio, socket, sys
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart

app = Quart("plain")

@app.get("/api/v2/small")
async def small():
    return {"name": "anna", "count": 3, "is_open": True}

async def main():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = None
    told = lambda: print(f"http://127.0.0.1:{port}", flush=True)
    asyncio.get_running_loop().call_later(1, told)
    stop = asyncio.Event()
    reading = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    reading.add_done_callback(lambda _: stop.set())
    await serve(app, config, shutdown_trigger=stop.wait)

asyncio.run(main())
"""


async def _ask(port: int, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = b"GET /api/v2/small HTTP/1.1\r\nHost: localhost\r\nX-API-Key: anna\r\n\r\n"
    for _ in range(count):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        lower = head.lower()
        at = lower.index(b"content-length:") + len(b"content-length:")
        await reader.readexactly(int(lower[at : lower.index(b"\r\n", at)]))
    writer.close()


async def _load(port: int, requests: int) -> None:
    each = requests // CONNECTIONS
    await asyncio.gather(*(_ask(port, each) for _ in range(CONNECTIONS)))


def cpu_per_request(program: str, requests: int = REQUESTS) -> float:
    """Microseconds of the server's CPU for one request, warm."""
    server = Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, text=True)
    assert server.stdout is not None
    assert server.stdin is not None
    port = int(server.stdout.readline().rsplit(":", 1)[1])
    watched = psutil.Process(server.pid)
    asyncio.run(_load(port, 1_000))
    before = sum(watched.cpu_times()[:2])
    asyncio.run(_load(port, requests))
    spent = sum(watched.cpu_times()[:2]) - before
    server.stdin.close()
    server.kill()
    server.wait()
    return 1e6 * spent / requests


def main() -> int:
    """Alternating rounds; the medians count."""
    ours, plain = [], []
    for _ in range(ROUNDS):
        ours.append(cpu_per_request(OURS))
        plain.append(cpu_per_request(PLAIN))
    mine, theirs = statistics.median(ours), statistics.median(plain)
    print(f"ours {mine:.0f} us a request, plain Quart on hypercorn {theirs:.0f} us")
    print(f"ratio {mine / theirs:.2f} (bar {BAR})")
    return 0 if mine <= BAR * theirs else 1


if __name__ == "__main__":
    sys.exit(main())
