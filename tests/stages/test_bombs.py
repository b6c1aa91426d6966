"""Small files that would fill a machine end as a sentence, in a real worker under its limits."""

from __future__ import annotations

from pathlib import Path

import cv2
import psutil
import pytest

from pipeline.model import Done, Reject, Skip
from pipeline.work.workers.limits import Limits
from pipeline.work.workers.local import LocalSettings, open_workers
from tests.kit import bombs, media
from tests.kit.visits import request

GIB = 1 << 30


@pytest.mark.timeout(120)
async def test_no_bomb_goes_off(tmp_path: Path) -> None:
    """Each is refused or shown within 10 s of CPU and 1 GiB, and kills no worker (T50)."""
    settings = LocalSettings(slots=1, limits=Limits(memory=2 * GIB), is_warm=False)
    async with open_workers(settings, tmp_path / "work") as workers:
        for name, make in bombs.BOMBS.items():
            path = tmp_path / name
            path.write_bytes(make())
            reply = await workers.visit(request(path))
            assert reply.cpu_s <= 10, name
            assert _peak() <= GIB, name
            assert all(isinstance(o, Done | Skip | Reject) for o in reply.outcomes.values()), name
            await workers.release(reply)


@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (16_320, 12_240)])
async def test_large_photos_are_no_bombs(tmp_path: Path, width: int, height: int) -> None:
    """108 and 200 megapixels, as phones take them, are shown within the limits (T50)."""
    path = tmp_path / "phone.jpg"
    path.write_bytes(_large(width, height))
    async with open_workers(LocalSettings(slots=1, is_warm=False), tmp_path / "work") as workers:
        reply = await workers.visit(request(path))
        assert _peak() <= GIB
    preview = reply.outcomes["preview"]
    assert isinstance(preview, Done)
    assert preview.facts == {"width": width, "height": height}
    assert reply.outcomes["whole"] == Done()


def _peak() -> int:
    """The most memory a worker has held since it started, in bytes.

    From its own status: `getrusage` would count what this process held when it started the worker.
    """
    most = 0
    for child in psutil.Process().children(recursive=True):
        status = Path(f"/proc/{child.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        most = max(most, int(peak.split()[1]) * 1024)
    assert most > 0
    return most


def _large(width: int, height: int) -> bytes:
    return media.jpeg(cv2.resize(media.scene(), (width, height), interpolation=cv2.INTER_LINEAR))
