"""The live side: no gap, no double, to those who may know, and never held up by anybody."""

from __future__ import annotations

import asyncio
import json
import socket
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from pipeline.model import Actor
from pipeline.state import events
from pipeline.state.progress import Progress
from tests.service.family import Family
from tests.web.live import deaf, listening, message, seqs, tell, tell_at_length, tell_everybody
from web import live as live_side


def _file(family: Family) -> str:
    return family.ids[family.photos[0]]


async def test_events_come_in_order_without_gap_or_double(address: str, family: Family) -> None:
    """T43: a client that is cut off again and again sees every number exactly once."""
    start = await family.core.db.read(events.latest_seq)
    writing = asyncio.create_task(_write(family, 60))
    seen: list[int] = []
    for _ in range(6):
        async with listening(address, f"?after={seen[-1] if seen else start}") as client:
            seen += await seqs(client, 10)
    async with listening(address, f"?after={seen[-1]}") as client:
        seen += await seqs(client, start + 240 - seen[-1])
    await writing
    assert seen == list(range(start + 1, start + 241))


async def _write(family: Family, times: int) -> None:
    for _ in range(times):
        await family.core.db.write(tell, _file(family), 4)
        await asyncio.sleep(0.005)


async def test_without_a_number_only_the_new_is_told(address: str, family: Family) -> None:
    """A page that was just loaded wants no past; the first message says where it stands."""
    before = await family.core.db.read(events.latest_seq)
    async with listening(address) as client:
        assert (await message(client))["seq"] == before
        await family.core.db.write(tell, _file(family))
        assert await seqs(client, 1) == [before + 1]


async def test_progress_comes_four_times_a_second_at_most(address: str, family: Family) -> None:
    """However often a job reports; the last word always arrives, and events are not held back."""
    board, told = family.core.progress, list[Progress]()
    async with listening(address) as client:
        await message(client)

        async def report() -> None:
            for n in range(100):
                board.report(Progress("job", 100, n, owner_id=family.actor.user_id))
                await asyncio.sleep(0.01)
            board.report(Progress("job", 100, 100, is_over=True, owner_id=family.actor.user_id))

        reporting = asyncio.create_task(report())
        async with asyncio.timeout(20):
            while not told or not told[-1]["is_over"]:  # type: ignore[index]
                told += (await message(client)).get("progress", ())
        await reporting
    assert len(told) <= 8
    assert told[-1]["processed"] == 100  # type: ignore[index]


async def test_nobody_is_told_what_is_not_theirs(address: str, family: Family) -> None:
    """Events and progress of another's files are left out; what is for all comes."""
    async with listening(address, actor="stranger:viewer") as client:
        await message(client)
        await family.core.db.write(tell, _file(family), 3)
        family.core.progress.report(Progress("job", 9, 1, owner_id=family.actor.user_id))
        await family.core.db.write(tell_everybody)
        async with asyncio.timeout(20):
            told = [await message(client)]
            while "events" not in told[-1]:
                told.append(await message(client))
    assert [one["name"] for one in told[-1]["events"]] == ["flow.resumed"]
    assert not any("progress" in one for one in told)


@pytest.mark.parametrize("actor", [None, "broken", "anna:guest"])
async def test_who_may_not_listen_is_told_so(address: str, actor: str | None) -> None:
    """No credentials, bad ones, or a role without the right: closed with a code of its own."""
    async with listening(address, actor=actor) as client:
        with pytest.raises(ConnectionClosed) as caught:
            await client.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == live_side.NOT_KNOWN


async def test_a_ticket_opens_one_socket_once(
    address: str, client: httpx.AsyncClient, family: Family
) -> None:
    """It stands for who got it, and is worth nothing the second time."""
    word = (await client.post("/api/v2/live/tickets")).json()["ticket"]
    async with listening(address, f"?ticket={word}", actor=None) as socket_:
        await message(socket_)
        await family.core.db.write(tell, _file(family))
        assert len(await seqs(socket_, 1)) == 1
    for used in (word, "made-up"):
        async with listening(address, f"?ticket={used}", actor="me") as again:
            with pytest.raises(ConnectionClosed):
                await again.recv()


