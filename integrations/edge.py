"""Telling the cache before us what to forget: durable calls, until somebody took them.

The body is a Standard Webhook of the type `edge.purge` whose `data.addresses` are to be forgotten.
What was taken is said once more half a minute later, for an answer that was just on its way into
the cache when it was told. A cache that is down is tried again, later and later.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from integrations import outgoing
from integrations.outgoing import Reply
from pipeline.errors import DarkroomError, TryLater
from pipeline.service import edge
from pipeline.service.edge import Call

if TYPE_CHECKING:
    from pipeline.core import Core
    from pipeline.events import Recorded

TYPE = "edge.purge"
LADDER_S = (5.0, 30.0, 120.0, 600.0, 1800.0)
HOURLY_S = 3600.0
GIVEN_UP = timedelta(hours=72)
MOST_REFUSALS = 3
LOOK_S = 60.0  # at the latest
_PATIENT = frozenset({408, 409, 425, 429})  # refusals that pass
_log = structlog.get_logger(__name__)

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[Reply]]


async def run(core: Core) -> None:
    """Keep the cache told, until cancelled; at once where nobody is to be told."""
    if not core.settings.web.purge_url:
        return
    news = asyncio.Event()
    stop = core.db.listen(lambda fresh: _wake(news, fresh))
    await edge.try_all_again(core)
    try:
        while True:
            news.clear()
            await edge.catch_up(core)
            wait_s = await deliver(core, post=_post(core))
            await _first(news.wait(), core.clock.sleep(min(wait_s, LOOK_S)))
    finally:
        stop()


async def deliver(core: Core, post: Post) -> float:
    """Say all that is due, one call at a time; seconds until the next one is."""
    while (call := await edge.due(core)) is not None:
        try:
            reply = await post(core.settings.web.purge_url, _body(core, call), _headers(core, call))
        except DarkroomError as error:
            await _failed(core, call, None, str(error))
            if isinstance(error, TryLater):
                break  # nobody is there: the others wait as well
            continue
        if 200 <= reply.status < 300:
            await edge.took(core, call)
        else:
            await _failed(core, call, reply, f"HTTP {reply.status}")
    return await edge.wait_s(core)


async def _failed(core: Core, call: Call, reply: Reply | None, why: str) -> None:
    """Try again later, or give up: by what was answered, and how often."""
    is_refusal = reply is not None and 400 <= reply.status < 500 and reply.status not in _PATIENT
    began = datetime.fromisoformat(call.created_at)
    is_over = core.clock.now() - began > GIVEN_UP
    tried = call.tries + 1
    if is_over or (is_refusal and tried >= MOST_REFUSALS):
        _log.warning("the cache was not told", call=call.id, reason=why)
        await edge.give_up(core, call, why)
        return
    wait_s = LADDER_S[call.tries] if call.tries < len(LADDER_S) else HOURLY_S
    asked_s = (reply.retry_after_s or 0.0) if reply is not None else 0.0
    await edge.try_again(core, call, max(wait_s, min(asked_s, HOURLY_S)), why)


# --- what is said ------------------------------------------------------------------------------


def _post(core: Core) -> Post:
    async def post(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        private = core.settings.web.purge_private
        return await outgoing.post(url, body, headers, allows_private=private)

    return post


def _body(core: Core, call: Call) -> bytes:
    base = core.settings.web.cdn_url.rstrip("/")
    told = {
        "type": TYPE,
        "timestamp": call.created_at,
        "data": {"addresses": [base + address for address in call.addresses]},
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _headers(core: Core, call: Call) -> dict[str, str]:
    """As Standard Webhooks 1.0 has them; without a secret there is no signature."""
    at = str(int(core.clock.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": call.id,
        "webhook-timestamp": at,
    }
    secret = core.settings.web.purge_secret.get_secret_value()
    if secret:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        said = f"{call.id}.{at}.".encode() + _body(core, call)
        mac = base64.b64encode(hmac.digest(key, said, "sha256")).decode()
        headers["webhook-signature"] = f"v1,{mac}"
    return headers


# --- waiting -----------------------------------------------------------------------------------


def _wake(news: asyncio.Event, fresh: tuple[Recorded, ...]) -> None:
    if any(event.name in edge.CALLED for event in fresh):
        news.set()


async def _first(*waits: Awaitable[object]) -> None:
    """Until one of them is over."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
