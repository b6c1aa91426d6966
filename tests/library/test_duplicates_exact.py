"""Exact duplicates: the groups of a naive comparison, read-only, whatever the tree looks like."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.library import exact

# Contents that differ only where a hasty comparison would not look.
_LONG = 300 * 1024
CONTENTS = [
    b"",
    b"a",
    b"b",
    b"x" * 4096,
    b"x" * 4095 + b"y",
    b"x" * 4097,
    b"x" * 4096 + b"y",
    bytes(_LONG),
    bytes(_LONG - 1) + b"1",
    b"1" + bytes(_LONG - 1),
    bytes(_LONG // 2) + b"1" + bytes(_LONG - _LONG // 2 - 1),
]
FILES = st.lists(
    st.tuples(st.sampled_from(["", "a", "a/b", "c"]), st.integers(0, len(CONTENTS) - 1)),
    max_size=14,
)


def naive(root: Path) -> set[frozenset[frozenset[str]]]:
    """The truth: every file read whole, names of one inode together, empty files left out."""
    contents: dict[bytes, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            contents[path.read_bytes()][path.stat().st_ino].add(str(path))
    return {
        frozenset(map(frozenset, files.values())) for files in contents.values() if len(files) > 1
    }


def found(groups: list[exact.Identical]) -> set[frozenset[frozenset[str]]]:
    """Groups in the shape of `naive`."""
    return {frozenset(map(frozenset, group.files)) for group in groups}


@given(files=FILES, links=st.lists(st.integers(0, 13), max_size=4))
@settings(max_examples=60, deadline=None)
def test_same_groups_as_a_naive_comparison(files: list[tuple[str, int]], links: list[int]) -> None:
    """Random trees with hard links, symbolic links and empty files are grouped as reading shows."""
    root = Path(tempfile.mkdtemp())
    try:
        made = []
        for number, (folder, content) in enumerate(files):
            path = root / folder / str(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENTS[content])
            made.append(path)
        for number, target in enumerate(links):
            if target < len(made):
                (root / f"hard{number}").hardlink_to(made[target])
                (root / f"soft{number}").symlink_to(made[target])
        assert found(exact.find_identical([root])) == naive(root)
    finally:
        shutil.rmtree(root)


def test_groups_are_stated_in_a_steady_order(tmp_path: Path) -> None:
    """Most reclaimable bytes first, names sorted, so that two runs print the same."""
    for name, content in [("z", b"1" * 9), ("a", b"1" * 9), ("m", b"22"), ("k", b"22")]:
        (tmp_path / name).write_bytes(content)
    groups = exact.find_identical([tmp_path])
    assert [[Path(p).name for p in g.paths] for g in groups] == [["a", "z"], ["k", "m"]]
    assert [g.reclaimable for g in groups] == [9, 2]


def test_hard_links_alone_are_no_duplicates(tmp_path: Path) -> None:
    """Two names of one file free nothing; with a real copy both names are shown."""
    (tmp_path / "one").write_bytes(b"same")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    assert exact.find_identical([tmp_path]) == []
    (tmp_path / "copy").write_bytes(b"same")
    (group,) = exact.find_identical([tmp_path])
    assert [[Path(n).name for n in names] for names in group.files] == [["copy"], ["one", "two"]]


def test_overlapping_paths_are_one(tmp_path: Path) -> None:
    """A folder given twice, or with a file in it, does not make a file its own duplicate."""
    (tmp_path / "one").write_bytes(b"same")
    assert exact.find_identical([tmp_path, tmp_path, tmp_path / "one"]) == []


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    """Neither to files, nor to folders, nor in a circle, nor as a given path."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "one").write_bytes(b"same")
    (outside / "two").write_bytes(b"same")
    (inside / "to file").symlink_to(outside / "two")
    (inside / "to folder").symlink_to(outside)
    (inside / "circle").symlink_to(inside)
    assert exact.find_identical([inside, inside / "to folder"]) == []


def test_pipes_and_devices_do_not_make_it_wait(tmp_path: Path) -> None:
    """What is not a regular file is passed over without opening it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "one").write_bytes(b"same")
    assert exact.scan([tmp_path, tmp_path / "pipe", Path("/dev/null")]).seen == 1


def test_unreadable_files_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file that cannot be opened is named with the reason; its equals are still found."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"same")
    real = os.open

    def grudging(path: str, flags: int) -> int:
        if path.endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags)

    monkeypatch.setattr(exact.os, "open", grudging)
    result = exact.scan([tmp_path, tmp_path / "absent"])
    assert [Path(p).name for g in result.groups for p in g.paths] == ["a", "c"]
    assert {(Path(u.path).name, u.reason) for u in result.unread} == {
        ("b", "Permission denied"),
        ("absent", "No such file or directory"),
    }


def test_a_file_that_shrinks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file cut short between listing and reading is in no group and is named."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(_LONG))
    monkeypatch.setattr(exact.os, "readv", lambda fd, parts: 0)
    result = exact.scan([tmp_path])
    assert result.groups == []
    assert {u.reason for u in result.unread} == {"it became shorter while it was read"}


def test_names_that_are_not_text_survive(tmp_path: Path) -> None:
    """A name that is not UTF-8 comes back as the system gave it."""
    for name in (b"caf\xe9", b"copy"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"same")
    (group,) = exact.find_identical([tmp_path])
    assert os.fsencode(group.paths[0]).endswith(b"caf\xe9")


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    """Files alone in their size are not opened; differing heads end the comparison."""
    (tmp_path / "alone").write_bytes(bytes(10_000_000))
    (tmp_path / "one").write_bytes(b"1" + bytes(5_000_000))
    (tmp_path / "two").write_bytes(b"2" + bytes(5_000_000))
    assert exact.scan([tmp_path]).compared_bytes == 2 * 2 * 4096


def test_progress_is_told(tmp_path: Path) -> None:
    """The caller hears of both phases, and the last word is that all is done."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"same")
    heard: list[tuple[str, int, int]] = []
    exact.find_identical([tmp_path], on_progress=lambda *told: heard.append(told))
    assert heard[0] == ("looking", 3, 0)
    assert heard[-1] == ("comparing", 3, 3)


def test_importing_it_is_cheap() -> None:
    """Start-up is part of a scan: no heavy module is pulled in."""
    code = "import sys; from pipeline.library import exact; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(exact.__file__).parents[2])},  # without coverage's hooks
    )
    assert not {"numpy", "cv2", "asyncio", "dataclasses", "sqlite3", "click"} & set(
        ran.stdout.split()
    )