async def test_a_session_that_ends_is_let_go_within_five_seconds(
    address: str, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T61: who is signed out, or loses the right, hears nothing more."""
    monkeypatch.setattr(live_side, "RECHECK_S", 0.2)
    monkeypatch.setattr("pipeline.service.news.IDLE_S", 0.1)
    async with listening(address) as client:
        await message(client)
        monkeypatch.setattr("tests.web.conftest.OpenGate.actor_of", _nobody)
        with pytest.raises(ConnectionClosed) as caught:
            async with asyncio.timeout(5):
                while True:
                    await client.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == live_side.NOT_KNOWN
    assert live_side.RECHECK_S + 2.0 < 5


async def _nobody(*_: object) -> Actor | None:
    return None


@pytest.mark.parametrize("flood", [["x"] * 100, [b"x" * 100_000]])
async def test_a_client_has_nothing_to_say(address: str, flood: list[str | bytes]) -> None:
    """A flood of messages, or one beyond the limit, ends the connection."""
    async with listening(address) as client:
        with pytest.raises(ConnectionClosed) as caught:
            async with asyncio.timeout(20):
                for one in flood:
                    await client.send(one)
                while True:
                    await client.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code in (live_side.TOO_MANY, 1009)


async def test_who_does_not_read_holds_up_nobody(
    address: str, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T43, small: deaf clients are dropped in seconds, the others get everything meanwhile."""
    monkeypatch.setattr(live_side, "SEND_S", 0.5)
    hub = family.core.news
    start = await family.core.db.read(events.latest_seq)
    silent = [await asyncio.to_thread(deaf, address) for _ in range(5)]
    async with listening(address, f"?after={start}") as client:
        reading = asyncio.create_task(seqs(client, 6_000))
        for _ in range(10):
            await family.core.db.write(tell_at_length, _file(family), 600)
        assert await reading == list(range(start + 1, start + 6_001))
        async with asyncio.timeout(20):
            while hub.receivers > 1:
                await asyncio.sleep(0.05)
    for one in silent:
        assert await asyncio.to_thread(_was_dropped, one)


def _was_dropped(one: socket.socket) -> bool:
    """Writing to a connection that the other side dropped is an error, sooner or later."""
    with one:
        one.settimeout(5)
        try:
            for _ in range(200):
                one.sendall(b"\x8a\x80abcd")  # a pong
                time.sleep(0.01)
        except OSError:
            return True
    return False


async def test_the_stream_over_http_resumes_by_itself(
    client: httpx.AsyncClient, family: Family
) -> None:
    """Server-sent events carry their numbers; `Last-Event-ID` goes on behind them."""
    start = await family.core.db.read(events.latest_seq)
    await family.core.db.write(tell, _file(family), 5)
    first = await _streamed(client, {"Last-Event-ID": str(start)}, 3)
    rest = await _streamed(client, {"Last-Event-ID": str(first[-1])}, start + 5 - first[-1])
    assert first + rest == list(range(start + 1, start + 6))


async def _streamed(client: httpx.AsyncClient, headers: dict[str, str], count: int) -> list[int]:
    found: list[int] = []
    url = "/api/v2/events/stream"
    async with asyncio.timeout(20), client.stream("GET", url, headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                found.append(int(line[4:]))
            if line.startswith("data: "):
                json.loads(line[6:])
            if len(found) >= count and not line:
                return found
    return found


@pytest.mark.parametrize("told", ["-1", "x", "1" * 30])
async def test_a_bad_number_is_refused(client: httpx.AsyncClient, told: str) -> None:
    """Nothing is streamed for what is no number."""
    answer = await client.get("/api/v2/events/stream", headers={"Last-Event-ID": told})
    assert answer.status_code == 400


async def test_pages_of_the_past(client: httpx.AsyncClient, family: Family) -> None:
    """Page by page, by name and by subject; what is not theirs is not in it."""
    start = await family.core.db.read(events.latest_seq)
    await family.core.db.write(tell, _file(family), 5)
    await family.core.db.write(tell_everybody)
    url = f"/api/v2/events?after={start}"
    page = (await client.get(f"{url}&limit=4")).json()
    assert [one["seq"] for one in page["items"]] == list(range(start + 1, start + 5))
    assert page["has_more"]
    rest = (await client.get(f"/api/v2/events?after={page['seq']}")).json()
    assert [one["name"] for one in rest["items"]] == ["file.released", "flow.resumed"]
    assert not rest["has_more"]
    named = (await client.get(f"{url}&names=flow.")).json()
    assert [one["name"] for one in named["items"]] == ["flow.resumed"]
    about = (await client.get(f"{url}&subject={_file(family)}")).json()
    assert len(about["items"]) == 5
    foreign = (await client.get(url, headers={"X-Actor": "stranger:viewer"})).json()
    assert [one["name"] for one in foreign["items"]] == ["flow.resumed"]
