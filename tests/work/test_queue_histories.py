"""The durable queue under random histories: nothing lost, nothing claimed twice."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.clock import timestamp
from pipeline.model import Priority
from pipeline.state import migrate, queue
from pipeline.state.queue import NewTask, Task
from pipeline.work.queue import Turns, claim

OWNERS = ("ann", "ben")
START = datetime(2024, 5, 17, 12, tzinfo=UTC)


class Histories(RuleBasedStateMachine):
    """Files are asked for, claimed, ended, delayed and lost to crashes, in any order."""

    @initialize()
    def begin(self) -> None:
        self.con = sqlite3.connect(":memory:", isolation_level=None)
        self.con.row_factory = sqlite3.Row
        at = timestamp(START)
        migrate.migrate(self.con, at=at, keep=lambda: None)
        for owner in OWNERS:
            self.con.execute(
                "INSERT INTO users (id, username, role, created_at) VALUES (?1, ?1, 'editor', ?2)",
                (owner, at),
            )
            self.con.execute(
                "INSERT INTO roots (id, path, kind, take, owner_id, created_at)"
                " VALUES (?1, ?2, 'inbox', 'copy', ?1, ?3)",
                (owner, f"/{owner}".encode(), at),
            )
        self.now = START
        self.boot = 0
        self.turns = Turns()
        self.held: dict[str, Task] = {}
        self.asked: set[str] = set()
        self.ended: set[str] = set()
        self.attempts: dict[str, int] = {}

    @rule(
        owner=st.sampled_from(OWNERS),
        priority=st.sampled_from(list(Priority)),
        number=st.integers(0, 5),
    )
    def ask(self, owner: str, priority: Priority, number: int) -> None:
        """Asking twice for the same file makes one task; a file that is over may be asked anew."""
        file_id = f"{owner}-{number}"
        self.con.execute(
            "INSERT OR IGNORE INTO media_files (id, owner_id, root_id, source_path, source_dir,"
            " bucket, take, size, mtime_ns, inode, state, found_at, updated_at)"
            " VALUES (?1, ?2, ?2, ?3, x'', '', 'copy', 1, 1, 1, 'found', '', '')",
            (file_id, owner, file_id.encode()),
        )
        is_open = file_id in self.asked - self.ended
        new = queue.enqueue(self.con, [NewTask(file_id, owner, "visit", priority)], self.now)
        assert new == (not is_open)
        self.asked.add(file_id)
        self.ended.discard(file_id)
        if new:
            self.attempts[file_id] = 0

    @rule(count=st.integers(1, 6))
    def claim(self, count: int) -> None:
        """What is claimed was not held; its attempt is counted already."""
        for task in claim(
            self.con, self.turns, count, boot=f"boot-{self.boot}", at=self.now, kinds=("visit",)
        ):
            assert task.file_id not in self.held
            self.attempts[task.file_id] += 1
            assert task.attempts == self.attempts[task.file_id]
            self.held[task.file_id] = task

    @rule(data=st.data(), is_good=st.booleans())
    def end(self, data: st.DataObject, is_good: bool) -> None:
        """A held task is done or failed."""
        if not self.held:
            return
        file_id = data.draw(st.sampled_from(sorted(self.held)))
        task = self.held.pop(file_id)
        if is_good:
            queue.finish(self.con, task.id, timestamp(self.now))
        else:
            queue.fail(self.con, task.id, "BadMedia", "bad", timestamp(self.now))
        self.ended.add(file_id)

    @rule(data=st.data(), wait_s=st.integers(0, 60), is_blameless=st.booleans())
    def delay(self, data: st.DataObject, wait_s: int, is_blameless: bool) -> None:
        """A held task goes back for a while, with or without blame."""
        if not self.held:
            return
        file_id = data.draw(st.sampled_from(sorted(self.held)))
        until = timestamp(self.now + timedelta(seconds=wait_s))
        queue.retry(
            self.con,
            self.held.pop(file_id).id,
            until,
            "TryLater",
            "later",
            at=timestamp(self.now),
            is_blameless=is_blameless,
        )
        self.attempts[file_id] -= is_blameless

    @rule(seconds=st.integers(0, 3600))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def crash(self) -> None:
        """The core dies: the next boot takes back exactly what was held, attempts kept."""
        self.boot += 1
        found = queue.recover(self.con, f"boot-{self.boot}", timestamp(self.now))
        assert {task.file_id for task in found} == set(self.held)
        assert all(task.attempts == self.attempts[task.file_id] for task in found)
        self.held.clear()

    @rule()
    def close(self) -> None:
        """The core closes in good order: what it held goes back uncounted."""
        assert queue.give_back(self.con, f"boot-{self.boot}", timestamp(self.now)) == len(self.held)
        for file_id in self.held:
            self.attempts[file_id] -= 1
        self.held.clear()

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every file that was asked for and is not over has exactly one open task."""
        if not hasattr(self, "con"):
            return
        rows = self.con.execute(
            "SELECT file_id, status FROM tasks WHERE status IN ('queued', 'claimed')"
        ).fetchall()
        assert sorted(row["file_id"] for row in rows) == sorted(self.asked - self.ended)
        assert {r["file_id"] for r in rows if r["status"] == "claimed"} == set(self.held)

    def teardown(self) -> None:
        """In the end all that is open can be claimed, once each."""
        if not hasattr(self, "con"):
            return
        self.crash()
        left = claim(self.con, self.turns, 100, boot="last", at=self.now, kinds=("visit",))
        assert sorted(task.file_id for task in left) == sorted(self.asked - self.ended)
        self.con.close()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
