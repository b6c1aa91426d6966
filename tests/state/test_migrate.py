"""Schema versions."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import Broken
from pipeline.state import damage, migrate, opening, settings, snapshots
from pipeline.state.connection import open_database
from tests.kit.state import add_household
from tests.state import migrating

MOVE = shutil.move
AT = datetime(2024, 5, 17, tzinfo=UTC)


def _version_one(path: Path) -> None:
    """A database of version 1 with content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.row_factory = sqlite3.Row
        migrate.migrate(con, at="then", keep=lambda: None, upto=1)
        add_household(con)
        for number in range(50):
            settings.put(con, f"k{number}", number)


def _kill_everywhere(folder: Path, start: str, *more: str) -> int:
    """Run the launcher; how many statements it killed at."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.state.migrating", folder, start, *more],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return int(done.stdout)


def _fault(path: Path) -> str | None:
    """What is between two versions in this database; None when it is wholly old or new."""
    if not path.exists() or damage.is_unborn(path):
        return None
    if (fault := damage.examine(path)) is not None:
        return fault
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
        columns = [row[1] for row in con.execute("PRAGMA table_info(settings)")]
        names = {row[0] for row in con.execute("SELECT name FROM sqlite_master")}
        kept = con.execute("SELECT count(*) FROM settings").fetchone()[0]
        is_new = migrate.version(con) == 2
    whole = ("kind" in columns) == ("later" in names) == is_new and "new_settings" not in names
    return None if whole and kept in (0, 50) else f"between two versions: {columns}, {kept} rows"


async def _opens(path: Path) -> None:
    opening.make_ready(path, AT, MOVE)
    async with open_database(path, SystemClock()) as db:
        assert await db.read(migrate.version) == 2
        await db.write(settings_of_two)


def settings_of_two(con: sqlite3.Connection) -> None:
    """A write that only version 2 takes."""
    con.execute("INSERT INTO settings (key, value, kind) VALUES ('new', '1', 'x')")


@pytest.mark.parametrize("start", ["nothing", "one"])
async def test_killed_at_any_statement_leaves_old_or_new(
    tmp_path: Path, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T04: kill -9 at every statement of a migration; each database is whole, and opens."""
    if start == "one":
        _version_one(tmp_path / "one")
    kills = _kill_everywhere(tmp_path, start)
    assert kills > (12 if start == "one" else 40)
    monkeypatch.setattr(migrate, "available", migrating.two_versions)
    for number in range(1, kills + 1):
        path = tmp_path / f"killed-{number}" / "darkroom.sqlite"
        assert _fault(path) is None, f"killed at statement {number}"
        await _opens(path)


def test_the_harness_sees_a_migration_without_a_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T04: the same kills over a careless migration do leave something between two versions."""
    _version_one(tmp_path / "one")
    kills = _kill_everywhere(tmp_path, "one", "careless")
    monkeypatch.setattr(migrate, "available", migrating.two_versions)
    faults = [_fault(tmp_path / f"killed-{n}" / "darkroom.sqlite") for n in range(1, kills + 1)]
    assert any(faults)


async def test_a_newer_database_is_refused_untouched(path: Path) -> None:
    """A database of a later Darkroom is neither opened nor changed, and the message says so."""
    async with open_database(path, SystemClock()):
        pass
    newer = len(migrate.available()) + 1
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("INSERT INTO migrations VALUES (?, 'later')", (newer,))
        con.execute(f"PRAGMA user_version = {newer}")
    before = path.read_bytes()
    assert opening.make_ready(path, AT, MOVE).found is opening.Found.GOOD
    with pytest.raises(Broken, match="not touched"):
        async with open_database(path, SystemClock()):
            pass
    assert path.read_bytes() == before


async def test_a_database_with_content_is_kept_before_it_is_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade leaves a sealed snapshot of the state as it was; a first start leaves none."""
    _version_one(path)
    monkeypatch.setattr(migrate, "available", migrating.first_version)
    async with open_database(path, SystemClock()):
        assert snapshots.listing(path) == []
    monkeypatch.setattr(migrate, "available", migrating.two_versions)
    async with open_database(path, SystemClock()) as db:
        assert await db.read(settings.get, "k7") == 7
    (kept,) = snapshots.listing(path)
    assert kept.label == "before-upgrade"
    with contextlib.closing(sqlite3.connect(kept.path)) as con:
        assert migrate.version(con) == 1


async def test_a_migration_that_loosens_a_reference_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """References are checked before a migration commits; a mistake leaves the old version."""
    _version_one(path)
    wrong = (*migrating.two_versions()[:-1], (2, "DELETE FROM users;"))
    monkeypatch.setattr(migrate, "available", lambda: wrong)
    with pytest.raises(Broken, match="without what they belong to"):
        async with open_database(path, SystemClock()):
            pass
    monkeypatch.setattr(migrate, "available", migrating.first_version)
    async with open_database(path, SystemClock()) as db:
        assert await db.read(migrate.version) == 1


def test_no_statement_of_a_script_gets_lost() -> None:
    """Triggers, semicolons in texts and a last statement without its semicolon survive."""
    script = "SELECT ';';\nCREATE TRIGGER t AFTER INSERT ON x BEGIN\n SELECT 1;\nEND;\nSELECT 2"
    assert [s.strip() for s in migrate._statements(script)] == [
        "SELECT ';';",
        "CREATE TRIGGER t AFTER INSERT ON x BEGIN\n SELECT 1;\nEND;",
        "SELECT 2",
    ]
