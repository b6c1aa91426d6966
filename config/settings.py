"""Every setting, with its default and its explanation.

Sources, later ones win: the defaults here, `darkroom.toml` in the home, environment variables
`DARKROOM_SECTION__KEY`. An unknown key is an error with a suggestion, never silently ignored.
`load` is called once, by the composition root.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ENV_PREFIX = "DARKROOM_"
NOT_SETTINGS = {"DARKROOM_HOME", "DARKROOM_CORPUS"}  # read by the command line and by tests


class SettingsError(Exception):
    """A setting that makes no sense; the message names it and says how to mend it."""


class Section(BaseModel):
    """Base of all sections: frozen, and strict about names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Places(Section):
    """Where things lie. Relative paths are below the home."""

    inbox: Path = Field(Path("inbox"), description="files dropped here are taken in and moved")
    library: Path = Field(Path("library"), description="the sorted library")
    trash: Path = Field(Path("trash"), description="on the library's file system")
    quarantine: Path = Field(Path("quarantine"), description="files nobody could make sense of")
    state: Path = Field(Path("state"), description="database, snapshots, keys; a local disk")
    cache: Path = Field(Path("cache"), description="thumbnails and previews; may be deleted")


class WatchedRoot(Section):
    """Another directory to watch, for instance a camera card or a network share."""

    path: Path
    kind: Literal["managed", "foreign"] = Field(
        "foreign", description="foreign: Darkroom never writes there; managed: it may move files"
    )
    take: Literal["move", "copy", "index"] = Field(
        "copy", description="copy or move into the library, or index where the files lie"
    )


class Intake(Section):
    """How files are taken in."""

    stable_for_s: float = Field(10.0, ge=0, description="a file must be unchanged this long")
    rescan_minutes: float = Field(15.0, gt=0, description="full look at every root this often")
    missing_limit: int = Field(100, ge=1, description="more missing files than this: stop and ask")
    missing_share: float = Field(0.05, gt=0, le=1, description="or more than this share of a root")


class Library(Section):
    """How the library is laid out."""

    template: str = Field(
        "{taken:%Y}/{taken:%Y-%m}/{name}", description="see the user guide for the fields"
    )
    trash_days: int = Field(30, ge=1, description="how long trash can be restored")


class Vision(Section):
    """What is looked for in pictures. What a missing model would tell is simply not known."""

    faces: bool = Field(True, description="find faces and group them into people")
    objects: bool = Field(True, description="name 80 kinds of things, with where they are")
    features: bool = Field(True, description="what a picture is like: for scenes and find --like")
    scene: bool = Field(True, description="indoors or outdoors, day or night, kind of place")
    quality: bool = Field(True, description="sharpness, exposure, noise; a score of 0 to 100")
    kind: bool = Field(True, description="photo, screenshot, document, meme or drawing")
    text: bool = Field(False, description="read text in pictures; about a second each")
    sensitive: bool = Field(False, description="mark pictures that not everybody should see")
    detector: str = Field(
        "", description="your own YOLO-style ONNX for objects: a path or https address"
    )
    accelerate: bool = Field(True, description="use a GPU or NPU where onnxruntime offers it")


class Work(Section):
    """How hard the machine may be worked."""

    slots: int = Field(0, ge=0, description="files decoded at once; 0 means what the machine bears")
    memory_mb: int = Field(2048, ge=512, description="address space of one worker")
    timeout_s: float = Field(120.0, gt=0, description="a visit longer than this is ended")
    max_load: float = Field(0.0, ge=0, description="wait above this load per core; 0 never waits")
    min_free_mb: int = Field(1024, ge=0, description="keep this much disk free (scaled on small)")
    min_memory_mb: int = Field(256, ge=0, description="wait when less memory is available")
    on_battery: bool = Field(True, description="work while on battery")
    quiet_from: time | None = Field(None, description="no background work from this local time")
    quiet_until: time | None = Field(None, description="until this local time")


class Tier(Section):
    """From which age on, how much smaller."""

    after_months: int = Field(ge=1, le=1200)
    quality: Literal["high", "compact"] = Field(
        "high", description="high: nobody sees the difference; compact: hard to tell apart"
    )


class Retention(Section):
    """Older photos and videos made smaller, each by the last tier that its age has reached."""

    tiers: tuple[Tier, ...] = Field((), description="none: everything stays as it came in")
    replace: bool = Field(True, description="copies take their originals' place; else only cached")


class HomeZone(Section):
    """A place whose position is nobody's business."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    radius_m: float = Field(500.0, gt=0, le=50_000)


class Privacy(Section):
    """What copies for others must not tell."""

    home_zones: tuple[HomeZone, ...] = Field((), description="for `darkroom scrub --zones`")


class Web(Section):
    """The dashboard and the API."""

    host: str = Field("127.0.0.1", description="0.0.0.0 for the whole house; put TLS before it")
    port: int = Field(8420, ge=0, le=65535, description="0 takes any free one")
    public_url: str = Field(
        "", description="how others reach it, for links: https://photos.example"
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses or networks whose X-Forwarded-For is believed"
    )


class Schedule(Section):
    """What happens by itself, in cron's five fields, local time."""

    snapshot: str = Field("30 3 * * *", description="copy of the database")
    verify: str = Field("0 4 * * 0", description="re-read a part of the library")
    tiers: str = Field("30 1 * * 6", description="make smaller what reached a tier of retention")
    timezone: str = Field("", description="IANA name; empty means the machine's")


class Settings(Section):
    """All of it."""

    places: Places = Places()
    roots: tuple[WatchedRoot, ...] = ()
    intake: Intake = Intake()
    library: Library = Library()
    vision: Vision = Vision()
    work: Work = Work()
    retention: Retention = Retention()
    privacy: Privacy = Privacy()
    schedule: Schedule = Schedule()
    web: Web = Web()


def load(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of `home`. Raises `SettingsError` with one sentence per problem."""
    merged = _merge(_from_toml(home / "darkroom.toml"), _from_environ(environ))
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error))) from error


def _from_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from error


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith(ENV_PREFIX) or name in NOT_SETTINGS:
            continue
        section, separator, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        if separator:
            found.setdefault(section, {})[key] = value
    return found


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(cast("dict[str, Any]", below), value) if both else value
    return merged


def _sentences(error: ValidationError) -> list[str]:
    return [_sentence(tuple(map(str, e["loc"])), e["type"], e["msg"]) for e in error.errors()]


def _sentence(where: tuple[str, ...], kind: str, message: str) -> str:
    dotted = ".".join(where)
    if kind != "extra_forbidden":
        return f"setting {dotted}: {message}"
    near = difflib.get_close_matches(where[-1], _names_at(where[:-1]), n=1)
    return f"there is no setting {dotted}" + (f"; did you mean {near[0]}?" if near else "")


def _names_at(where: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in where:
        if part.isdigit():
            continue
        field = model.model_fields.get(part)
        nested = WatchedRoot if part == "roots" else getattr(field, "annotation", None)
        if not (isinstance(nested, type) and issubclass(nested, BaseModel)):
            return []
        model = nested
    return list(model.model_fields)
