"""The bytes of one file as type detection sees them: a head, and bounded looks further in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ReadAt = Callable[[int, int], bytes]  # (offset, length) -> at most `length` bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A head that is already in memory, and `read_at` for what lies behind it, if one can look."""

    head: bytes
    name: str = ""
    size: int = 0
    read_at: ReadAt | None = None

    def at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`; short or empty at the end or where one cannot look."""
        if offset < 0 or offset + length <= len(self.head) or self.read_at is None:
            return self.head[offset : offset + length] if offset >= 0 else b""
        return self.read_at(offset, length)

    @property
    def extension(self) -> str:
        """The name's last extension, lower case, with the dot; empty if it has none."""
        stem, dot, extension = self.name.rpartition(".")
        return f".{extension.lower()}" if dot and stem else ""
