"""Every setting, with its default and its explanation.

Sources, later ones win: the defaults here, what was changed while Darkroom ran (kept in its
state), `darkroom.toml` in the home, environment variables
`DARKROOM_SECTION__KEY`; a secret also as `DARKROOM_SECTION__KEY_FILE`, the path of a file that
holds it. An unknown key is an error with a suggestion, never silently ignored.
`load` is called once, by the composition root.
"""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from config.sources import SettingsError, from_environ, from_toml, keys, merge

__all__ = ["Settings", "SettingsError", "checked", "load"]


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
    accelerate: bool = Field(True, description="use a GPU or NPU for networks and for films")


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
    cdn_url: str = Field(
        "",
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+/?)?$",
        description="a cache before this address: pictures and films are shown from there",
    )
    media_hours: int = Field(
        12, ge=1, le=168, description="how long addresses at cdn_url are good; twice that at most"
    )
    purge_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="called with the addresses that the cache must forget",
    )
    purge_secret: SecretStr = Field(
        SecretStr(""), description="signs those calls (Standard Webhooks: whsec_...)"
    )
    purge_private: bool = Field(
        False, description="purge_url may lie in the house: private addresses, any port"
    )


Role = Literal["owner", "admin", "editor", "viewer", "guest"]


class Provider(Section):
    """A login provider that speaks OpenID Connect, registered there with our address of return."""

    issuer: str = Field(description="its address: https://accounts.example.org")
    client_id: str = Field(description="how it knows this Darkroom")
    client_secret: SecretStr = Field(SecretStr(""), description="empty for public clients")
    label: str = Field("", description="what the button says; empty: the provider's name here")
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), description="what is asked")
    username_claim: str = Field("preferred_username", description="names new users")
    registers: bool = Field(False, description="make an account for whoever it vouches for")
    role: Role = Field("viewer", description="of accounts made this way")
    role_claim: str = Field("", description="its claim of roles or groups; empty: none is read")
    roles: Mapping[str, Role] = Field({}, description="what the claim says = the role here")
    links_mail: bool = Field(
        False, description="open the account with the same address of mail, if it is verified"
    )


class Accounts(Section):
    """How people sign in, and for how long."""

    passwords: bool = Field(True, description="False: only owners may use one; others a provider")
    password_length: int = Field(10, ge=8, le=128, description="the shortest that is taken")
    access_minutes: int = Field(15, ge=1, le=60, description="how long an access token is good")
    refresh_days: int = Field(30, ge=1, le=365, description="a program unused this long signs in")
    idle_days: int = Field(7, ge=1, le=365, description="a browser unused this long signs in")
    session_days: int = Field(30, ge=1, le=3650, description="everybody signs in this often")
    link_hours: int = Field(72, ge=1, le=720, description="how long a link to an account is good")
    providers: Mapping[str, Provider] = Field({}, description="other places to sign in by")


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
    accounts: Accounts = Accounts()
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def source_of(self, name: str) -> str:
        """Where a setting comes from: environment, darkroom.toml, stored or default."""
        told = [s for key, s in self._sources.items() if f"{key}.".startswith(f"{name}.")]
        return told[-1] if told else "default"


def load(
    home: Path,
    environ: Mapping[str, str] = os.environ,
    stored: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings of `home`. Raises `SettingsError` with one sentence per problem.

    `stored` are those that were changed while Darkroom ran, by dotted name; what of them makes no
    sense (any more) is left out, so that nothing stored can keep Darkroom from starting.
    """
    layers = {
        "stored": _nested(stored or {}),
        "darkroom.toml": from_toml(home / "darkroom.toml", _is_secret),
        "environment": from_environ(environ, _is_secret),
    }
    merged: dict[str, Any] = {}
    for layer in layers.values():
        merged = merge(merged, layer)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        if stored:
            return load(home, environ)
        raise SettingsError("; ".join(_sentences(error))) from error
    settings._sources = {
        ".".join(where): name for name, layer in layers.items() for where in keys(layer)
    }
    return settings


def checked(settings: Settings, name: str, value: Any) -> Settings:
    """The settings with another value for one of them. Raises `SettingsError`."""
    changed = merge(settings.model_dump(), _one(name, value))
    try:
        return Settings.model_validate(changed)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error))) from error


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted name as sections; those that make no sense by themselves are left out."""
    found: dict[str, Any] = {}
    for name, value in flat.items():
        one = _one(name, value)
        with contextlib.suppress(ValidationError):
            Settings.model_validate(one)
            found = merge(found, one)
    return found


def _one(name: str, value: Any) -> dict[str, Any]:
    for part in reversed(name.split(".")):
        value = {part: value}
    return cast("dict[str, Any]", value)


def _sentences(error: ValidationError) -> list[str]:
    return [_sentence(tuple(map(str, e["loc"])), e["type"], e["msg"]) for e in error.errors()]


def _sentence(where: tuple[str, ...], kind: str, message: str) -> str:
    dotted = ".".join(where)
    if kind != "extra_forbidden":
        return f"setting {dotted}: {message}"
    near = difflib.get_close_matches(where[-1], _names_at(where[:-1]), n=1)
    return f"there is no setting {dotted}" + (f"; did you mean {near[0]}?" if near else "")


def _names_at(where: tuple[str, ...]) -> list[str]:
    model = _model_at(where)
    return [] if model is None else list(model.model_fields)


def _is_secret(where: tuple[str, ...]) -> bool:
    """Whether the setting at this place is one that nobody may read."""
    model = _model_at(where[:-1])
    field = None if model is None else model.model_fields.get(where[-1])
    return field is not None and field.annotation is SecretStr


def _model_at(where: tuple[str, ...]) -> type[BaseModel] | None:
    """The section at this place; a number or a name of the person's own stands for one of many."""
    model: type[BaseModel] = Settings
    many = False
    for part in where:
        if many:
            many = False
            continue
        field = model.model_fields.get(part)
        if field is None:
            return None
        inside = [field.annotation, *get_args(field.annotation)]
        found = [one for one in inside if isinstance(one, type) and issubclass(one, BaseModel)]
        if not found:
            return None
        many = found[0] is not field.annotation
        model = found[0]
    return model
