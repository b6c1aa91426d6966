"""Grouping of faces: right, canonical in every order of arrival, and bound by the rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.library import grouping
from pipeline.library.grouping import FREE, Bars, Rules, Whole
from tests.kit import people as made_up

SAME = 0.35
ONE = Bars(close=SAME, same=SAME, joins=SAME, doubtful=0.0)
THREE = Bars(close=0.42, same=SAME, joins=0.38, doubtful=0.0)
Groups = frozenset[frozenset[int]]


def _whole(vectors: made_up.Vectors) -> Whole:
    return grouping.whole(vectors.astype(np.float32))


def _free(count: int) -> Rules:
    return Rules([FREE] * count, list(range(count)))


def _canonical(vectors: Whole, rules: Rules, bars: Bars) -> Groups:
    """The groups, with faces given in the order of their content, as whoever calls must."""
    places = sorted(range(len(vectors)), key=lambda at: (vectors[at].tobytes(), at))
    number = {at: place for place, at in enumerate(places)}
    firsts = grouping.group(
        vectors[places],
        Rules(
            [rules.known[at] for at in places],
            [rules.scene[at] for at in places],
            {number[at]: people for at, people in rules.barred.items()},
        ),
        bars,
    )
    return _groups(firsts, places)


def _groups(firsts: NDArray[np.int64], places: list[int]) -> Groups:
    found: dict[int, set[int]] = {}
    for place, first in enumerate(firsts.tolist()):
        found.setdefault(first, set()).add(places[place])
    return frozenset(frozenset(group) for group in found.values())


def _greedy(vectors: Whole, same: float) -> Groups:
    """Average linkage as the book has it: always the best pair next, in exact whole numbers."""
    rows = vectors.astype(object)
    groups = [(frozenset((at,)), rows[at]) for at in range(len(rows))]
    while len(groups) > 1:
        best, one, other = max(
            (int(a[1] @ b[1]) / (len(a[0]) * len(b[0])), -i, -j)
            for (i, a), (j, b) in itertools.combinations(enumerate(groups), 2)
        )
        if best < same * grouping.UNIT**2:
            break
        joined = (groups[-one][0] | groups[-other][0], groups[-one][1] + groups[-other][1])
        groups = [g for at, g in enumerate(groups) if at not in (-one, -other)] + [joined]
    return frozenset(group for group, _ in groups)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), people=st.integers(1, 6), each=st.integers(1, 7),
    alike=st.floats(0.3, 0.7),
)  # fmt: skip
def test_it_is_average_linkage(seed: int, people: int, each: int, alike: float) -> None:
    """Joining nearest pairs all at once gives what joining the best pair one by one gives."""
    vectors = _whole(made_up.faces(seed, people, each, alike=alike, dims=16)[0])
    found = _canonical(vectors, _free(len(vectors)), ONE)
    assert found == _greedy(vectors, SAME)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False),
    bars=st.sampled_from([ONE, THREE]),
)  # fmt: skip
def test_faces_that_come_one_by_one_end_in_the_same_groups(
    seed: int, order: object, bars: Bars
) -> None:
    """Whatever the order: after each face only its neighbourhood is grouped anew, and at the end
    the groups are exactly those of grouping everything at once."""
    vectors = _whole(made_up.faces(seed, 5, 6, alike=0.45, dims=24)[0])
    rules = _free(len(vectors))
    arrival = list(range(len(vectors)))
    order.shuffle(arrival)  # type: ignore[attr-defined]  # hypothesis types its Random as object
    here: list[int] = []
    groups: set[frozenset[int]] = set()
    for face in arrival:
        here = sorted([*here, face], key=lambda at: vectors[at].tobytes())
        reached = grouping.reach(vectors[here], [here.index(face)], SAME)
        near = [here[at] for at in reached.tolist()]
        fresh = _groups(grouping.group(vectors[near], _free(len(near)), bars), near)
        groups = {group for group in groups if group.isdisjoint(near)} | fresh
    assert groups == _canonical(vectors, rules, bars)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_rules_always_hold(seed: int, data: st.DataObject) -> None:
    """No group has two known persons, two faces of one picture, or a face beside somebody it
    does not belong to, however alike they are."""
    vectors = _whole(made_up.faces(seed, 3, 6, alike=0.7, dims=16)[0])
    count = len(vectors)
    known = data.draw(st.lists(st.sampled_from([FREE, FREE, 0, 1]), min_size=count, max_size=count))
    scene = data.draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    barred = data.draw(
        st.dictionaries(st.integers(0, count - 1), st.sets(st.integers(0, 1)), max_size=8)
    )
    barred = {at: people - {known[at]} for at, people in barred.items()}
    for group in _canonical(vectors, Rules(known, scene, barred), THREE):
        persons = {known[at] for at in group} - {FREE}
        assert len(persons) <= 1
        assert all(persons.isdisjoint(barred.get(at, ())) for at in group)
        assert len({scene[at] for at in group}) == len(group)


@pytest.mark.parametrize("crowd", [8, 4096])
def test_a_crowd_is_grouped_as_a_few_are(crowd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is held at once changes nothing but the time."""
    vectors, truth = made_up.faces(7, 12, 40, alike=0.5)
    whole = _whole(vectors)
    before = _canonical(whole, _free(len(whole)), THREE)
    monkeypatch.setattr(grouping, "_DENSE", crowd)
    monkeypatch.setattr(grouping, "_ROWS", 7)
    monkeypatch.setattr(grouping, "_COLUMNS", 61)
    assert _canonical(whole, _free(len(whole)), THREE) == before
    assert {frozenset(np.flatnonzero(truth == one).tolist()) for one in range(12)} == before


