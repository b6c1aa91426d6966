"""The process in which media is read: `python -m pipeline.work.workers.child`.

It reads one errand per line from the pipe it got as standard input, runs the due stages over one
`Subject`, and writes one reply per line. Before the first errand it gives up what it does not
need (`limits`). It knows neither the state nor the library, and a stage that raises fails only
itself.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.model import Done, JsonObject, Later, Outcome, Reject, Skip
from pipeline.registry import discover
from pipeline.work.workers import failures, limits, wire
from pipeline.work.workers.contract import LINE_LIMIT, StageTime, VisitReply, VisitRequest

if TYPE_CHECKING:
    from pipeline.stages.contract import Stage
    from pipeline.stages.subject import Subject

STAGES = "pipeline.stages"
GATE = "hash"  # the stage that reads every byte: what it refuses, no other stage needs to see
NOT_FOR_THIS_KIND = "not for this kind of file"
LOG_LIMIT = 1 << 20
# Imported before the first errand, so that no visit pays for them. Absent ones are left out.
WARM = ("numpy", "cv2", "simplejpeg", "PIL.Image", "pillow_heif", "av", "exiv2")


def main() -> None:
    """Serve errands until the pipe ends or the core dies."""
    args = _arguments()
    limits.die_with_parent(args.parent)
    errands, replies, log = _take_pipes(Path(args.log))
    stages = ordered(discover(args.stages, "STAGE"))
    if args.warm:
        _warm_up()
    if args.accelerate:
        _accelerate()
    bounds = limits.Limits(args.memory, args.file_size)
    writable = [Path(args.work), *([args.keep] if args.keep else [])]
    devices = limits.graphics_devices() if args.accelerate else []
    in_force = limits.confine(bounds, writable, devices)
    os.chdir(args.work)
    _write(replies, json.dumps({"ready": in_force}).encode() + b"\n")
    for line in iter(lambda: errands.readline(LINE_LIMIT + 1), b""):
        _write(replies, _serve(line, stages, args.models))
        _cut(log)


def ordered(stages: tuple[Stage, ...]) -> dict[str, Stage]:
    """The stages by name, each behind those whose facts it reads; ties in order of name."""
    by_name = {stage.name: stage for stage in stages}
    graph = {s.name: sorted(name for name in s.after if name in by_name) for s in stages}
    names = list(TopologicalSorter(dict(sorted(graph.items()))).static_order())
    names.sort(key=lambda name: name != GATE)  # stable: the gate first, the rest as they were
    return {name: by_name[name] for name in names}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="darkroom-worker")
    parser.add_argument("--work", required=True, help="the only directory it may write to")
    parser.add_argument("--log", required=True, help="where libraries' chatter goes")
    parser.add_argument("--parent", type=int, required=True, help="process id of the core")
    parser.add_argument("--memory", type=int, default=limits.Limits().memory)
    parser.add_argument("--file-size", type=int, default=limits.Limits().file_size)
    parser.add_argument("--models", type=Path, help="folder of model files")
    parser.add_argument("--accelerate", action="store_true", help="use a GPU where there is one")
    parser.add_argument("--keep", type=Path, help="where finished pieces of long work may lie")
    parser.add_argument("--stages", default=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--warm", action="store_true", help="import decoders before the first file")
    return parser.parse_args()


def _take_pipes(log_path: Path) -> tuple[BinaryIO, BinaryIO, int]:
    """Keep the two pipes for ourselves; whatever a library prints goes to the log."""
    errands, replies = os.dup(0), os.dup(1)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    return os.fdopen(errands, "rb"), os.fdopen(replies, "wb"), log


def _accelerate() -> None:
    from pipeline.vision import networks

    networks.accelerate()


def _warm_up() -> None:
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _write(replies: BinaryIO, line: bytes) -> None:
    replies.write(line)
    replies.flush()


def _cut(log: int) -> None:
    if os.fstat(log).st_size > LOG_LIMIT:
        os.ftruncate(log, 0)


def _serve(line: bytes, stages: Mapping[str, Stage], models: Path | None) -> bytes:
    errand = wire.errand_from_json(line)
    limits.allow_cpu_seconds(errand.cpu_s)
    watch = Stopwatch()
    visit = Visit(errand.request, stages, errand.workdir, models)
    visit.run()
    wall_ms, cpu_ms = watch.read()
    reply = VisitReply(
        visit_id=errand.request.visit_id,
        outcomes=visit.outcomes,
        format=visit.format,
        workdir=errand.workdir,
        cpu_s=round(cpu_ms / 1000, 6),
        peak_rss=_peak(),
        wall_ms=round(wall_ms, 1),
        times=tuple(visit.times),
    )
    return wire.reply_to_json(reply, rss=_resident(), is_spent=visit.ran_out_of_memory)


def _peak() -> int:
    # Not ru_maxrss: that one keeps what the parent held when it started us.
    with open("/proc/self/status", "rb") as status:  # noqa: PTH123 - as below
        line = next(line for line in status if line.startswith(b"VmHWM:"))
    return int(line.split()[1]) * 1024


def _resident() -> int:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - once per visit: open() is twice as fast
        return int(statm.read().split()[1]) * resource.getpagesize()


class Stopwatch:
    """Wall and CPU time of this process since it was made, in milliseconds."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Wall and CPU so far."""
        return (time.perf_counter() - self._wall) * 1000, (time.process_time() - self._cpu) * 1000


