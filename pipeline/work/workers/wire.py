"""The JSON lines between the core and its children, both directions.

A reply comes from a process that decodes hostile media, so `reply_from_json` believes nothing: it
accepts exactly the stages that were asked for, known outcomes, plain file names and bounded texts.
Whatever else arrives is `DecodeFailed`, and costs that one visit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pipeline.errors import DecodeFailed
from pipeline.model import Done, Json, JsonObject, Later, Made, Outcome, Reject, Skip
from pipeline.work.workers.contract import (
    LINE_LIMIT,
    StageCall,
    StageTime,
    VisitReply,
    VisitRequest,
)

TEXT_LIMIT = 2_000
MADE_LIMIT = 32
_ENVELOPE = 16_384  # bytes left for names and everything that is no outcome
LONGEST_WAIT_S = 24 * 3600.0
_LONGEST_MS = 1e9  # a visit of eleven days
_WORD = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,63}\Z")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\Z")
_MIME = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}\Z")


_FIELDS = frozenset(
    ("visit", "outcomes", "format", "cpu_s", "peak_rss", "wall_ms", "times", "rss", "spent")
)


class _Breach(Exception):
    """The line is not what the contract allows."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What the child is told: a request, where it may write, and its CPU seconds."""

    request: VisitRequest
    workdir: Path
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked reply, and whether the child should be replaced before its next visit."""

    reply: VisitReply
    rss: int
    is_spent: bool


def errand_to_json(errand: Errand) -> bytes:
    """One line; names with surrogates survive as ASCII escapes."""
    request = errand.request
    return _line(
        {
            "visit": request.visit_id,
            "path": str(request.path),
            "name": request.name,
            "size": request.size,
            "mtime_ns": request.mtime_ns,
            "inode": request.inode,
            "stages": [[call.name, call.params] for call in request.stages],
            "facts": request.facts,
            "workdir": str(errand.workdir),
            "cpu_s": errand.cpu_s,
        }
    )


def errand_from_json(line: bytes) -> Errand:
    """The inverse of `errand_to_json`; the core is trusted, so a bad line simply raises."""
    data = json.loads(line)
    request = VisitRequest(
        visit_id=data["visit"],
        path=Path(data["path"]),
        name=data["name"],
        size=data["size"],
        mtime_ns=data["mtime_ns"],
        inode=data["inode"],
        stages=tuple(StageCall(name, params) for name, params in data["stages"]),
        facts=data["facts"],
    )
    return Errand(request, Path(data["workdir"]), data["cpu_s"])


def reply_to_json(reply: VisitReply, *, rss: int, is_spent: bool) -> bytes:
    """One line. Facts that are no JSON, or do not fit into it, become their stage's rejection."""
    encoded = {name: _encoded(outcome) for name, outcome in reply.outcomes.items()}
    while sum(map(len, encoded.values())) > LINE_LIMIT - _ENVELOPE:
        largest = max(encoded, key=lambda name: len(encoded[name]))
        encoded[largest] = _encoded(Reject("It holds more metadata than Darkroom keeps."))
    envelope = {
        "visit": reply.visit_id,
        "format": reply.format,
        "cpu_s": reply.cpu_s,
        "peak_rss": reply.peak_rss,
        "wall_ms": reply.wall_ms,
        "times": [[t.stage, t.start_ms, t.wall_ms, t.cpu_ms] for t in reply.times],
        "rss": rss,
        "spent": is_spent,
    }
    outcomes = ",".join(f"{json.dumps(name)}:{text}" for name, text in encoded.items())
    return f'{_text_of(envelope)[:-1]},"outcomes":{{{outcomes}}}}}\n'.encode("ascii")


def _encoded(outcome: Outcome) -> str:
    try:
        return _text_of(_outcome_to_json(outcome))
    except (TypeError, ValueError, RecursionError) as error:
        return _text_of({"reject": f"What was read of it cannot be stored ({error})."[:TEXT_LIMIT]})


def reply_from_json(line: bytes, request: VisitRequest, workdir: Path) -> Answer:
    """The reply to `request`, checked. Raises `DecodeFailed` for anything unexpected."""
    try:
        return _answer(_parse(line), request, workdir)
    except _Breach as breach:
        raise DecodeFailed(
            f"The program that reads this file answered nonsense: {breach}.", path=request.path
        ) from None


