"""A background task that lives as long as a block: ends with it, and ends it when it fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine


@contextlib.asynccontextmanager
async def alongside(work: Coroutine[object, object, None], name: str) -> AsyncIterator[None]:
    """Run `work` while the block runs. If it fails, the block is cancelled and the error raised."""
    body = asyncio.current_task()
    assert body is not None, "only inside a task"
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(lambda done: body.cancel() if _has_failed(done) else None)
    try:
        yield
    except asyncio.CancelledError:
        if task.done() and _has_failed(task):
            body.uncancel()
            task.result()
        raise
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _has_failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None
