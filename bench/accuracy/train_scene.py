"""Makes `pipeline/vision/heads.json`: the small linear heads of `scene`, from labelled pictures.

Each head is a softmax over the features of EfficientNet, fitted here with numpy alone and the same
way each time. Why these pictures and these classes: docs/decisions/scene-heads.md.

    python -m bench.accuracy.train_scene [--check]

With `--check` nothing is written: it only says what cross-validation found.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.corpus import location
from pipeline.vision import features, heads
from pipeline.vision.heads import Head
from pipeline.vision.networks import network

Array = NDArray[np.float32]
LABELS = Path(__file__).with_name("scene_labels.tsv")
MODELS = Path(__file__).resolve().parents[2] / ".venv" / "models"
UNSAID = "?"  # a picture that teaches this head nothing
OTHER, INSIDE = "other", "inside"  # classes that are learnt in order to be said as "unknown"
SCENES = {
    "Bedroom": "bedroom", "Coast": "coast", "Forest": "forest", "Highway": "highway",
    "Industrial": "industrial", "InsideCity": "city", "Kitchen": "kitchen",
    "LivingRoom": "living room", "Mountain": "mountain", "Office": "office",
    "OpenCountry": "open country", "Store": "store", "Street": "street", "Suburb": "suburb",
    "TallBuilding": "tall building",
}  # fmt: skip
INDOORS = {"bedroom", "kitchen", "living room", "office", "store"}
FOLDS, SEED = 5, 7
STEPS = 150
DECAY = 2e-4  # of the penalty on large weights
RIGHT = 0.97  # of what is said in cross-validation: above the promise of 0.95
CAMERA_WORTH, OTHER_WORTH = 0.3, 0.4  # frames repeat themselves; "other" is many things
JITTERED = 2
SAME_CAMERA = 0.8  # cosine; frames of one street camera may not stand in two folds


@dataclass(frozen=True, slots=True)
class Example:
    """One picture: what each head should say of it, and which pictures it must not leave."""

    path: Path
    said: Mapping[str, str]  # by head
    is_camera: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """How one head is fitted. `least` is the lowest threshold that may be chosen."""

    name: str
    labels: tuple[str, ...]
    unspoken: tuple[str, ...]
    least: float


@dataclass(frozen=True, slots=True)
class Validated:
    """What cross-validation found: `odds` are told by heads that never saw the picture."""

    task: Task
    examples: tuple[Example, ...]
    odds: Array
    temperature: float
    threshold: float


TASKS = (
    Task("place", ("indoor", "outdoor"), (), 0.75),
    Task("light", ("day", "night", INSIDE), (INSIDE,), 0.9),
    Task("scene", (*SCENES.values(), OTHER), (OTHER,), 0.4),
)


def examples(folder: Path) -> list[Example]:
    """Every labelled picture of the evaluation sets; labels given by eye come first."""
    by_eye = _by_eye(folder)
    found = {path: Example(path, said) for path, said in by_eye.items()}
    for path in sorted((folder / "scene15").rglob("*.jpg")):
        scene = SCENES[path.parent.name]
        is_indoors = scene in INDOORS
        place, light = ("indoor", INSIDE) if is_indoors else ("outdoor", "day")
        said = {"place": place, "light": light, "scene": scene}
        found.setdefault(path, Example(path, said))
    for path in sorted((folder / "day_night").rglob("*.jpg")):
        said = {"place": "outdoor", "light": path.parent.name, "scene": UNSAID}
        found[path] = Example(path, said, is_camera=True)
    return [found[path] for path in sorted(found)]


def _by_eye(folder: Path) -> dict[Path, dict[str, str]]:
    with LABELS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {folder / row.pop("picture"): row for row in rows}


def views(path: Path, folder: Path) -> Iterator[NDArray[Any]]:
    """The picture as it is, and as families might have taken it: all RGB."""
    image = rgb(path)
    yield image
    yield image[:, ::-1]
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    yield image[top : top + side, left : left + side]
    yield _grey(image)
    rng = np.random.default_rng(zlib.crc32(str(path.relative_to(folder)).encode()))
    for _ in range(JITTERED):
        yield _jittered(image, rng)


def rgb(path: Path) -> NDArray[Any]:
    """The pixels of a picture file."""
    pixels: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return np.asarray(pixels[:, :, ::-1])


def _grey(image: NDArray[Any]) -> NDArray[Any]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


def _jittered(image: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """A part of it, brighter or darker, perhaps turned round or in another light."""
    height, width = image.shape[:2]
    part, shape = rng.uniform(0.65, 1), rng.uniform(0.85, 1.18)
    size = min(height, int(height * part * shape)), min(width, int(width * part / shape))
    top, left = rng.integers(0, height - size[0] + 1), rng.integers(0, width - size[1] + 1)
    cut = image[top : top + size[0], left : left + size[1]]
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    light = 255 * (cut / 255.0) ** np.exp(rng.normal(0, 0.25)) + rng.normal(0, 12)
    light = light * np.exp(rng.normal(0, 0.08, 3)) if rng.random() < 0.35 else light
    return np.asarray(np.clip(light, 0, 255), np.uint8)


def vectors(chosen: Sequence[Example], folder: Path, model_folder: Path) -> Array:
    """Features of every view of every example: examples x views x 1280."""
    rows = []
    for number, example in enumerate(chosen):
        seen = [features.look(model_folder, view).vector for view in views(example.path, folder)]
        rows.append(np.stack(seen))
        if number % 100 == 0:
            print(f"{number} of {len(chosen)} pictures", file=sys.stderr)
    return np.stack(rows)


def folds(chosen: Sequence[Example], plain: Array) -> NDArray[np.int64]:
    """A fold for each example: balanced, and frames of one camera together."""
    leaders: list[int] = []
    group = np.arange(len(chosen))
    for number, example in enumerate(chosen):
        if not example.is_camera:
            continue
        same = [n for n in leaders if plain[n] @ plain[number] > SAME_CAMERA]
        group[number] = same[0] if same else number
        leaders += [] if same else [number]
    shuffled = np.random.default_rng(SEED).permutation(np.unique(group))
    order = sorted(shuffled, key=lambda number: chosen[int(number)].path.parent)
    fold = {int(name): at % FOLDS for at, name in enumerate(order)}
    return np.array([fold[int(name)] for name in group])


def validated(task: Task, chosen: Sequence[Example], seen: Array) -> Validated:
    """Fit to four fifths, ask about the rest, five times; then choose temperature and threshold."""
    use = [n for n, example in enumerate(chosen) if example.said[task.name] in task.labels]
    some = tuple(chosen[n] for n in use)
    vectors_of, truth = seen[use], _truth(task, some)
    fold = folds(some, vectors_of[:, 0])
    logits = np.zeros((len(some), len(task.labels)), np.float32)
    for number in range(FOLDS):
        rest = fold != number
        weights, bias = fitted(task, vectors_of[rest], truth[rest], _worth(some, truth, rest))
        logits[~rest] = vectors_of[~rest, 0] @ weights.T + bias
    temperature = _temperature(logits, truth)
    odds = heads.softmax(logits / temperature)
    return Validated(task, some, odds, temperature, _threshold(task, odds, truth))


def _truth(task: Task, some: Sequence[Example]) -> NDArray[np.int64]:
    return np.array([task.labels.index(example.said[task.name]) for example in some])


def _worth(some: Sequence[Example], truth: NDArray[np.int64], use: NDArray[np.bool_]) -> Array:
    """How much each example counts: camera frames little, classes alike but for their root."""
    worth = np.array([_single_worth(example) for example in some])[use]
    classes = truth[use]
    total = np.bincount(classes, worth, truth.max() + 1)
    return np.asarray(worth / np.sqrt(np.maximum(total, 1e-9))[classes], np.float32)


def _single_worth(example: Example) -> float:
    if example.is_camera:
        return CAMERA_WORTH
    return OTHER_WORTH if example.said["scene"] == OTHER else 1.0


def fitted(
    task: Task, vectors_of: Array, truth: NDArray[np.int64], worth: Array
) -> tuple[Array, Array]:
    """Weights and bias of a softmax, by Nesterov's accelerated descent on all views at once."""
    count = vectors_of.shape[1]
    rows = vectors_of.reshape(-1, vectors_of.shape[2])
    middle = rows.mean(axis=0)
    rows = np.hstack([rows - middle, np.full((len(rows), 1), 0.1, np.float32)])
    target = np.eye(len(task.labels), dtype=np.float32)[np.repeat(truth, count)]
    share = np.repeat(worth, count)[:, None] / (worth.sum() * count)
    steep = np.float32(0.5 * _steepest((rows * share).T @ rows) + DECAY)
    at = ahead = np.zeros((len(task.labels), rows.shape[1]), np.float32)
    for step in range(STEPS):
        odds = heads.softmax(rows @ ahead.T)
        slope = ((odds - target) * share).T @ rows + DECAY * ahead
        before, at = at, ahead - slope / steep
        ahead = at + np.float32(step / (step + 3)) * (at - before)
    weights = at[:, :-1]
    return weights, 0.1 * at[:, -1] - weights @ middle


