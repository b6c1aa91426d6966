"""The stage: a file on its visit, from bytes to facts."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.metadata.facts import Facts, TakenFrom
from pipeline.model import Done
from pipeline.stages import facts, subject
from pipeline.stages.facts import STAGE
from pipeline.stages.subject import Subject


def jpeg_with_exif(orientation: int, taken: str) -> bytes:
    """A JPEG of segments only: EXIF with two tags, and a frame of 640 x 480."""
    date = taken.encode() + b"\0"
    main = struct.pack("<HHHIIHHIII", 2, 0x0112, 3, 1, orientation, 0x8769, 4, 1, 38, 0)
    exif = struct.pack("<HHHIII", 1, 0x9003, 2, len(date), 56, 0)
    block = b"Exif\0\0II*\0\x08\0\0\0" + main + exif + date
    frame = b"\xff\xc0\0\x11\x08" + struct.pack(">HH", 480, 640) + b"\3\1\x22\0\2\x11\1\3\x11\1"
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + frame + b"\xff\xd9"


def run_on(path: Path, workdir: Path) -> Facts:
    """The facts that the stage finds in the file at `path`."""
    status = path.stat()
    visit = Subject.open(
        path, path.name, status.st_size, status.st_mtime_ns, status.st_ino, workdir
    )
    try:
        outcome = STAGE.run(visit)
    finally:
        visit.close()
    assert isinstance(outcome, Done)
    return Facts.from_json(outcome.facts)


def test_facts_of_a_photo(tmp_path: Path) -> None:
    """Date, orientation and size come from the content, more dates from name and file system."""
    path = tmp_path / "IMG_20200102_030405.jpg"
    path.write_bytes(jpeg_with_exif(6, "2020:01:02 03:04:05"))
    found = run_on(path, tmp_path)
    assert (found.width, found.height, found.orientation) == (640, 480, 6)
    by_source = {d.source: d.local for d in found.dates}
    assert by_source[TakenFrom.EXIF] == by_source[TakenFrom.NAME] == "2020-01-02T03:04:05"
    assert TakenFrom.MTIME in by_source


def test_impossible_values_become_notes(tmp_path: Path) -> None:
    """A date and an orientation that do not exist are dropped and named."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with_exif(9, "2020:13:45 03:04:05"))
    found = run_on(path, tmp_path)
    assert found.orientation is None
    assert {d.source for d in found.dates} == {TakenFrom.MTIME}
    assert len(found.notes) == 2


def test_files_too_large_to_hold_are_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same facts come from a file that is only mapped, not read into memory."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_with_exif(6, "2020:01:02 03:04:05"))
    held = run_on(path, tmp_path)
    monkeypatch.setattr(subject, "HELD_BYTES", 16)
    assert run_on(path, tmp_path) == held


def test_the_stage_loads_nothing_of_the_core() -> None:
    """A worker that reads facts never imports state, library, core, pydantic or aiosqlite."""
    code = (
        f"import sys, {facts.__name__};"
        "print([m for m in sys.modules if m.startswith(('pipeline.state', 'pipeline.library',"
        " 'pipeline.core', 'pydantic', 'aiosqlite', 'av.', 'numpy', 'exiv2'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
