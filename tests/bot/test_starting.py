"""Commands start at once: what a command does not use is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "onnxruntime", "cv2", "av", "apscheduler", "quart", "pipeline.engine")


@pytest.mark.parametrize(
    "modules",
    [
        "pipeline.core, pipeline.service.finding, pipeline.service.files",
        "pipeline.core, pipeline.service.batch, pipeline.service.tags, pipeline.service.trash",
        "pipeline.core, pipeline.service.jobs, pipeline.service.roots, pipeline.service.audit",
    ],
)
def test_looking_and_changing_need_no_engine(modules: str) -> None:
    """Neither numbers nor models nor schedules are brought for a command that only looks."""
    code = f"import sys, {modules}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
