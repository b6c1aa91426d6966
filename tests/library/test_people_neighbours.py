"""The nearest of many vectors: the right ones, whatever was added and removed before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.library import neighbours
from pipeline.library.neighbours import Index

Rows = NDArray[np.float32]


def _ids(count: int) -> list[str]:
    return [f"v{number}" for number in range(count)]


def _nearest(rows: Rows, asked: Rows, k: int, but: frozenset[int] = frozenset()) -> list[int]:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similar = unit @ (asked / np.linalg.norm(asked))
    order = [int(at) for at in np.argsort(-similar, kind="stable") if int(at) not in but]
    return order[:k]


def _heavy(random: np.random.Generator, count: int, dims: int) -> Rows:
    """As features come out of a network: positive, a few numbers much larger than the rest."""
    signal = random.standard_normal((count, 40)) @ random.standard_normal((40, dims)) / 6
    return np.exp(signal + random.standard_normal(dims)).astype(np.float32)


@pytest.mark.parametrize("dims", [128, 512])
@pytest.mark.parametrize("kind", ["even", "heavy"])
def test_of_many_the_nearest_are_found(dims: int, kind: str) -> None:
    """Ten nearest of six thousand: at least 99 of 100, of any kind of vector."""
    random = np.random.default_rng(dims)
    rows = (
        random.standard_normal((6_000, dims)).astype(np.float32)
        if kind == "even"
        else _heavy(random, 6_000, dims)
    )
    index = Index(dims)
    index.add(_ids(len(rows)), rows)
    hits = 0
    for asked in range(0, 500, 25):
        found = {match.id for match in index.search(rows[asked], 10)}
        hits += len(found & {f"v{at}" for at in _nearest(rows, rows[asked], 10)})
    assert hits >= 198


def test_what_is_told_is_the_cosine() -> None:
    """To four digits, and the vector itself first."""
    random = np.random.default_rng(3)
    rows = random.standard_normal((300, 64)).astype(np.float32)
    index = Index(64)
    index.add(_ids(300), rows * 17)
    found = index.search(rows[7], 300)
    assert found[0].id == "v7"
    assert found[0].similarity == pytest.approx(1.0, abs=1e-4)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for match in found:
        assert match.similarity == pytest.approx(float(unit[int(match.id[1:])] @ unit[7]), abs=2e-4)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_adding_and_removing_leaves_what_is_there(data: st.DataObject) -> None:
    """After any sequence of additions, replacements and removals: exactly what a fresh index of
    the same vectors finds."""
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    there: dict[str, Rows] = {}
    index = Index(16)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "_COMPARED", 4)
        patched.setattr(neighbours, "_FEW", 8)
        for _ in range(data.draw(st.integers(1, 12))):
            ids = data.draw(st.lists(st.sampled_from(_ids(40)), max_size=20))
            if data.draw(st.booleans()):
                rows = random.standard_normal((len(ids), 16)).astype(np.float32)
                index.add(ids, rows)
                there |= dict(zip(ids, rows, strict=True))
            else:
                index.remove(ids)
                there = {id: row for id, row in there.items() if id not in ids}
            asked = random.standard_normal(16).astype(np.float32)
            found = index.search(asked, 3)
            assert len(index) == len(there)
            assert len(found) <= min(3, len(there))
            assert all(match.id in there for match in found)
            assert [m.similarity for m in found] == sorted(
                (m.similarity for m in found), reverse=True
            )
        patched.setattr(neighbours, "_FEW", 1_000)
        fresh = Index(16)
        fresh.add(list(there), np.array(list(there.values()), np.float32).reshape(-1, 16))
        assert _told(index, asked) == pytest.approx(_told(fresh, asked), abs=1e-5)


def _told(index: Index, asked: Rows) -> dict[str, float]:
    return {match.id: match.similarity for match in index.search(asked, 40)}


def test_some_can_be_left_out_and_odd_vectors_stop_nothing() -> None:
    """Those in `but` are passed over without costing an answer; zero and infinite are far."""
    random = np.random.default_rng(5)
    rows = random.standard_normal((50, 8)).astype(np.float32)
    rows[3], rows[4] = 0.0, np.inf
    index = Index(8)
    assert index.search(rows[0], 5) == []
    index.add(_ids(50), rows)
    left_out = {match.id for match in index.search(rows[0], 4)}
    found = [match.id for match in index.search(rows[0], 4, but=left_out)]
    assert found == [match.id for match in index.search(rows[0], 8)][4:]
    assert "v3" not in found
    assert index.search(rows[0], 0) == []
    assert index.nbytes > 0
