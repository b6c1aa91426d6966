"""Measure everything that can be right or wrong, and write docs/accuracy.md: `make accuracy`.

Each module here that has a `report()` is one section, saying how it was measured; with names only
those sections are measured anew and the others stay as they are.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"
HEAD = """# Accuracy

What Darkroom's eyes get right, measured with the product's own code on labelled pictures that it is
not shipped with. `make accuracy` writes this page again.
"""
_SECTION = re.compile(r"(?m)^<!-- ([a-z_]+) -->\n")


def names() -> list[str]:
    """The modules here that report."""
    here = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    text = {name: Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in here}
    return sorted(n for n in here if n != "__main__" and "\ndef report(" in text[n])


def sections() -> dict[str, str]:
    """The page as it is, by name."""
    if not PAGE.exists():
        return {}
    parts = _SECTION.split(PAGE.read_text("utf-8"))[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def main(wanted: list[str]) -> int:
    """Measure, write, print."""
    found = sections()
    for name in wanted or names():
        print(f"=== {name} ===", flush=True)
        found[name] = importlib.import_module(f"bench.accuracy.{name}").report().strip() + "\n"
        print(found[name], flush=True)
        write(found)
    return 0


def write(found: dict[str, str]) -> None:
    """The page, its sections in order of name; those of modules that are gone are left out."""
    known = [name for name in names() if name in found]
    text = "\n".join(f"<!-- {name} -->\n{found[name].strip()}\n" for name in known)
    PAGE.write_text(f"{HEAD}\n{text}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
