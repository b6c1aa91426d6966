"""Exact duplicates of a tree: our scan against `jdupes`, whole processes, start-up included.

4,000 files of 600 MB, many of one size, some differing only in the middle or the last byte. CPU
time of the children, alternating runs, medians; both must find the same groups. Exits 1 below the
bar, for the scan alone and for the whole `darkroom` command around it.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BAR = 1.2
FILES, ROUNDS = 3_400, 9
PROGRAM = """
import sys
from pipeline.library import exact
for group in exact.find_identical(sys.argv[1:]):
    print(*group.paths, "", sep="\\n")
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def main() -> int:
    """Build the tree, run both; the exit status."""
    jdupes = shutil.which("jdupes")
    if jdupes is None:
        print("jdupes is not installed (Debian: apt-get install jdupes)")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        build(tree)
        ours = [sys.executable, "-c", PROGRAM, str(tree)]
        theirs = [jdupes, "-q", "-r", str(tree)]
        command = [sys.executable, "-m", "bot", "dupes", "scan", str(tree)]
        mine, peers, whole = [], [], []
        for _ in range(ROUNDS):
            mine.append(cpu(ours))
            peers.append(cpu(theirs))
            whole.append(cpu(command))
        same = groups(mine[0][1]) == groups(peers[0][1])
    return report(*(statistics.median(s for s, _ in runs) for runs in (mine, peers, whole)), same)


def report(ours: float, theirs: float, command: float, same: bool) -> int:
    """Print the figures; 0 when the bar is met."""
    print(f"scan {ours * 1e3:.0f} ms CPU, jdupes {theirs * 1e3:.0f} ms: ratio {ours / theirs:.2f}")
    print(f"`darkroom dupes scan` {command * 1e3:.0f} ms: ratio {command / theirs:.2f}")
    print(f"groups {'the same' if same else 'DIFFER'}; bar {BAR}")
    return 0 if same and max(ours, command) <= BAR * theirs else 1


def build(tree: Path) -> None:
    """The tree, the same bytes every time."""
    chance = random.Random(1)
    for number in range(FILES):
        size = a_size(number % 10, chance)
        data = chance.randbytes(size)
        folder = tree / f"20{number % 24:02d}" / f"{number % 7}"
        write(folder / f"IMG_{number}.jpg", data)
        if number % 6 == 0:
            write(tree / "copies" / f"{number % 30}" / f"IMG_{number} (1).jpg", data)
        if number % 50 == 0:
            write(folder / f"IMG_{number}_last.jpg", data[:-1] + bytes([data[-1] ^ 1]))
        if number % 51 == 0:
            middle = size // 2
            other = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
            write(folder / f"IMG_{number}_middle.jpg", other)


def a_size(kind: int, chance: random.Random) -> int:
    """Half of one size (uncompressed or fixed-rate), the rest as photos come."""
    if kind < 5:
        return 64 * 1024
    return chance.randrange(20_000, 400_000) if kind < 8 else chance.choice((786_432, 131_072))


def write(path: Path, data: bytes) -> None:
    """Write one file, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def cpu(command: list[str]) -> tuple[float, str]:
    """CPU seconds of the whole process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ran.stdout


def groups(printed: str) -> set[frozenset[str]]:
    """Both print the names of a group line by line, groups apart by an empty line."""
    return {frozenset(block.split("\n")) for block in printed.strip().split("\n\n") if block}


if __name__ == "__main__":
    sys.exit(main())
