"""`AdvancedFileManager`: the services of the command line, as one small synchronous class.

Each call opens the home, does its work and closes it again; in a `with` block it stays open between
calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pipeline.clock import SystemClock
from pipeline.errors import Invalid
from pipeline.model import Actor, Surface
from pipeline.scripting.opening import quiet_logging, refuse_inside_loop, settings_of
from pipeline.service import categories

if TYPE_CHECKING:
    from pipeline.core import Core, Mode
    from pipeline.library.journal import Undone
    from pipeline.service.batch import BatchResult
    from pipeline.service.process import Summary
    from pipeline.state.files import FileRow

T = TypeVar("T")
Action = Callable[[Actor, "Core"], Awaitable[T]]
Paths = Iterable[str | Path]


@dataclass(frozen=True, slots=True)
class Processed:
    """A run over files: its id, to undo it by, and what became of them in sum."""

    job_id: str
    summary: Summary


class AdvancedFileManager:
    """The Darkroom at `home`, with the settings of its `darkroom.toml` and of the environment.

    Not for use from several threads at once, nor beside a Darkroom that runs there (`Busy`); only
    `find`, `auto_categorize_files` and rehearsals work meanwhile.
    """

    def __init__(self, home: str | Path) -> None:
        self.home = Path(home).expanduser().absolute()
        self._runner: asyncio.Runner | None = None
        self._stack: AsyncExitStack | None = None
        self._core: Core | None = None

    def __enter__(self) -> Self:
        """Keep the home open between calls, from the first one that changes something."""
        refuse_inside_loop()
        if self._runner is not None:
            raise Invalid("This home is kept open already.", path=self.home)
        self._runner = asyncio.Runner()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the home."""
        assert self._runner is not None, "left only after it was entered"
        try:
            self._close()
        finally:
            self._runner.close()
            self._runner = None

    # --- what it can do ------------------------------------------------------------------------

    def auto_categorize_files(self, directory: str | Path) -> dict[str, list[str]]:
        """Paths below any `directory` by content, as "photos", "videos", "documents" and "audio".

        Only reads, and needs no library. Raises `NotFound`.
        """
        return categories.by_content(Path(directory).expanduser())

    def process(self, paths: str | Path | Paths, move: bool = False) -> Processed:
        """Take files and folders into the library, to the end; `darkroom process`.

        With `move` each source is let go of after its verified copy. Raises `NotFound`, `Busy`.
        """
        from pipeline.core import Mode
        from pipeline.service import process

        sources = [Path(path).expanduser().resolve() for path in _several(paths)]

        async def run(actor: Actor, core: Core) -> Processed:
            job_id = await process.start(actor, core, sources, move=move)
            async for _ in process.follow(actor, core, job_id):
                pass
            return Processed(job_id, await process.summary(actor, core, job_id))

        return self._call(Mode.WORK, run)

    def find(
        self, words: str | Sequence[str] = (), *, limit: int = 100, **only: str | None
    ) -> list[FileRow]:
        """What is in the library, newest taken first; `darkroom find` and its query language.

        Several words are one query. `only` takes kind, state, since and until. Raises `Invalid` for
        a query that makes no sense.
        """
        from pipeline.core import Mode
        from pipeline.finding.language import joined
        from pipeline.service import finding

        text = words if isinstance(words, str) else joined(list(words))

        async def run(actor: Actor, core: Core) -> list[FileRow]:
            query = finding.query_of(core, text, **only)
            return (await finding.find(actor, core, query, limit=limit)).rows

        return self._call(Mode.LOOK, run)

    def batch_operations(
        self, files: str | Path | Paths, operation: str, *, dry_run: bool = False, **options: Any
    ) -> BatchResult:
        """Do one operation to many files, named by id or path; `darkroom files`.

        `operation` is "move" (target), "rename" (template), "copy" (destination), "convert"
        (to, destination; target, quality, lossless), "delete" (reason), "retag" (add, remove),
        "edit" (fields, reset), "shift" (seconds) or "zone" (zone, keep). Raises `Invalid` for
        another one or for an option that is not its.
        """
        from pipeline.core import Mode
        from pipeline.service import batch, requests

        wanted = [str(file) for file in _several(files)]
        asked = requests.asked(operation, options)
        needed = Mode.WORK if operation == "convert" else Mode.CHANGE
        mode = Mode.LOOK if dry_run else needed
        return self._call(
            mode, lambda actor, core: batch.run(actor, core, wanted, asked, dry_run=dry_run)
        )

    def undo(self, job: str) -> Undone:
        """Reverse everything a run did; `darkroom undo`. Raises `NotFound`."""
        from pipeline.core import Mode
        from pipeline.service import jobs

        return self._call(Mode.CHANGE, lambda actor, core: jobs.undo(actor, core, job))

    # --- the home ------------------------------------------------------------------------------

    def _call(self, mode: Mode, action: Action[T]) -> T:
        """Run `action` in the core that is kept open, where that can do it, else in one opened."""
        from pipeline.core import Mode

        refuse_inside_loop()
        if self._runner is None:
            return asyncio.run(self._once(mode, action))
        if mode is Mode.CHANGE and self._core is None:
            self._run(self._open())
        if self._core is not None and mode is not Mode.WORK:
            return self._run(self._in(self._core, action))
        self._close()  # one home has one owner: workers need it opened anew
        return self._run(self._once(mode, action))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._runner is not None, "the home is kept open"
        return self._runner.run(work)

    async def _once(self, mode: Mode, action: Action[T]) -> T:
        from pipeline.core import open_core

        quiet_logging()
        async with open_core(self.home, settings_of(self.home), SystemClock(), mode) as core:
            return await self._in(core, action)

    async def _in(self, core: Core, action: Action[T]) -> T:
        return await action(core.household(Surface.SCRIPT), core)

    async def _open(self) -> None:
        from pipeline.core import open_core

        quiet_logging()
        async with AsyncExitStack() as stack:
            opening = open_core(self.home, settings_of(self.home), SystemClock())
            self._core = await stack.enter_async_context(opening)
            self._stack = stack.pop_all()

    def _close(self) -> None:
        stack, self._stack, self._core = self._stack, None, None
        if stack is not None:
            self._run(stack.aclose())


def _several(paths: str | Path | Paths) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)
