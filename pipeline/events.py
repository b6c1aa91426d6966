"""What has happened: past-tense, frozen, numbered when written.

An event class registers its name and version; its fields are its `data`. Old versions stay
readable for ever, so a changed field means a new version. Events are written in the same
transaction as the change they tell of (see `state/events.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, TypeVar

from pipeline.model import Json


class Event:
    """Base of all events; `subject` is the id of the file, job, root ... it is about."""

    name: ClassVar[str]
    version: ClassVar[int]
    subject: str

    def data(self) -> dict[str, Json]:
        """The fields without the subject, as plain JSON."""
        fields = asdict(self)  # type: ignore[call-overload]  # every registered event is a dataclass
        fields.pop("subject")
        return dict(fields)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the log."""

    seq: int
    at: str
    name: str
    version: int
    subject: str
    actor: str
    data: Mapping[str, Json]


_E = TypeVar("_E", bound=type[Event])
REGISTRY: dict[tuple[str, int], type[Event]] = {}


def event(name: str, version: int = 1) -> Callable[[_E], _E]:
    """Register an event class under its public name and version."""

    def register(cls: _E) -> _E:
        assert (name, version) not in REGISTRY, f"{name} v{version} is declared twice"
        cls.name, cls.version = name, version
        REGISTRY[name, version] = cls
        return cls

    return register


# --- files -------------------------------------------------------------------------------------


@event("file.found")
@dataclass(frozen=True)
class FileFound(Event):
    """A candidate became a row."""

    subject: str
    root: str
    size: int


@event("file.studied")
@dataclass(frozen=True)
class FileStudied(Event):
    """Hash and facts are known."""

    subject: str
    sha256: str
    format: str


@event("file.placed")
@dataclass(frozen=True)
class FilePlaced(Event):
    """The file lies verified in the library."""

    subject: str
    path: str
    sha256: str


@event("file.released")
@dataclass(frozen=True)
class FileReleased(Event):
    """The source was let go of after the verified copy."""

    subject: str


@event("file.duplicate")
@dataclass(frozen=True)
class FileDuplicate(Event):
    """The same bytes are already known."""

    subject: str
    duplicate_of: str


@event("file.rejected")
@dataclass(frozen=True)
class FileRejected(Event):
    """The file will not be placed."""

    subject: str
    reason: str


@event("file.damaged")
@dataclass(frozen=True)
class FileDamaged(Event):
    """The file is kept, but its picture or sound is not whole."""

    subject: str
    reason: str


@event("file.moved")
@dataclass(frozen=True)
class FileMoved(Event):
    """The file has another name in the library."""

    subject: str
    before: str
    after: str


@event("file.replaced")
@dataclass(frozen=True)
class FileReplaced(Event):
    """Other bytes stand for the file now: a smaller copy, or its original again."""

    subject: str
    before: str  # sha256
    after: str  # sha256
    size: int  # bytes now


@event("file.retagged")
@dataclass(frozen=True)
class FileRetagged(Event):
    """The file has tags more or less than before."""

    subject: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@event("file.edited")
@dataclass(frozen=True)
class FileEdited(Event):
    """A person said something about the file, or took it back: which fields, not what."""

    subject: str
    fields: tuple[str, ...]


@event("file.trashed")
@dataclass(frozen=True)
class FileTrashed(Event):
    """A person put the file into the trash."""

    subject: str
    reason: str


@event("file.restored")
@dataclass(frozen=True)
class FileRestored(Event):
    """The file came back out of the trash."""

    subject: str
    path: str


@event("file.purged")
@dataclass(frozen=True)
class FilePurged(Event):
    """A person's trash was emptied of this file."""

    subject: str


@event("file.missing")
@dataclass(frozen=True)
class FileMissing(Event):
    """The file is not where it should be; nothing was done about it."""

    subject: str
    path: str


@event("file.returned")
@dataclass(frozen=True)
class FileReturned(Event):
    """A missing file is back where it should be."""

    subject: str


