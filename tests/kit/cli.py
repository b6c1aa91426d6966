"""The product through its real door: `python -m bot --home H ...` in a process of its own.

Nothing of the surrounding environment but what a program needs reaches it. Every wait has an end,
so that a hang is a failure and not a lost afternoon.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 50.0
# Fixtures do not grow, and several run at a time.
_FOR_TESTS = {"DARKROOM_INTAKE__STABLE_FOR_S": "0", "DARKROOM_WEB__PORT": "0"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything a person saw."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Processed:
    """A finished `process`: the command, its `--json` object and its `--report` rows."""

    ran: Ran
    summary: Mapping[str, Any]
    rows: tuple[Row, ...]
    seconds: float

    def of(self, source: Path) -> Row:
        """The row of one source."""
        (row,) = (row for row in self.rows if row["source"] == os.fsdecode(source))
        return row

    @property
    def placed(self) -> tuple[Row, ...]:
        """The rows of what was placed or is a sidecar: what lies in the library by this run."""
        return tuple(row for row in self.rows if row["outcome"] in ("placed", "sidecar"))


def start(home: Path, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    """Start a command and let it run."""
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "--home", home, *arguments],
        cwd=_ROOT,
        env=_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
    )


def darkroom(
    home: Path, *arguments: str | Path, patience_s: float = _PATIENCE_S, **environment: str
) -> Ran:
    """Run a command to its end."""
    with start(home, *arguments, **environment) as process:
        try:
            out, err = process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Ran(process.returncode, out, err)


def process(
    home: Path, *arguments: str | Path, patience_s: float = _PATIENCE_S, **environment: str
) -> Processed:
    """`darkroom process ... --report R --json`; fails the test where it could not run."""
    report = Path(tempfile.mkdtemp(prefix="darkroom-report-")) / "report.jsonl"
    began = monotonic()
    words = ("process", *arguments, "--report", report, "--json")
    ran = darkroom(home, *words, patience_s=patience_s, **environment)
    assert ran.status in (0, 1), ran.err
    rows = tuple(json.loads(line) for line in report.read_text(encoding="utf-8").splitlines())
    shutil.rmtree(report.parent)
    return Processed(ran, json.loads(ran.out), rows, monotonic() - began)


def contents(folder: Path) -> dict[str, str]:
    """Every file below, hidden ones too: relative path to sha256 (links as what they point to)."""
    return {
        os.fsdecode(path.relative_to(folder)): digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


def library(home: Path) -> dict[str, str]:
    """As `contents`, of the library without our own marker and staging."""
    found = contents(home / "library")
    return {name: value for name, value in found.items() if not name.startswith(".")}


def digest(path: Path) -> str:
    """The sha256 of a file's bytes."""
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wait_until(holds: Callable[[], bool], what: str, patience_s: float = 30.0) -> None:
    """Look until it holds; fail with `what` where it never does."""
    deadline = monotonic() + patience_s
    while not holds():
        assert monotonic() < deadline, f"waited {patience_s:.0f} s for: {what}"
        sleep(0.05)


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DARKROOM_")}
    return {**kept, **_FOR_TESTS, **changes}
