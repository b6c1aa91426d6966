"""Many files at once: an answer for each, rehearsals that touch nothing, and the way back."""

from __future__ import annotations

import asyncio
import errno
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.errors import Invalid, NotAllowed, NotFound
from pipeline.library import fsops
from pipeline.library.below import Below
from pipeline.service import jobs
from pipeline.service.batch import ItemResult
from pipeline.service.requests import Copy, Delete, Move, Operation, Rename, Retag
from tests.library.world import listing
from tests.service.family import LIVE, Family, open_family

DATED = Rename("{taken:%Y-%m-%d} {name}")
EVERY_CHANGE = [Move("Holidays/2023"), DATED, Delete("blurred"), Retag(add=("beach",))]


async def test_a_move_takes_the_whole_bundle_along(family: Family) -> None:
    """The file named is answered first; what belongs to it goes too, and is told behind it."""
    result = await family.run(Move("Holidays/2023"), LIVE)
    assert [(item.file, item.ok, item.after) for item in result.items] == [
        (LIVE, True, "Holidays/2023/IMG_9.HEIC"),
        ("2023/2023-10/IMG_9.MOV", True, "Holidays/2023/IMG_9.MOV"),
        ("2023/2023-10/IMG_9.xmp", True, "Holidays/2023/IMG_9.xmp"),
    ]
    assert {name for name in listing(family.world.home.library) if "Holidays" in name} == {
        "Holidays/2023/IMG_9.HEIC", "Holidays/2023/IMG_9.MOV", "Holidays/2023/IMG_9.xmp",
    }  # fmt: skip


@pytest.mark.parametrize("operation", EVERY_CHANGE, ids=lambda one: type(one).__name__)
async def test_a_rehearsal_says_what_happens_and_changes_nothing(
    family: Family, operation: Operation
) -> None:
    """The same items as the real run; not a byte of a file, not a row of the state differs."""
    tree, tables = family.tree(), await family.tables()
    wanted = [*family.photos, LIVE, "nowhere.jpg"]
    rehearsed = await family.run(operation, *wanted, dry_run=True)
    assert (family.tree(), await family.tables()) == (tree, tables)
    assert rehearsed.job_id is None
    done = await family.run(operation, *wanted)
    assert done.items == rehearsed.items
    assert await family.tables() != tables


@pytest.mark.parametrize("operation", EVERY_CHANGE, ids=lambda one: type(one).__name__)
async def test_every_change_can_be_undone(family: Family, operation: Operation) -> None:
    """A batch is one job; undoing it gives back names, places and tags; twice does no harm."""
    tree = family.tree()
    result = await family.run(operation, *family.photos, LIVE)
    assert result.job_id is not None
    undone = await jobs.undo(family.actor, family.core, result.job_id)
    assert undone.reversed == len([item for item in result.items if item.before != item.after])
    assert undone.left == ()
    assert family.tree() == tree
    assert await family.world.query("SELECT * FROM tags") == []
    assert (await jobs.undo(family.actor, family.core, result.job_id)).reversed == 0


async def test_a_bad_item_stops_only_itself(family: Family) -> None:
    """Files that are not there, or in the trash, are told with a reason; the others are done."""
    good, gone, other = family.photos
    await family.run(Delete(), gone)
    result = await family.run(Move("Album"), family.ids[gone], "nope", good, other)
    assert [item.ok for item in result.items] == [False, False, True, True]
    assert all(item.reason for item in result.failed)
    job = await jobs.get(family.actor, family.core, result.job_id or "")
    assert (job.job_type, job.status) == ("batch-move", "done")
    assert (job.file_count, job.processed_count, job.error_count) == (4, 4, 2)


async def test_a_file_is_named_by_id_by_path_or_by_its_whole_path(family: Family) -> None:
    """All three mean the same file, and the answer names it as it was asked for."""
    first, second, third = family.photos
    whole = str(family.world.home.library / third)
    result = await family.run(Move("Album"), family.ids[first], second, whole)
    assert [item.file for item in result.items] == [family.ids[first], second, whole]
    assert [item.id for item in result.items] == [family.ids[one] for one in family.photos]
    assert not result.failed


async def test_what_lies_right_already_is_left_alone(family: Family) -> None:
    """A file that needs nothing is fine as it is, and nothing is journaled for it."""
    result = await family.run(Move("2023/2023-10"), family.photos[0])
    [item] = result.items
    assert item.ok
    assert item.before == item.after == family.photos[0]
    assert await jobs.undo_count(family.actor, family.core, result.job_id or "") == 0


async def test_a_rename_stays_in_the_folder_unless_the_template_has_one(family: Family) -> None:
    """Bundles keep one stem; a template with folders moves as well."""
    await family.run(Rename("{taken:%Y-%m-%d} {name}"), LIVE)
    assert "2023/2023-10/2023-10-06 IMG_9.MOV" in listing(family.world.home.library)
    result = await family.run(Rename("Film/{taken:%Y}/{name}"), family.ids[LIVE])
    assert result.items[0].after == "Film/2023/IMG_9.HEIC"


