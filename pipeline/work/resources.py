"""What the machine can bear now: a reading, a policy, and the decision between going and waiting.

`decide` is pure. Readings honour the limits of the container the core runs in (cgroup v1 and v2),
not only those of the machine. A full disk always waits; quiet hours and battery hold back only
what nobody is waiting for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
SMALL_DISK_SHARE = 0.1  # on a small disk, `min_free` shrinks to this share of it
FREE_SHARE = 0.01  # of any disk, however large


@dataclass(frozen=True, slots=True)
class Policy:
    """What must stay free, in bytes, and when background work rests."""

    max_load: float = 0.0  # per core; 0 never waits
    min_memory: int = 256 << 20
    min_free: int = 1 << 30
    on_battery: bool = True
    quiet_from: time | None = None  # local time
    quiet_until: time | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """Room on the file system that holds `path`, in bytes."""

    path: Path
    free: int
    total: int

    def floor(self, min_free: int) -> int:
        """Below so many free bytes the disk counts as full."""
        return int(max(self.total * FREE_SHARE, min(min_free, self.total * SMALL_DISK_SHARE)))


@dataclass(frozen=True, slots=True)
class Reading:
    """The machine at one moment."""

    load: float  # one-minute average per core
    memory: int  # bytes available to us
    disks: tuple[Disk, ...]
    is_on_battery: bool
    local: time


@dataclass(frozen=True, slots=True)
class Go:
    """Work may be claimed."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Work waits, for a reason a person understands; `disk` is the one that is full."""

    reason: str
    disk: Disk | None = None


def decide(reading: Reading, policy: Policy, *, is_interactive: bool = False) -> Go | Wait:
    """May a new task be claimed now? Interactive work ignores quiet hours, battery and load."""
    for disk in reading.disks:
        if disk.free < disk.floor(policy.min_free):
            return Wait(f"the disk of {disk.path} is nearly full", disk)
    if reading.memory < policy.min_memory:
        return Wait("too little memory is free")
    if is_interactive:
        return Go()
    if policy.max_load and reading.load > policy.max_load:
        return Wait("the machine is busy with something else")
    if reading.is_on_battery and not policy.on_battery:
        return Wait("the machine runs on battery")
    if is_quiet(reading.local, policy):
        return Wait(f"these are quiet hours, until {policy.quiet_until:%H:%M}")
    return Go()


def is_quiet(local: time, policy: Policy) -> bool:
    """Do quiet hours hold at this local time? They may span midnight."""
    start, end = policy.quiet_from, policy.quiet_until
    if start is None or end is None or start == end:
        return False
    if start < end:
        return start <= local < end
    return local >= start or local < end


def read(paths: Iterable[Path], local: datetime) -> Reading:
    """Ask the system. Blocks for well under a millisecond, longer on a sleeping disk."""
    import psutil

    battery = psutil.sensors_battery()
    return Reading(
        load=os.getloadavg()[0] / cores(),
        memory=available_memory(),
        disks=tuple(disks(paths)),
        is_on_battery=battery is not None and battery.power_plugged is False,
        local=local.time(),
    )


def slots(wanted: int, memory_per_slot: int) -> int:
    """How many single-threaded workers the machine bears: `wanted`, or as cores and memory say."""
    if wanted:
        return wanted
    return max(1, min(cores(), available_memory() // memory_per_slot))


def cores() -> int:
    """CPU cores this process may use: affinity, and the container's quota rounded up."""
    usable = len(os.sched_getaffinity(0))
    for folder in _own_cgroups("cpu"):
        quota = _cpu_quota(folder)
        if quota is not None:
            usable = min(usable, max(1, -int(-quota // 1)))
    return usable


def available_memory() -> int:
    """Bytes that can still be had without swapping, by the machine and by every cgroup above us."""
    import psutil

    left = [int(psutil.virtual_memory().available)]
    for folder in _own_cgroups("memory"):
        room = _cgroup_room(folder)
        if room is not None:
            left.append(room)
    return min(left)


def core_share() -> float:
    """As `cores`, but a quota of a core and a half is 1.5."""
    usable = float(len(os.sched_getaffinity(0)))
    quotas = (_cpu_quota(folder) for folder in _own_cgroups("cpu"))
    return min([usable, *(quota for quota in quotas if quota is not None)])


def busy_seconds() -> float:
    """CPU seconds used since some beginning: by our container where it has a quota, else by all."""
    import psutil

    for folder in _own_cgroups("cpu"):
        if _cpu_quota(folder) is not None and (used := _cpu_used(folder)) is not None:
            return used
    times = psutil.cpu_times()
    return float(sum(times[:8]) - times.idle - getattr(times, "iowait", 0.0))


def memory_total() -> int:
    """Bytes of memory there are for us: the machine's, or the least limit of a cgroup above us."""
    import psutil

    total = [int(psutil.virtual_memory().total)]
    for folder in _own_cgroups("memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if limit is not None and limit < 1 << 60:
            total.append(limit)
    return min(total)


def disks(paths: Iterable[Path]) -> Iterator[Disk]:
    """Room on the file systems of these paths, each once; what is not there is left out."""
    seen = set()
    for path in paths:
        if not path.exists():
            continue
        device = path.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        fs = os.statvfs(path)
        yield Disk(path, fs.f_bavail * fs.f_frsize, fs.f_blocks * fs.f_frsize)


def _own_cgroups(controller: str) -> Iterator[Path]:
    """Our cgroup's folders for a controller and their parents, v2 and v1."""
    for line in _text(OWN_CGROUP).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", *_with(controllers, controller)):
            continue
        root = CGROUP / controllers if controllers else CGROUP
        folder = root / path.lstrip("/")
        yield folder
        for parent in folder.parents:
            if not parent.is_relative_to(root):
                break
            yield parent


def _with(controllers: str, controller: str) -> tuple[str, ...]:
    return (controllers,) if controller in controllers.split(",") else ()


def _cgroup_room(folder: Path) -> int | None:
    limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
    used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
    if limit is None or used is None or limit >= 1 << 60:
        return None
    return max(0, limit - used + _reclaimable(folder / "memory.stat"))


def _reclaimable(stat: Path) -> int:
    fields = dict(line.split(" ", 1) for line in _text(stat).splitlines() if " " in line)
    return int(fields.get("total_inactive_file", fields.get("inactive_file", 0)))


def _cpu_quota(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota = _text(folder / "cpu.cfs_quota_us")
        period = _text(folder / "cpu.cfs_period_us")
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except ValueError:
        return None


def _cpu_used(folder: Path) -> float | None:
    """CPU seconds of a cgroup, v2 and v1."""
    for line in _text(folder / "cpu.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == "usage_usec" and value.isdigit():
            return int(value) / 1e6
    used = _number(folder / "cpuacct.usage")
    return None if used is None else used / 1e9


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
