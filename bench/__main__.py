"""Run every bench, or those named, one after the other: `python -m bench [NAME...]`."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """The benches there are: modules here that can be run and are not shared code."""
    modules = (module.name for module in pkgutil.iter_modules([str(HERE)]))
    return [name for name in modules if _is_bench(name)]


def _is_bench(name: str) -> bool:
    return name != "__main__" and "__main__" in (HERE / f"{name}.py").read_text(encoding="utf-8")


def main(wanted: list[str]) -> int:
    """Run them; the number of those that missed their bar is the exit status."""
    missed = []
    for name in wanted or names():
        print(f"\n=== {name} ===", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            missed.append(name)
    print(f"\n{'All bars met.' if not missed else 'Missed: ' + ', '.join(missed)}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
