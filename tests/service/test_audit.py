"""The audit log as a use case: read, checked, and taken out without harm."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest

from pipeline.errors import NotAllowed
from pipeline.service import audit, teams
from pipeline.state import audit as stored
from tests.service.village import Village


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
async def test_cells_run_nothing_in_a_spreadsheet(village: Village, first: str) -> None:
    """T57: a cell that a spreadsheet would take for a formula is made text."""
    by = audit.by(village.anna, village.core)
    evil = f"{first}HYPERLINK(1)"
    await village.core.db.write(stored.record, by.actor, evil, evil, None, {"x": evil}, by.at)
    text = "".join([part async for part in audit.export(village.anna, village.core, "csv")])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][0] == "seq"
    assert not [
        cell
        for row in rows[1:]
        for cell in row
        if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    ]
    assert f"'{evil}" in rows[-1]


async def test_lines_can_be_checked_without_darkroom(village: Village) -> None:
    """What is exported as JSON holds all that the chain was made of."""
    await teams.make(village.anna, village.core, "Friends")
    text = "".join([part async for part in audit.export(village.anna, village.core, "jsonl")])
    lines = [json.loads(line) for line in text.splitlines()]
    previous = "0" * 64
    for line in lines:
        told = [line["previous"], *(v for k, v in line.items() if k not in ("previous", "hash"))]
        digest = hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
        assert (line["previous"], line["hash"]) == (previous, digest)
        previous = digest
    verified = await audit.verify(village.anna, village.core)
    assert (verified.lines, verified.head, verified.fault) == (len(lines), previous, None)


async def test_only_who_runs_the_household_reads_it(village: Village) -> None:
    """T66: others are refused, whatever they ask for."""
    with pytest.raises(NotAllowed):
        await audit.page(village.ben, village.core, limit=1)
    with pytest.raises(NotAllowed):
        await audit.verify(village.ben, village.core)
    with pytest.raises(NotAllowed):
        [part async for part in audit.export(village.ben, village.core, "csv")]
    (line,) = await audit.page(village.anna, village.core, limit=1)
    assert audit.as_json(line)["after"] == {"user": "clara"}
