"""Files that nobody could make sense of: kept aside with a note, so that the inbox gets empty.

Only files of the inbox are touched, and only after a verified copy; everything else is just
recorded as rejected where it lies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from pipeline.clock import Clock
from pipeline.errors import DarkroomError
from pipeline.library import component, fsops
from pipeline.library.below import Below
from pipeline.model import FileState, Home, RootKind, Take
from pipeline.state import placements
from pipeline.state.connection import Database
from pipeline.state.placements import File


async def put(
    db: Database, clock: Clock, home: Home, file_ids: Sequence[str]
) -> dict[str, DarkroomError | None]:
    """Move rejected files out of the inbox into the quarantine; by file, what kept it there.

    Repeating it changes nothing: a file that is in the quarantine already is only released.
    """
    files = await db.read(placements.by_ids, file_ids)
    theirs = [file for file in files if _is_ours_to_move(file)]
    errors = await asyncio.to_thread(_put_all, home, theirs)
    return dict(zip((file.id for file in theirs), errors, strict=True))


def name_of(file: File) -> str:
    """The name in the quarantine: the file's id, so that it is found again, and its own name."""
    name = component.safe(file.source.rpartition("/")[2])
    return f"{file.id}-{component.cut(name, component.LIMIT - len(file.id) - len('-.txt'))}"


def _is_ours_to_move(file: File) -> bool:
    """Only the inbox is ours to empty: in any other folder a stranger's file stays where it is."""
    is_inbox = file.root.kind is RootKind.INBOX and file.take is Take.MOVE
    return file.state is FileState.REJECTED and is_inbox


def _put_all(home: Home, files: Sequence[File]) -> list[DarkroomError | None]:
    return [_put(home, file) for file in files]


def _put(home: Home, file: File) -> DarkroomError | None:
    source = Below(file.root.path, file.source)
    staged = Below(home.quarantine, f".staging/{file.id}")
    kept = Below(home.quarantine, name_of(file))
    try:
        if fsops.look(source) is None:
            return None
        fsops.make_folders(home.quarantine, ".staging")
        fsops.drop_staged(staged)
        digest, identity = fsops.hash_file(source)
        if fsops.look(kept) is None:
            copy = fsops.copy_verified(source, staged, identity=identity, sha256=digest)
            verified = fsops.link_new(copy, kept)
            fsops.drop_staged(staged)
        else:
            verified = fsops.prove_copy(source, kept, sha256=digest)
        _note(home, file)
        fsops.fsync_folders(home.quarantine, [""])
        fsops.release_source(verified, file.root)
        fsops.fsync_folders(file.root.path, [source.folder], ancestors=False)
    except DarkroomError as error:
        with suppress(DarkroomError):
            fsops.drop_staged(staged)
        return error
    return None


def _note(home: Home, file: File) -> None:
    note = Below(home.quarantine, f"{name_of(file)}.txt")
    reason = file.reason or "No reason was recorded."
    origin = component.readable(str(file.root.path / file.source))
    text = f"{reason}\n\nIt came from {origin}\nThe file beside this note is kept unchanged.\n"
    if fsops.look(note) is None:
        fsops.write_new(note, text.encode("utf-8", "replace"))
