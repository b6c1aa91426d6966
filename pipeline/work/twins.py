"""Files of one owner and size that are under way at the same time: who came first?

Equal bytes that arrive together would otherwise all be studied, and chance would decide which of
them is kept. Here the later one waits until the earlier one with the same bytes is recorded, and
then finds it in the state. Whoever waits, waits for earlier ones only, so nobody waits in a ring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.state.studies import StudyFile

_Size = tuple[str, int]  # owner and bytes


@dataclass(slots=True)
class _UnderWay:
    sha256: str | None = None
    is_hashed: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class Twins:
    """The files between claim and recording, in the order in which they were claimed."""

    def __init__(self, hasten: Callable[[], None] = lambda: None) -> None:
        """`hasten` is called when a file begins to wait for an earlier one to be recorded."""
        self._by_size: dict[_Size, dict[str, _UnderWay]] = {}
        self._hasten = hasten
        self._waiting = 0

    @property
    def is_awaited(self) -> bool:
        """Does a file wait for an earlier one to be recorded?"""
        return self._waiting > 0

    def enter(self, file: StudyFile) -> None:
        """The file was claimed."""
        self._by_size.setdefault(_size(file), {}).setdefault(file.id, _UnderWay())

    def leave(self, file: StudyFile) -> None:
        """The file is recorded, or will not be. Leaving twice is fine."""
        same_size = self._by_size.get(_size(file), {})
        left = same_size.pop(file.id, None)
        if left is not None:
            left.is_hashed.set()
            left.is_over.set()
        if not same_size:
            self._by_size.pop(_size(file), None)

    def tell(self, file: StudyFile, sha256: str) -> None:
        """The file's bytes are known now."""
        own = self._by_size.get(_size(file), {}).get(file.id)
        if own is not None:
            own.sha256 = sha256
            own.is_hashed.set()

    def has_earlier(self, file: StudyFile) -> bool:
        """Is a file of the same owner and size under way that was claimed before this one?"""
        return bool(self._earlier(file))

    async def settled(self, file: StudyFile, sha256: str) -> None:
        """Wait until no earlier file with these bytes is under way any more."""
        for other in self._earlier(file):
            await other.is_hashed.wait()
            if other.sha256 == sha256:
                await self._over(other)

    async def _over(self, other: _UnderWay) -> None:
        self._waiting += 1
        self._hasten()
        try:
            await other.is_over.wait()
        finally:
            self._waiting -= 1

    def _earlier(self, file: StudyFile) -> list[_UnderWay]:
        earlier: list[_UnderWay] = []
        for file_id, under_way in self._by_size.get(_size(file), {}).items():
            if file_id == file.id:
                return earlier
            earlier.append(under_way)
        return []  # not entered: it is studied alone


def _size(file: StudyFile) -> _Size:
    return file.owner_id, file.size
