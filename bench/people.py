"""People and neighbours at the size of a big family's library: what grouping and finding cost.

Grouping: made-up faces of 1,024 numbers, a few people on very many pictures and many on few, as
families have them; all at once, and as 32 new pictures come to them. Finding: the ten nearest of
100,000 vectors, of faces and of whole pictures, against comparing with every one exactly; vectors
are made up so that they are hard to tell apart. CPU time of one thread, so that whatever else
the machine does is left out; of grouping, of all threads. Exits 1 over a bar.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.library import grouping
from pipeline.library.grouping import FREE, Rules
from pipeline.library.neighbours import Index
from pipeline.library.people import BARS

BAR_MS, RECALL_BAR = 20.0, 0.95
FACES, FACE_DIMS, FRESH = 4_000, 1_024, 32
VECTORS, PICTURE_DIMS, ASKED, NEAREST = 100_000, 1_280, 100, 10
Rows = NDArray[np.float32]
T = TypeVar("T")


def main() -> int:
    """Measure both; the exit status."""
    cv2.setNumThreads(1)
    print(f"grouping {FACES:,} faces of {FACE_DIMS:,} numbers")
    group_all()
    print(f"the {NEAREST} nearest of {VECTORS:,}")
    passed = [
        find("faces", like_faces(VECTORS, FACE_DIMS)),
        find("pictures", like_pictures(VECTORS, PICTURE_DIMS)),
    ]
    print(f"bar {BAR_MS:.0f} ms: {'passed' if all(passed) else 'FAILED'}")
    return 0 if all(passed) else 1


def group_all() -> None:
    """Print what grouping all faces costs, and what a few more do."""
    vectors = grouping.whole(like_faces(FACES, FACE_DIMS))
    vectors = vectors[np.lexsort(vectors[:, :4].T)]
    everything = Rules([FREE] * FACES, range(FACES))
    seconds, firsts = timed(lambda: grouping.group(vectors, everything, BARS))
    groups = len(np.unique(firsts))
    print(f"  all at once   {seconds:8.2f} s, {groups:,} groups")
    fresh = range(0, FACES, FACES // FRESH)
    seconds, near = timed(lambda: grouping.reach(vectors, fresh, BARS.same))
    print(f"  {FRESH} new: reach {seconds:8.2f} s, {len(near):,} faces near")
    rules = Rules([FREE] * len(near), range(len(near)))
    seconds, _ = timed(lambda: grouping.group(vectors[near], rules, BARS))
    print(f"  {FRESH} new: group {seconds:8.2f} s")


def find(name: str, vectors: Rows) -> bool:
    """Print what finding among these costs and finds; is it within the bars?"""
    index = Index(vectors.shape[1])
    ids = [f"{number:032x}" for number in range(len(vectors))]
    filled, _ = timed(lambda: index.add(ids, vectors))
    coded, _ = timed(lambda: index.search(vectors[0], NEAREST))
    hits, spent = 0, []
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for asked in np.random.default_rng(4).integers(0, len(vectors), ASKED).tolist():
        started = time.thread_time()
        found = index.search(vectors[asked], NEAREST)
        spent.append((time.thread_time() - started) * 1000)
        nearest = np.argpartition(-(unit @ unit[asked]), NEAREST)[:NEAREST]
        hits += len({match.id for match in found} & {ids[at] for at in nearest.tolist()})
    recall = hits / (ASKED * NEAREST)
    middle, most = np.median(spent), np.quantile(spent, 0.95)
    print(
        f"  {name:<9} {vectors.shape[1]:,} numbers: {middle:5.1f} ms (95 %: {most:5.1f} ms),"
        f" {recall:.3f} of the nearest found, {index.nbytes / 1e6:.0f} MB,"
        f" filled in {filled + coded:.1f} s"
    )
    return bool(middle <= BAR_MS and recall >= RECALL_BAR)


def like_faces(count: int, dims: int) -> Rows:
    """Faces around people around one middle: two of a person about .8, of strangers .52 alike."""
    random = np.random.default_rng(1)
    popular = random.zipf(1.6, count) % (count // 3)
    middles = random.standard_normal((count // 3, dims)).astype(np.float32)
    common = random.standard_normal(dims).astype(np.float32)
    noise = random.standard_normal((count, dims), dtype=np.float32)
    return common * 1.04 + middles[popular] * 0.78 + noise * 0.65


def like_pictures(count: int, dims: int) -> Rows:
    """As they come out of a network: positive, of few dimensions, some numbers much larger."""
    random = np.random.default_rng(2)
    meaning = random.standard_normal((count, 80), dtype=np.float32)
    signal = meaning @ random.standard_normal((80, dims)).astype(np.float32) / 9
    signal += 0.3 * random.standard_normal((count, dims), dtype=np.float32)
    return np.exp(1.2 * signal, out=signal) * np.exp(random.standard_normal(dims)).astype(
        np.float32
    )


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of one call, and its answer."""
    started = time.process_time()
    answer = work()
    return time.process_time() - started, answer


if __name__ == "__main__":
    sys.exit(main())
