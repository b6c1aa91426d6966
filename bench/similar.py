"""Near-duplicate search among 1,000,000 hashes: our index against faiss `IndexBinaryFlat`.

One process, one thread each, CPU time, the same queries and radius, alternating runs, medians; the
results must be identical. Exits 1 below the bar.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.library.hamming import HammingIndex, Matches

BAR = 3.0
COUNT, QUERIES, RADIUS, ROUNDS = 1_000_000, 1_000, 7, 5
Hashes = NDArray[np.uint64]


def main() -> int:
    """Run both on random and on clustered hashes; the exit status."""
    faiss.omp_set_num_threads(1)
    print(f"{COUNT:,} hashes, {QUERIES:,} queries, radius {RADIUS}, CPU time, medians of {ROUNDS}")
    ratios = [compare("random", *random_hashes()), compare("clustered", *clustered_hashes())]
    passed = min(ratios) >= BAR
    print(f"worst ratio {min(ratios):.1f}, bar {BAR}: {'passed' if passed else 'FAILED'}")
    return 0 if passed else 1


def random_hashes() -> tuple[Hashes, Hashes]:
    """Independent hashes, each query a stored one with up to 9 bits changed."""
    random = np.random.default_rng(1)
    hashes = random.integers(0, 2**64, COUNT, dtype=np.uint64)
    return hashes, changed(random, random.choice(hashes, QUERIES), 9)


def clustered_hashes() -> tuple[Hashes, Hashes]:
    """Like a family's library: half the hashes are shots of 5,000 scenes, a few of them crowded."""
    random = np.random.default_rng(2)
    scenes = random.integers(0, 2**64, 5_000, dtype=np.uint64)
    weights = random.pareto(1.0, 5_000) + 1
    shots = changed(random, random.choice(scenes, COUNT // 2, p=weights / weights.sum()), 20)
    hashes = np.concatenate([shots, random.integers(0, 2**64, COUNT // 2, dtype=np.uint64)])
    random.shuffle(hashes)
    return hashes, changed(random, random.choice(hashes, QUERIES), 4)


def changed(random: np.random.Generator, hashes: Hashes, bits: int) -> Hashes:
    """Each hash with up to `bits` bits flipped."""
    hashes = hashes.copy()
    for _ in range(bits):
        flips = np.uint64(1) << random.integers(0, 64, hashes.size).astype(np.uint64)
        hashes ^= np.where(random.random(hashes.size) < 0.5, flips, np.uint64(0))
    return hashes


def compare(name: str, hashes: Hashes, queries: Hashes) -> float:
    """Print both rates; how many times the queries per second of faiss we answer."""
    ours = HammingIndex()
    built = cpu(lambda: ours.add(hashes))
    theirs = faiss.IndexBinaryFlat(64)
    theirs.add(as_bytes(hashes))
    mine: list[float] = []
    peers: list[float] = []
    for _ in range(ROUNDS):
        mine.append(cpu(lambda: ours.within(queries, RADIUS)))
        peers.append(cpu(lambda: theirs.range_search(as_bytes(queries), RADIUS + 1)))
    check(ours.within(queries, RADIUS), theirs.range_search(as_bytes(queries), RADIUS + 1))
    one_by_one = cpu(lambda: [ours.within(queries[n : n + 1], RADIUS) for n in range(QUERIES)])
    ratio = statistics.median(peers) / statistics.median(mine)
    print(
        f"{name:>10}: ours {QUERIES / statistics.median(mine):9,.0f} queries/s"
        f" (one by one {QUERIES / one_by_one:7,.0f}),"
        f" faiss {QUERIES / statistics.median(peers):7,.0f}, ratio {ratio:5.1f};"
        f" built in {built:.2f} s, {ours.nbytes / 1e6:.0f} MB"
    )
    return ratio


def check(ours: Matches, theirs: tuple[NDArray[np.uint64], ...]) -> None:
    """Stop unless both found the same pairs at the same distances (faiss: distance < radius)."""
    limits, distances, labels = theirs
    query = np.repeat(np.arange(QUERIES), np.diff(limits.astype(np.int64)))
    order = np.lexsort((labels, query))
    same = (
        np.array_equal(query[order], ours.query)
        and np.array_equal(labels[order], ours.position)
        and np.array_equal(distances[order], ours.distance)
    )
    if not same:
        sys.exit("FAILED: the two disagree on what lies within the radius")


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def as_bytes(hashes: Hashes) -> NDArray[np.uint8]:
    """Hashes as faiss wants them: one row of eight bytes each."""
    return hashes.view(np.uint8).reshape(-1, 8)


if __name__ == "__main__":
    sys.exit(main())
