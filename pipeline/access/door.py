"""What this process keeps at hand to know who comes in.

Answers about credentials are remembered for `REMEMBER_S`, so that a page with a hundred pictures
asks the state once. Whatever ends a credential calls `forget`, after its commit: from then on
nothing remembered before counts, nor what was being looked up meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from pipeline.errors import RateLimited
from pipeline.model import Actor, Surface

if TYPE_CHECKING:
    from pipeline.access.signed import Keyring
    from pipeline.access.vault import Vault

REMEMBER_S = 3.0
MOST = 10_000
HASHING_AT_ONCE = 2  # each takes 64 MiB
HASHING_WAITING = 16

T = TypeVar("T")
Source = Literal["session", "tokens", "key"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, as far as that is known."""

    address: str = ""
    device: str = ""
    surface: Surface = Surface.WEB


@dataclass(frozen=True, slots=True)
class Recognised:
    """Who came in, and by what: `source_id` is the session or the key."""

    actor: Actor
    source: Source
    source_id: str


class Door:
    """One per open core; only the event loop touches it."""

    def __init__(self) -> None:
        self.vault: Vault | None = None
        self.keyring: Keyring | None = None
        self._hashing = asyncio.Semaphore(HASHING_AT_ONCE)
        self._waiting = 0
        self._known: OrderedDict[bytes, tuple[float, Recognised]] = OrderedDict()
        self._turn = 0

    async def hashing(self, work: Callable[[], T]) -> T:
        """Do what takes time and memory in a thread, few at once. Raises `RateLimited`."""
        if self._waiting >= HASHING_WAITING:
            raise RateLimited("Too many people sign in at this moment.", after_s=2.0)
        self._waiting += 1
        try:
            async with self._hashing:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1

    @property
    def turn(self) -> int:
        """Take it before looking something up: `remember` wants it back."""
        return self._turn

    def recall(self, digest: bytes, now: float) -> Recognised | None:
        """Who a credential stands for, as far as that is remembered (`now`: monotonic)."""
        known = self._known.get(digest)
        if known is None:
            return None
        until, recognised = known
        if now < until:
            return recognised
        del self._known[digest]
        return None

    def remember(self, digest: bytes, found: Recognised, until: float, turn: int) -> None:
        """Remember until that monotonic moment, unless something ended since `turn`."""
        if turn != self._turn:
            return
        self._known[digest] = (until, found)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Look everything up again: a credential ended, or a right changed."""
        self._turn += 1
        self._known.clear()