@event("file.altered")
@dataclass(frozen=True)
class FileAltered(Event):
    """Scrubbing found bytes that differ from what was recorded; the file was not touched."""

    subject: str
    path: str


@event("similar.found")
@dataclass(frozen=True)
class SimilarFound(Event):
    """Two pictures look alike; a person may decide."""

    subject: str
    other: str
    distance: int


@event("bundle.joined")
@dataclass(frozen=True)
class BundleJoined(Event):
    """A person said that these files belong together, in the bundle that is the subject."""

    subject: str
    files: tuple[str, ...]


@event("bundle.split")
@dataclass(frozen=True)
class BundleSplit(Event):
    """A person said that these files do not belong to the bundle; they are one of their own."""

    subject: str
    files: tuple[str, ...]
    into: str


# --- jobs --------------------------------------------------------------------------------------


@event("job.started")
@dataclass(frozen=True)
class JobStarted(Event):
    """A person or a schedule started a job."""

    subject: str
    job_type: str


@event("job.finished")
@dataclass(frozen=True)
class JobFinished(Event):
    """A job has no open task left."""

    subject: str
    status: str


@event("job.undone")
@dataclass(frozen=True)
class JobUndone(Event):
    """Everything the job did was reversed from its journal."""

    subject: str
    reversed: int


@event("job.paused")
@dataclass(frozen=True)
class JobPaused(Event):
    """Nothing more of this job is begun until somebody lets it go on."""

    subject: str


@event("job.resumed")
@dataclass(frozen=True)
class JobResumed(Event):
    """A paused job goes on."""

    subject: str


@event("job.retried")
@dataclass(frozen=True)
class JobRetried(Event):
    """So many tasks of the job that had failed are tried again."""

    subject: str
    tasks: int


@event("job.prioritised")
@dataclass(frozen=True)
class JobPrioritised(Event):
    """What is open of the job comes sooner or later than before."""

    subject: str
    priority: str


@event("flow.paused")
@dataclass(frozen=True)
class FlowPaused(Event):
    """No new work is claimed until somebody resumes, or until the given time."""

    subject: str
    reason: str
    until: str | None = None


@event("flow.resumed")
@dataclass(frozen=True)
class FlowResumed(Event):
    """Work is claimed again."""

    subject: str


# --- people ------------------------------------------------------------------------------------
# Names are not told here: an event stays for ever, and a family may want a name forgotten.


@event("people.grouped")
@dataclass(frozen=True)
class PeopleGrouped(Event):
    """Faces of this owner came to other people than before, by themselves."""

    subject: str
    faces: int


@event("person.named")
@dataclass(frozen=True)
class PersonNamed(Event):
    """Somebody got a name, or another one."""

    subject: str


@event("people.merged")
@dataclass(frozen=True)
class PeopleMerged(Event):
    """`other` is the same person and is gone; all faces are the subject's now."""

    subject: str
    other: str


@event("faces.moved")
@dataclass(frozen=True)
class FacesMoved(Event):
    """A person said whose these faces are; None: not his they were given to."""

    subject: str
    faces: tuple[str, ...]
    to: str | None


@event("people.told-apart")
@dataclass(frozen=True)
class PeopleToldApart(Event):
    """A person said that these are two."""

    subject: str
    other: str


@event("person.hidden")
@dataclass(frozen=True)
class PersonHidden(Event):
    """Somebody is not shown any more, or again."""

    subject: str
    is_hidden: bool


@event("person.cover-chosen")
@dataclass(frozen=True)
class CoverChosen(Event):
    """A person chose the face that somebody is shown by."""

    subject: str
    face: str


@event("person.consented")
@dataclass(frozen=True)
class PersonConsented(Event):
    """Somebody said whether they may be recognised; with "no" their embeddings are gone."""

    subject: str
    consent: str


@event("people.undone")
@dataclass(frozen=True)
class PeopleUndone(Event):
    """A decision about people was taken back; the subject is its id."""

    subject: str
    action: str


