"""The lines between core and children: faithful both ways, and nothing believed on the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DecodeFailed
from pipeline.model import Done, Json, Later, Made, Outcome, Reject, Skip
from pipeline.work.workers import wire
from pipeline.work.workers.contract import (
    LINE_LIMIT,
    StageCall,
    StageTime,
    VisitReply,
    VisitRequest,
)

REQUEST = VisitRequest(
    "visit-1", Path("/photos/a.jpg"), "a.jpg", 10, 20, 30, (StageCall("hash"), StageCall("facts"))
)
WORK = Path("/srv/slot/visit-1")
TIMES = (StageTime("hash", 0.0, 4.5, 3.0), StageTime("facts", 4.5, 1.0, 1.0))
TEXT = st.text(max_size=50)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MADE = st.builds(
    Made,
    st.just("thumbnail"),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.just("image/jpeg"),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
)
OUTCOME: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(
        Done, st.dictionaries(TEXT, PLAIN, max_size=4), st.lists(MADE, max_size=3).map(tuple)
    ),
    st.builds(Skip, TEXT),
    st.builds(Later, st.floats(0, 3600), TEXT),
    st.builds(Reject, TEXT),
)


@given(OUTCOME, OUTCOME)
def test_replies_survive_the_pipe(first: Outcome, second: Outcome) -> None:
    """What a stage answered is what the core reads, on one line."""
    reply = VisitReply(
        "visit-1", {"hash": first, "facts": second}, "jpeg", WORK, 0.5, 7, 9.5, TIMES
    )
    line = wire.reply_to_json(reply, rss=5, is_spent=True)
    assert line.count(b"\n") == 1
    answer = wire.reply_from_json(line, REQUEST, WORK)
    assert answer == wire.Answer(reply, 5, True)


@given(st.text(st.characters(exclude_characters="\0/"), min_size=1), PLAIN)
def test_errands_survive_the_pipe(name: str, fact: Json) -> None:
    """Names as the disk has them, surrogates included, reach the child unchanged."""
    request = VisitRequest(
        "v", Path("/p") / name, name, 1, 2, 3, (StageCall("hash", {"n": fact}),), {"a": {"b": fact}}
    )
    errand = wire.Errand(request, WORK, 9)
    line = wire.errand_to_json(errand)
    assert line.count(b"\n") == 1
    assert wire.errand_from_json(line) == errand


def good() -> dict[str, Json]:
    """A reply nobody objects to."""
    done = {"done": {}, "made": []}
    return {
        "visit": "visit-1",
        "outcomes": {"hash": done, "facts": done},
        "format": "jpeg",
        "cpu_s": 0.1,
        "peak_rss": 1,
        "wall_ms": 2.5,
        "times": [["hash", 0, 1.5, 1]],
        "rss": 1,
        "spent": False,
    }


def spoilt(**changes: Json) -> bytes:
    return json.dumps(good() | changes).encode()


def made(*fields: Json) -> Json:
    done = {"done": {}, "made": []}
    return {"hash": done, "facts": {"done": {}, "made": [list(fields)]}}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"\x80\x04\x95",
        b"[" * 100_000,
        spoilt(visit="visit-2"),
        spoilt(extra=1),
        spoilt(outcomes={"hash": {"skip": "x", "final": True}}),
        spoilt(
            outcomes={
                "hash": {"skip": "x", "final": True},
                "facts": {"skip": "x", "final": True},
                "evil": {"skip": "x", "final": True},
            }
        ),
        spoilt(outcomes={"hash": {"skip": "x", "final": True}, "facts": {"skip": "x", "done": {}}}),
        spoilt(outcomes={"hash": {"skip": "x", "final": True}, "facts": {"reject": "x" * 5000}}),
        spoilt(outcomes={"hash": {"skip": "x", "final": True}, "facts": {"later": -1, "why": ""}}),
        spoilt(
            outcomes={"hash": {"skip": "x", "final": True}, "facts": {"later": 1e12, "why": ""}}
        ),
        spoilt(outcomes={"hash": {"skip": "x", "final": True}, "facts": {"done": [], "made": []}}),
        spoilt(format="../../etc"),
        spoilt(cpu_s=float("nan")),
        spoilt(peak_rss="much"),
        spoilt(wall_ms=-1),
        spoilt(times=[["evil", 0, 1, 1]]),
        spoilt(times=[["hash", 0, 1, 1], ["hash", 0, 1, 1]]),
        spoilt(times=[["hash", 0, 1]]),
        spoilt(times=[["hash", 0, "1", 1]]),
        spoilt(times=[[["hash"], 0, 1, 1]]),
        spoilt(times={"hash": [0, 1, 1]}),
        spoilt(outcomes=made("thumbnail", "../a.jpg", "image/jpeg", 1, 1)),
        spoilt(outcomes=made("thumbnail", "/etc/passwd", "image/jpeg", 1, 1)),
        spoilt(outcomes=made("thumbnail", ".hidden", "image/jpeg", 1, 1)),
        spoilt(outcomes=made("thumbnail", "a\n", "image/jpeg", 1, 1)),
        spoilt(outcomes=made("thumbnail", "a.jpg", "text/html\r\nX: y", 1, 1)),
        spoilt(outcomes=made("thumbnail", "a.jpg", "image/jpeg", True, 1)),
        spoilt(outcomes=made("thumbnail", "a.jpg", "image/jpeg", 1)),
    ],
)
def test_nothing_unexpected_is_believed(line: bytes) -> None:
    """T52: paths, schemas, numbers and texts outside the contract are all refused."""
    with pytest.raises(DecodeFailed):
        wire.reply_from_json(line, REQUEST, WORK)


@given(st.binary(max_size=200) | PLAIN.map(lambda value: json.dumps(value).encode()))
def test_random_lines_never_get_further_than_the_check(line: bytes) -> None:
    """T52: whatever comes, the answer is DecodeFailed and nothing else."""
    with pytest.raises(DecodeFailed):
        wire.reply_from_json(line, REQUEST, WORK)


def test_a_reply_that_is_too_long_loses_its_largest_stage_only() -> None:
    """Metadata beyond a line's limit rejects the stage that brought it, not the visit."""
    huge = Done({"x": "y" * (2 * LINE_LIMIT)})
    reply = VisitReply("visit-1", {"hash": Done({"sha256": "0"}), "facts": huge}, "jpeg", WORK)
    line = wire.reply_to_json(reply, rss=1, is_spent=False)
    assert len(line) <= LINE_LIMIT
    outcomes = wire.reply_from_json(line, REQUEST, WORK).reply.outcomes
    assert outcomes["hash"] == Done({"sha256": "0"})
    assert isinstance(outcomes["facts"], Reject)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes", {1, 2}])
def test_facts_that_are_no_json_reject_their_stage_only(value: object) -> None:
    """A stage that hands out what cannot be stored fails alone; the visit goes well."""
    reply = VisitReply(
        "visit-1", {"hash": Done({"sha256": "0"}), "facts": Done({"x": value})}, "jpeg", WORK
    )
    line = wire.reply_to_json(reply, rss=1, is_spent=False)
    outcomes = wire.reply_from_json(line, REQUEST, WORK).reply.outcomes
    assert outcomes["hash"] == Done({"sha256": "0"})
    assert isinstance(outcomes["facts"], Reject)
