"""A crowd of requests, and what happens beside it."""

from __future__ import annotations

import asyncio

from web.pacing import IN_A_TURN, Pacing


async def test_a_crowd_begins_in_order_a_few_in_each_turn() -> None:
    """Between any two small groups the loop comes round, so that nothing else is held up."""
    pacing, begun, turns = Pacing(), list[tuple[int, int]](), 0

    async def request(number: int) -> None:
        await pacing.turn()
        begun.append((turns, number))

    crowd = [asyncio.create_task(request(number)) for number in range(50)]
    while len(begun) < len(crowd):
        turns += 1
        await asyncio.sleep(0)
    assert [number for _, number in begun] == list(range(50))
    in_turn = [turn for turn, _ in begun]
    assert max(in_turn.count(turn) for turn in set(in_turn)) <= IN_A_TURN


async def test_one_request_waits_for_nothing() -> None:
    """Nobody is there: it begins at once, without a turn of the loop."""
    coroutine = Pacing().turn()
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def test_a_client_that_leaves_the_line_takes_nobodys_place() -> None:
    """Cancelled requests are passed over."""
    pacing, begun = Pacing(), list[int]()

    async def request(number: int) -> None:
        await pacing.turn()
        begun.append(number)

    crowd = [asyncio.create_task(request(number)) for number in range(12)]
    await asyncio.sleep(0)
    for gone in crowd[5:8]:
        gone.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    assert begun == [0, 1, 2, 3, 4, 8, 9, 10, 11]
