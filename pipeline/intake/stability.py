"""Is a file finished? Only one that has not changed for a while is trusted.

Size, mtime and inode must stay the same for `quiet_s` seconds of monotonic time, so a clock that
jumps or an mtime in the future changes nothing. For one run over files that lie there already,
their age may speak instead. Holds no clock of its own and touches no disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.model import Candidate

# FAT keeps times to 2 s and SMB caches them: an age must exceed the quiet time by this much.
GRANULARITY_S = 2.0

_Key = tuple[str, str]
_Shape = tuple[int, int, int]


def is_settled_by_age(mtime_ns: int, ctime_ns: int, *, wall_s: float, quiet_s: float) -> bool:
    """Was the file last written, renamed or re-dated longer ago than `quiet_s`?

    `ctime` counts because copying tools set an old mtime at the end. A time in the future says
    nothing and is never settled by age. With `quiet_s` 0 every file is settled.
    """
    if quiet_s <= 0:
        return True
    age_s = wall_s - max(mtime_ns, ctime_ns) / 1e9
    return age_s >= quiet_s + GRANULARITY_S


@dataclass(frozen=True, slots=True)
class _Sighting:
    shape: _Shape
    since: float


class Settling:
    """Files seen and not yet trusted. One instance per watcher; all times monotonic seconds."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._sightings: dict[_Key, _Sighting] = {}

    def __len__(self) -> int:
        return len(self._sightings)

    def look(self, seen: Iterable[Candidate], now: float) -> list[Candidate]:
        """Note what was seen at `now`; give back those that have been quiet long enough.

        A file given back is forgotten: the next time it is seen it begins anew.
        """
        return [candidate for candidate in seen if self._is_quiet(candidate, now)]

    def next_at(self) -> float | None:
        """The earliest moment at which a file seen so far may be finished, or None."""
        starts = (sighting.since for sighting in self._sightings.values())
        first = min(starts, default=None)
        return None if first is None else first + self._quiet_s

    def waiting(self, root_id: str) -> frozenset[str]:
        """The paths below the root that were seen and are not finished yet."""
        return frozenset(path for root, path in self._sightings if root == root_id)

    def forget(self, root_id: str, paths: Iterable[str]) -> None:
        """These files are gone, or their root is."""
        for path in paths:
            self._sightings.pop((root_id, path), None)

    def _is_quiet(self, seen: Candidate, now: float) -> bool:
        key, shape = (seen.root_id, seen.path), (seen.size, seen.mtime_ns, seen.inode)
        before = self._sightings.get(key)
        if before is None or before.shape != shape or now < before.since:
            before = self._sightings[key] = _Sighting(shape, now)
        if now - before.since < self._quiet_s:
            return False
        del self._sightings[key]
        return True