@event("recognition.on")
@dataclass(frozen=True)
class RecognitionTurnedOn(Event):
    """The household lets faces be recognised."""

    subject: str


@event("recognition.off")
@dataclass(frozen=True)
class RecognitionTurnedOff(Event):
    """The household lets no faces be recognised; so many embeddings were erased."""

    subject: str
    erased: int


# --- sharing -----------------------------------------------------------------------------------
# Titles and comments are not told here, for the same reason as names of people.


@event("album.made")
@dataclass(frozen=True)
class AlbumMade(Event):
    """Somebody has a new album."""

    subject: str


@event("album.changed")
@dataclass(frozen=True)
class AlbumChanged(Event):
    """An album has another title, description or cover."""

    subject: str


@event("album.deleted")
@dataclass(frozen=True)
class AlbumDeleted(Event):
    """An album is gone; its files stay where they are."""

    subject: str


@event("album.files-added")
@dataclass(frozen=True)
class AlbumFilesAdded(Event):
    """So many files came into an album."""

    subject: str
    files: int


@event("album.files-removed")
@dataclass(frozen=True)
class AlbumFilesRemoved(Event):
    """So many files left an album."""

    subject: str
    files: int


@event("album.commented")
@dataclass(frozen=True)
class AlbumCommented(Event):
    """Somebody wrote about an album or a file in it; `file` None: about all of it."""

    subject: str
    comment: str
    file: str | None


@event("album.uncommented")
@dataclass(frozen=True)
class AlbumUncommented(Event):
    """A comment was taken back."""

    subject: str
    comment: str


@event("album.favourite")
@dataclass(frozen=True)
class AlbumFavourite(Event):
    """Somebody marked a file of an album as a favourite, or no longer."""

    subject: str
    file: str
    is_favourite: bool


@event("team.made")
@dataclass(frozen=True)
class TeamMade(Event):
    """There is a new team."""

    subject: str


@event("team.changed")
@dataclass(frozen=True)
class TeamChanged(Event):
    """A team has another name."""

    subject: str


@event("team.deleted")
@dataclass(frozen=True)
class TeamDeleted(Event):
    """A team is gone, and all that was granted to it."""

    subject: str


@event("team.joined")
@dataclass(frozen=True)
class TeamJoined(Event):
    """Somebody is in a team."""

    subject: str
    user: str


@event("team.left")
@dataclass(frozen=True)
class TeamLeft(Event):
    """Somebody is no longer in a team."""

    subject: str
    user: str


@event("access.granted")
@dataclass(frozen=True)
class AccessGranted(Event):
    """A person or a team may see, or do, what they could not; the subject is what was lent."""

    subject: str
    resource_type: str
    permission: str
    user: str | None
    team: str | None


@event("access.revoked")
@dataclass(frozen=True)
class AccessRevoked(Event):
    """What was lent to a person or a team is theirs no longer."""

    subject: str
    resource_type: str
    user: str | None
    team: str | None


@event("share.made")
@dataclass(frozen=True)
class ShareMade(Event):
    """There is a new link."""

    subject: str


@event("share.changed")
@dataclass(frozen=True)
class ShareChanged(Event):
    """A link has other conditions, or another address."""

    subject: str


@event("share.revoked")
@dataclass(frozen=True)
class ShareRevoked(Event):
    """A link leads nowhere any more."""

    subject: str


@event("share.viewed")
@dataclass(frozen=True)
class ShareViewed(Event):
    """Somebody opened a link; `views` counts all times so far."""

    subject: str
    views: int


@event("quota.set")
@dataclass(frozen=True)
class QuotaSet(Event):
    """A user may keep more, or less, than before; the subject is the user."""

    subject: str


@event("quota.warned")
@dataclass(frozen=True)
class QuotaWarned(Event):
    """A user passed the soft limit; what is uploaded is still taken."""

    subject: str


# --- accounts ----------------------------------------------------------------------------------
# No names and no addresses either: an event stays for ever.


