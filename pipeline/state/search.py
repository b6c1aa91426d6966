"""The index that find searches: one line for each file, of all that people look for.

Triggers note whose line is out of date; `settle` writes those lines again before every commit, so
that whoever reads sees an index that fits the rows. It holds nothing that cannot be made again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.finding import moments, words
from pipeline.state import deriving, edits, people

AT_ONCE = 2_000  # lines in one commit: about half a second of writing
_TIES = 14  # bits of a rank that tell files of one millisecond apart
_WIDER = (_TIES, 20, 26, 40)  # where there are more, they spill over into the time behind
_TEXT_LIMIT = 20_000  # characters read in one picture
_YEAR_1, _MILLISECOND = datetime(1, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_SELECT = """
    SELECT f.id, f.owner_id, f.source_path, f.path, f.state, f.category, f.facts, f.taken_at,
           f.taken_utc, f.lat, f.lon, f.place, p.names AS place_names, f.camera, f.lens, f.title,
           coalesce(f.rating, 0) AS rating, f.is_damaged, coalesce(f.category, 'unknown') AS kind,
           f.bundle_id, f.bundle_role,
           (SELECT a.results FROM ai_analysis a
            WHERE a.file_id = f.id AND a.analysis_type = 'text') AS text
    FROM media_files f LEFT JOIN place_names p ON p.place = f.place
    WHERE f.id = ?
"""
_FROM = (  # columns above, in the order of these of `search_files`
    "owner_id", "state", "kind", "taken_at", "rating", "is_damaged", "lat", "lon",
)  # fmt: skip
_ASKED = "owner_id, state, category, taken_at, rating, is_damaged, lat, lon"
_MARKS = ", ".join("?" * len(_FROM))
_SIDECARS = (
    "SELECT facts FROM media_files WHERE bundle_id = ? AND bundle_role = 'sidecar'"
    " AND state IN ('studied', 'placing', 'placed', 'done', 'missing') ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Line:
    """What is looked for in, folded; the columns of `search` in their order."""

    name: str
    folder: str
    source: str
    title: str
    people: str
    tags: str
    place: str
    text: str
    camera: str
    lens: str
    moment: str


def settle(con: sqlite3.Connection, at: str, limit: int = AT_ONCE) -> int:
    """Write lines that are out of date again, with their tags; how many."""
    rows = con.execute("SELECT file_id FROM search_stale LIMIT ?", (limit,)).fetchall()
    touch(con, (row[0] for row in rows), at)
    return len(rows)


def waiting(con: sqlite3.Connection) -> int:
    """How many lines are out of date: many only right after an upgrade."""
    return int(con.execute("SELECT count(*) FROM search_stale").fetchone()[0])


def touch(con: sqlite3.Connection, file_ids: Iterable[str], at: str) -> None:
    """Write the lines of these files again, as part of the caller's transaction."""
    for file_id in file_ids:
        _refresh(con, file_id, at)
        con.execute("DELETE FROM search_stale WHERE file_id = ?", (file_id,))


def learn(con: sqlite3.Connection, owner_id: str, file_id: str, at: str) -> None:
    """Bring tags and line of one file of this owner up to date now, not at the commit."""
    row = con.execute(
        "SELECT 1 FROM media_files WHERE id = ? AND owner_id = ?", (file_id, owner_id)
    ).fetchone()
    if row is not None:
        touch(con, [file_id], at)


def line_of(con: sqlite3.Connection, file_id: str) -> Line | None:
    """The line that a file should have, from its rows; None without the file."""
    row = con.execute(_SELECT, (file_id,)).fetchone()
    return None if row is None else _line(con, row, _facts(con, row))


def people_in(con: sqlite3.Connection, file_id: str) -> list[str]:
    """Who may be said to be in a file: by their faces, and as the file or its sidecars say."""
    row = con.execute(_SELECT, (file_id,)).fetchone()
    return [] if row is None else _names(con, row, _written(_facts(con, row)))


def facts_about(con: sqlite3.Connection, file_id: str) -> list[str]:
    """The JSON of what is known of a file, and of what its sidecars say about it."""
    row = con.execute(_SELECT, (file_id,)).fetchone()
    return [] if row is None else _facts(con, row)


def slot(moment: datetime) -> int:
    """The lowest rank of a file taken then; the next millisecond's begin `1 << 14` further."""
    return (moment - _YEAR_1) // _MILLISECOND << _TIES


def _refresh(con: sqlite3.Connection, file_id: str, at: str) -> None:
    row = con.execute(_SELECT, (file_id,)).fetchone()
    if row is None:
        con.execute("DELETE FROM search_files WHERE file_id = ?", (file_id,))
        return
    facts = _facts(con, row)
    if row["category"] != "sidecar":
        deriving.derive(con, file_id, facts, at)
    rank = _ranked(con, row)
    line = _line(con, row, facts)
    new = tuple(getattr(line, name) for name in Line.__slots__)
    old = con.execute("SELECT * FROM search WHERE rowid = ?", (rank,)).fetchone()
    if old is not None and tuple(old) == new:
        return
    if old is not None:
        con.execute("DELETE FROM search WHERE rowid = ?", (rank,))
    con.execute(
        "INSERT INTO search (rowid, name, folder, source, title, people, tags, place, text, camera,"
        " lens, moment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (rank, *new),
    )


