"""A run that is killed, or asked to stop, loses nothing and goes on when it is started again."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from config.settings import Settings
from pipeline.core import home_of
from tests.kit import cli, media
from tests.kit.invariants import violations

pytestmark = pytest.mark.timeout(150)

_COUNT = 60


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Enough small photos for a run to be cut in the middle."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(_COUNT):
        pixels = media.scene(400, 300, seed=number)
        (folder / f"IMG_{number:04}.jpg").write_bytes(media.jpeg(pixels))
    return folder


def _placed(home: Path) -> int:
    folder = home / "library"
    return sum(1 for path in folder.rglob("*.jpg") if ".staging" not in path.parts)


def _cut(home: Path, photos: Path, how: signal.Signals, after: int) -> subprocess.Popen[str]:
    """Start a run and send a signal once `after` photos lie in the library."""
    process = cli.start(home, "process", photos)
    cli.wait_until(lambda: _placed(home) >= after or process.poll() is not None, "first photos")
    process.send_signal(how)
    return process


def _went_on(home: Path, photos: Path, before: dict[str, str]) -> None:
    """Run to the end; everything is placed once, sources are as they were, the state agrees."""
    last = cli.process(home, photos)
    assert last.summary["failed"] == last.summary["rejected"] == 0
    assert last.summary["found"] == _COUNT
    assert sorted(cli.library(home).values()) == sorted(before.values())
    assert cli.contents(photos) == before
    assert violations(home_of(home, Settings()), before, sources=[photos], settled=True) == []


def test_killed_twice(home: Path, photos: Path) -> None:
    """SIGKILL in the middle, twice: the third run ends with every photo placed exactly once."""
    before = cli.contents(photos)
    for after in (1, 20):
        with _cut(home, photos, signal.SIGKILL, after) as process:
            process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL
        assert cli.contents(photos) == before
    assert 0 < _placed(home) < _COUNT, "the run was not cut in the middle"
    _went_on(home, photos, before)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop(home: Path, photos: Path, how: signal.Signals) -> None:
    """Ctrl-C and SIGTERM: it says that all is safe and how to go on, and then it does go on."""
    before = cli.contents(photos)
    with _cut(home, photos, how, 1) as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "safe" in err
    assert "again" in err
    assert "Traceback" not in err
    assert _placed(home) < _COUNT, "the run was not cut in the middle"
    _went_on(home, photos, before)