def test_strangers_need_more_than_friends() -> None:
    """A pair at the lower bar is two strangers; the same cosine joins groups of several; one face
    more comes to a group at the bar in between."""
    grid = np.eye(8)
    lean = np.sqrt(1 - 0.4**2)
    like = 0.4 * grid[0] + lean * grid[1]  # to grid[0] as 0.4
    few = _whole(np.array([grid[0], like]))
    assert grouping.group(few, _free(2), THREE).tolist() == [0, 1]
    several = _whole(np.array([grid[0]] * 3 + [like] * 3))
    assert grouping.group(several, _free(6), THREE).tolist() == [0] * 6
    one_more = _whole(np.array([grid[0]] * 3 + [like]))
    assert grouping.group(one_more, _free(4), THREE).tolist() == [0] * 4
    known = Rules([1, FREE], [0, 1])
    assert grouping.group(few, known, THREE).tolist() == [0, 0]


def test_small_faces_found_no_group() -> None:
    """Two that look alike stay apart; one joins a group that it is close to, and only such."""
    grid = np.eye(8)
    lean = np.sqrt(1 - 0.4**2)
    like = 0.4 * grid[0] + lean * grid[1]
    alike = _whole(np.array([grid[0]] * 2))
    assert grouping.group(alike, Rules([FREE] * 2, [0, 1], small=[True] * 2), THREE).tolist() == [
        0,
        1,
    ]
    beside = _whole(np.array([grid[0]] * 3 + [grid[0], like]))
    small = Rules([FREE] * 5, range(5), small=[False] * 3 + [True] * 2)
    assert grouping.group(beside, small, THREE).tolist() == [0, 0, 0, 0, 4]


def test_faces_that_are_no_numbers_stop_nothing() -> None:
    """Zero, infinite and undefined embeddings are faces like nobody's."""
    rows = [[0.0] * 4, [float("nan")] * 4, [float("inf")] * 4, [0.5] * 4, [0.5] * 4]
    vectors = grouping.whole_of([np.array(row, "<f2").tobytes() for row in rows])
    firsts = grouping.group(vectors, _free(5), ONE)
    assert firsts.tolist() == [0, 1, 2, 3, 3]
    assert grouping.reach(vectors[:0], [], SAME).size == 0
    assert grouping.group(vectors[:0], _free(0), ONE).size == 0