def _steepest(square: Array) -> float:
    """The largest eigenvalue of a symmetric matrix, a little over it, by repeated products."""
    way = np.ones(len(square), np.float32)
    for _ in range(30):
        way = square @ way
        way /= np.linalg.norm(way)
    return 1.05 * float(way @ square @ way)


def _temperature(logits: Array, truth: NDArray[np.int64]) -> float:
    """The one under which the probabilities are honest: least surprise out of fold."""
    tried = np.geomspace(0.2, 5, 60)
    each = np.arange(len(truth))
    surprise = [-np.log(heads.softmax(logits / t)[each, truth] + 1e-12).mean() for t in tried]
    return float(tried[int(np.argmin(surprise))])


def _threshold(task: Task, odds: Array, truth: NDArray[np.int64]) -> float:
    """The least confidence from which on what is said is right often enough."""
    best, top = odds.argmax(axis=1), odds.max(axis=1)
    spoken = np.array([label not in task.unspoken for label in task.labels])[best]
    for threshold in np.arange(task.least, 0.95, 0.01):
        said = spoken & (top >= threshold)
        if (best == truth)[said].mean() >= RIGHT:
            return round(float(threshold), 2)
    return 0.95


def head(result: Validated, seen: Array, chosen: Sequence[Example]) -> Head:
    """The head fitted to all examples, as the product uses it."""
    task = result.task
    use = [n for n, example in enumerate(chosen) if example.said[task.name] in task.labels]
    truth = _truth(task, result.examples)
    everything = np.ones(len(use), bool)
    weights, bias = fitted(task, seen[use], truth, _worth(result.examples, truth, everything))
    return Head(
        labels=task.labels,
        unspoken=task.unspoken,
        weights=(weights / result.temperature).astype(np.float32),
        bias=(bias / result.temperature).astype(np.float32),
        threshold=result.threshold,
    )


