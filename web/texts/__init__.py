"""Every text of the pages, by key, in one file for each language.

Templates say `t("trash.empty")`; a key that is missing is an error of the program, found by a test.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ENGLISH = "en"


@cache
def texts(language: str = ENGLISH) -> Mapping[str, str]:
    """All texts of a language by dotted key."""
    told = tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text("utf-8"))
    return {f"{room}.{key}": text for room, below in told.items() for key, text in below.items()}


def text(key: str, /, **values: object) -> str:
    """The text for `key` with its values put in."""
    return texts()[key].format(**values)
