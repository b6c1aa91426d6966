"""The `darkroom` command: starts `bot.commands`, which finds and runs what is asked for.

A plain scan for equal files starts without it: the scan takes less time than importing the command
line does.
"""

import gc
import os
import sys

GARBAGE_AT = 50_000  # new objects: start-up makes 300,000 and no garbage, looked through 400 times


def main() -> None:
    """Run the command line; the exit status is the command's."""
    gc.set_threshold(GARBAGE_AT)
    paths = sys.argv[3:]
    if sys.argv[1:3] == ["dupes", "scan"] and _are_plain(paths):
        from bot.console import scanning

        sys.exit(scanning.run(paths))
    from bot import commands

    commands.main()


def _are_plain(paths: list[str]) -> bool:
    """Only paths that are there, and no options; everything else is explained by `bot.commands`."""
    return bool(paths) and all(p[:1] != "-" and os.path.exists(p) for p in paths)  # noqa: PTH110 - pathlib costs as much as the scan of a small folder
