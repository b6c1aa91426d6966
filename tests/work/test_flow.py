"""The way of files through the flow, whatever they do to their readers."""

from __future__ import annotations

from pathlib import Path

from tests.work.deeds import picture
from tests.work.rig import Rig, open_rig, running


def pictures(rig: Rig, count: int, deed: str = "") -> list[Path]:
    return [picture(rig.root.path / f"{deed[:4].strip()}{n:04}.png", deed) for n in range(count)]


async def test_files_go_all_the_way(tmp_path: Path) -> None:
    """Every admitted file is studied, recorded and placed; the job counts it and closes."""
    async with open_rig(tmp_path) as rig:
        counts = await rig.process(pictures(rig, 40))
        assert (counts.status, counts.processed, counts.errors) == ("done", 40, 0)
        assert set((await rig.states()).values()) == {"done"}


async def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    """Equal contents, arriving together or later, become duplicates of one file."""
    async with open_rig(tmp_path) as rig:
        twins = [picture(rig.root.path / f"twin{n}.png", salt="same") for n in range(30)]
        await rig.process(twins)
        late = picture(rig.root.path / "late.png", salt="same")
        await rig.process([late])
        states = list((await rig.states()).values())
        assert states.count("done") == 1
        assert states.count("duplicate") == 30


async def test_a_poison_file_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    """T07: kills, hangs and eaten memory end with the file; the others are done."""
    async with open_rig(tmp_path, timeout_s=1.0) as rig:
        good = pictures(rig, 30)
        bad = [picture(rig.root.path / f"{deed}.png", deed) for deed in ("kill", "hang", "pickle")]
        job_id = await rig.job()
        await rig.admit([*good, *bad], job_id)
        flow = rig.flow()
        async with running(flow):
            counts = await flow.drain(job_id)
        assert counts is not None
        states = await rig.states()
        assert {path: states[path] for path in states if states[path] != "done"} == {
            "kill.png": "rejected",
            "hang.png": "rejected",
            "pickle.png": "rejected",
        }
        assert len(rig.quarantined) == 3
        assert counts.errors == 3