def _facts(con: sqlite3.Connection, row: sqlite3.Row) -> list[str]:
    """The JSON of the file and of the sidecars that belong to it."""
    if row["bundle_id"] is None or row["bundle_role"] == "sidecar":
        return [row["facts"]]
    return [row["facts"], *(other[0] for other in con.execute(_SIDECARS, (row["bundle_id"],)))]


def _line(con: sqlite3.Connection, row: sqlite3.Row, facts: list[str]) -> Line:
    source = os.fsdecode(row["source_path"]).encode("utf-8", "replace").decode()
    source_folder, _, source_name = source.rpartition("/")
    folder, _, name = (row["path"] or "").rpartition("/")
    said = edits.of(con, row["id"]).said.get("description")
    told = (
        [json.loads(text) for text in facts if '"description"' in text] if said is None else [said]
    )
    tags = con.execute(
        "SELECT tag FROM tags WHERE file_id = ? AND is_removed = 0 ORDER BY tag", (row["id"],)
    )
    read = json.loads(row["text"]).get("text") if row["text"] else None
    return Line(
        name=words.of_name(name, source_name if source_name != name else None),
        folder=words.of_name(folder),
        source=words.of_name(source_folder),
        title=words.of_text(row["title"], *(one.get("description") for one in told)),
        people=words.of_text(*_names(con, row, _written(facts))),
        tags=words.of_text(*(tag for (tag,) in tags)),
        place=words.of_text(row["place"], row["place_names"]),
        text=words.of_text(read[:_TEXT_LIMIT]) if read else "",
        camera=words.of_name(row["camera"]),
        lens=words.of_name(row["lens"]),
        moment=moments.words_of(row["taken_at"] or "", is_south=(row["lat"] or 0.0) < 0),
    )


def _written(facts: list[str]) -> list[str]:
    told = [json.loads(text) for text in facts if '"people"' in text]
    return [name for one in told for name in one.get("people", ())]


def _names(con: sqlite3.Connection, row: sqlite3.Row, written: list[str]) -> list[str]:
    """Who is in it, by their faces and by what the file says; nobody who does not want to be."""
    if not written:
        return people.names_of(con, row["id"])
    refused = {
        people.name_key(name)
        for (name,) in con.execute(
            "SELECT name FROM people WHERE owner_id = ? AND name IS NOT NULL"
            " AND (consent = 'no' OR is_hidden = 1)",
            (row["owner_id"],),
        )
    }
    allowed = [name for name in written if people.name_key(name) not in refused]
    return list(dict.fromkeys([*people.names_of(con, row["id"]), *allowed]))


# --- ranks -------------------------------------------------------------------------------------


def _ranked(con: sqlite3.Connection, row: sqlite3.Row) -> int:
    """The rank of a file, given anew when it was taken at another time; its other columns kept."""
    taken = row["taken_utc"] or row["taken_at"]
    known = con.execute(
        f"SELECT rank, ordered_by, {_ASKED} FROM search_files WHERE file_id = ?", (row["id"],)
    ).fetchone()
    wanted = tuple(row[name] for name in _FROM)
    if known is not None and known["ordered_by"] == taken:
        if tuple(known)[2:] != wanted:
            con.execute(
                f"UPDATE search_files SET ({_ASKED}) = ({_MARKS}) WHERE rank = ?",
                (*wanted, known["rank"]),
            )
        return int(known["rank"])
    if known is not None:
        con.execute("DELETE FROM search_files WHERE rank = ?", (known["rank"],))
    rank = _free(con, _slot_of(taken))
    con.execute(
        f"INSERT INTO search_files (rank, file_id, ordered_by, {_ASKED})"
        f" VALUES (?, ?, ?, {_MARKS})",
        (rank, row["id"], taken, *wanted),
    )
    return rank


def _slot_of(taken: str | None) -> int:
    """Undated files come last; a time without offset is taken for UTC, which is near enough."""
    try:
        moment = datetime.fromisoformat(taken) if taken else _YEAR_1
    except ValueError:
        return 0
    return slot(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _free(con: sqlite3.Connection, begin: int) -> int:
    """The first rank from `begin` on behind those given already: the later comes before."""
    for bits in _WIDER:
        end = begin + (1 << bits)
        top = con.execute(
            "SELECT max(rank) FROM search_files WHERE rank >= ? AND rank < ?", (begin, end)
        ).fetchone()[0]
        if top is None:
            return begin
        if top + 1 < end:
            return int(top) + 1
    raise sqlite3.IntegrityError("no rank is free")