@event("user.added")
@dataclass(frozen=True)
class UserAdded(Event):
    """Somebody has an account."""

    subject: str
    role: str


@event("user.changed")
@dataclass(frozen=True)
class UserChanged(Event):
    """An account is called otherwise, has another role, or was disabled or enabled."""

    subject: str
    role: str
    is_active: bool


@event("user.removed")
@dataclass(frozen=True)
class UserRemoved(Event):
    """An account is gone."""

    subject: str


@event("password.changed")
@dataclass(frozen=True)
class PasswordChanged(Event):
    """An account has another password, or its first; the subject is the user."""

    subject: str


@event("second-factor.on")
@dataclass(frozen=True)
class SecondFactorTurnedOn(Event):
    """A code is asked for at every sign-in with a password; the subject is the user."""

    subject: str


@event("second-factor.off")
@dataclass(frozen=True)
class SecondFactorTurnedOff(Event):
    """No code is asked for any more; the subject is the user."""

    subject: str


@event("second-factor.recovered")
@dataclass(frozen=True)
class RecoveryCodeUsed(Event):
    """Somebody signed in with a recovery code; so many are left."""

    subject: str
    left: int


@event("identity.linked")
@dataclass(frozen=True)
class IdentityLinked(Event):
    """A login provider opens an account from now on; the subject is the user."""

    subject: str
    issuer: str


@event("identity.unlinked")
@dataclass(frozen=True)
class IdentityUnlinked(Event):
    """A login provider opens an account no more; the subject is the user."""

    subject: str
    issuer: str


@event("session.started")
@dataclass(frozen=True)
class SessionStarted(Event):
    """Somebody signed in."""

    subject: str
    user: str
    method: str


@event("session.ended")
@dataclass(frozen=True)
class SessionEnded(Event):
    """A session is over, and why."""

    subject: str
    user: str
    why: str


@event("key.made")
@dataclass(frozen=True)
class KeyMade(Event):
    """An API key was made."""

    subject: str
    user: str
    scopes: tuple[str, ...]


@event("key.revoked")
@dataclass(frozen=True)
class KeyRevoked(Event):
    """An API key is worth nothing any more."""

    subject: str
    user: str


@event("signing-key.made")
@dataclass(frozen=True)
class SigningKeyMade(Event):
    """Access tokens are signed with another key; the subject is its id."""

    subject: str


@event("setting.changed")
@dataclass(frozen=True)
class SettingChanged(Event):
    """A setting was stored, or is the default again; it counts from the next start on."""

    subject: str


# --- storage and state -------------------------------------------------------------------------


@event("root.chosen")
@dataclass(frozen=True)
class RootChosen(Event):
    """A person wants this folder watched, or watched otherwise."""

    subject: str
    path: str
    kind: str
    take: str


@event("root.left")
@dataclass(frozen=True)
class RootLeft(Event):
    """A person wants this folder watched no more; nothing in it was touched."""

    subject: str
    path: str


@event("root.offline")
@dataclass(frozen=True)
class RootOffline(Event):
    """A root is absent, empty where it was not, or another disk."""

    subject: str
    reason: str


@event("root.online")
@dataclass(frozen=True)
class RootOnline(Event):
    """A root is back."""

    subject: str


@event("root.asking")
@dataclass(frozen=True)
class RootAsking(Event):
    """Too many files vanished at once; nothing changes until a person confirms."""

    subject: str
    missing: int
    known: int


@event("storage.full")
@dataclass(frozen=True)
class StorageBecameFull(Event):
    """A disk is nearly full; work waits."""

    subject: str
    free_bytes: int


@event("storage.freed")
@dataclass(frozen=True)
class StorageFreed(Event):
    """There is room again; work goes on."""

    subject: str


@event("state.restored")
@dataclass(frozen=True)
class StateRestored(Event):
    """The state was damaged, set aside and rebuilt from a snapshot and the library."""

    subject: str
    reason: str
