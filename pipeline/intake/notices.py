"""Change notices: what the operating system tells of a root, and what to look at because of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path, PurePath

from pipeline.intake import filesystems, ignore
from pipeline.intake.sweep import Extent

_POLL_MS = 5000
_UNSAYABLE = "\ufffd"  # stands in a notice for what is not valid text


async def notices(path: Path) -> AsyncIterator[set[str]]:
    """Absolute paths that changed below `path`, until closed; polls where notices do not come.

    Raises OSError or RuntimeError where the system cannot watch so much.
    """
    from watchfiles import awatch

    silent = await asyncio.to_thread(filesystems.is_silent, path)
    changes = awatch(
        path,
        watch_filter=None,
        force_polling=silent,
        poll_delay_ms=_POLL_MS,
        ignore_permission_denied=True,
    )
    async for change in changes:
        yield {name for _, name in change}


def extents(root: Path, changed: Collection[str], skip: tuple[Path, ...]) -> list[Extent]:
    """What of `root` has to be looked at after these changes. Blocks; opens nothing."""
    files: set[str] = set()
    deep: set[str] = set()
    shallow: set[str] = set()
    for name in changed:
        path = Path(name)
        below = _below(root, path)
        if below is None or any(path.is_relative_to(place) for place in skip):
            continue
        if path.is_symlink() or not path.exists():
            if _UNSAYABLE in name:
                shallow.add(_text(below.parent))
        elif path.is_dir():
            deep.add(_text(below))
        elif ignore.why_file(path.name) is None:
            files.add(_text(below))
    wanted = (
        Extent(below=tuple(sorted(deep)), skip=skip) if deep else None,
        Extent(below=tuple(sorted(shallow)), deep=False, skip=skip) if shallow else None,
        Extent(only=tuple(sorted(files))) if files else None,
    )
    return [extent for extent in wanted if extent is not None]


def _below(root: Path, path: Path) -> PurePath | None:
    """The part below the root, unless a folder on the way is one we do not enter."""
    if not path.is_relative_to(root):
        return None
    below = path.relative_to(root)
    folders = below.parts if path.is_dir() else below.parts[:-1]
    return None if any(map(ignore.why_folder, folders)) else below


def _text(below: PurePath) -> str:
    return "" if below == PurePath() else str(below)
