"""Suggestions in the state: made once, reviewed with a keeper and reasons, decided for good."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import SystemClock
from pipeline.codecs import phash
from pipeline.codecs.phash import Signature
from pipeline.library import duplicates, keeper, similar
from pipeline.library.similar_index import SimilarIndex
from pipeline.state import analysis, events, signatures
from pipeline.state import duplicates as state
from pipeline.state.connection import Database, open_database
from pipeline.state.duplicates import Member, Pair
from tests.kit import scenes
from tests.kit.lookalike import add_signed, an_id
from tests.kit.state import AT, OWNER, add_file, add_household


@cache
def picture(seed: int, copy: str = "") -> Signature:
    """A scene, or a copy of it."""
    plain = scenes.scene(seed, 320, 240)
    return phash.signature(scenes.COPIES[copy](plain) if copy else plain)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """An open state with two households and no file."""
    async with open_database(tmp_path / "darkroom.sqlite", SystemClock()) as database:
        await database.write(add_household)
        await database.write(add_household, "other")
        yield database


async def catch_up(db: Database, index: SimilarIndex | None = None) -> int:
    """Study what is new, as a fresh start of the program would."""
    return await similar.catch_up(db, SystemClock(), index or SimilarIndex())


def pairs(con: sqlite3.Connection) -> set[tuple[int, int]]:
    """All suggestions, by the numbers of their files."""
    rows = con.execute("SELECT file_id, other_id FROM similar")
    return {(int(r[0].replace("-", ""), 16), int(r[1].replace("-", ""), 16)) for r in rows}


async def test_copies_are_suggested_once_with_an_event(db: Database) -> None:
    """A look-alike makes one pair and one event, whichever came first, however often it runs."""
    await db.write(add_signed, 1, picture(1))
    await db.write(add_signed, 2, picture(2))
    index = SimilarIndex()
    assert await catch_up(db, index) == 0
    await db.write(add_signed, 3, picture(1, "chat"))
    assert await catch_up(db, index) == 1
    assert await catch_up(db, index) == 0
    assert await catch_up(db) == 0
    assert await db.read(pairs) == {(1, 3)}
    told = [e for e in await db.read(events.read_after, 0) if e.name == "similar.found"]
    assert [(e.subject, e.data["other"]) for e in told] == [(an_id(3), an_id(1))]


async def test_nothing_is_missed_over_a_restart(db: Database) -> None:
    """Files recorded while nobody looked are studied at the next start, against each other too."""
    for number, copy in enumerate(["", "chat", "gamma", "grey"], 1):
        await db.write(add_signed, number, picture(1, copy))
    assert await catch_up(db) == 6


async def test_a_write_that_fails_loses_no_pair(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When recording fails, the same index finds the pairs again at the next call."""
    await db.write(add_signed, 1, picture(1))
    await db.write(add_signed, 2, picture(1, "chat"))
    index = SimilarIndex()
    with monkeypatch.context() as patch:
        patch.setattr(state, "add_similar", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await catch_up(db, index)
    assert await catch_up(db, index) == 1


async def test_many_batches_find_what_one_finds(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pairs do not depend on how the files came in."""
    monkeypatch.setattr(similar, "_BATCH", 2)
    for number in range(1, 10):
        await db.write(add_signed, number, picture(number % 3, "chat" if number % 2 else "gamma"))
    await catch_up(db)
    wanted = {(a, b) for a in range(1, 10) for b in range(a + 1, 10) if a % 3 == b % 3}
    assert await db.read(pairs) == wanted


@pytest.mark.parametrize("sharp", [1, 2])
async def test_of_two_alike_the_better_picture_is_proposed(db: Database, sharp: int) -> None:
    """What the stage `quality` said of both is weighed, and said as the reason."""
    for number in (1, 2):
        await db.write(add_signed, number, picture(1, "chat" if number == 2 else ""))
        told = SHARP if number == sharp else SOFT
        await db.write(analysis.keep, an_id(number), "quality", told, None, "", 1, AT)
    await catch_up(db)
    (review,) = await db.read(duplicates.similar, OWNER)
    assert review.keeper.file_id == an_id(sharp)
    assert "sharper faces, sharper" in review.keeper.reasons


async def test_owners_do_not_see_each_other(db: Database) -> None:
    """The same picture in two households is nobody's duplicate."""
    await db.write(add_signed, 1, picture(1))
    await db.write(add_signed, 2, picture(1, "chat"), "other")
    assert await catch_up(db) == 0


@pytest.mark.parametrize("gone", ["trashed", "purged", "rejected", "duplicate"])
async def test_files_that_are_gone_are_left_out(db: Database, gone: str) -> None:
    """What is not in the library makes no suggestion and is in no group."""
    await db.write(add_signed, 1, picture(1))
    await db.write(add_signed, 2, picture(1, "chat"))
    await db.write(add_signed, 3, picture(1, "gamma"), state=gone)
    assert await catch_up(db) == 1
    await db.write(
        lambda con: con.execute("UPDATE media_files SET state = ? WHERE id = ?", (gone, an_id(2)))
    )
    assert await db.read(duplicates.similar, OWNER) == []


async def test_a_bundle_is_no_duplicate_of_itself(db: Database) -> None:
    """RAW and JPEG, or a picture and its edit, are not asked about."""

    def bundled(con: sqlite3.Connection) -> None:
        con.execute(
            "INSERT INTO bundles (id, owner_id, created_at) VALUES ('b', ?, ?)", (OWNER, AT)
        )
        add_signed(con, 1, picture(1), bundle_id="b")
        add_signed(con, 2, picture(1, "chat"), bundle_id="b")

    await db.write(bundled)
    assert await catch_up(db) == 0


async def test_a_review_proposes_a_keeper_with_reasons(db: Database) -> None:
    """The original is kept before the copy out of a chat, and the reasons can be checked."""
    better: dict[str, Any] = {
        "width": 4000,
        "height": 3000,
        "size": 4_000_000,
        "lat": 1.0,
        "lon": 2.0,
    }
    await db.write(add_signed, 1, picture(1, "chat"), width=1600, height=1200, size=200_000)
    await db.write(
        add_signed,
        2,
        picture(1),
        camera="Maker One",
        taken_at="2024-05-01T10:00:00.250",
        taken_from="exif",
        **better,
    )
    await catch_up(db)
    (review,) = await db.read(duplicates.similar, OWNER)
    assert review.keeper.file_id == an_id(2)
    assert review.keeper.reasons == (
        "larger: 4000 x 3000 pixels against 1600 x 1200",
        "still has camera, date and place as recorded",
        "less compressed: 4,000 kB against 200 kB",
    )
    assert review.reclaimable == 200_000
    assert {m.source for m in review.members} == {f"/inbox/{OWNER}/{an_id(n)}.jpg" for n in (1, 2)}
    assert review.pairs == (Pair(an_id(1), an_id(2), review.pairs[0].distance),)


@pytest.mark.parametrize("decision", ["same", "different"])
async def test_a_decision_is_remembered(db: Database, decision: str) -> None:
    """A decided pair leaves the review and never comes back, not even when studied anew."""
    await db.write(add_signed, 1, picture(1))
    await db.write(add_signed, 2, picture(1, "chat"))
    await catch_up(db)
    assert await db.write(state.decide, OWNER, an_id(2), an_id(1), decision, "cli:owner", AT)
    assert await db.read(duplicates.similar, OWNER) == []
    await db.write(lambda con: con.execute("UPDATE receivers SET seq = 0"))
    assert await catch_up(db) == 0
    assert await db.read(duplicates.similar, OWNER) == []


async def test_only_the_owner_decides(db: Database) -> None:
    """A decision about somebody else's files, or a file that does not exist, changes nothing."""
    await db.write(add_signed, 1, picture(1))
    await db.write(add_signed, 2, picture(1, "chat"))
    await catch_up(db)
    for owner, other in (("other", an_id(2)), (OWNER, an_id(9)), (OWNER, an_id(1))):
        assert not await db.write(state.decide, owner, an_id(1), other, "same", "x", AT)
    assert len(await db.read(duplicates.similar, OWNER)) == 1
    assert await db.read(duplicates.similar, "other") == []


async def test_pages_of_groups_are_complete(db: Database) -> None:
    """Paging through the groups tells each once, one with many members as one."""
    for number in range(1, 13):
        await db.write(add_signed, number, picture(number % 4, "chat" if number > 6 else "gamma"))
    await catch_up(db)
    told, after = [], ""
    while page := await db.read(duplicates.similar, OWNER, after, 1):
        told.append([m.file_id for m in page[0].members])
        after = page[0].cursor
    assert told == [[an_id(n) for n in range(1, 13) if n % 4 == k % 4] for k in range(1, 5)]


async def test_exact_groups_tell_what_was_not_stored(db: Database) -> None:
    """Equal files come as one group behind the file in the library, page by page, per owner."""

    def twice(con: sqlite3.Connection) -> None:
        add_file(con, "kept-1")
        add_file(con, "kept-2")
        for number, kept in enumerate(["kept-1", "kept-2", "kept-1"]):
            add_file(con, f"twin-{number}", state="duplicate", duplicate_of=kept, path=None)

    await db.write(twice)
    first, second = await db.read(duplicates.exact, OWNER)
    assert [m.file_id for m in first.members] == ["kept-1", "twin-0", "twin-2"]
    assert first.keeper.file_id == "kept-1"
    assert first.reclaimable == 2000
    assert await db.read(duplicates.exact, OWNER, first.cursor) == [second]
    assert await db.read(duplicates.exact, "other") == []
    await db.write(
        lambda con: con.execute("UPDATE media_files SET state = 'trashed' WHERE id = 'kept-1'")
    )
    assert await db.read(duplicates.exact, OWNER) == [second]


SHARP = {"parts": {"sharpness": 0.9, "faces": 0.8, "noise": 0.5}}
SOFT = {"parts": {"sharpness": 0.4, "faces": 0.3, "noise": 0.55}}


def member(number: int, **more: Any) -> Member:
    """A file of which little is known."""
    values: dict[str, Any] = dict.fromkeys(Member.__dataclass_fields__)
    values |= {"file_id": an_id(number), "size": 1000, "has_place": False, "found_at": AT}
    return Member(**{**values, "width": 100, "height": 100, "format": "jpeg", **more})


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        ({"width": 200}, {}, "larger: 200 x 100 pixels against 100 x 100"),
        ({"camera": "Maker"}, {}, "still has camera as recorded"),
        ({"format": "dng"}, {"size": 9000}, "better format: dng against jpeg"),
        ({}, {"format": "webp", "size": 9000}, "better format: jpeg against webp"),
        ({"quality": SHARP}, {"quality": SOFT, "size": 9000}, "sharper faces, sharper"),
        ({"size": 9000, "quality": SOFT}, {}, "less compressed: 9 kB against 1 kB"),
        ({"size": 9000}, {}, "less compressed: 9 kB against 1 kB"),
        ({}, {"bundle_role": "edit"}, "not edited"),
        ({}, {"found_at": "2025-01-01T00:00:00.000Z"}, "longer in the library"),
    ],
)
def test_each_reason_decides_alone(
    better: dict[str, Any], worse: dict[str, Any], reason: str
) -> None:
    """All else equal, one respect decides and is named, whatever the order of the files."""
    one, other = member(1, **better), member(2, **worse)
    for members in ([one, other], [other, one]):
        assert keeper.propose(members) == keeper.Keeper(one.file_id, (reason,))


def test_a_few_pixels_less_do_not_outweigh_the_original() -> None:
    """A copy scaled up by a hair does not beat the camera's file."""
    original = member(1, width=4000, height=3000, camera="Maker", taken_from="exif")
    copy = member(2, width=4001, height=3000)
    assert keeper.propose([copy, original]).file_id == original.file_id


def test_a_large_household_is_loaded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading in parts finds what loading at once finds, and flat pictures stay out."""
    rows = [signatures.Hashed(an_id(n), OWNER, n, b"\x01\x00") for n in range(40_000)]
    flat = signatures.Hashed(an_id(50_000), OWNER, 7, b"\x01\x01")
    index = SimilarIndex()
    monkeypatch.setattr(signatures, "hashes", lambda _: iter([*rows, flat]))
    monkeypatch.setattr(events, "latest_seq", lambda _: 0)
    index.load(sqlite3.connect(":memory:"))
    assert len(index) == 40_000
    assert index.nbytes < 40_000 * 80 + 4 * 8 * (2**16 + 1)
