"""Scanning: everything inside, nothing outside, nothing blocks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.intake import scan
from pipeline.intake.ignore import MACHINE_MADE
from pipeline.intake.scan import LINK, SPECIAL, TOO_DEEP, Batch, walk
from pipeline.model import Root, RootKind, Take


def root_at(path: Path) -> Root:
    """A root that nobody remembers."""
    return Root("root", path, RootKind.FOREIGN, Take.COPY, "person")


def everything(path: Path, **extent: object) -> tuple[list[str], Batch]:
    """All paths of a walk, and one batch with all that was passed over."""
    total, paths = Batch(""), []
    for batch in walk(root_at(path), **extent):  # type: ignore[arg-type]
        paths += [seen.candidate.path for seen in batch.seen]
        total.passed.update(batch.passed)
        total.problems += batch.problems
    return paths, total


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The paths that Python opens or lists while the test runs."""
    names: list[str] = []
    is_on = True

    def hook(event: str, args: tuple[object, ...]) -> None:
        if is_on and event in ("open", "os.listdir", "os.scandir"):
            names.append(os.fsdecode(args[0]) if isinstance(args[0], (str, bytes)) else "")

    sys.addaudithook(hook)
    yield names
    is_on = False


@pytest.fixture
def deep_path(tmp_path: Path) -> Iterator[Path]:
    """A folder that is emptied without recursion, which deep trees would exhaust."""
    yield tmp_path
    subprocess.run(["rm", "-rf", "--", *map(str, tmp_path.iterdir())], check=True)


def test_hostile_trees(deep_path: Path, opened: list[str]) -> None:
    """T21: loops, links out, pipes, sockets, hard links, 1,000 deep: <= 5 s, nothing outside."""
    outside = deep_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    top = deep_path / "top"
    top.mkdir()
    (top / "a.jpg").write_bytes(b"x")
    os.link(top / "a.jpg", top / "b.jpg")
    (top / "loop").symlink_to(top)
    (top / "out").symlink_to(outside)
    (top / "secret.jpg").symlink_to(outside / "secret.jpg")
    os.mkfifo(top / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(top / "socket.jpg"))
        deep = _deep(top, 1000)
        started = time.monotonic()
        opened.clear()
        paths, total = everything(top)
    assert time.monotonic() - started < 5
    assert sorted(paths) == ["a.jpg", "b.jpg", deep]
    assert total.passed[LINK] == 3
    assert total.passed[SPECIAL] == 2
    assert not any("outside" in name or name.endswith("jpg") for name in opened)


def test_paths_longer_than_a_kernel_takes(deep_path: Path) -> None:
    """Beyond the longest path a folder is still listed, and its files are reported, not lost."""
    _deep(deep_path, 400, name="directory" * 2)
    paths, total = everything(deep_path)
    assert paths == []
    assert [problem.reason for problem in total.problems] == [TOO_DEEP]


def test_names_that_are_not_text_are_kept(tmp_path: Path) -> None:
    """T22: bytes of a name survive exactly."""
    name = b"caf\xe9 \xff\n\xe2\x80\xae.jpg"
    (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    paths, _ = everything(tmp_path)
    assert [os.fsencode(path) for path in paths] == [name]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    names=st.sets(
        st.binary(min_size=1, max_size=255).filter(
            lambda n: b"/" not in n and b"\0" not in n and n not in (b".", b"..")
        ),
        max_size=5,
    )
)
def test_every_name_is_either_seen_or_counted(
    tmp_path_factory: pytest.TempPathFactory, names: set[bytes]
) -> None:
    """T22: whatever a file is called, it is a candidate or it is counted with a reason."""
    top = tmp_path_factory.mktemp("names")
    for name in names:
        (top / os.fsdecode(name)).touch()
    paths, total = everything(top)
    assert {os.fsencode(path) for path in paths} <= names
    assert len(paths) + total.passed.total() == len(names)


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    """Junk is counted by reason; a folder of junk counts as one."""
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "@eaDir" / "SYNOFILE_THUMB_M.jpg").write_bytes(b"x")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "a.jpg").write_bytes(b"x")
    paths, total = everything(tmp_path)
    assert paths == ["a.jpg"]
    assert total.passed == {MACHINE_MADE: 2}


def test_our_own_folders_are_not_entered(tmp_path: Path) -> None:
    """A root that holds our library does not take it in again."""
    for name in ("library", "photos"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(b"x")
    paths, _ = everything(tmp_path, skip=[tmp_path / "library", tmp_path / "absent"])
    assert paths == ["photos/a.jpg"]


def test_only_some_folders_and_not_below(tmp_path: Path) -> None:
    """A sweep may look at one folder alone."""
    (tmp_path / "one" / "two").mkdir(parents=True)
    for below in ("one/a.jpg", "one/two/b.jpg", "c.jpg"):
        (tmp_path / below).write_bytes(b"x")
    assert everything(tmp_path, below=["one"])[0] == ["one/a.jpg", "one/two/b.jpg"]
    assert everything(tmp_path, below=["one"], deep=False)[0] == ["one/a.jpg"]


def test_a_folder_swapped_for_another_is_not_entered(tmp_path: Path) -> None:
    """Between listing and entering, a folder replaced by a link or another folder is refused."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"x")
    top = tmp_path / "top"
    (top / "one").mkdir(parents=True)
    (top / "one" / "a.jpg").write_bytes(b"x")
    batches = walk(root_at(top))
    next(batches)
    (top / "one").rename(tmp_path / "gone")
    (top / "one").symlink_to(tmp_path / "outside")
    assert [seen for batch in batches for seen in batch.seen] == []


def test_single_files_are_picked_but_not_links(tmp_path: Path) -> None:
    """Files given one by one are taken whatever their name; a link is a problem said aloud."""
    (tmp_path / ".hidden.jpg").write_bytes(b"x")
    (tmp_path / "link.jpg").symlink_to(tmp_path / ".hidden.jpg")
    batch = scan.pick(root_at(tmp_path), [".hidden.jpg", "link.jpg", "absent.jpg"])
    assert [seen.candidate.path for seen in batch.seen] == [".hidden.jpg"]
    assert [problem.path for problem in batch.problems] == ["link.jpg", "absent.jpg"]


async def test_a_large_folder_comes_in_small_batches(tmp_path: Path) -> None:
    """A folder of many files is handed over a part at a time, and whole."""
    for number in range(1300):
        (tmp_path / f"{number}.jpg").touch()
    sizes = [len(batch.seen) async for batch in scan.scan(root_at(tmp_path))]
    assert sum(sizes) == 1300
    assert max(sizes) <= scan.BATCH


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A folder without permission does not stop the others."""
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "a.jpg").write_bytes(b"x")
    paths, total = everything(tmp_path)
    assert paths == ["a.jpg"]
    assert "permission" in total.problems[0].reason


def _deep(top: Path, levels: int, name: str = "d") -> str:
    """A file below `levels` folders in one another; its path below `top`."""
    fd = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("deep.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    return "/".join([name] * levels + ["deep.jpg"])
