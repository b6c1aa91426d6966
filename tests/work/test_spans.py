"""Visits leave spans: what ran when, and for how long."""

from __future__ import annotations

from pathlib import Path

from pipeline.state import spans
from tests.work.deeds import picture
from tests.work.rig import OWNER, open_rig


async def test_every_visit_leaves_one_span_with_its_stages(tmp_path: Path) -> None:
    """Job -> file -> stage: each stage lies within its visit, and has an outcome."""
    async with open_rig(tmp_path) as rig:
        files = [picture(rig.root.path / f"{n}.png") for n in range(3)]
        await rig.process(files)
        found = await rig.db.read(spans.within, OWNER, (0, 1 << 42))
    assert len(found) == 3
    for span in found:
        assert span.outcome == "done"
        assert [stage.stage for stage in span.stages] == ["hash", "misdeed"]
        for stage in span.stages:
            assert 0 <= stage.start_ms <= stage.start_ms + stage.wall_ms
            assert span.began_ms + stage.start_ms + stage.wall_ms <= span.ended_ms + 2
