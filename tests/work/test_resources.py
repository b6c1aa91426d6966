"""What the machine can bear: the pure decision, and readings inside containers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.work import resources
from pipeline.work.resources import Disk, Go, Policy, Reading, Wait, decide, is_quiet

GIB = 1 << 30
CALM = Reading(0.1, 8 * GIB, (Disk(Path("/x"), 50 * GIB, 100 * GIB),), False, time(12))


def test_a_calm_machine_works() -> None:
    """Nothing speaks against work on an idle machine with room."""
    assert decide(CALM, Policy()) == Go()


@pytest.mark.parametrize(
    ("reading", "policy", "waits_for_people"),
    [
        (replace(CALM, load=3.0), Policy(max_load=1.5), False),
        (replace(CALM, is_on_battery=True), Policy(on_battery=False), False),
        (CALM, Policy(quiet_from=time(11), quiet_until=time(13)), False),
        (replace(CALM, memory=100 << 20), Policy(), True),
        (replace(CALM, disks=(Disk(Path("/x"), GIB // 2, 100 * GIB),)), Policy(), True),
    ],
)
def test_work_waits_with_a_reason(reading: Reading, policy: Policy, waits_for_people: bool) -> None:
    """Load, battery and quiet hours hold back background work; full disks and memory hold all."""
    answer = decide(reading, policy)
    assert isinstance(answer, Wait)
    assert answer.reason
    assert isinstance(decide(reading, policy, is_interactive=True), Wait) is waits_for_people


@given(st.integers(1, 1 << 50), st.integers(0, 1 << 40))
def test_the_floor_of_a_disk_leaves_it_usable(total: int, min_free: int) -> None:
    """At least 1 % stays free, and a small disk is never asked for more than a tenth of itself."""
    floor = Disk(Path("/x"), 0, total).floor(min_free)
    assert int(total * 0.01) <= floor <= max(total * 0.1, 1)


@given(st.times(), st.times(), st.times())
def test_quiet_hours_may_span_midnight(start: time, end: time, now: time) -> None:
    """A time is quiet from `start` to `end` and loud from `end` to `start`, never both."""
    quiet = is_quiet(now, Policy(quiet_from=start, quiet_until=end))
    swapped = is_quiet(now, Policy(quiet_from=end, quiet_until=start))
    assert quiet != swapped if start != end else not quiet


def test_readings_are_plausible(tmp_path: Path) -> None:
    """The real machine answers, and two paths on one disk are one disk."""
    reading = resources.read([tmp_path, tmp_path.parent, tmp_path / "absent"], datetime.now(UTC))
    assert len(reading.disks) == 1
    assert reading.memory > 0
    assert resources.slots(0, 1 << 30) >= 1
    assert resources.slots(3, 1 << 60) == 3


@pytest.mark.parametrize("version", [1, 2])
def test_memory_limits_of_containers_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """A container's limit bounds what is available, cache that can be dropped left out."""
    own = tmp_path / "own"
    if version == 2:
        own.write_text("0::/app\n")
        folder = tmp_path / "app"
        names = ("memory.max", "memory.current", "inactive_file")
    else:
        own.write_text("5:memory:/app\n3:cpu,cpuacct:/app\n")
        folder = tmp_path / "memory" / "app"
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    folder.mkdir(parents=True)
    (folder / names[0]).write_text("100000000\n")
    (folder / names[1]).write_text("90000000\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} 20000000\n")
    monkeypatch.setattr(resources, "OWN_CGROUP", own)
    monkeypatch.setattr(resources, "CGROUP", tmp_path)
    assert resources.available_memory() == 30_000_000


def test_cpu_quotas_of_containers_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a core is one slot, not as many as the machine has cores."""
    (tmp_path / "own").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    monkeypatch.setattr(resources, "OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(resources, "CGROUP", tmp_path)
    assert resources.cores() == 1
