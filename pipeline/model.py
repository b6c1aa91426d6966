"""The nouns: what every room of the pipeline speaks about.

Frozen values only, without behaviour that touches disk, network or state. A word means here what
it means in the README, the chat and the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

Json = Any  # what `json.loads` can return; checked where it crosses a border
JsonObject = Mapping[str, Json]


class Category(StrEnum):
    """The four kinds of thing people know, and what cannot be told."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    SIDECAR = "sidecar"  # XMP, AAE, Takeout JSON: belongs to another file
    UNKNOWN = "unknown"


# Folder and list names, as people say them.
PLURAL: Mapping[Category, str] = {
    Category.PHOTO: "photos",
    Category.VIDEO: "videos",
    Category.AUDIO: "audio",
    Category.DOCUMENT: "documents",
}


@dataclass(frozen=True, slots=True)
class Format:
    """One file format as told from content. `name` is our own id, stable in the state."""

    name: str  # "jpeg", "heic", "mp4", "cr2", "takeout-json", ...
    category: Category
    mime: str
    extension: str  # canonical, with the dot: ".jpg"
    aliases: tuple[str, ...] = ()  # other extensions that are right for it: ".jpeg"
    demuxer: str | None = None  # ffmpeg's name, forced when the file is opened as video or audio


class FileState(StrEnum):
    """Where a file is on its way. DESIGN section 3 draws the way."""

    FOUND = "found"  # a row, not yet trusted
    STUDIED = "studied"  # hash and facts known, waiting to be placed
    PLACING = "placing"  # its place in the library is chosen and being written
    PLACED = "placed"  # verified in the library; the source not yet released
    DONE = "done"  # placed and, where asked, released; or indexed where it lies
    DUPLICATE = "duplicate"  # same bytes as `duplicate_of`
    REJECTED = "rejected"  # quarantined or left alone, with a reason
    TRASHED = "trashed"  # a person put it into the trash
    PURGED = "purged"  # a person's trash, emptied
    MISSING = "missing"  # known, but not where it should be; never treated as deleted


class BundleRole(StrEnum):
    """What a member is to its bundle. The primary is the one a person looks at."""

    PRIMARY = "primary"
    LIVE_VIDEO = "live_video"
    RAW = "raw"
    EDIT = "edit"
    SIDECAR = "sidecar"


class RootKind(StrEnum):
    """May Darkroom write there? Only a foreign root is never written to."""

    LIBRARY = "library"
    INBOX = "inbox"
    MANAGED = "managed"
    FOREIGN = "foreign"


class Take(StrEnum):
    """What becomes of a source when its file has a safe place."""

    MOVE = "move"  # released after the verified copy (managed roots only)
    COPY = "copy"  # left alone
    INDEX = "index"  # not placed at all: known where it lies


@dataclass(frozen=True, slots=True)
class Root:
    """A directory Darkroom watches. `marker` is the random id written into it, if we may write."""

    id: str
    path: Path
    kind: RootKind
    take: Take
    owner_id: str
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one Darkroom. Each may be configured to lie elsewhere, `state` included.

    `trash` must be on the library's file system, because trashing is a rename.
    """

    path: Path
    inbox: Path
    library: Path
    trash: Path
    quarantine: Path
    state: Path
    cache: Path

    @property
    def staging(self) -> Path:
        """Where copies are written before they get their name: same file system as the library."""
        return self.library / ".staging"

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return self.state / "darkroom.sqlite"

    @property
    def models(self) -> Path:
        """Model files, each known by its hash."""
        return self.state / "models"

    @property
    def pieces(self) -> Path:
        """Finished pieces of long films: what workers may write that outlives a visit."""
        return self.cache / "pieces"

    @classmethod
    def at(cls, path: Path) -> Home:
        """The default layout below `path`."""
        return cls(
            path=path,
            inbox=path / "inbox",
            library=path / "library",
            trash=path / "trash",
            quarantine=path / "quarantine",
            state=path / "state",
            cache=path / "cache",
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path seen and not yet trusted; `path` is relative to the root, kept as the OS gave it."""

    root_id: str
    path: str  # os.fsdecode'd: may hold surrogates, always round-trips through os.fsencode
    size: int
    mtime_ns: int
    inode: int


class Surface(StrEnum):
    """Through which door a request came."""

    CLI = "cli"
    SCRIPT = "script"
    SCHEDULE = "schedule"
    WATCH = "watch"
    WEB = "web"
    CHAT = "chat"
    MQTT = "mqtt"
    HOOK = "hook"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, through which surface, about whose library. Every service takes one first.

    `scopes` narrows what the role may do, as an API key does; None narrows nothing. Only
    `pipeline.access` may make an actor that looks into a library which is not its own.
    """

    user_id: str
    role: str
    surface: Surface
    library: str = ""  # whose files are asked about; empty: the actor's own
    scopes: frozenset[str] | None = None

    @property
    def library_id(self) -> str:
        """The user whose files are asked about."""
        return self.library or self.user_id

    @property
    def label(self) -> str:
        """How events, journal and audit name the actor."""
        return f"{self.surface}:{self.user_id}"


class Priority(StrEnum):
    """Why a task is in the queue; ageing keeps the lower ones from starving."""

    INTERACTIVE = "interactive"
    NEW = "new"
    BACKFILL = "backfill"


# --- What a stage may answer -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A derivative written into the worker's own directory, waiting to be adopted."""

    kind: str  # "thumbnail", "preview", "poster", "clip", "page"
    name: str  # file name inside the work directory: one plain component
    mime: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The stage did its work; `facts` is plain JSON."""

    facts: JsonObject = field(default_factory=dict)
    made: tuple[Made, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """The stage has nothing to do for this file.

    `is_final` is False where another day may bring another answer, for instance a model that is
    not there yet: the stage is then asked again at the next visit, and nothing is remembered.
    """

    why: str
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Later:
    """The stage cannot work now; the visit is repeated after `after_s` seconds."""

    after_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Reject:
    """The stage says this file is bad: `hash` quarantines the file, any other only flags it."""

    why: str


Outcome = Done | Skip | Later | Reject
