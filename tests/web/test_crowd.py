"""T43: a crowd of live clients, some of whom never read, and very many events."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from pipeline.state import events
from tests.service.family import Family
from tests.web.crowd import gathered
from tests.web.live import tell
from web import live

MOST_BYTES = 50e6
LATEST_S = 10.0  # until whoever does not read is gone
SIZES = [
    pytest.param(12, 4, 6_000, id="small"),
    pytest.param(150, 50, 100_000, id="full", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
]


@pytest.mark.parametrize(("hearing", "silent", "count"), SIZES)
async def test_a_crowd_of_whom_a_quarter_is_deaf(
    address: str, family: Family, hearing: int, silent: int, count: int
) -> None:
    """T43: memory stays flat, the deaf are gone in ten seconds, each number comes exactly once."""
    core, process = family.core, psutil.Process()
    start = await core.db.read(events.latest_seq)
    sizes = {"hearing": hearing, "silent": silent, "start": start, "count": count}
    async with gathered(address, **sizes) as crowd:
        before = most = process.memory_info().rss
        for _ in range(count // 1_000):
            await core.db.write(tell, family.ids[family.photos[0]], 1_000)
            most = max(most, process.memory_info().rss)
        async with asyncio.timeout(LATEST_S):
            while core.news.receivers > hearing:
                await asyncio.sleep(0.05)
        assert await crowd.faults() == []
        most = max(most, process.memory_info().rss)
    assert most - before < MOST_BYTES
    assert live.SEND_S < LATEST_S
