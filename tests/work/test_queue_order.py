"""Which task is served next, as properties over random queues."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import timestamp
from pipeline.model import Priority
from pipeline.state.queue import Task
from pipeline.work.queue import (
    AGED_SHARE,
    AGEING,
    LONGEST_RETRY_S,
    RANK,
    Lane,
    Turns,
    choose,
    retry_delay_s,
)

NOW = datetime(2024, 5, 17, 12, tzinfo=UTC)
ENTRY = st.tuples(
    st.sampled_from(["ann", "ben", "cleo"]),
    st.sampled_from(list(Priority)),
    st.integers(0, 3600),  # seconds waited
)


def lanes_of(entries: list[tuple[str, Priority, int]]) -> list[Lane]:
    grouped: dict[tuple[Priority, str], list[Task]] = {}
    for number, (owner, priority, waited) in enumerate(entries):
        made = timestamp(NOW - timedelta(seconds=waited))
        task = Task(f"{made}-{number:04}", None, "file", owner, "visit", priority, 0, made)
        grouped.setdefault((priority, owner), []).append(task)
    lanes = []
    for (priority, owner), tasks in grouped.items():
        tasks.sort(key=lambda task: task.id)
        rest = iter(tasks)
        lanes.append(Lane(RANK[priority], owner, rest, next(rest)))
    return lanes


@given(st.lists(ENTRY, max_size=60))
def test_every_task_is_served_exactly_once(entries: list[tuple[str, Priority, int]]) -> None:
    """Nothing is lost and nothing claimed twice, whatever waits."""
    served = [task.id for task in choose(lanes_of(entries), Turns(), NOW)]
    assert len(served) == len(set(served)) == len(entries)


@given(st.lists(st.tuples(st.sampled_from(["ann", "ben"]), st.just(Priority.NEW), st.just(0))))
def test_owners_take_turns(entries: list[tuple[str, Priority, int]]) -> None:
    """While two owners wait with equal right, neither is served twice in a row."""
    left = Counter(owner for owner, _, _ in entries)
    before = ""
    for task in choose(lanes_of(entries), Turns(), NOW):
        if min(left["ann"], left["ben"]) > 0:
            assert task.owner_id != before
        before = task.owner_id
        left[task.owner_id] -= 1


@given(st.lists(ENTRY, min_size=1, max_size=60), st.integers(0, 50))
def test_what_has_waited_long_is_never_forgotten(
    entries: list[tuple[str, Priority, int]], crowd: int
) -> None:
    """The longest-waiting aged task is served within four claims, whatever its priority."""
    waiting = [*entries, *[("ann", Priority.INTERACTIVE, 0)] * crowd]
    aged = [entry for entry in waiting if entry[2] >= AGEING.total_seconds()]
    first = list(itertools.islice(choose(lanes_of(waiting), Turns(), NOW), AGED_SHARE))
    if aged:
        oldest = timestamp(NOW - timedelta(seconds=max(entry[2] for entry in aged)))
        assert oldest in {task.created_at for task in first}


@given(st.lists(ENTRY.filter(lambda entry: entry[2] < AGEING.total_seconds()), max_size=60))
def test_young_tasks_keep_to_their_priority(entries: list[tuple[str, Priority, int]]) -> None:
    """Before ageing sets in, interactive comes before new before backfill."""
    ranks = [RANK[task.priority] for task in choose(lanes_of(entries), Turns(), NOW)]
    assert ranks == sorted(ranks)


@given(st.integers(0, 10_000), st.floats(0, 100))
def test_retries_wait_longer_and_longer_but_not_for_ever(attempts: int, asked_s: float) -> None:
    """Back-off grows, honours what the failure asked for, and is bounded."""
    delay = retry_delay_s(attempts, asked_s)
    assert asked_s <= delay <= max(LONGEST_RETRY_S, asked_s)
    assert delay <= retry_delay_s(attempts + 1, asked_s)
