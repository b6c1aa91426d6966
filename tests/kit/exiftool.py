"""exiftool as a second opinion: what another program finds in a file. Skips where it is absent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

# What exiftool calls anything about a place, an owner or a serial number.
_PRIVATE = re.compile(
    r"gps|latitude|longitude|location|:city|country|province|serialnumber|owner|imageuniqueid|"
    r"artist$|:creator$|author",
    re.IGNORECASE,
)
_HIDDEN = ("File", "System", "ExifTool", "Composite")


def require() -> None:
    """Skip the test, with the reason, where there is no exiftool."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")


def told(*paths: Path) -> list[dict[str, Any]]:
    """Every tag of each file as "Group:Name", embedded and timed ones included."""
    require()
    command = ["exiftool", "-j", "-a", "-G1", "-ee", "-n", "-api", "largefilesupport=1"]
    # `-G3` would tell doubles apart; a list of all values under one name does as well.
    command += ["-struct", "--", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=50)
    return [
        {k: v for k, v in tags.items() if k.partition(":")[0] not in _HIDDEN}
        for tags in json.loads(done.stdout or b"[]")
    ]


def private(tags: Mapping[str, object]) -> list[str]:
    """The names of those that tell where something was made, or whose it is."""
    return [name for name, value in tags.items() if _PRIVATE.search(name) and value != ""]
