"""The hash index: what it finds is exactly what comparing with everything finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.library import hamming

Hashes = NDArray[np.uint64]


def brute(hashes: Hashes, queries: Hashes, radius: int) -> list[tuple[int, int, int]]:
    """The truth: every query against every hash."""
    return [
        (q, p, (int(query) ^ int(stored)).bit_count())
        for q, query in enumerate(queries)
        for p, stored in enumerate(hashes)
        if (int(query) ^ int(stored)).bit_count() <= radius
    ]


def told(matches: hamming.Matches) -> list[tuple[int, int, int]]:
    """Matches in the shape of `brute`."""
    columns = (matches.query, matches.position, matches.distance)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def blurred(random: np.random.Generator, centres: Hashes, count: int, bits: int) -> Hashes:
    """Hashes around `centres`, each with up to `bits` flipped: what a real library looks like."""
    made = random.choice(centres, count)
    for _ in range(bits):
        flip = random.integers(0, 64, count).astype(np.uint64)
        made ^= np.where(random.random(count) < 0.7, np.uint64(1) << flip, np.uint64(0))
    return made


@pytest.mark.parametrize("clustered", [False, True])
@given(
    seed=st.integers(0, 2**32),
    radius=st.integers(0, 15),
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=4),
    fresh_min=st.sampled_from([0, 50, 10_000]),
    step=st.sampled_from([1, 64, 1 << 18]),
)
@settings(max_examples=40, deadline=None)
def test_equals_brute_force(
    clustered: bool, seed: int, radius: int, sizes: list[int], fresh_min: int, step: int
) -> None:
    """Random and clustered hashes, added in parts, merged early or late, in steps of any size."""
    random = np.random.default_rng(seed)
    centres = random.integers(0, 2**64, 5, dtype=np.uint64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_FRESH_MIN", fresh_min)
        patch.setattr(hamming, "_CANDIDATES", step)
        index, parts = hamming.HammingIndex(), []
        for size in sizes:
            part = random.integers(0, 2**64, size, dtype=np.uint64)
            part = blurred(random, centres, size, 6) if clustered else part
            assert index.add(part) == range(sum(map(len, parts)), sum(map(len, parts)) + size)
            parts.append(part)
        queries = blurred(random, np.append(centres, np.concatenate(parts)), 12, 5)
        hashes = np.concatenate(parts)
        assert len(index) == hashes.size
        assert told(index.within(queries, radius)) == brute(hashes, queries, radius)


def test_signed_and_unsigned_are_the_same_bits() -> None:
    """Hashes come out of the state as signed numbers; they meet the unsigned ones."""
    index = hamming.HammingIndex()
    index.add(np.array([-1, 5], np.int64))
    assert told(index.within(np.array([2**64 - 1], np.uint64), 0)) == [(0, 0, 0)]


def test_a_crowd_of_equal_hashes_is_answered() -> None:
    """Thousands of equal hashes are all found, once each."""
    index = hamming.HammingIndex()
    index.add(np.zeros(20_000, np.uint64))
    found = index.within(np.array([0, 1], np.uint64), 7)
    assert found.position.tolist() == [*range(20_000)] * 2
    assert (found.distance == found.query).all()


def test_an_empty_index_finds_nothing() -> None:
    """No hashes, no queries, or neither: an empty answer."""
    index = hamming.HammingIndex()
    assert told(index.within(np.array([1], np.uint64), 7)) == []
    index.add(np.empty(0, np.int64))
    assert told(index.within(np.empty(0, np.uint64), 7)) == []


@pytest.mark.parametrize("radius", [-1, 16])
def test_a_senseless_radius_is_refused(radius: int) -> None:
    """A radius that the bands do not cover is an error, not an incomplete answer."""
    with pytest.raises(ValueError, match="radius"):
        hamming.HammingIndex().within(np.array([1], np.uint64), radius)


def test_numbers_that_are_not_64_bit_are_refused() -> None:
    """A float or a short integer would silently lose bits."""
    with pytest.raises(TypeError, match="int64 or uint64"):
        hamming.HammingIndex().add(np.array([1.0]))


def test_memory_is_as_stated() -> None:
    """At most 64 bytes a hash, plus a fixed 2.1 MB for the buckets."""
    index = hamming.HammingIndex()
    count = 200_000
    index.add(np.random.default_rng(1).integers(0, 2**64, count, dtype=np.uint64))
    assert index.nbytes <= 64 * count + 4 * 8 * (2**16 + 1)
