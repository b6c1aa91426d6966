"""Tags of things on labelled photos: how many are right, and where the fused numbers come from.

`eval/coco` holds 128 photos with COCO's labels. What the two detectors see is measured with the
product's own code. The four numbers that fuse them are fitted here (`--fit` prints them for
`pipeline/vision/detect/fusion.py`); as the same photos measure them, the figures to trust are those
of 16-fold cross-validation over pictures, with the threshold left as it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.corpus import location
from pipeline.codecs.decode import decode
from pipeline.vision import networks
from pipeline.vision.detect import anchors, centres, fusion, things

PRECISION_BAR, RECALL_BAR = 0.93, 0.60
CPU_BAR_S = 0.16
FOLDS, ROUNDS = 16, 3
MODELS = Path(__file__).resolve().parents[2] / ".venv" / "models"
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled photo: what is in it, and for each kind seen its evidence as log-odds."""

    name: str
    truth: frozenset[int]
    evidence: Mapping[int, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Tags that are right among those told, and told among those that are right."""

    precision: float
    recall: float
    told: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything the report says."""

    photos: int
    tags: int
    whole: Figures  # the product as it is, end to end
    unseen: Figures  # by cross-validation: each photo judged with numbers fitted on others
    recall_at_bar: float  # cross-validated recall at the precision asked for
    precision_at_bar: float  # cross-validated precision at the recall asked for
    cpu_s: float  # median of one photo, decoded already


def measure(models: Path = MODELS) -> Measured:
    """Look at every photo twice: with the whole product, and with the detectors alone."""
    photos = list(_photos(models))
    tags_told, spent = _told(models)
    truth = {photo.name: photo.truth for photo in photos}
    chances = _cross_validated(photos)
    ranked = sorted(((chance, kind in truth[name]) for name, kind, chance in chances), reverse=True)
    hits = np.cumsum([is_right for _, is_right in ranked])
    tags = sum(len(photo.truth) for photo in photos)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / tags
    sure = {(name, kind) for name, kind, chance in chances if chance >= fusion.SURE}
    return Measured(
        photos=len(photos),
        tags=tags,
        whole=_figures(tags_told, truth),
        unseen=_figures(sure, truth),
        recall_at_bar=float(recall[precision >= PRECISION_BAR].max(initial=0)),
        precision_at_bar=float(precision[recall >= RECALL_BAR].max(initial=0)),
        cpu_s=float(np.median(spent)),
    )


def _figures(told: set[tuple[str, int]], truth: Mapping[str, frozenset[int]]) -> Figures:
    right = sum(kind in truth[name] for name, kind in told)
    tags = sum(map(len, truth.values()))
    return Figures(right / max(1, len(told)), right / tags, len(told))


def _pictures() -> Iterator[tuple[str, frozenset[int], NDArray[np.uint8]]]:
    folder = location().parent / "eval" / "coco"
    for path in sorted((folder / "images").glob("*.jpg")):
        label = folder / "labels" / f"{path.stem}.txt"
        lines = label.read_text().splitlines() if label.is_file() else []
        truth = frozenset(int(line.split()[0]) for line in lines if line.strip())
        picture = decode(path.read_bytes(), "jpeg", things.SIDE)
        yield path.stem, truth, picture.fit(things.SIDE)


def _photos(models: Path) -> Iterator[Photo]:
    ssd, centre = (networks.network(models, name) for name in ("objects", "objects-centres"))
    for name, truth, pixels in _pictures():
        first = anchors.look(ssd, pixels, fusion.FLOOR)
        second = centres.look(centre, pixels, fusion.FLOOR)
        kinds = np.union1d(first.kinds, second.kinds)
        found = {int(kind): fusion.evidence(first, second, int(kind)) for kind in kinds}
        odds = {kind: tuple(map(fusion.log_odds, scores)) for kind, scores in found.items()}
        yield Photo(name, truth, {k: (a, b, c) for k, (a, b, c) in odds.items()})


def _told(models: Path) -> tuple[set[tuple[str, int]], list[float]]:
    """What the product tells of every photo, and the CPU seconds it took."""
    labels = {label: kind for kind, label in enumerate(things.COCO)}
    found_tags, spent = set(), []
    for name, _, pixels in _pictures():
        started = time.process_time()
        found = things.find(models, pixels)
        spent.append(time.process_time() - started)
        found_tags |= {(name, labels[thing.label]) for thing in found.things}
    return found_tags, spent


# --- fitting -------------------------------------------------------------------------------------


def fit(photos: Sequence[Photo]) -> Numbers:
    """Weights of the three pieces of evidence, and the bias: logistic regression (Newton, L2)."""
    rows, right = _rows(photos)
    spread, middle = rows.std(axis=0), rows.mean(axis=0)
    scaled = np.column_stack([(rows - middle) / spread, np.ones(len(rows))])
    penalty = np.diag([1.0, 1.0, 1.0, 0.0])
    weights = np.zeros(4)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (chance - right) + penalty @ weights
        curve = (scaled * (chance * (1 - chance))[:, None]).T @ scaled + penalty
        weights -= np.linalg.solve(curve, slope)
    plain = weights[:3] / spread
    return np.append(plain, weights[3] - plain @ middle)


def _rows(photos: Sequence[Photo]) -> tuple[Numbers, Numbers]:
    pairs = [
        (odds, kind in photo.truth) for photo in photos for kind, odds in photo.evidence.items()
    ]
    return np.array([odds for odds, _ in pairs]), np.array(
        [float(is_right) for _, is_right in pairs]
    )


def _cross_validated(photos: Sequence[Photo]) -> list[tuple[str, int, float]]:
    """Each kind seen in each photo with its chance, by numbers fitted without that photo."""
    chances: dict[tuple[str, int], list[float]] = {}
    for round_ in range(ROUNDS):
        order = np.random.default_rng(round_).permutation(len(photos))
        for fold in range(FOLDS):
            held = set(order[fold::FOLDS])
            weights = fit([photo for n, photo in enumerate(photos) if n not in held])
            for photo in (photos[n] for n in held):
                for kind, odds in photo.evidence.items():
                    chance = 1 / (1 + np.exp(-np.append(odds, 1.0) @ weights))
                    chances.setdefault((photo.name, kind), []).append(float(chance))
    return [(name, kind, float(np.mean(several))) for (name, kind), several in chances.items()]


# --- telling -------------------------------------------------------------------------------------


def report() -> str:
    """The section of docs/accuracy.md."""
    return told(measure())


def told(found: Measured) -> str:
    """The figures in words."""
    whole, unseen = found.whole, found.unseen
    rows = (
        ("as it is, end to end", f"{whole.precision:.3f}", f"{whole.recall:.3f}"),
        ("bar", f"{PRECISION_BAR}", f"{RECALL_BAR:.2f}"),
        ("cross-validated", f"{unseen.precision:.3f}", f"{unseen.recall:.3f}"),
        ("cross-validated, best recall", f"{PRECISION_BAR}", f"{found.recall_at_bar:.3f}"),
        ("cross-validated, best precision", f"{found.precision_at_bar:.3f}", f"{RECALL_BAR:.2f}"),
    )
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""## Objects

Tags of things on {found.photos} photos of COCO with {found.tags} labels (a label counts once a
picture). Two detectors look at each photo, SSD-MobileNetV2 and CenterNet-MobileNetV3; four fitted
numbers make one probability of what both say, and a kind is told from {fusion.SURE} up.
Cross-validated: {FOLDS} folds over pictures, {ROUNDS} rounds, the four numbers fitted without the
picture they judge. Both networks were trained by others on photos of the same collection.

| figure | precision | recall |
| --- | --- | --- |
{table}

CPU of one photo, decoded already: {found.cpu_s * 1000:.0f} ms (median).
Most of what counts as wrong is in the picture but not labelled, dining tables before all.
"""


def main() -> int:
    """Print the section; 1 when a bar is missed. `--fit` prints the numbers instead."""
    cv2.setNumThreads(1)
    if "--fit" in sys.argv:
        print("WEIGHTS =", tuple(round(float(w), 3) for w in fit(list(_photos(MODELS)))))
        return 0
    found = measure()
    print(told(found))
    is_met = found.whole.precision >= PRECISION_BAR and found.whole.recall >= RECALL_BAR
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
