"""Reading metadata against `exiftool -stay_open`: files per CPU second of whole processes.

Both read the same files in one process each, start included; the median of the runs counts. Ours
reads the type by content and every fact, and decides on date and place; ExifTool prints its JSON.
The bar is 12 x, over the whole corpus and over real camera JPEGs alone.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import corpus

BAR = 12.0
RUNS = 3
FILES = 2000  # at least so many a process, repeating the set: starting is not what is measured


def main() -> int:
    """Measure, print a table, answer 1 below the bar."""
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        print("exiftool is not installed (Debian: libimage-exiftool-perl)")
        return 1
    root = corpus.location()
    sets = {
        "camera JPEGs": sorted((root / "camera_6mp").glob("*.jpg")),
        "whole corpus": sorted(p for p in root.glob("*/*") if p.is_file()),
    }
    print(f"{'files':<14}{'count':>6}{'ours, files/CPU s':>20}{'exiftool':>10}{'ratio':>8}")
    worst = min(_compare(name, files, exiftool) for name, files in sets.items())
    print(f"bar: {BAR} x, {'met' if worst >= BAR else 'MISSED'}")
    return 0 if worst >= BAR else 1


def _compare(name: str, files: list[Path], exiftool: str) -> float:
    many = [str(path) for path in files] * -(-FILES // len(files))
    ours = statistics.median(_cpu_s(_ours, many) for _ in range(RUNS))
    theirs = statistics.median(_cpu_s(lambda m: _theirs(exiftool, m), many) for _ in range(RUNS))
    ratio = theirs / ours
    speeds = (len(many) / ours, len(many) / theirs)
    print(f"{name:<14}{len(files):>6}{speeds[0]:>20.0f}{speeds[1]:>10.0f}{ratio:>8.1f}")
    return ratio


def _cpu_s(run: Callable[[list[str]], None], files: list[str]) -> float:
    """User and system time of the child processes that `run` starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(files)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _ours(files: list[str]) -> None:
    command = [sys.executable, "-m", "bench.metadata", "--read"]
    subprocess.run(command, input="\n".join(files), text=True, check=True)


def _theirs(exiftool: str, files: list[str]) -> None:
    """The protocol of -stay_open: arguments line by line, -execute after each file."""
    with tempfile.NamedTemporaryFile("w", suffix=".args") as arguments:
        arguments.writelines(f"-j\n-n\n{path}\n-execute\n" for path in files)
        arguments.write("-stay_open\nFalse\n")
        arguments.flush()
        with Path(arguments.name).open("rb") as stream:
            subprocess.run(
                [exiftool, "-stay_open", "True", "-@", "-"],
                stdin=stream,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,  # damaged files make it answer 1
            )


def _read_all() -> None:
    """What the measured child does with every path on its standard input."""
    import mmap

    from pipeline.intake import kind
    from pipeline.metadata.columns import columns
    from pipeline.metadata.read import read

    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        told = kind.sniff_file(path)
        if told is None:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
            columns(read(data, told, name=path.name, mtime_ns=path.stat().st_mtime_ns))


if __name__ == "__main__":
    if "--read" in sys.argv:
        _read_all()
    else:
        sys.exit(main())
