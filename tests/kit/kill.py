"""Runs work in a child that dies in the middle: at a counted file operation, or after a time.

One interpreter is started and forks for each run, so that a run costs milliseconds:

    with Killer("tests.library.crashing:place") as killer:
        killer.run(home, kill_at=17)         # SIGKILL at the 17th operation; True if it was killed

The work is a plain function of a path (as text), imported by name.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.kit.shim import Shim

_ROOT = Path(__file__).parents[2]


class Killer:
    """The interpreter that forks. `work` is "module:function"."""

    def __init__(self, work: str) -> None:
        self._work = work

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.kill", self._work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(
        self,
        target: Path,
        *,
        kill_at: int = 0,
        freeze_at: int = 0,
        kill_after_s: float = 0,
        skip: tuple[str, ...] = (),
    ) -> bool:
        """Run the work on `target`; True if it was cut short, False if it came to its end.

        `freeze_at` stops it there for good until `finish_off`. `skip` seeds faults: system calls
        that only seem to happen. Raises AssertionError if the work fails by itself.
        """
        order = {
            "target": str(target),
            "kill_at": kill_at,
            "freeze_at": freeze_at,
            "kill_after_s": kill_after_s,
            "skip": skip,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer() == "cut"

    def finish_off(self) -> None:
        """Kill a frozen run."""
        assert self._process.stdin is not None
        self._process.stdin.write("{}\n")
        self._process.stdin.flush()
        assert self._answer() == "gone"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 50)
        assert ready, "the run hangs"
        answer = self._process.stdout.readline().strip()
        assert answer in ("cut", "end", "gone"), f"the work failed: {answer}"
        return answer


def _serve(work: str) -> None:
    module, _, name = work.partition(":")
    function = getattr(importlib.import_module(module), name)
    frozen = 0
    for line in sys.stdin:
        order: Mapping[str, Any] = json.loads(line)
        if not order:
            os.kill(frozen, signal.SIGKILL)
            os.waitpid(frozen, 0)
            print("gone", flush=True)
            continue
        child = os.fork()
        if child == 0:
            _work(function, order)
        answer, is_frozen = _wait(child, order["kill_after_s"])
        frozen = child if is_frozen else 0
        print(answer, flush=True)


def _work(function: Any, order: Mapping[str, Any]) -> None:
    signals = {order["kill_at"]: signal.SIGKILL, order["freeze_at"]: signal.SIGSTOP}
    signals.pop(0, None)
    status = 1
    try:
        with Shim(signal_at=signals, skip=frozenset(order["skip"])):
            function(order["target"])
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _wait(child: int, kill_after_s: float) -> tuple[str, bool]:
    if kill_after_s:
        deadline = time.monotonic() + kill_after_s
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return _told(status), False
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, os.WUNTRACED)
    return _told(status), os.WIFSTOPPED(status)


def _told(status: int) -> str:
    if os.WIFSTOPPED(status) or os.WIFSIGNALED(status):
        return "cut"
    return "end" if os.WEXITSTATUS(status) == 0 else f"exit status {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    _serve(sys.argv[1])
