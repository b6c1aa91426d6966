"""ISO base media boxes (ISO/IEC 14496-12), walked by their lengths and never beyond them.

The one place that turns lengths from a stranger's file into positions: every box lies inside its
parent, and their number is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.metadata.findings import Data

Box = tuple[bytes, int, int]  # type, payload start, end

_MOST_BOXES = 20_000


def walk(data: Data, start: int, end: int) -> Iterator[Box]:
    """The boxes that follow each other from `start`; stops at the first impossible one."""
    end = min(end, len(data))
    for _ in range(_MOST_BOXES):
        header = data[start : start + 16] if start + 8 <= end else b""
        if len(header) < 8:
            return
        length, payload = int.from_bytes(header[:4], "big"), start + 8
        if length == 1:
            length, payload = int.from_bytes(header[8:16], "big"), start + 16
        after = end if length == 0 else start + length
        if after < payload or payload > end:
            return
        yield header[4:8], payload, min(after, end)
        start = after


def children(data: Data, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """The first box of each type as (payload start, end)."""
    first: dict[bytes, tuple[int, int]] = {}
    for kind, payload, after in walk(data, start, end):
        first.setdefault(kind, (payload, after))
    return first


def find(data: Data, span: tuple[int, int] | None, *path: bytes) -> tuple[int, int] | None:
    """The first box at a path of types below `span`."""
    for kind in path:
        if span is None:
            return None
        span = next(((p, e) for k, p, e in walk(data, *span) if k == kind), None)
    return span


def number(data: Data, at: int, size: int) -> int:
    """A big-endian number; short at the end of the file."""
    return int.from_bytes(data[at : at + size], "big")