@pytest.mark.parametrize("target", ["", "/", "../out", "a/../b", "/etc", "a//b", "."])
async def test_a_target_outside_the_library_is_refused(family: Family, target: str) -> None:
    """The request is refused as a whole, before a job is begun."""
    with pytest.raises(Invalid):
        await family.run(Move(target), family.photos[0])
    assert await family.world.query("SELECT * FROM processing_jobs") == []


async def test_a_whole_path_in_the_library_is_a_target_too(family: Family) -> None:
    """As a shell completes it."""
    target = str(family.world.home.library / "Album") + "/"
    result = await family.run(Move(target), family.photos[0])
    assert result.items[0].after == "Album/IMG_0.jpg"


# --- copies ------------------------------------------------------------------------------------


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder outside Darkroom."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


async def test_copies_are_verified_whole_bundles_and_no_job(family: Family, stick: Path) -> None:
    """The library and the state are as before; the copies hold the same bytes; no part is left."""
    tree, tables = family.tree(), await family.tables()
    result = await family.run(Copy(stick), LIVE, family.photos[0])
    assert result.job_id is None
    assert result.items[0].after == str(stick / "IMG_9.HEIC")
    assert sorted(path.name for path in stick.iterdir()) == [
        "IMG_0.jpg", "IMG_9.HEIC", "IMG_9.MOV", "IMG_9.xmp",
    ]  # fmt: skip
    assert (stick / "IMG_9.MOV").read_bytes() == b"moving"
    assert (family.tree(), await family.tables()) == (tree, tables)


async def test_a_copy_never_overwrites(family: Family, stick: Path) -> None:
    """A taken name gives the whole bundle another number, as the rehearsal said."""
    (stick / "IMG_9.MOV").write_bytes(b"somebody's own")
    planned = await family.run(Copy(stick), LIVE, dry_run=True)
    assert [path.name for path in stick.iterdir()] == ["IMG_9.MOV"]
    result = await family.run(Copy(stick), LIVE)
    assert result.items == planned.items
    assert sorted(path.name for path in stick.iterdir()) == [
        "IMG_9 (2).HEIC", "IMG_9 (2).MOV", "IMG_9 (2).xmp", "IMG_9.MOV",
    ]  # fmt: skip
    assert (stick / "IMG_9.MOV").read_bytes() == b"somebody's own"


async def test_a_copy_that_lies_there_is_not_made_twice(family: Family, stick: Path) -> None:
    """Copying again, after an interruption for instance, goes on where it was."""
    first = await family.run(Copy(stick), LIVE, *family.photos)
    (stick / "IMG_1.jpg").unlink()
    again = await family.run(Copy(stick), LIVE, *family.photos)
    assert again.items == first.items
    assert len(list(stick.iterdir())) == 6


async def test_two_files_of_one_name_are_copied_apart(family: Family, stick: Path) -> None:
    """Names are unique also for a stick that ignores case."""
    await family.run(Rename("a/photo"), family.photos[0])
    await family.run(Rename("b/PHOTO"), family.photos[1])
    result = await family.run(Copy(stick), *(family.ids[one] for one in family.photos[:2]))
    assert [Path(str(item.after)).name for item in result.items] == ["photo.jpg", "PHOTO (2).jpg"]


async def test_altered_bytes_are_not_copied(family: Family, stick: Path) -> None:
    """A file that rotted is left with a reason, and so is its bundle; nothing half is left."""
    (family.world.home.library / "2023/2023-10/IMG_9.MOV").write_bytes(b"m0ving")
    result = await family.run(Copy(stick), LIVE, family.photos[0])
    assert [item.ok for item in result.items] == [False, True, False, False]
    assert [path.name for path in stick.iterdir()] == ["IMG_0.jpg"]


