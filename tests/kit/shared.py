"""What is dear to make and only looked at: made once for a whole run of the tests.

Workers of one run share a folder; whoever needs a thing first makes it there, the others wait for
it and take the same answer.
"""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest

T = TypeVar("T")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What `make` answers for a folder of its own, kept under `name` for all workers."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    answer = base / f"{name}.answer"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            folder = base / name
            folder.mkdir()
            value = make(folder)
            answer.write_bytes(pickle.dumps(value))
    return cast("T", pickle.loads(answer.read_bytes()))
