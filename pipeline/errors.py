"""Every failure Darkroom knows, as one tree. A caller needs to know only the branch.

DarkroomError                  a sentence a person understands, and a code for programs
├─ TryLater                    the world is not ready: wait `after_s`, then try again
│   ├─ StorageOffline          a disk or mount is not there
│   ├─ StorageFull             no room; resumes by itself when there is
│   ├─ RemoteDown              an outside service does not answer
│   ├─ Busy                    somebody else holds what we need
│   └─ RateLimited             asked too often; slowed, never locked out
├─ Refused                     asking again changes nothing; the person can act
│   ├─ NotFound                absent, or not visible to this actor (the two look the same)
│   ├─ NotKnown                nobody knows who asks: sign in, or sign in again
│   ├─ NotAllowed              the actor may not do this
│   ├─ Invalid                 the request or a setting makes no sense
│   ├─ Conflict                the thing changed meanwhile, or a name is taken
│   │   └─ Stale               it changed since the version that the caller has seen
│   └─ TooLarge                over a stated limit
├─ BadMedia                    this one file is the problem: flag or quarantine it, go on
│   ├─ NotMedia                not a kind of file we keep
│   ├─ TooBig                  more pixels, frames or bytes than we decode
│   ├─ DecodeFailed            the decoder gave up
│   └─ ChangedWhileRead        the file was written to while we read it
└─ Broken                      our bug or a damaged state: stop this part, raise the alarm
    └─ IntegrityBroken         bytes differ from what was recorded; originals stay untouched
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class DarkroomError(Exception):
    """Base of all expected failures.

    `message` says what happened and what is safe; `hint` says what to do next; `path` names the
    file or folder concerned. All three are safe to show to the person who asked.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, path: Path | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        where = f" ({self.path})" if self.path is not None else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.message}{where}{hint}"


class TryLater(DarkroomError):
    """Temporary: nothing is lost, the same call may succeed after `after_s` seconds."""

    code = "try-later"

    def __init__(
        self, message: str, *, path: Path | None = None, hint: str = "", after_s: float = 5.0
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.after_s = after_s


class StorageOffline(TryLater):
    """A root, disk or mount is absent or is not the one we know."""

    code = "storage-offline"


class StorageFull(TryLater):
    """A disk has no room left; work waits and resumes unaided."""

    code = "storage-full"


class RemoteDown(TryLater):
    """An outside service does not answer."""

    code = "remote-down"


class Busy(TryLater):
    """Somebody else holds what we need right now."""

    code = "busy"


class RateLimited(TryLater):
    """Asked too often: the same call is welcome after `after_s` seconds."""

    code = "rate-limited"


class Refused(DarkroomError):
    """Permanent for this request; the person can change something and ask anew."""

    code = "refused"


class NotFound(Refused):
    """Absent, or not visible to the actor; the two are told apart nowhere."""

    code = "not-found"


class NotKnown(Refused):
    """Who asks has not proved who they are; `challenge` says how to (RFC 9110, 11.6.1)."""

    code = "not-known"

    def __init__(self, message: str, *, hint: str = "", challenge: str = "Bearer") -> None:
        super().__init__(message, hint=hint)
        self.challenge = challenge


class NotAllowed(Refused):
    """The actor may see it but not do this to it."""

    code = "not-allowed"


class Invalid(Refused):
    """The request, template or setting makes no sense."""

    code = "invalid"


class Conflict(Refused):
    """The thing changed meanwhile, or the name is taken."""

    code = "conflict"


class Stale(Conflict):
    """It changed since the caller looked at it; nothing was overwritten."""

    code = "stale"


class TooLarge(Refused):
    """Over a stated limit."""

    code = "too-large"


class BadMedia(DarkroomError):
    """This one file is the problem; every other file goes on."""

    code = "bad-media"


class NotMedia(BadMedia):
    """Not a kind of file Darkroom keeps."""

    code = "not-media"


class TooBig(BadMedia):
    """More pixels, frames or bytes than we are willing to decode."""

    code = "too-big"


class DecodeFailed(BadMedia):
    """The decoder gave up on this file."""

    code = "decode-failed"


class ChangedWhileRead(BadMedia):
    """The file was written to while it was read; it is read again later."""

    code = "changed-while-read"


class Broken(DarkroomError):
    """Our own bug or a damaged state; the part that hit it stops and says so."""

    code = "broken"


class IntegrityBroken(Broken):
    """Bytes differ from what was recorded. Never mended over an original."""

    code = "integrity-broken"
