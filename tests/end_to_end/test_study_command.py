"""Looking again at what was studied before more could be seen."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kit import cli, media


def test_only_what_is_not_known_is_studied_again(home: Path, tmp_path: Path) -> None:
    """A stage that was switched off is made up for on request, once; nothing else changes."""
    photo = tmp_path / "beach.jpg"
    photo.write_bytes(media.jpeg(media.scene(640, 480)))
    blind = {"DARKROOM_VISION__QUALITY": "false"}
    before = cli.process(home, photo, **blind).of(photo)
    assert before["quality"] is None
    lies = cli.library(home)
    assert cli.darkroom(home, "study", **blind).out == "Everything is known that can be seen.\n"
    assert cli.darkroom(home, "study").out == "1 file studied again.\n"
    assert cli.darkroom(home, "study").out == "Everything is known that can be seen.\n"
    assert cli.library(home) == lies
    assert cli.process(home, photo).of(photo)["quality"] is not None
    [job] = [
        row
        for row in map(json.loads, cli.darkroom(home, "jobs", "--json").out.splitlines())
        if row["job_type"] == "study"
    ]
    assert job["status"] == "done"
