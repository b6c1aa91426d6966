"""Many live clients, in a process of their own so that they cost the server's nothing.

`python -m tests.web.crowd ADDRESS HEARING DEAF START COUNT`: the hearing ones read so many events
behind the number START and check that each comes once, in order; the deaf ones shake hands and
never read. Says "here" when all are connected, then in one line of JSON what was wrong, and ends
with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection

from tests.web.live import deaf, listening

_SEQ = re.compile(r'\{"seq":(\d+),"at"')
AT_ONCE = 25  # connections being made


@dataclass(frozen=True, slots=True)
class Crowd:
    """Clients that are connected."""

    process: Process

    async def faults(self) -> list[str]:
        """What was wrong with what they heard, once all have heard everything."""
        assert self.process.stdout is not None
        told: list[str] = json.loads(await self.process.stdout.readline())
        return told


@asynccontextmanager
async def gathered(
    address: str, *, hearing: int, silent: int, start: int, count: int
) -> AsyncIterator[Crowd]:
    """A crowd, all connected."""
    told = map(str, (hearing, silent, start, count))
    command = (sys.executable, "-m", "tests.web.crowd", address, *told)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"here\n"
        yield Crowd(process)
    finally:
        process.stdin.close()
        await process.wait()


async def _hear(client: ClientConnection, start: int, count: int) -> str:
    """Read so many events; what was wrong with them, or nothing."""
    expected = start
    while expected < start + count:
        message = await client.recv()
        for found in _SEQ.findall(str(message)):
            expected += 1
            if int(found) != expected:
                return f"{found} instead of {expected}"
    return ""


async def _main(address: str, hearing: int, silent: int, start: int, count: int) -> None:
    silent_ones = [await asyncio.to_thread(deaf, address, start) for _ in range(silent)]
    async with AsyncExitStack() as stack:
        clients: list[ClientConnection] = []
        for begin in range(0, hearing, AT_ONCE):
            wanted = min(AT_ONCE, hearing - begin)
            made = (listening(address, f"?after={start}") for _ in range(wanted))
            clients += await asyncio.gather(*map(stack.enter_async_context, made))
        print("here", flush=True)
        faults = await asyncio.gather(*(_hear(client, start, count) for client in clients))
        print(json.dumps([fault for fault in faults if fault]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    for one in silent_ones:
        one.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], *map(int, sys.argv[2:6])))
