"""Work that is asked for over files that are in their place."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pipeline.errors import Refused, TryLater
from pipeline.model import Done
from pipeline.state import asked, queue
from pipeline.state.asked import LibraryFile
from pipeline.state.queue import Task
from pipeline.work import restudy
from pipeline.work.asked import Answer, Asking, Kind
from pipeline.work.record import Known
from pipeline.work.study import DueStage, mark_of
from pipeline.work.workers.contract import StageCall
from tests.kit.clock import FakeClock
from tests.work.deeds import picture
from tests.work.rig import OWNER, Rig, hurrying, open_rig, running
from tests.work.test_flow import until

ONLY_HASH = (DueStage("hash", 1),)


def kind(finish: Callable[[Answer], Awaitable[None]]) -> Kind:
    """Asks for the misdeed that the file bears."""

    def ask(_: sqlite3.Connection, __: Task, ___: LibraryFile) -> Asking:
        return Asking((StageCall("misdeed"),))

    return Kind("misdeed", ask, finish)


async def taken_in(rig: Rig, *deeds: str) -> list[str]:
    """Files that are in their place; their deeds sleep until they are asked for."""
    paths = [picture(rig.root.path / f"{n}.png", deed) for n, deed in enumerate(deeds)]
    await rig.process(paths, stages=ONLY_HASH)
    return list(rig.placed)


async def ask(rig: Rig, file_ids: list[str], kind: str = "misdeed") -> str:
    """A job that asks this of the files; its id."""
    job_id = await rig.job()
    wanted = [(file_id, OWNER) for file_id in file_ids]
    await rig.db.write(asked.enqueue_job, job_id, kind, wanted, rig.clock.now())
    return job_id


def task_of(con: sqlite3.Connection, job_id: str) -> sqlite3.Row:
    """How the one task of the job ended."""
    row: sqlite3.Row = con.execute("SELECT * FROM tasks WHERE job_id = ?", (job_id,)).fetchone()
    return row


async def test_an_answer_is_finished_and_the_job_ends(tmp_path: Path) -> None:
    """Each file is visited where it lies, its answer finished once, its job counts it."""
    answers: list[Answer] = []

    async def finish(answer: Answer) -> None:
        answers.append(answer)

    async with open_rig(tmp_path) as rig:
        files = await taken_in(rig, "", "", "")
        job_id = await ask(rig, files)
        counts = await rig.finish(rig.flow(ONLY_HASH, asked=[kind(finish)]), job_id)
    assert sorted(answer.file.id for answer in answers) == sorted(files)
    assert all(isinstance(answer.outcomes["misdeed"], Done) for answer in answers)
    assert (counts.status, counts.processed, counts.errors) == ("done", 3, 0)


async def test_other_bytes_than_were_taken_in_are_refused(tmp_path: Path) -> None:
    """A file that changed in the library is not worked on: nothing is made of strange bytes."""

    async def finish(_: Answer) -> None:
        pytest.fail("finished")

    async with open_rig(tmp_path) as rig:
        files = await taken_in(rig, "")
        picture(rig.root.path / "0.png")
        job_id = await ask(rig, files)
        counts = await rig.finish(rig.flow(ONLY_HASH, asked=[kind(finish)]), job_id)
        ended = await rig.db.read(task_of, job_id)
    assert counts.errors == 1
    assert ended["error_class"] == Refused.code
    assert "not what it was" in ended["error"]


async def test_a_file_that_kills_its_worker_is_given_up_and_kept(tmp_path: Path) -> None:
    """After three attempts the task fails with a reason; the file itself stays as it is."""

    async def finish(_: Answer) -> None:
        pytest.fail("finished")

    async with open_rig(tmp_path) as rig:
        files = await taken_in(rig, "crash")
        job_id = await ask(rig, files)
        counts = await rig.finish(rig.flow(ONLY_HASH, asked=[kind(finish)]), job_id)
        ended = await rig.db.read(task_of, job_id)
        assert set((await rig.states()).values()) == {"done"}
    assert counts.errors == 1
    assert ended["attempts"] == 3


async def test_what_cannot_be_finished_now_is_done_again(tmp_path: Path) -> None:
    """A full disk while finishing costs nothing but time."""
    tries: list[str] = []

    async def finish(answer: Answer) -> None:
        tries.append(answer.file.id)
        if len(tries) < 3:
            raise TryLater("The disk is full.", after_s=30)

    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        files = await taken_in(rig, "")
        counts = await rig.finish(rig.flow(ONLY_HASH, asked=[kind(finish)]), await ask(rig, files))
    assert tries == files * 3
    assert (counts.processed, counts.errors) == (1, 0)


async def test_pausing_interrupts_and_goes_on_without_blame(tmp_path: Path) -> None:
    """A long film stops at once when somebody pauses, and is begun again later, uncounted."""
    finished: list[str] = []

    async def finish(answer: Answer) -> None:
        finished.append(answer.file.id)

    clock = FakeClock()
    async with open_rig(tmp_path, clock=clock) as rig, hurrying(clock):
        files = await taken_in(rig, "hang 1.5")
        job_id = await ask(rig, files)
        flow = rig.flow(ONLY_HASH, asked=[kind(finish)])
        async with running(flow):
            await until(lambda: rig.workers.busy == 1)
            await flow.pause("now", actor="test", now=True)
            await until(lambda: rig.workers.busy == 0)
            while (await rig.db.read(task_of, job_id))["attempts"]:
                pass  # given back in a transaction of its own, a moment later
            assert not finished
            await flow.resume(actor="test")
            await flow.drain(job_id)
    assert finished == files


async def test_new_files_do_not_wait_behind_long_work(tmp_path: Path) -> None:
    """With two slots, a film that takes for ever leaves one of them to what arrives."""

    async def finish(_: Answer) -> None:
        pytest.fail("finished")

    async with open_rig(tmp_path, slots=2) as rig:
        films = await taken_in(rig, "hang 60", "hang 60", "hang 60")
        await ask(rig, films)
        flow = rig.flow(ONLY_HASH, asked=[kind(finish)])
        async with running(flow):
            await until(lambda: rig.workers.busy == 1)
            (new,) = await rig.admit([picture(rig.root.path / "new.png")])
            flow.poke()
            await until(lambda: new in rig.placed)


async def test_cancelling_ends_asked_work(tmp_path: Path) -> None:
    """A cancelled job stops what runs and begins nothing more."""

    async def finish(_: Answer) -> None:
        pytest.fail("finished")

    async with open_rig(tmp_path) as rig:
        files = await taken_in(rig, "hang 60", "hang 60")
        job_id = await ask(rig, files)
        flow = rig.flow(ONLY_HASH, asked=[kind(finish)])
        async with running(flow):
            await until(lambda: rig.workers.busy == 1)
            assert await flow.cancel(job_id) == 2
            await until(lambda: rig.workers.busy == 0)


async def test_a_file_is_in_one_job_of_a_kind_at_a_time(tmp_path: Path) -> None:
    """A second job that asks the same of a file is told that the first is at it."""
    async with open_rig(tmp_path) as rig:
        files = await taken_in(rig, "")
        await ask(rig, files)
        other = await rig.job()
        wanted = [(file_id, OWNER) for file_id in files]
        now = rig.clock.now()
        assert await rig.db.write(asked.enqueue_job, other, "misdeed", wanted, now) == files


# --- studying again ----------------------------------------------------------------------------


async def test_a_new_stage_is_asked_of_every_file_once(tmp_path: Path) -> None:
    """What the program learnt since is found out for old files too: only that, and once."""
    known: list[Known] = []

    def keep(_: sqlite3.Connection, one: Known, __: str) -> None:
        known.append(one)

    stages = (*ONLY_HASH, DueStage("misdeed", 1))
    mark = mark_of(stages, tmp_path / "no models")
    async with open_rig(tmp_path) as rig:
        files = await taken_in(rig, "", "")
        again = restudy.kind(rig.db, rig.clock, rig.home, stages, keep, mark)
        now = rig.clock.now()
        assert await rig.db.write(asked.enqueue_behind, restudy.KIND, mark, now) == 2
        flow = rig.flow(stages, asked=[again])
        async with running(flow):
            await until(lambda: len(known) == 2)
            await asyncio.sleep(0)
            await until_marked(rig, mark)
        assert await rig.db.write(asked.enqueue_behind, restudy.KIND, mark, now) == 0
    assert sorted(one.file_id for one in known) == sorted(files)
    assert all({"hash", "misdeed"} <= one.facts.keys() for one in known)


async def until_marked(rig: Rig, mark: str) -> None:
    """Wait until every file bears the mark."""

    def unmarked(con: sqlite3.Connection) -> int:
        sql = "SELECT count(*) FROM media_files WHERE study_mark IS NOT ?"
        return int(con.execute(sql, (mark,)).fetchone()[0])

    while await rig.db.read(unmarked):
        await asyncio.sleep(0.01)


def test_a_mark_changes_with_stages_versions_and_models(tmp_path: Path) -> None:
    """Anything that could bring another answer changes the mark; order does not."""
    none = tmp_path / "none"
    one, two = DueStage("a", 1), DueStage("b", 1)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "faces.onnx").touch()
    marks = {
        mark_of((one, two), none),
        mark_of((one,), none),
        mark_of((one, DueStage("b", 2)), none),
        mark_of((one, two), tmp_path / "models"),
    }
    assert len(marks) == 4
    assert mark_of((two, one), none) == mark_of((one, two), none)


async def test_a_job_nobody_waits_for_is_closed(tmp_path: Path) -> None:
    """A job that a schedule started is done with its last task, without anybody following it."""

    async def finish(_: Answer) -> None:
        return None

    async with open_rig(tmp_path) as rig:
        job_id = await ask(rig, await taken_in(rig, "", ""))
        flow = rig.flow(ONLY_HASH, asked=[kind(finish)])
        async with running(flow):
            async with asyncio.timeout(20):
                while (counts := await rig.db.read(queue.job_counts, job_id)) is None or (
                    counts.status != "done"
                ):
                    await asyncio.sleep(0.02)
    assert counts.processed == 2
