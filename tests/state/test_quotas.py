"""Quotas: counted exactly, promised atomically, and 0 is 0."""

from __future__ import annotations

import asyncio
import random
import sqlite3

import pytest

from pipeline.errors import Conflict, NotFound, TooLarge
from pipeline.state import quotas
from pipeline.state.connection import Database
from pipeline.state.quotas import Limits, Wanted
from tests.kit.sharing import by
from tests.kit.state import AT, OWNER, add_file, add_household

LATER = "2024-05-17T13:00:00.000Z"
MUCH_LATER = "2024-05-18T12:00:00.000Z"


def _wanted(number: int = 0, size: int = 100, files: int = 1, until: str = LATER) -> Wanted:
    return Wanted(f"w{number}", OWNER, size, files, until)


async def _limit(db: Database, limits: Limits) -> None:
    await db.write(quotas.put, by(OWNER), OWNER, limits)


async def _fill(db: Database, *files: str, size: int = 1000) -> None:
    for name in files:
        await db.write(add_file, name, size=size)


async def test_without_limits_everything_is_promised(db: Database) -> None:
    """Who has no quota is refused nothing and costs no row."""
    room = await db.write(quotas.reserve, _wanted(size=1 << 50), AT)
    assert (room.left_bytes, room.left_files, room.is_past_soft) == (None, None, False)


@pytest.mark.parametrize(
    ("limits", "size", "files"),
    [(Limits(hard_bytes=0), 1, 0), (Limits(hard_files=0), 0, 1), (Limits(hard_bytes=0), 1, 1)],
)
async def test_zero_really_is_zero(db: Database, limits: Limits, size: int, files: int) -> None:
    """A limit of 0 lets nothing in; it does not mean no limit."""
    await _limit(db, limits)
    with pytest.raises(TooLarge, match="room for 0 more"):
        await db.write(quotas.reserve, _wanted(size=size, files=files), AT)


async def test_the_last_byte_fits_and_the_next_does_not(db: Database) -> None:
    """The limit itself may be reached, not passed; what is refused promises nothing."""
    await _fill(db, "a")
    await _limit(db, Limits(hard_bytes=1100))
    with pytest.raises(TooLarge, match="room for 100 more bytes of 1,100; 101 were"):
        await db.write(quotas.reserve, _wanted(size=101), AT)
    assert (await db.write(quotas.reserve, _wanted(size=100), AT)).left_bytes == 0


async def test_concurrent_uploads_cannot_exceed_a_limit(db: Database) -> None:
    """A hundred at once get as many promises as there is room for, and not one more."""
    await _limit(db, Limits(hard_bytes=1_050, hard_files=1_000))
    asked = [db.write(quotas.reserve, _wanted(n), AT) for n in range(100)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in answers) == 10
    assert {type(one) for one in answers if isinstance(one, Exception)} == {TooLarge}
    usage = (await db.read(quotas.get, OWNER, AT)).usage
    assert (usage.reserved_bytes, usage.reserved_files) == (1000, 10)


async def test_a_promise_is_given_back_lapses_or_is_asked_anew(db: Database) -> None:
    """Cut off uploads hold no room for ever, and a repeated request counts once."""
    await _limit(db, Limits(hard_files=1))
    await db.write(quotas.reserve, _wanted(1), AT)
    await db.write(quotas.reserve, _wanted(1), AT)
    with pytest.raises(TooLarge):
        await db.write(quotas.reserve, _wanted(2), AT)
    await db.write(quotas.reserve, _wanted(2, until=MUCH_LATER), LATER)
    with pytest.raises(TooLarge):
        await db.write(quotas.reserve, _wanted(3), LATER)
    await db.write(quotas.release, "w2")
    await db.write(quotas.reserve, _wanted(3), AT)


async def test_the_soft_limit_is_told_once_and_stops_nothing(db: Database) -> None:
    """Past the soft limit uploads go on; the event comes once, and anew after there was room."""
    await _limit(db, Limits(soft_bytes=150))
    answers = [await db.write(quotas.reserve, _wanted(n), AT) for n in range(3)]
    assert [one.is_past_soft for one in answers] == [False, True, True]
    assert await _warnings(db) == 1
    for number in range(3):
        await db.write(quotas.release, f"w{number}")
    await db.write(quotas.reserve, _wanted(4), AT)
    await db.write(quotas.reserve, _wanted(5), AT)
    assert await _warnings(db) == 2


