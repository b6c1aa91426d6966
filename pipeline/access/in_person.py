"""What only a person who has signed in may do, and never a key.

A key narrows what its owner may; it must not be able to make a wider one, or a session.
"""

from __future__ import annotations

from pipeline.errors import NotAllowed
from pipeline.model import Actor

RANKS = ("guest", "viewer", "editor", "admin", "owner")
_HIGHEST_OF_A_KEY = RANKS.index("editor")


def require_in_person(actor: Actor) -> None:
    """Raises `NotAllowed` for an actor that came with a key."""
    if actor.scopes is not None:
        raise NotAllowed("A key cannot do this.", hint="Sign in with your password.")


def may_rule(actor: Actor, role: str) -> bool:
    """Whether the actor may give this role, or change somebody who has it: none above their own."""
    own = RANKS.index(actor.role) if actor.role in RANKS else -1
    highest = own if actor.scopes is None else min(own, _HIGHEST_OF_A_KEY)
    return role in RANKS and RANKS.index(role) <= highest
