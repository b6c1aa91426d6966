"""`darkroom albums`, `shares` and `audit`: what a person sees at a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from config.settings import Settings
from pipeline.clock import SystemClock
from pipeline.core import open_core
from pipeline.model import Surface
from pipeline.service import shares
from tests.kit import cli, media


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two photos."""
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "pictures").mkdir()
    for number in (1, 2):
        path = folder / "pictures" / f"IMG_{number}.jpg"
        path.write_bytes(media.jpeg(media.scene(seed=number)))
    cli.process(folder / "home", folder / "pictures")
    return folder / "home"


async def _link(home: Path, album: str) -> str:
    async with open_core(home, Settings(), SystemClock()) as core:
        wanted = shares.Wanted(title="For Aunt May", view_limit=3)
        made = await shares.of_album(core.household(Surface.CLI), core, album, wanted)
        return made.share.id


def test_albums_links_and_the_log(home: Path) -> None:
    """An album is made, filled by a search, linked to, deleted, restored; all is logged.

    A log that somebody changed is told with the number of the line, and exit status 1.
    """
    assert cli.darkroom(home, "albums").out == "There are no albums yet.\n"
    album = cli.darkroom(home, "albums", "make", "Summer").out.strip()
    assert cli.darkroom(home, "albums", "add", album, "type:photo").out == "2 files came in.\n"
    told = json.loads(cli.darkroom(home, "albums", "list", "--json").out)
    assert (told["title"], told["files"]) == ("Summer", 2)
    share = asyncio.run(_link(home, album))
    (line,) = cli.darkroom(home, "shares").out.splitlines()
    assert "For Aunt May" in line
    assert "opened 0 of 3 times, for ever" in line
    assert "leads nowhere" in cli.darkroom(home, "shares", "revoke", share).out
    assert ", ended " in cli.darkroom(home, "shares", "list").out
    assert f"albums restore {album}" in cli.darkroom(home, "albums", "delete", album).out
    assert "2 files" in cli.darkroom(home, "albums", "restore", album).out
    actions = [
        json.loads(line)["action"]
        for line in cli.darkroom(home, "audit", "list", "--json").out.splitlines()
    ]
    assert actions[:2] == ["album.made", "album.deleted"]
    assert {"share.made", "share.revoked", "album.files-added"} <= set(actions)
    table = cli.darkroom(home, "audit", "export", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["action"] for row in rows] == actions[::-1]
    _forged_is_told(home)


def _forged_is_told(home: Path) -> None:
    sound = cli.darkroom(home, "audit", "verify")
    assert sound.status == 0
    head = sound.out.splitlines()[-1].removeprefix("Head: ")
    assert cli.darkroom(home, "audit", "verify", "--head", head).status == 0
    with contextlib.closing(sqlite3.connect(home / "state" / "darkroom.sqlite")) as con:
        con.execute("DROP TRIGGER audit_log_keeps")
        con.execute("UPDATE audit_log SET user_id = 'nobody' WHERE seq = 1")
        con.commit()
    broken = cli.darkroom(home, "audit", "verify")
    assert broken.status == 1
    assert broken.out.startswith("Line 1 is not as it was written")