async def _warnings(db: Database) -> int:
    def count(con: sqlite3.Connection) -> int:
        told = con.execute("SELECT count(*) FROM events WHERE name = 'quota.warned'").fetchone()
        return int(told[0])

    return await db.read(count)


async def test_what_was_made_of_files_counts_where_it_is_to(db: Database) -> None:
    """Derivatives take room only under a policy that says so."""
    await _fill(db, "a")

    def derive(con: sqlite3.Connection) -> None:
        con.execute(
            "INSERT INTO derivatives (sha256, kind, version, path, mime, width, height, bytes)"
            " VALUES (?, 'preview', 1, 'p', 'image/jpeg', 1, 1, 500)",
            (f"sha-{OWNER}-a",),
        )

    await db.write(derive)
    await _limit(db, Limits(hard_bytes=1_400))
    assert await db.read(quotas.derived_since, OWNER) is None
    await db.write(quotas.reserve, _wanted(size=400), AT)
    await db.write(quotas.release, "w0")
    await _limit(db, Limits(hard_bytes=1_400, counts_derivatives=True))
    assert await db.read(quotas.derived_since, OWNER) == ""
    total = await db.read(quotas.derived_bytes, OWNER)
    await db.write(quotas.keep_derived, OWNER, total, AT)
    assert (total, await db.read(quotas.derived_since, OWNER)) == (500, AT)
    with pytest.raises(TooLarge):
        await db.write(quotas.reserve, _wanted(size=1), AT)


async def test_limits_change_with_the_version_seen_and_are_lifted(db: Database) -> None:
    """Two administrators do not overwrite each other; every change stands in the audit log."""
    first = await db.write(quotas.put, by(OWNER), OWNER, Limits(hard_files=3), 0)
    with pytest.raises(Conflict):
        await db.write(quotas.put, by(OWNER), OWNER, Limits(hard_files=4), 0)
    await db.write(quotas.lift, by(OWNER), OWNER, first.version)
    assert (await db.read(quotas.get, OWNER, AT)).limits == Limits()
    with pytest.raises(NotFound):
        await db.write(quotas.put, by(OWNER), "nobody", Limits())
    actions = await db.read(
        lambda con: [row[0] for row in con.execute("SELECT action FROM audit_log ORDER BY seq")]
    )
    assert actions == ["quota.set", "quota.set"]


@pytest.mark.parametrize("seed", range(5))
async def test_counters_are_what_counting_gives(db: Database, seed: int) -> None:
    """Whatever becomes of files, the kept sums are those of a count over all rows."""
    chance = random.Random(seed)
    await db.write(add_household, "ben")
    await _limit(db, Limits(hard_files=10_000))
    await db.write(quotas.put, by("ben"), "ben", Limits(hard_files=10_000))
    states = ["found", "studied", "placing", "placed", "done", "duplicate", "rejected", "trashed",
              "purged", "missing"]  # fmt: skip
    takes = ["move", "copy", "index"]

    def live(con: sqlite3.Connection) -> None:
        ids: list[str] = []
        for number in range(150):
            what = chance.random()
            if what < 0.4 or not ids:
                ids.append(f"f{number}")
                owner = chance.choice([OWNER, "ben"])
                size, state, take = (
                    chance.randrange(999),
                    chance.choice(states),
                    chance.choice(takes),
                )
                add_file(con, ids[-1], owner, size=size, state=state, take=take)
                continue
            one = chance.choice(ids)
            if what < 0.5:
                con.execute("DELETE FROM media_files WHERE id = ?", (one,))
            elif what < 0.6:
                con.execute("UPDATE media_files SET size = size + 7 WHERE id = ?", (one,))
            elif what < 0.7:
                con.execute("UPDATE media_files SET owner_id = 'ben' WHERE id = ?", (one,))
            else:
                state = chance.choice(states)
                con.execute("UPDATE media_files SET state = ? WHERE id = ?", (state, one))

    await db.write(live)
    for user in (OWNER, "ben"):
        usage = (await db.read(quotas.get, user, AT)).usage
        counted = await db.read(quotas._count, user)
        assert (usage.bytes, usage.files) == counted


async def test_promising_costs_the_same_in_a_large_library(db: Database) -> None:
    """No promise looks at the files: only the quota's row and open promises are read."""
    await _limit(db, Limits(hard_bytes=1 << 40))

    def plan(con: sqlite3.Connection) -> list[str]:
        seen: list[str] = []
        con.set_trace_callback(seen.append)
        quotas.reserve(con, _wanted(), AT)
        con.set_trace_callback(None)
        return seen

    assert not [one for one in await db.write(plan) if "media_files" in one]
