"""Makes `docs/process.svg`: what a run over a folder of photos prints, as it is printed.

`python docs/make_screenshot.py FOLDER...` runs the real command twice, first as a rehearsal, in a
home that is thrown away.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100
_FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # would load fonts from other hosts


def run(home: Path, *arguments: str) -> Text:
    """What `darkroom process` with these arguments prints, in colour."""
    command = [sys.executable, "-m", "bot", "--home", str(home), "process", *arguments]
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout.replace(str(home), "data")
    for folder in arguments:
        said = said.replace(f"{Path(folder).absolute()}/", "~/Pictures/")
    return Text.from_ansi(said)


def main(folders: list[str]) -> None:
    """Record both runs and write the picture."""
    console = Console(record=True, highlight=False, width=WIDTH, file=Path(os.devnull).open("w"))  # noqa: SIM115
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "data"
        console.print("[bold green]$[/] darkroom process ~/Pictures --dry-run")
        console.print(run(home, *folders, "--dry-run"))
        console.print("[bold green]$[/] darkroom process ~/Pictures")
        console.print(run(home, *folders))
    svg = _FONT_FACES.sub("", console.export_svg(title="darkroom"))
    Path(__file__).with_name("process.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
