"""Placing alone: files per second into the library with every fsync, on the disk of this checkout.

Bar: at least 300 files a second, copied or moved, small files, full commit protocol (DESIGN
section 3). Timed by the wall clock, because waiting for the disk is what it is about.
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from config.settings import Settings
from pipeline.clock import SystemClock, timestamp
from pipeline.core import Core, Mode, open_core
from pipeline.intake import admit, roots, sweep
from pipeline.library import placing
from pipeline.model import Category, RootKind, Take
from pipeline.state import studies
from pipeline.state.studies import Learnt

BAR = 300
FILES = 640
SIZE = 2000
RUNS = 5


def main() -> int:
    """Both ways, medians of several runs."""
    met = []
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix="out-") as folder:
        for take in (Take.COPY, Take.MOVE):
            rates = [asyncio.run(rate(Path(folder) / f"{take}-{run}", take)) for run in range(RUNS)]
            median = statistics.median(rates)
            runs = ", ".join(f"{one:.0f}" for one in rates)
            print(f"{take}: {median:.0f} files/s (bar {BAR}; runs {runs})")
            met.append(median >= BAR)
    return 0 if all(met) else 1


async def rate(work: Path, take: Take) -> float:
    """Files per second of one run over fresh files in a fresh home."""
    source = work / "source"
    source.mkdir(parents=True)
    for number in range(FILES):
        (source / f"IMG_{number:04d}.jpg").write_bytes(number.to_bytes(4, "big") * (SIZE // 4))
    async with open_core(work / "home", Settings(), SystemClock(), Mode.CHANGE) as core:
        file_ids = await _studied(core, source, take)
        start = time.perf_counter()
        errors = await placing.place(core.db, core.clock, core.home, core.template, file_ids)
        spent = time.perf_counter() - start
    assert not any(errors.values()), errors
    assert len(list((work / "home" / "library").rglob("*.jpg"))) == FILES
    assert (take is Take.MOVE) == (not any(source.glob("*.jpg")))
    return FILES / spent


async def _studied(core: Core, source: Path, take: Take) -> list[str]:
    """Rows as a visit would leave them: hashed, recognised, waiting for their place."""
    kind = RootKind.MANAGED if take is Take.MOVE else RootKind.FOREIGN
    wanted = roots.Wanted(source, kind, take, core.owner_id)
    root = await roots.ensure(core.db, core.clock, wanted)
    swept = await sweep.sweep_once(core.db, core.clock, admit.Request(root, "bench"))
    at = timestamp(core.clock.now())
    found = await core.db.read(studies.files_to_study, swept.new)
    for file_id, file in found.items():
        sha256 = hashlib.sha256(file.source.read_bytes()).hexdigest()
        learnt = Learnt(
            sha256=sha256,
            format="jpeg",
            category=Category.PHOTO,
            mime="image/jpeg",
            facts={},
            columns={"taken_at": "2024-05-01T12:00:00"},
            damage=None,
        )
        await core.db.write(studies.studied, file_id, learnt, at)
    return swept.new


if __name__ == "__main__":
    sys.exit(main())