class Visit:
    """One file's trip: its outcomes grow stage by stage."""

    def __init__(
        self,
        request: VisitRequest,
        stages: Mapping[str, Stage],
        workdir: Path,
        models: Path | None = None,
    ) -> None:
        self.models = models
        self.request = request
        self.stages = stages
        self.workdir = workdir
        self.outcomes: dict[str, Outcome] = {}
        self.times: list[StageTime] = []
        self._watch = Stopwatch()
        self.format: str | None = None
        self.ran_out_of_memory = False

    def run(self) -> None:
        """Every asked stage gets an outcome, whatever happens."""
        asked = {call.name: call.params for call in self.request.stages}
        for name in asked.keys() - self.stages.keys():
            self.outcomes[name] = Skip("there is no such stage")
        due = [stage for name, stage in self.stages.items() if name in asked]
        with self._opened(asked) as subject:
            for stage in due:
                self.outcomes[stage.name] = self._outcome(stage, subject)

    @contextlib.contextmanager
    def _opened(self, asked: Mapping[str, JsonObject]) -> Iterator[Subject | Outcome]:
        """The subject, or the outcome that every stage gets because there is none."""
        from pipeline.stages.subject import Subject

        asked_of = self.request
        with contextlib.ExitStack() as stack:
            try:
                self.workdir.mkdir(mode=0o700, exist_ok=True)
                subject = Subject.open(
                    asked_of.path,
                    asked_of.name,
                    asked_of.size,
                    asked_of.mtime_ns,
                    asked_of.inode,
                    self.workdir,
                    asked_of.facts,
                    asked,
                    self.models,
                )
                stack.callback(subject.close)
                self.format = subject.format.name
            except Exception as error:  # border: stage runner
                yield self._failure(error)
            else:
                yield subject

    def _outcome(self, stage: Stage, subject: Subject | Outcome) -> Outcome:
        if isinstance(subject, Later | Reject | Skip | Done):
            return subject
        gate = self.outcomes.get(GATE)
        if isinstance(gate, Later | Reject):
            return gate if isinstance(gate, Later) else Skip("the file could not be read")
        if subject.format.category not in stage.categories or not stage.applies(subject.format):
            return Skip(NOT_FOR_THIS_KIND)
        start_ms, cpu_before = self._watch.read()
        try:
            outcome = stage.run(subject)
        except Exception as error:  # border: stage runner
            return self._failure(error)
        finally:
            self._note(stage.name, start_ms, cpu_before)
        if isinstance(outcome, Done):
            subject.facts[stage.name] = outcome.facts
        return outcome

    def _note(self, stage: str, start_ms: float, cpu_before: float) -> None:
        now_ms, cpu = self._watch.read()
        wall, cpu = round(now_ms - start_ms, 1), round(cpu - cpu_before, 1)
        self.times.append(StageTime(stage, round(start_ms, 1), wall, cpu))

    def _failure(self, error: Exception) -> Outcome:
        self.ran_out_of_memory |= isinstance(error, MemoryError)
        if failures.is_a_bug(error):
            print(self.request.visit_id, failures.described(error), file=sys.stderr)  # noqa: T201 - the child's own log
        return failures.outcome_of(error, self.request.path)


if __name__ == "__main__":
    main()
