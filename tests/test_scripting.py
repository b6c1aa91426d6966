"""The Python interface: the same services, opened and closed around each call or kept open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import Busy, Invalid, NotFound
from pipeline.scripting import AdvancedFileManager, AIContentAnalyzer
from pipeline.state import lock
from tests.kit import media
from tests.kit.cli import contents


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AdvancedFileManager:
    """A home with two photos in its library."""
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DARKROOM_INTAKE__STABLE_FOR_S", "0")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(1, 3):
        data = media.jpeg(media.scene(seed=number))
        (pictures / f"IMG_{number}.jpg").write_bytes(data)
    manager = AdvancedFileManager(tmp_path / "home")
    run = manager.process([pictures])
    assert (run.summary.found, run.summary.placed) == (2, 2)
    return manager


def test_calls_open_and_close_or_stay_open(manager: AdvancedFileManager, tmp_path: Path) -> None:
    """The same calls do the same in a `with` block, files are taken in within it too, and the home
    is free again behind it."""
    ids = [file.id for file in manager.find("img")]
    assert len(ids) == 2
    first = manager.batch_operations(ids, "move", target="Album")
    (tmp_path / "more.jpg").write_bytes(media.jpeg(media.scene(seed=9)))
    with manager:
        assert len(manager.find()) == 2
        tagged = manager.batch_operations(ids, "retag", add="beach")
        with pytest.raises(Busy), lock.owned(manager.home / "state" / "lock"):
            pass
        assert manager.process(tmp_path / "more.jpg", move=True).summary.placed == 1
        assert len(manager.find("beach")) == 2
        assert manager.undo(tagged.job_id or "").reversed == 2
        assert manager.find("beach") == []
    with lock.owned(manager.home / "state" / "lock"):
        assert len(manager.find()) == 3
    assert manager.undo(first.job_id or "").reversed == 2
    assert not (tmp_path / "more.jpg").exists()


def test_a_running_darkroom_keeps_changes_out(manager: AdvancedFileManager) -> None:
    """Looking and rehearsing work beside it; a change is refused, and changes nothing."""
    ids = [file.id for file in manager.find()]
    before = contents(manager.home / "library")
    with lock.owned(manager.home / "state" / "lock"):
        plan = manager.batch_operations(ids, "move", target="Album", dry_run=True)
        assert [item.after for item in plan.items] == [f"Album/IMG_{n}.jpg" for n in (2, 1)]
        with pytest.raises(Busy):
            manager.batch_operations(ids, "move", target="Album")
    assert contents(manager.home / "library") == before


def test_failures_are_sentences(tmp_path: Path) -> None:
    """No home, no job, a wrong setting, a wrong path: each an error a person understands."""
    manager = AdvancedFileManager(tmp_path / "home")
    with pytest.raises(NotFound, match="no Darkroom here yet"):
        manager.find()
    with pytest.raises(NotFound, match="no job"):
        manager.undo("nope")
    (tmp_path / "home" / "darkroom.toml").write_text("[libary]\n")
    with pytest.raises(Invalid, match="library"):
        manager.find()


async def test_inside_an_event_loop_it_says_what_to_do(tmp_path: Path) -> None:
    """A notebook gets advice instead of a traceback about loops."""
    with pytest.raises(Invalid, match="to_thread"):
        AdvancedFileManager(tmp_path).find()


def test_an_error_in_the_block_still_closes_the_home(manager: AdvancedFileManager) -> None:
    """The script's own mistake does not leave the home locked."""
    with pytest.raises(ZeroDivisionError), manager:
        manager.undo(manager.batch_operations("nope", "delete").job_id or _fail())
    with lock.owned(manager.home / "state" / "lock"):
        pass


def _fail() -> str:
    raise ZeroDivisionError


def test_pictures_are_analysed_wherever_they_lie(tmp_path: Path) -> None:
    """A picture, a broken one, a text and none at all: each gets an answer, none an exception."""
    (tmp_path / "photo.jpg").write_bytes(media.jpeg())
    (tmp_path / "broken.jpg").write_bytes(media.jpeg()[:40])
    (tmp_path / "letter.txt").write_text("dear anna")
    with AIContentAnalyzer(tmp_path / "home") as analyzer:
        photo = analyzer.analyze_content(tmp_path / "photo.jpg")
        assert photo["error"] is None
        assert photo.keys() - {"error", "skipped"} or photo["skipped"]
        for name in ("broken.jpg", "letter.txt", "nothing.jpg"):
            assert analyzer.analyze_content(tmp_path / name)["error"], name
            assert analyzer.detect_faces(tmp_path / name) == []
    assert not (tmp_path / "home").exists()


def test_many_photos_are_converted(manager: AdvancedFileManager, tmp_path: Path) -> None:
    """Copies in another format, one result each; a rehearsal names them; bad wishes are refused."""
    ids = [file.id for file in manager.find("img")]
    out = tmp_path / "out"
    plan = manager.batch_operations(ids, "convert", to="webp", destination=out, dry_run=True)
    assert not out.exists()
    done = manager.batch_operations(ids, "convert", to="webp", destination=out)
    assert done.failed == ()
    assert [item.after for item in done.items] == [item.after for item in plan.items]
    assert sorted(contents(out)) == ["IMG_1.webp", "IMG_2.webp"]
    with pytest.raises(Invalid, match="webq"):
        manager.batch_operations(ids, "convert", to="webq", destination=out)
    with pytest.raises(Invalid):
        manager.batch_operations(ids, "convert", to="webp", destination=out, quality="high")
