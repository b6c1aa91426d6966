"""How often scenes are told right: by cross-validation, on pictures no head was fitted to.

The heads that ship are fitted to all of these pictures; what is measured are heads fitted to four
fifths of them and asked about the rest, five times.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.accuracy import train_scene
from bench.accuracy.train_scene import Example, Validated
from bench.corpus import location
from pipeline.vision import features

BARS = {"place": 0.95, "light": 0.95, "scene": 0.92}
SAID_BAR = 0.95


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one head, as shares: the likeliest label is right; something is said; it is right."""

    name: str
    pictures: int
    right: float
    said: float
    right_of_said: float


def measure(folder: Path, cache: Path | None = None) -> list[Figures]:
    """Cross-validate every head on the labelled pictures in `folder`."""
    chosen = train_scene.examples(folder)
    seen = train_scene.remembered(cache, chosen, folder)
    return [_figures(train_scene.validated(task, chosen, seen)) for task in train_scene.TASKS]


def _figures(result: Validated) -> Figures:
    """Over the sets the bars are about: scene15, and the street cameras for day and night."""
    task = result.task
    about = np.array([_counts(task.name, example) for example in result.examples])
    truth = np.array([task.labels.index(e.said[task.name]) for e in result.examples])[about]
    odds = result.odds[about]
    spoken = np.array([label not in task.unspoken for label in task.labels])
    likeliest = np.where(spoken, odds, 0).argmax(axis=1)
    best = odds.argmax(axis=1)
    said = spoken[best] & (odds.max(axis=1) >= result.threshold)
    return Figures(
        task.name,
        len(truth),
        float((likeliest == truth).mean()),
        float(said.mean()),
        float((best == truth)[said].mean()),
    )


def _counts(head: str, example: Example) -> bool:
    if head == "light":
        return example.is_camera
    return "scene15" in example.path.parts or (head == "place" and not example.is_camera)


def report() -> str:
    """The section of docs/accuracy.md."""
    corpus = location()
    started = time.process_time()
    figures = measure(corpus.parent / "eval")
    rows = "\n".join(
        f"| {f.name} | {f.pictures} | {f.right:.3f} | {BARS[f.name]:.2f} | {f.said:.3f}"
        f" | {f.right_of_said:.3f} |"
        for f in figures
    )
    return f"""## Scenes

Heads over `{features.PURPOSE}`, five-fold cross-validation: each picture is judged by heads that
never saw it; frames of one street camera stay in one fold. *place*: `eval/scene15` and the colour
photos labelled by eye; *light*: `eval/day_night`; *scene*: `eval/scene15`. *right*: the likeliest
label; *said*: not "unknown"; *right of said* must reach {SAID_BAR:.2f}.

| head | pictures | right | bar | said | right of said |
| --- | --- | --- | --- | --- | --- |
{rows}

`python -m bench.accuracy.scene`, {time.process_time() - started:.0f} CPU-s.
"""


def main() -> int:
    """Print the section; 1 below a bar."""
    corpus = location()
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    figures = measure(corpus.parent / "eval", cache)
    for one in figures:
        print(one)
    passed = all(f.right >= BARS[f.name] and f.right_of_said >= SAID_BAR for f in figures)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
