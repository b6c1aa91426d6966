"""What must hold after every crash: bytes on disk x rows x events. One function for all harnesses.

`violations` says in sentences what is broken; an empty list is the promise kept. It works on the
files alone, also on a copy of a disk, and changes nothing (the state is read from a copy).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.model import Home

_OURS = (".staging", ".darkroom")


def violations(
    home: Home, given: Mapping[str, str], *, sources: Sequence[Path], settled: bool
) -> list[str]:
    """What is wrong. `given` is name -> sha256 of every file that ever was given to Darkroom.

    At any instant each content is whole somewhere. Once `settled` (after the recovery at start)
    rows, files and events also agree.
    """
    kept = _hashes(home.library)
    trashed = _hashes(home.trash)
    elsewhere = [_hashes(folder) for folder in (*sources, home.quarantine)]
    found = set(kept.values()) | set(trashed.values()).union(*(e.values() for e in elsewhere))
    wrong = [f"lost: {name}" for name, sha256 in given.items() if sha256 not in found]
    if not settled:
        return wrong
    with _state(home) as con:
        wrong += _sound(con)
        wrong += _rows_are_true(con, kept, trashed)
        wrong += _files_are_known(con, kept)
        wrong += _events_are_true(con)
    wrong += [f"left in staging: {path.name}" for path in _staging(home)]
    return wrong


def _hashes(base: Path) -> dict[str, str]:
    return {
        str(path.relative_to(base)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in base.rglob("*")
        if path.is_file() and not str(path.relative_to(base)).startswith(_OURS)
    }


def _staging(home: Home) -> list[Path]:
    return list(home.staging.iterdir()) if home.staging.is_dir() else []


@contextlib.contextmanager
def _state(home: Home) -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory() as folder:
        for path in home.state.glob("darkroom.sqlite*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder)
        with contextlib.closing(sqlite3.connect(Path(folder) / home.database.name)) as con:
            con.row_factory = sqlite3.Row
            yield con


def _sound(con: sqlite3.Connection) -> Iterator[str]:
    answer = con.execute("PRAGMA integrity_check").fetchone()[0]
    if answer != "ok":
        yield f"database: {answer}"
    for row in con.execute("PRAGMA foreign_key_check"):
        yield f"database: dangling reference in {row[0]}"


def _rows_are_true(
    con: sqlite3.Connection, kept: Mapping[str, str], trashed: Mapping[str, str]
) -> Iterator[str]:
    rows = con.execute(
        "SELECT f.*, r.path AS root, t.trash_path FROM media_files f"
        " JOIN roots r ON r.id = f.root_id LEFT JOIN trash t ON t.file_id = f.id"
        " AND t.restored_at IS NULL AND t.purged_at IS NULL"
    )
    for row in rows:
        name, state = os.fsdecode(row["source_path"]), row["state"]
        source = Path(os.fsdecode(row["root"])) / name
        match state:
            case "placing":
                yield f"row {name}: still placing after recovery"
            case "studied" if not _holds(source, row["sha256"]):
                yield f"row {name}: studied, but its source is not whole"
            case "placed" | "done" if row["path"] and kept.get(row["path"]) != row["sha256"]:
                yield f"row {name}: {state}, but {row['path']} is not it"
            case "trashed" if trashed.get(row["trash_path"]) != row["sha256"]:
                yield f"row {name}: trashed, but {row['trash_path']} is not it"
    for row in con.execute("SELECT * FROM renames"):
        yield f"rename of {row['from_path']} still pending after recovery"


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _files_are_known(con: sqlite3.Connection, kept: Mapping[str, str]) -> Iterator[str]:
    known = {
        row[0]
        for row in con.execute(
            "SELECT path FROM media_files WHERE state IN ('placed', 'done') AND path IS NOT NULL"
        )
    }
    for path in kept.keys() - known:
        yield f"untracked in the library: {path}"
    for sha256, count in Counter(kept.values()).items():
        if count > 1:
            yield f"kept {count} times: {sha256[:12]}"


def _events_are_true(con: sqlite3.Connection) -> Iterator[str]:
    placed = Counter(
        row[0] for row in con.execute("SELECT subject FROM events WHERE name = 'file.placed'")
    )
    rows = con.execute("SELECT id, root_id, source_path, state, take, path FROM media_files")
    for row in rows:
        name = os.fsdecode(row["source_path"])
        times = placed[row["id"]]
        is_placed = row["state"] in ("placed", "done") and row["take"] != "index"
        if is_placed and times != 1:
            yield f"events: {name} is {row['state']} and was told placed {times} times"
        if row["state"] == "studied" and times:
            yield f"events: {name} is told placed and is not"