async def test_a_name_taken_in_the_last_moment_is_met_with_another(
    family: Family, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names given moments before are taken back, and the whole bundle gets the next number."""
    real = fsops.link_new

    def link(copy: fsops.Verified, target: Below) -> fsops.Verified:
        if target.name == "IMG_9.MOV":
            target.path.write_bytes(b"somebody was faster")
        return real(copy, target)

    monkeypatch.setattr(fsops, "link_new", link)
    result = await family.run(Copy(stick), LIVE)
    assert not result.failed
    assert sorted(path.name for path in stick.iterdir()) == [
        "IMG_9 (2).HEIC", "IMG_9 (2).MOV", "IMG_9 (2).xmp", "IMG_9.MOV",
    ]  # fmt: skip


async def test_a_stick_without_hard_links_gets_the_same(
    family: Family, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT and exFAT know one name per file: the copy is renamed instead, still over nothing."""
    (stick / "IMG_0.jpg").write_bytes(b"somebody's own")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(fsops.os, "link", refuse)
    result = await family.run(Copy(stick), family.photos[0])
    assert not result.failed
    assert (stick / "IMG_0.jpg").read_bytes() == b"somebody's own"
    assert (stick / "IMG_0 (2).jpg").read_bytes() == b"photo 0"
    assert len(list(stick.iterdir())) == 2


async def test_copies_go_only_where_darkroom_does_not_work(family: Family, tmp_path: Path) -> None:
    """Not into its own folders, not through a link, not into a watched one; nor is a folder made:
    a stick that is not there must not fill the system's disk."""
    home = family.world.home
    (tmp_path / "link").symlink_to(home.library)
    for folder in (home.library / "x", home.trash, home.inbox, tmp_path / "link"):
        with pytest.raises(NotAllowed):
            await family.run(Copy(folder), family.photos[0])
    with pytest.raises(NotFound):
        await family.run(Copy(tmp_path / "absent"), family.photos[0])


# --- tags --------------------------------------------------------------------------------------


async def test_tags_are_given_taken_and_given_back(family: Family) -> None:
    """An undo gives back who gave a tag; what somebody changed since stays."""
    path = family.photos[0]
    facts = """UPDATE media_files SET facts = '{"keywords": ["old"]}' WHERE id = ?"""
    await family.world.execute(facts, family.ids[path])
    result = await family.run(Retag(add=(" Aunt  Ada ", "beach"), remove=("old",)), path)
    assert result.items == (
        ItemResult(path, family.ids[path], True, ("old",), ("Aunt Ada", "beach")),
    )
    await family.run(Retag(add=("later",), remove=("beach",)), path)
    await jobs.undo(family.actor, family.core, result.job_id or "")
    assert await family.tags(path) == {"later": "person", "old": "file"}
    assert await family.world.events("file.retagged") == [family.ids[path]] * 4


async def test_the_tag_finds_the_file(family: Family) -> None:
    """What was tagged is found by the tag; only the file named is tagged, not its bundle."""
    await family.run(Retag(add=("sunset",)), LIVE)
    rows = await family.world.query("SELECT file_id FROM tags WHERE tag = 'sunset'")
    assert [row["file_id"] for row in rows] == [family.ids[LIVE]]


async def test_a_stranger_changes_nothing(family: Family) -> None:
    """Files of somebody else are not found, by id or by path."""
    stranger = Family(
        family.world, family.core, type(family.actor)("other", "viewer", family.actor.surface), {}
    )
    for operation in EVERY_CHANGE:
        result = await stranger.run(operation, *family.photos, family.ids[LIVE])
        assert [item.ok for item in result.items] == [False] * 4
        assert result.job_id is None


# --- any sequence ------------------------------------------------------------------------------

FOLDERS = st.sampled_from(["Album", "album", "2023/2023-10", "Holidays/2023"])
TEMPLATES = st.sampled_from(["{taken:%Y-%m-%d}", "{name} x", "{taken:%Y}/{category}", "photo"])
TAGS = st.lists(st.sampled_from(["beach", "Beach", "sun"]), min_size=1, max_size=2)
OPERATIONS = st.one_of(
    FOLDERS.map(Move),
    TEMPLATES.map(Rename),
    st.just(Delete()),
    TAGS.map(lambda tags: Retag(add=tuple(tags))),
    TAGS.map(lambda tags: Retag(remove=tuple(tags))),
)
STEPS = st.lists(st.tuples(OPERATIONS, st.sets(st.integers(0, 5), min_size=1)), max_size=6)


@given(STEPS)
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each try is a whole home: no shrinking
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_sequence_undone_in_reverse_gives_the_same_library(
    steps: list[tuple[Operation, set[int]]],
) -> None:
    """Whatever is moved, renamed, trashed and tagged: names, bytes and tags come back."""
    asyncio.run(_there_and_back(steps))


async def _there_and_back(steps: list[tuple[Operation, set[int]]]) -> None:
    with tempfile.TemporaryDirectory() as base:
        async with open_family(Path(base) / "home") as family:
            before, ids = await _picture(family), list(family.ids.values())
            done = [await family.run(op, *(ids[index] for index in which)) for op, which in steps]
            for result in reversed(done):
                if result.job_id is not None:
                    undone = await jobs.undo(family.actor, family.core, result.job_id)
                    assert undone.left == ()
            assert await _picture(family) == before


async def _picture(family: Family) -> object:
    rows = await family.world.query("SELECT id, path, path_key, state FROM media_files ORDER BY id")
    tags = await family.world.query("SELECT * FROM tags ORDER BY file_id, tag")
    return family.tree(), [tuple(row) for row in rows], [tuple(row) for row in tags]
