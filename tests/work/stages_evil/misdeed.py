"""Does what the bytes after `#!` at the end of the file say."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import BadMedia, ChangedWhileRead, TryLater
from pipeline.model import Category, Done, Json, Later, Made, Outcome, Reject, Skip
from pipeline.stages.contract import Stage
from pipeline.stages.subject import Subject


def run(subject: Subject) -> Outcome:
    """Perform the misdeed; files without one are simply done."""
    _, mark, deed = subject.path.read_bytes().rpartition(b"#!")
    if not mark:
        return Done({"pid": os.getpid()})
    name, _, argument = deed.decode().strip().partition(" ")
    return DEEDS[name](subject, argument)


def _reply_pipe() -> int:
    for entry in list(Path("/proc/self/fd").iterdir()):
        descriptor = int(entry.name)
        try:
            target = str(entry.readlink())
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        except OSError:
            continue
        if target.startswith("pipe:") and flags & os.O_ACCMODE == os.O_WRONLY:
            return descriptor
    raise AssertionError("no reply pipe")


def _say(data: bytes) -> Outcome:
    pipe = _reply_pipe()
    while data:
        data = data[os.write(pipe, data) :]
    return Skip("said")


def _kill(_: Subject, __: str) -> Outcome:
    os.kill(os.getpid(), signal.SIGKILL)
    return Skip("unreachable")


def _crash(_: Subject, __: str) -> Outcome:
    os.abort()


def _hang(_: Subject, seconds: str) -> Outcome:
    time.sleep(float(seconds or 3600))
    return Done()


def _eat(_: Subject, __: str) -> Outcome:
    held = []
    while True:
        held.append(bytearray(64 << 20))


def _burn(_: Subject, __: str) -> Outcome:
    while True:
        pass


def _raise(_: Subject, kind: str) -> Outcome:
    kinds = {"bad": BadMedia, "changed": ChangedWhileRead, "later": TryLater, "bug": KeyError}
    raise kinds[kind]("on purpose")


def _pickle(_: Subject, __: str) -> Outcome:
    return _say(pickle.dumps({"visit": "x"}) + b"\n")


def _long(_: Subject, __: str) -> Outcome:
    return _say(b'{"visit":"' + b"a" * (2 << 20) + b'"}\n')


def _schema(_: Subject, __: str) -> Outcome:
    return _say(b'{"visit":1,"outcomes":[]}\n')


def _twice(_: Subject, __: str) -> Outcome:
    return _say(b"{}\n{}\n")


def _path(subject: Subject, name: str) -> Outcome:
    return Done({}, (Made("thumbnail", name, "image/jpeg", 1, 1),))


def _facts(_: Subject, text: str) -> Outcome:
    facts: Json = {"n": float(text)}
    return Done(facts)


def _chatter(_: Subject, __: str) -> Outcome:
    os.write(1, b"x" * (1 << 20) + b"\n")
    os.write(2, b"y" * (1 << 20) + b"\n")
    return Done()


def _make(subject: Subject, name: str) -> Outcome:
    (subject.workdir / name).write_bytes(b"made")
    return Done({}, (Made("thumbnail", name, "image/jpeg", 2, 3),))


def _escape(_: Subject, where: str) -> Outcome:
    try:
        Path(where).write_bytes(b"escaped")
    except OSError as error:
        return Reject(type(error).__name__)
    return Done()


def _connect(_: Subject, port: str) -> Outcome:
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=2).close()
    except OSError as error:
        return Reject(type(error).__name__)
    return Done()


def _assassin(_: Subject, __: str) -> Outcome:
    try:
        os.kill(os.getppid(), signal.SIGTERM)
    except OSError as error:
        return Reject(type(error).__name__)
    return Done()


def _probe(_: Subject, __: str) -> Outcome:
    descriptors = {}
    for entry in list(Path("/proc/self/fd").iterdir()):
        try:
            descriptors[entry.name] = str(entry.readlink())
        except OSError:
            continue
    names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
    facts: Json = {
        "descriptors": descriptors,
        "environment": dict(os.environ),
        "limits": {name: resource.getrlimit(getattr(resource, name))[0] for name in names},
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "modules": sorted(sys.modules),
        "cwd": str(Path.cwd()),
    }
    return Done(json.loads(json.dumps(facts)))


def _wait(_: Subject, seconds: str) -> Outcome:
    return Later(float(seconds), "not yet")


DEEDS: dict[str, Callable[[Subject, str], Outcome]] = {
    "kill": _kill,
    "crash": _crash,
    "hang": _hang,
    "eat": _eat,
    "burn": _burn,
    "raise": _raise,
    "pickle": _pickle,
    "long": _long,
    "schema": _schema,
    "twice": _twice,
    "path": _path,
    "facts": _facts,
    "chatter": _chatter,
    "make": _make,
    "escape": _escape,
    "connect": _connect,
    "assassin": _assassin,
    "probe": _probe,
    "wait": _wait,
}
STAGE = Stage("misdeed", 1, run, frozenset(Category), after=("hash",))
