"""Tags that nobody typed: keywords the file and its sidecars bring, and what models saw.

They follow what is known, each time it changes, and never touch what a person decided. Doing it
again changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from pipeline.finding import tagging
from pipeline.finding.words import folded
from pipeline.state import tags
from pipeline.state.tags import FILE, MODEL, PERSON, Origin

ACTOR = "analysis"


def derive(con: sqlite3.Connection, file_id: str, facts: list[str], at: str) -> None:
    """Bring the file's own and the models' tags up to date.

    `facts` is the JSON of the file and of the sidecars that belong to it.
    """
    now = tags.stored(con, file_id)
    decided = {tag: one for tag, one in now.items() if one.source == PERSON}
    taken = set(map(_key, decided))
    wanted = dict(decided)
    for tag, origin in (*_keywords(facts), *_seen(con, file_id)):
        if _key(tag) not in taken:
            taken.add(_key(tag))
            wanted[tag] = origin
    if wanted != now:
        tags.put(con, file_id, now, wanted, actor=ACTOR, at=at)


def _key(tag: str) -> str:
    """Tags that are one to who looks for them."""
    return folded(tag) or tag


def _keywords(facts: list[str]) -> Iterator[tuple[str, Origin]]:
    for text in facts:
        if '"keywords"' not in text:  # most files have none: not worth reading their facts for
            continue
        for word in json.loads(text).get("keywords", ()):
            tag = tagging.tag(str(word))
            if tag is not None:
                yield tag, Origin(FILE)


def _seen(con: sqlite3.Connection, file_id: str) -> Iterator[tuple[str, Origin]]:
    """Of equal tags the surer one is kept: it comes first."""
    marks = ", ".join("?" * len(tagging.STAGES))
    rows = con.execute(
        "SELECT analysis_type, results, model, version FROM ai_analysis"
        f" WHERE file_id = ? AND analysis_type IN ({marks})",
        (file_id, *tagging.STAGES),
    ).fetchall()
    if not rows:
        return
    by_stage = {row["analysis_type"]: row for row in rows}
    facts = {stage: json.loads(row["results"]) for stage, row in by_stage.items()}
    found = [
        (tag, Origin(MODEL, by_stage[stage]["model"], by_stage[stage]["version"], confidence))
        for stage, said in tagging.tags_of(facts).items()
        for tag, confidence in said.items()
    ]
    yield from sorted(found, key=lambda pair: (-(pair[1].confidence or 0.0), pair[0]))