def told(result: Validated) -> str:
    """One line of what cross-validation found."""
    truth = _truth(result.task, result.examples)
    best, top = result.odds.argmax(axis=1), result.odds.max(axis=1)
    spoken = np.array([label not in result.task.unspoken for label in result.task.labels])
    real, said = spoken[truth], spoken[best] & (top >= result.threshold)
    return (
        f"{result.task.name}: {len(truth)} pictures, argmax {(best == truth)[real].mean():.3f},"
        f" said {said[real].mean():.3f}, right of said {(best == truth)[said].mean():.3f},"
        f" temperature {result.temperature:.2f}, threshold {result.threshold:.2f}"
    )


def main() -> int:
    """Train, say what was found, and write the heads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--cache", type=Path, help="keep features here between runs")
    args = parser.parse_args()
    folder = location().parent / "eval"
    chosen = examples(folder)
    seen = remembered(args.cache, chosen, folder)
    results = [validated(task, chosen, seen) for task in TASKS]
    for result in results:
        print(told(result), flush=True)
    if not args.check:
        version = network(MODELS, features.PURPOSE).model.version
        made = {result.task.name: head(result, seen, chosen) for result in results}
        heads.FILE.write_text(json.dumps(heads.to_json(version, made), indent=1) + "\n")
    return 0


def remembered(cache: Path | None, chosen: Sequence[Example], folder: Path) -> Array:
    """The features of `chosen`; from the file `cache`, where they were kept before."""
    if cache is not None and cache.is_file():
        return np.asarray(np.load(cache))
    seen = vectors(chosen, folder, MODELS)
    if cache is not None:
        np.save(cache, seen)
    return seen


if __name__ == "__main__":
    sys.exit(main())
