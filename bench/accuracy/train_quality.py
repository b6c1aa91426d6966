"""Makes `pipeline/vision/quality/senses.json` from photos that are damaged on purpose.

Good photos are `eval/coco`, `eval/wider` and the camera photos of the corpus; each is also stored
as JPEG and halved, so that neither counts as damage. Fitted with numpy alone.

    python -m bench.accuracy.train_quality [--check]

With `--check` nothing is written: it only says what cross-validation found.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.accuracy import damage
from bench.corpus import camera_photos, location
from pipeline.vision.quality import measures, senses

CLEAN = "clean"
FOLDS, DECAY = 5, 1e-3
SIDE = 1200  # near the size of previews; larger photos are brought to it
OTHER_WORTH = 0.3  # other damage teaches, less than clean pictures do, what is not this damage
FOLDERS = ("burst", "faces", "lossless_ref", "panorama")
_LEVELS = ("darkest", "dark", "middle", "bright", "brightest", "vivid", "deepest", "lightest")
# Products of two of these a sense may weigh besides the measures themselves; chosen by
# cross-validation.
PRODUCTS: Mapping[str, tuple[str, ...]] = {
    senses.BLUR: senses.READS[senses.BLUR],
    senses.NOISE: (),
    senses.OVER: (*_LEVELS, "blown", "black", "contrast", "spent"),
    senses.UNDER: _LEVELS,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One picture, damaged or not, and what was measured on it."""

    photo: int
    kind: str
    strength: int
    measured: Mapping[str, float]


def photos() -> list[Path]:
    """Photos as families have them; small or odd ones are left out."""
    corpus = location()
    evaluation, found = corpus.parent / "eval", camera_photos()
    for folder in ("coco/images", "wider/images"):
        found += sorted((evaluation / folder).glob("*.jpg"))
    for folder in FOLDERS:
        found += sorted((corpus / folder).glob("*.jpg"))
    return found


def rows(paths: Sequence[Path]) -> Iterator[Row]:
    """Every photo, clean and in every damage."""
    for number, path in enumerate(paths):
        pixels = _sized(path)
        rng = np.random.default_rng(zlib.crc32(path.name.encode()))
        for kind, strength, changed in _changed(pixels, rng):
            yield Row(number, kind, strength, measures.measure(changed))
        if number % 20 == 0:
            print(f"{number} of {len(paths)} photos", file=sys.stderr)


def _sized(path: Path) -> NDArray[Any]:
    loaded: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
    pixels = np.ascontiguousarray(loaded[:, :, ::-1])
    ratio = SIDE / max(pixels.shape)
    if ratio >= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA))


def _changed(
    pixels: NDArray[Any], rng: np.random.Generator
) -> Iterator[tuple[str, int, NDArray[Any]]]:
    yield CLEAN, 0, pixels
    yield CLEAN, 1, damage.stored(pixels, int(rng.integers(70, 96)))
    if min(pixels.shape[:2]) > 400:
        half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        yield CLEAN, 2, np.asarray(half)
    for kind, strengths in damage.KINDS.items():
        for number, harm in enumerate(strengths):
            harmed = harm(pixels)
            is_stored = rng.random() < 0.5
            quality = int(rng.integers(75, 96))
            yield kind, number, damage.stored(harmed, quality) if is_stored else harmed


def names(sense: str) -> tuple[str, ...]:
    """What a sense weighs: its measures, and where it may, their products."""
    pairs = combinations_with_replacement(PRODUCTS[sense], 2)
    return (*senses.READS[sense], *("*".join(pair) for pair in pairs))


def columns(sense: str, found: Sequence[Row]) -> NDArray[np.float64]:
    """One row of numbers for each row measured."""
    return np.array(
        [[_product(row.measured, name) for name in names(sense)] for row in found], np.float64
    )


def _product(measured: Mapping[str, float], name: str) -> float:
    return float(np.prod([measured[factor] for factor in name.split("*")]))


def fitted(
    values: NDArray[np.float64], truth: NDArray[np.bool_], worth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weights and bias of a logistic model, by Newton's method; classes count alike."""
    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    scaled = np.hstack([(values - middle) / spread, np.ones((len(values), 1))])
    worth = np.where(truth, worth / worth[truth].sum(), worth / worth[~truth].sum())
    penalty = np.diag([*np.full(values.shape[1], DECAY), 1e-9])
    at = np.zeros(scaled.shape[1])
    for _ in range(30):
        odds = 1 / (1 + np.exp(-np.clip(scaled @ at, -40, 40)))
        slope = scaled.T @ (worth * (odds - truth)) + penalty @ at
        bend = (scaled * (worth * odds * (1 - odds))[:, None]).T @ scaled + penalty
        at -= np.linalg.solve(bend + 1e-9 * np.eye(len(bend)), slope)
    weights = at[:-1] / spread
    return weights, float(at[-1] - weights @ middle)


def _worth(sense: str, found: Sequence[Row]) -> NDArray[np.float64]:
    return np.array([1.0 if row.kind in (CLEAN, sense) else OTHER_WORTH for row in found])


def validated(sense: str, found: Sequence[Row]) -> NDArray[np.float64]:
    """The log-odds of each row, told by a model that never saw its photo."""
    values, truth = columns(sense, found), np.array([row.kind == sense for row in found])
    worth, fold = _worth(sense, found), np.array([row.photo % FOLDS for row in found])
    told = np.zeros(len(found))
    for number in range(FOLDS):
        rest = fold != number
        weights, bias = fitted(values[rest], truth[rest], worth[rest])
        told[~rest] = values[~rest] @ weights + bias
    return told


def auc(damaged: NDArray[np.float64], clean: NDArray[np.float64]) -> float:
    """How often a damaged picture is told to be worse than a clean one."""
    order = np.sort(clean)
    below = np.searchsorted(order, damaged, "left") + np.searchsorted(order, damaged, "right")
    return float(below.mean() / (2 * len(clean)))


def remembered(cache: Path | None) -> list[Row]:
    """Everything measured; from the file `cache`, where it was kept before."""
    if cache is not None and cache.is_file():
        return [Row(*fields) for fields in json.loads(cache.read_text())]
    found = list(rows(photos()))
    if cache is not None:
        kept = [(row.photo, row.kind, row.strength, row.measured) for row in found]
        cache.write_text(json.dumps(kept))
    return found


def main() -> int:
    """Train, say what was found, and write the senses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--cache", type=Path, help="keep what was measured here between runs")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    found = remembered(args.cache)
    made = {}
    for sense in senses.READS:
        told = validated(sense, found)
        clean = np.array([row.kind == CLEAN for row in found])
        harmed = np.array([row.kind == sense for row in found])
        print(f"{sense}: AUC {auc(told[harmed], told[clean]):.3f}", flush=True)
        worth, truth = _worth(sense, found), harmed
        weights, bias = fitted(columns(sense, found), truth, worth)
        named = {n: float(f"{w:.6g}") for n, w in zip(names(sense), weights, strict=True)}
        made[sense] = {"bias": float(f"{bias:.6g}"), "weights": named}
    if not args.check:
        senses.FILE.write_text(json.dumps(made, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
