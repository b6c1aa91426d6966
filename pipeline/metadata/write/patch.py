"""Changes to bytes as values: what is overwritten where. Planning is pure; applying is one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.metadata.findings import Data

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Patch:
    """The bytes from `start` to `end` become `data`; of the same length unless said otherwise."""

    start: int
    end: int
    data: bytes

    @property
    def moves(self) -> bool:
        """True where what follows gets another place."""
        return self.end - self.start != len(self.data)


def blank(start: int, end: int) -> Patch:
    """Zeros from `start` to `end`."""
    return Patch(start, end, bytes(max(0, end - start)))


def zeroed(data: Data, start: int, end: int) -> Iterator[Patch]:
    """Zeros from `start` to `end` where there are none yet; a long stretch in several patches."""
    for at in range(start, end, _STEP):
        stop = min(at + _STEP, end)
        if data[at:stop] != bytes(stop - at):
            yield blank(at, stop)


def scattered(patch: Patch, pieces: Sequence[tuple[int, int]]) -> Iterator[Patch]:
    """A patch of a value that lies in pieces (start, length), as patches of each piece."""
    begin = 0
    for start, length in pieces:
        first, last = max(patch.start, begin), min(patch.end, begin + length)
        if first < last:
            part = patch.data[first - patch.start : last - patch.start]
            yield Patch(start + first - begin, start + last - begin, part)
        begin += length


def apply(data: Data, patches: Iterable[Patch], start: int = 0, end: int | None = None) -> bytes:
    """The bytes from `start` to `end`, changed. Of patches that overlap the later ones win.

    A patch that moves what follows must not overlap another.
    """
    out = bytearray(data[start : len(data) if end is None else end])
    moving = []
    for patch in patches:
        if patch.moves:
            moving.append(patch)
        else:
            out[patch.start - start : patch.end - start] = patch.data
    for patch in sorted(moving, key=lambda p: -p.start):
        out[patch.start - start : patch.end - start] = patch.data
    return bytes(out)
