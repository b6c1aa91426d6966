"""All default models in one real worker: confined, within its memory, and within its time."""

from __future__ import annotations

import shutil
from pathlib import Path

from config.settings import Vision
from pipeline.model import Done, Skip
from pipeline.work.workers import local
from pipeline.work.workers.limits import Limits
from pipeline.work.workers.local import MIB, LocalSettings
from tests.kit.visits import all_stages, request

MOST_MEMORY = 900 * MIB


async def test_memory_of_all_default_models(corpus: Path, models: Path, tmp_path: Path) -> None:
    """With every default model in it, a worker of 2 GiB address space keeps below 900 MB."""
    stages = {
        name: stage
        for name, stage in all_stages().items()
        if not stage.is_on_request and getattr(Vision(), name, True)
    }
    settings = LocalSettings(slots=1, limits=Limits(memory=2048 * MIB), models=models)
    photos = sorted((corpus.parent / "eval" / "coco" / "images").glob("*.jpg"))[:3]
    async with local.open_workers(settings, tmp_path / "work") as workers:
        for path in photos:
            reply = await workers.visit(request(path, stages))
            outcomes = reply.outcomes
            assert isinstance(outcomes["objects"], Done), outcomes["objects"]
            waiting = [n for n, o in outcomes.items() if isinstance(o, Skip) and not o.is_final]
            assert waiting == []
            assert 0 < reply.peak_rss <= MOST_MEMORY
            await workers.release(reply)


async def test_a_model_that_comes_later(corpus: Path, models: Path, tmp_path: Path) -> None:
    """A running worker uses a model from the visit after it was fetched on."""
    folder = tmp_path / "models"
    folder.mkdir()
    stages = {"objects": all_stages()["objects"]}
    path = next((corpus.parent / "eval" / "coco" / "images").glob("*.jpg"))
    settings = LocalSettings(slots=1, models=folder)
    async with local.open_workers(settings, tmp_path / "work") as workers:
        before = await workers.visit(request(path, stages))
        await workers.release(before)
        for file in models.glob("*coco.onnx"):
            shutil.copyfile(file, folder / file.name)
        after = await workers.visit(request(path, stages))
        await workers.release(after)
    assert isinstance(before.outcomes["objects"], Skip)
    assert isinstance(after.outcomes["objects"], Done)
