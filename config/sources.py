"""Where settings are read from: a TOML file and the environment, as nested plain values.

Secrets may lie in files of their own (`..._FILE`), and never where others on this machine can read
them. Which setting is a secret is asked of the caller.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

ENV_PREFIX = "DARKROOM_"
NOT_SETTINGS = {"DARKROOM_HOME", "DARKROOM_CORPUS"}  # read by the command line and by tests

IsSecret = Callable[[tuple[str, ...]], bool]


class SettingsError(Exception):
    """A setting that makes no sense; the message names it and says how to mend it."""


def from_toml(path: Path, is_secret: IsSecret) -> dict[str, Any]:
    """What the file says; nothing where there is none. Raises `SettingsError`."""
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from error
    _refuse_open_secrets(path, found, is_secret)
    return found


def _refuse_open_secrets(path: Path, found: Mapping[str, Any], is_secret: IsSecret) -> None:
    """A file with a secret in it must be its owner's alone."""
    secrets = [".".join(where) for where in keys(found) if is_secret(where)]
    if secrets and path.stat().st_mode & 0o077:
        raise SettingsError(
            f"{path} holds a secret ({secrets[0]}) and others on this machine may read it: "
            f"chmod 600 {path}, or name a file with it in {_variable(secrets[0])}"
        )


def _variable(dotted: str) -> str:
    return f"{ENV_PREFIX}{dotted.upper().replace('.', '__')}_FILE"


def keys(found: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The place of every value."""
    for key, value in found.items():
        if isinstance(value, dict):
            yield from keys(value, (*above, key))
        else:
            yield (*above, key)


def from_environ(environ: Mapping[str, str], is_secret: IsSecret) -> dict[str, Any]:
    """What the environment says. Raises `SettingsError` for a secret that cannot be read."""
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith(ENV_PREFIX) or name in NOT_SETTINGS:
            continue
        where = tuple(name.removeprefix(ENV_PREFIX).lower().split("__"))
        if len(where) == 1:
            continue
        secret = (*where[:-1], where[-1].removesuffix("_file"))
        is_file = secret != where and is_secret(secret)
        *above, key = secret if is_file else where
        below = found
        for part in above:
            below = below.setdefault(part, {})
        below[key] = _secret_in(name, Path(value)) if is_file else value
    return found


def _secret_in(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: the file {path} cannot be read") from error


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, section by section; `over` wins."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = merge(cast("dict[str, Any]", below), value) if both else value
    return merged
