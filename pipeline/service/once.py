"""A request that is sent twice takes effect once: its first answer is kept for a day and repeated.

The same key with another request is refused, and one whose first request still runs is told to come
back. What failed through no fault of the request is forgotten, so that it can be tried again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from pipeline.clock import timestamp
from pipeline.core import Core
from pipeline.errors import Conflict, Invalid
from pipeline.model import Actor
from pipeline.state import idempotency
from pipeline.state.idempotency import Remembered

KEPT = timedelta(days=1)
__all__ = ["Remembered", "once", "sweep"]


async def once(
    actor: Actor, core: Core, key: str, fingerprint: str, act: Callable[[], Awaitable[Remembered]]
) -> Remembered:
    """The answer of `act`, or the one that was given to this actor under this key before.

    Raises `Invalid` when the key was used for a request with another fingerprint, `Conflict` while
    the first one runs.
    """
    at = timestamp(core.clock.now())
    known = await core.db.write(idempotency.begin, actor.user_id, key, fingerprint, at)
    if known is not None:
        return _repeated(known, fingerprint)
    try:
        answer = await act()
    except BaseException:
        await core.db.write(idempotency.release, actor.user_id, key)
        raise
    if answer.status is None or answer.status >= 500:
        await core.db.write(idempotency.release, actor.user_id, key)
    else:
        await core.db.write(idempotency.keep, actor.user_id, key, answer)
    return answer


async def sweep(core: Core) -> int:
    """At the start: forget what is too old or was cut off; how many that were."""
    return await core.db.write(idempotency.forget, timestamp(core.clock.now() - KEPT))


def _repeated(known: Remembered, fingerprint: str) -> Remembered:
    if known.fingerprint != fingerprint:
        raise Invalid("This key was used for another request.", hint="Use a new key for it.")
    if known.status is None:
        raise Conflict("The first request with this key is still being worked on.")
    return known
