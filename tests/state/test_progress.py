"""Progress in memory."""

from __future__ import annotations

import asyncio

from pipeline.state.progress import INTERVAL_S, Board, Progress
from tests.kit.clock import FakeClock


def _at(processed: int, *, is_over: bool = False) -> Progress:
    return Progress("job", 100, processed, is_over=is_over)


async def test_a_watcher_gets_at_most_four_a_second_and_always_the_end() -> None:
    """A thousand reports a second become four; values in between are skipped, the last is not."""
    clock = FakeClock()
    board = Board(clock)
    seen: list[int] = []

    async def watch() -> None:
        async for progress in board.watch("job"):
            seen.append(progress.processed)  # noqa: PERF401 - read while it still grows

    board.report(_at(0))
    watching = asyncio.create_task(watch())
    for step in range(1, 101):
        board.report(_at(step))
        await clock.advance(0.01)
    assert len(seen) <= 1 / INTERVAL_S + 1
    board.report(_at(100, is_over=True))
    await clock.advance(1)
    await watching
    assert seen == sorted(seen)
    assert seen[-1] == 100


async def test_the_board_forgets_jobs_that_are_over_and_watchers_that_left() -> None:
    """Nothing is kept for ever."""
    board = Board(FakeClock())
    board.report(_at(1))
    assert board.latest("job") == _at(1)
    assert board.running() == [_at(1)]
    stream = board.watch("job")
    assert await anext(stream) == _at(1)
    await stream.aclose()  # type: ignore[attr-defined]
    board.report(_at(2, is_over=True))
    assert board.latest("job") is None
    assert not board.running()
    assert not board._watchers


async def test_who_comes_early_waits() -> None:
    """Watching a job that has not reported yet waits for its first value."""
    board = Board(FakeClock())
    first = asyncio.ensure_future(anext(board.watch("job")))
    await asyncio.sleep(0)
    assert not first.done()
    board.report(_at(3))
    assert (await first).processed == 3
