"""How well damage is told from good photos: AUC by kind and strength, by cross-validation."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.accuracy import damage, train_quality
from bench.accuracy.train_quality import CLEAN, FOLDS, Row, auc
from pipeline.vision.quality import senses

BAR = 0.95


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind of damage: AUC of all strengths together, and of each alone."""

    kind: str
    auc: float
    by_strength: tuple[float, ...]
    false_alarms: float  # share of clean pictures called damaged (more likely than not)


def measure(cache: Path | None = None) -> tuple[int, list[Figures]]:
    """The photos measured, and the figures of each kind of damage."""
    found = train_quality.remembered(cache)
    return len({row.photo for row in found}), [_figures(kind, found) for kind in senses.READS]


def _figures(kind: str, found: list[Row]) -> Figures:
    told = train_quality.validated(kind, found)
    clean = told[[row.kind == CLEAN for row in found]]
    alone = (
        auc(told[[(row.kind, row.strength) == (kind, n) for row in found]], clean)
        for n in range(len(damage.KINDS[kind]))
    )
    together = auc(told[[row.kind == kind for row in found]], clean)
    return Figures(kind, together, tuple(alone), float(np.mean(clean > 0)))


def report() -> str:
    """The section of docs/accuracy.md."""
    started = time.process_time()
    cv2.setNumThreads(1)
    photos, figures = measure()
    rows = "\n".join(
        f"| {f.kind} | {f.auc:.3f} | {BAR:.2f} | {min(f.by_strength):.3f} | {f.false_alarms:.3f} |"
        for f in figures
    )
    return f"""## Quality

Damage told from good photos: {photos} photos (`eval/coco`, `eval/wider`, camera photos of the
corpus, at most {train_quality.SIDE} pixels), each clean, stored as JPEG, halved, and in every
damage of `bench/accuracy/damage.py`, half of those stored as JPEG again. {FOLDS}-fold
cross-validation: each photo is judged by models that never saw it in any state.

| damage | AUC | bar | hardest strength | clean called damaged |
| --- | --- | --- | --- | --- |
{rows}

The hardest are mild tone curves and short shakes, which many good photos resemble.
`python -m bench.accuracy.quality`, {time.process_time() - started:.0f} CPU-s.
"""


def main() -> int:
    """Print the figures; 1 below the bar. An argument names a file to keep what was measured."""
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    _, figures = measure(cache)
    for one in figures:
        print(one)
    return 0 if all(one.auc >= BAR for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
