"""`darkroom people`: what a person sees, and that it is the same service."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.console.people import _question
from config.settings import Settings
from pipeline.clock import SystemClock
from pipeline.core import open_core
from pipeline.library import people as grouped
from pipeline.model import Surface
from pipeline.state import people
from pipeline.state.faces import Face
from pipeline.state.people import Doubt, Portrait
from tests.kit import cli, media
from tests.kit import people as made_up
from tests.kit.state import AT


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three photos, on each of them the same two people."""
    tmp_path = tmp_path_factory.mktemp("people")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(1, 4):
        (pictures / f"IMG_{number}.jpg").write_bytes(media.jpeg(media.scene(seed=number)))
    cli.process(tmp_path / "home", pictures)
    asyncio.run(_look(tmp_path / "home"))
    return tmp_path / "home"


async def _look(home: Path) -> None:
    vectors, _ = made_up.faces(1, 2, 3, alike=0.9)
    async with open_core(home, Settings(), SystemClock()) as core:
        actor = core.household(Surface.CLI)
        ids = await core.db.read(lambda con: con.execute("SELECT id FROM media_files").fetchall())
        for number, (file_id,) in enumerate(ids):
            facts = made_up.facts(vectors[[number, 3 + number]])
            await core.db.write(people.learn, actor.user_id, file_id, facts, AT)
        await grouped.catch_up(core.db, core.clock)


def test_a_person_is_named_corrected_and_forgotten(home: Path) -> None:
    """The way a person goes: list, name, show, correct, undo, consent."""
    listed = cli.darkroom(home, "people").out.splitlines()
    assert [line.split()[1:] for line in listed] == [["-", "3", "faces"]] * 2
    named = cli.darkroom(home, "people", "name", listed[0].split()[0], "Anna")
    assert "To undo:  darkroom people undo" in named.out
    shown = cli.darkroom(home, "people", "show", "anna", "--json").out.splitlines()
    faces = [json.loads(line)["face"]["id"] for line in shown]
    assert cli.darkroom(home, "people", "cover", "anna", faces[1]).status == 0
    listed_anew = cli.darkroom(home, "people", "list", "--json").out.splitlines()
    assert faces[1] in {json.loads(line)["cover"] for line in listed_anew}
    assert cli.darkroom(home, "people", "not", faces[0]).status == 0
    assert "Undone: 1 face belongs" in cli.darkroom(home, "people", "undo").out
    assert cli.darkroom(home, "people", "consent", "Anna", "no").status != 0  # nobody answered
    forgotten = cli.darkroom(home, "people", "consent", "Anna", "no", "--yes")
    assert "Erased 3 faces, in the database and in its snapshots." in forgotten.out


def test_what_is_not_there_is_said(home: Path) -> None:
    """One sentence, and no trace of a program's inside."""
    ran = cli.darkroom(home, "people", "show", "nobody")
    assert ran.status != 0
    assert "There is nobody 'nobody'" in ran.said
    assert "Traceback" not in ran.said


def test_questions_say_how_to_answer() -> None:
    """A question shows both faces, who they are taken for, and the command that answers it."""
    one = Portrait(Face("f1", "file", (0, 0, 1, 1), 0.9, 0.5, "p1", True), "2023/a.jpg", None)
    other = Portrait(
        Face("f2", "file", (0, 0, 1, 1), 0.9, 0.5, None, False), "b\x1b.jpg", "2023-01"
    )
    said = _question(Doubt(one, other, "Anna", None, 0.77))
    assert "Anna" in said
    assert "somebody" in said
    assert "darkroom people answer f1 f2 yes|no" in said
    assert "\x1b" not in said
