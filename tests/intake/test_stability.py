"""Stability: nothing is taken early, nothing waits long after it is finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.intake.stability import GRANULARITY_S, Settling, is_settled_by_age
from pipeline.model import Candidate

QUIET = 10.0


def seen(size: int = 1, mtime_ns: int = 0, inode: int = 1, path: str = "a.jpg") -> Candidate:
    """One look at a file."""
    return Candidate("root", path, size, mtime_ns, inode)


@given(st.lists(st.floats(0.1, 9.9), min_size=1, max_size=40), st.floats(1.0, 5.0))
def test_a_slow_copy_is_not_taken_early_and_soon_after(
    pauses: list[float], look_every: float
) -> None:
    """T20: with pauses shorter than the delay never early; taken <= 2 x delay after the end."""
    writes = [sum(pauses[:n]) for n in range(len(pauses) + 1)]
    settling, now, taken = Settling(QUIET), 0.0, None
    while taken is None:
        size = sum(1 for at in writes if at <= now)
        if settling.look([seen(size, mtime_ns=size)], now):
            taken = now
        now += look_every
    assert taken >= writes[-1] + QUIET - look_every
    assert taken >= writes[-1]
    assert taken <= writes[-1] + 2 * QUIET


@pytest.mark.parametrize("change", [{"size": 2}, {"mtime_ns": 5}, {"inode": 9}])
def test_any_change_begins_the_wait_anew(change: dict[str, int]) -> None:
    """Size, mtime and inode all count."""
    settling = Settling(QUIET)
    assert settling.look([seen()], 0) == []
    assert settling.look([seen(**change)], 9) == []
    assert settling.look([seen(**change)], 18) == []
    assert settling.look([seen(**change)], 19) == [seen(**change)]
    assert len(settling) == 0


def test_an_mtime_in_the_future_waits_no_longer_than_others() -> None:
    """Only change counts, not what the time says."""
    settling, future = Settling(QUIET), seen(mtime_ns=10**19)
    settling.look([future], 0)
    assert settling.next_at() == QUIET
    assert settling.look([future], QUIET) == [future]


def test_no_quiet_time_takes_at_once() -> None:
    """A delay of nothing is no delay."""
    assert Settling(0).look([seen()], 0) == [seen()]


def test_what_vanished_is_forgotten() -> None:
    """A file that is gone holds nobody up."""
    settling = Settling(QUIET)
    settling.look([seen(), seen(path="b.jpg")], 0)
    settling.forget("root", ["a.jpg", "never-seen.jpg"])
    assert settling.waiting("root") == {"b.jpg"}
    assert settling.waiting("other") == frozenset()


def test_age_speaks_only_when_it_is_sure() -> None:
    """Old mtime with a fresh ctime (a copy), a future time, FAT's two seconds: none is settled."""
    hour = 3600 * 10**9
    now = 10 * 3600.0

    def settled(mtime_ns: int, ctime_ns: int) -> bool:
        return is_settled_by_age(mtime_ns, ctime_ns, wall_s=now, quiet_s=QUIET)

    assert settled(hour, hour)
    assert not settled(hour, 10 * hour)
    assert not settled(11 * hour, hour)
    assert not settled(int((now - QUIET) * 1e9), hour)
    assert settled(int((now - QUIET - GRANULARITY_S) * 1e9), hour)
    assert is_settled_by_age(11 * hour, 11 * hour, wall_s=now, quiet_s=0)