def _text_of(body: Mapping[str, Json]) -> str:
    return json.dumps(body, separators=(",", ":"), default=_plain, allow_nan=False)


def _line(body: Mapping[str, Json]) -> bytes:
    return _text_of(body).encode("ascii") + b"\n"


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _parse(line: bytes) -> dict[str, Json]:
    try:
        data = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _Breach("not JSON") from None
    return _object(data, "the reply")


def _refuse_constant(name: str) -> NoReturn:
    raise _Breach(f"{name} is not a number")


def _answer(data: dict[str, Json], request: VisitRequest, workdir: Path) -> Answer:
    if data.keys() != _FIELDS:
        raise _Breach("unknown or missing fields")
    if data["visit"] != request.visit_id:
        raise _Breach("it belongs to another visit")
    outcomes = _object(data["outcomes"], "outcomes")
    if outcomes.keys() != {call.name for call in request.stages}:
        raise _Breach("other stages than those asked for")
    reply = VisitReply(
        visit_id=request.visit_id,
        outcomes={name: _outcome_from_json(value) for name, value in outcomes.items()},
        format=None if data["format"] is None else _match(_WORD, data["format"], "format"),
        workdir=workdir,
        cpu_s=_number(data["cpu_s"], 1e9),
        peak_rss=int(_number(data["peak_rss"], 2**60)),
        wall_ms=_number(data["wall_ms"], _LONGEST_MS),
        times=_times(data["times"], outcomes),
    )
    return Answer(reply, int(_number(data["rss"], 2**60)), data["spent"] is True)


def _times(value: Json, asked: Mapping[str, Json]) -> tuple[StageTime, ...]:
    """Each asked stage at most once."""
    if not isinstance(value, list) or len(value) > len(asked):
        raise _Breach("other times than of the stages")
    times = tuple(map(_time, value))
    if not {one.stage for one in times} <= asked.keys() or len({t.stage for t in times}) < len(
        times
    ):
        raise _Breach("other times than of the stages")
    return times


def _time(value: Json) -> StageTime:
    if not isinstance(value, list) or len(value) != 4 or not isinstance(value[0], str):
        raise _Breach("a time is described wrongly")
    start, wall, cpu = (_number(number, _LONGEST_MS) for number in value[1:])
    return StageTime(value[0], start, wall, cpu)


def _outcome_to_json(outcome: Outcome) -> JsonObject:
    match outcome:
        case Done(facts, made):
            listed = [[m.kind, m.name, m.mime, m.width, m.height] for m in made]
            return {"done": facts, "made": listed}
        case Skip(why, is_final):
            return {"skip": why[:TEXT_LIMIT], "final": is_final}
        case Later(after_s, why):
            return {"later": after_s, "why": why[:TEXT_LIMIT]}
        case Reject(why):
            return {"reject": why[:TEXT_LIMIT]}


def _outcome_from_json(value: Json) -> Outcome:
    match value:
        case {"done": facts, "made": list(made), **rest} if not rest:
            if len(made) > MADE_LIMIT:
                raise _Breach("too many files made")
            return Done(_object(facts, "facts"), tuple(_made(item) for item in made))
        case {"skip": why, "final": bool(is_final), **rest} if not rest:
            return Skip(_text(why), is_final)
        case {"later": after_s, "why": why, **rest} if not rest:
            return Later(_number(after_s, LONGEST_WAIT_S), _text(why))
        case {"reject": why, **rest} if not rest:
            return Reject(_text(why))
    raise _Breach("an unknown outcome")


def _made(value: Json) -> Made:
    if not isinstance(value, list) or len(value) != 5:
        raise _Breach("a made file is described wrongly")
    kind, name, mime, width, height = value
    return Made(
        kind=_match(_WORD, kind, "kind"),
        name=_match(_FILE_NAME, name, "file name"),
        mime=_match(_MIME, mime, "media type"),
        width=int(_number(width, 1e6)),
        height=int(_number(height, 1e6)),
    )


def _object(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _Breach(f"{what} is not an object")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        raise _Breach("a text is missing or too long")
    return value


def _match(pattern: re.Pattern[str], value: Json, what: str) -> str:
    if not isinstance(value, str) or pattern.match(value) is None:
        raise _Breach(f"a {what} that is not allowed")
    return value


def _number(value: Json, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _Breach("a number out of range")
    return value
