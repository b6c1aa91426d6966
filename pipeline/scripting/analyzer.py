"""`AIContentAnalyzer`: what is in a picture, from a Python script; see docs/scripting.md."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pipeline.model import Json
from pipeline.scripting.opening import quiet_logging, refuse_inside_loop, settings_of

if TYPE_CHECKING:
    from pipeline.service.analysing import Analyse, Analysis


class AIContentAnalyzer:
    """Looks at pictures anywhere, in any format, with the models of a home; keeps nothing.

    `home` is as for `darkroom --home`. In a `with` block one worker serves all calls.
    """

    def __init__(self, home: str | Path | None = None) -> None:
        told = home or os.environ.get("DARKROOM_HOME") or "data"
        self.home = Path(told).expanduser().absolute()
        self._runner: asyncio.Runner | None = None
        self._stack = AsyncExitStack()
        self._analyse: Analyse | None = None

    def __enter__(self) -> Self:
        """Keep the worker between calls."""
        refuse_inside_loop()
        self._runner = asyncio.Runner()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the worker."""
        assert self._runner is not None, "left only after it was entered"
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()
            self._runner = self._analyse = None
            self._stack = AsyncExitStack()

    def detect_faces(self, image_path: str | Path) -> list[dict[str, Json]]:
        """The faces in a picture: `box` ([x, y, w, h], parts of 1), `score`, `landmarks` ...

        An empty list where there is none, or where the file cannot be read.
        """
        found = self._look(image_path, ("faces",))
        return [dict(face) for face in found.facts.get("faces", {}).get("faces", ())]

    def analyze_content(self, image_path: str | Path) -> dict[str, Json]:
        """Everything that is seen, by stage: faces, objects, scene, quality, kind ...

        `skipped` says what was not looked for and why; `error` why nothing could be seen, or None.
        """
        from pipeline.service.analysing import CONTENT

        found = self._look(image_path, CONTENT)
        return {**found.facts, "skipped": dict(found.skipped), "error": found.error}

    def _look(self, image_path: str | Path, names: tuple[str, ...]) -> Analysis:
        path = Path(image_path).expanduser().absolute()
        if self._runner is not None:
            return self._runner.run(self._kept(path, names))
        refuse_inside_loop()
        return asyncio.run(self._once(path, names))

    async def _kept(self, path: Path, names: tuple[str, ...]) -> Analysis:
        if self._analyse is None:
            self._analyse = await self._open(self._stack)
        return await self._analyse(path, names)

    async def _once(self, path: Path, names: tuple[str, ...]) -> Analysis:
        async with AsyncExitStack() as stack:
            return await (await self._open(stack))(path, names)

    async def _open(self, stack: AsyncExitStack) -> Analyse:
        from pipeline.core import home_of
        from pipeline.service.analysing import open_analyst

        quiet_logging()
        settings = settings_of(self.home)
        return await stack.enter_async_context(open_analyst(settings, home_of(self.home, settings)))
