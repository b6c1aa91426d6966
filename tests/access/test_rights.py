"""The one check: roles, scopes, and what a refusal says."""

from __future__ import annotations

import itertools

import pytest

from pipeline.access.rights import ROLE_RIGHTS, Right, allows, require
from pipeline.errors import NotAllowed
from pipeline.model import Actor, Surface


def _actor(role: str, *scopes: str) -> Actor:
    return Actor("u", role, Surface.WEB, scopes=frozenset(scopes) or None)


def test_each_role_may_all_that_the_next_lower_one_may() -> None:
    """Nobody loses a right by being promoted."""
    order = [ROLE_RIGHTS[role] for role in ("guest", "viewer", "editor", "admin", "owner")]
    assert all(low <= high for low, high in itertools.pairwise(order))


def test_a_key_narrows_and_never_widens() -> None:
    """A scope that the role does not have is of no use."""
    assert allows(_actor("editor", "files.read"), Right.FILES_READ)
    assert not allows(_actor("editor", "files.read"), Right.FILES_WRITE)
    assert not allows(_actor("viewer", "files.write"), Right.FILES_WRITE)


def test_an_unknown_role_may_nothing() -> None:
    """Deny by default."""
    assert not any(allows(_actor("visitor"), right) for right in Right)


def test_a_refusal_names_the_missing_right() -> None:
    """Who is refused learns which scope or right would do."""
    with pytest.raises(NotAllowed, match=r"scope files\.trash"):
        require(_actor("editor", "files.read"), Right.FILES_TRASH)
    with pytest.raises(NotAllowed, match=r"role viewer.*users\.write"):
        require(_actor("viewer"), Right.USERS_WRITE)
