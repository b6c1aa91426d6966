"""What can be done, in words, and which role may do it.

A right is named like a scope of an API key, because it is one: a key may only narrow what its
owner's role allows. Whose things an actor may touch is another question, answered by `reach`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipeline.errors import NotAllowed
from pipeline.model import Actor


class Right(StrEnum):
    """One thing that can be allowed; `x.read` looks, `x.write` changes."""

    FILES_READ = "files.read"
    FILES_WRITE = "files.write"  # metadata, tags, move, rename, copy, convert
    FILES_ADD = "files.add"
    FILES_TRASH = "files.trash"
    FILES_PURGE = "files.purge"  # the only right to delete for good
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    ALBUMS_READ = "albums.read"
    ALBUMS_COMMENT = "albums.comment"  # comments and favourites, where one may look
    ALBUMS_WRITE = "albums.write"
    SHARES_WRITE = "shares.write"
    JOBS_READ = "jobs.read"
    JOBS_WRITE = "jobs.write"
    EVENTS_READ = "events.read"
    STATUS_READ = "status.read"
    RULES_READ = "rules.read"
    RULES_WRITE = "rules.write"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    ROOTS_WRITE = "roots.write"
    USERS_READ = "users.read"
    USERS_WRITE = "users.write"
    AUDIT_READ = "audit.read"
    ACCOUNT_READ = "account.read"  # one's own sessions, keys and profile
    ACCOUNT_WRITE = "account.write"


_GUEST = frozenset(
    {
        Right.FILES_READ,
        Right.ALBUMS_READ,
        Right.ALBUMS_COMMENT,
        Right.ACCOUNT_READ,
        Right.ACCOUNT_WRITE,
    }
)
_VIEWER = _GUEST | {Right.PEOPLE_READ, Right.JOBS_READ, Right.EVENTS_READ, Right.STATUS_READ}
_EDITOR = _VIEWER | {
    Right.FILES_WRITE,
    Right.FILES_ADD,
    Right.FILES_TRASH,
    Right.PEOPLE_WRITE,
    Right.ALBUMS_WRITE,
    Right.SHARES_WRITE,
    Right.JOBS_WRITE,
    Right.RULES_READ,
}
_ADMIN = frozenset(Right)

ROLE_RIGHTS: Mapping[str, frozenset[Right]] = {
    "owner": _ADMIN,
    "admin": _ADMIN,
    "editor": _EDITOR,
    "viewer": _VIEWER,
    "guest": _GUEST,
}


def allows(actor: Actor, right: Right) -> bool:
    """Whether the actor's role has this right and its key, if it came with one, names it."""
    if right not in ROLE_RIGHTS.get(actor.role, frozenset()):
        return False
    return actor.scopes is None or right in actor.scopes


def require(actor: Actor, right: Right) -> None:
    """Raises `NotAllowed`, naming the right that is missing and who could give it."""
    if allows(actor, right):
        return
    if right in ROLE_RIGHTS.get(actor.role, frozenset()):
        raise NotAllowed(
            f"This key does not have the scope {right}.", hint="Make a key that has it."
        )
    raise NotAllowed(
        f"The role {actor.role} may not do this: it needs the right {right}.",
        hint="Ask an administrator of this Darkroom.",
    )
