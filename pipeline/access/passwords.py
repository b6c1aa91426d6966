"""Passwords: what is a good one, and Argon2id.

Both functions that hash take a fifth of a second of CPU and 64 MiB: they are for threads, a few at
a time (see `Door.hashing`). Where there is no hash, as much is done in vain, so that nobody learns
from the time whether a name exists.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING

from pipeline.errors import Invalid

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB = 64 << 10  # RFC 9106, section 4: the second recommended option
PASSES = 3
LONGEST = 1024
_COMMON = (
    "password", "passwort", "motdepasse", "contrasena", "qwertz", "qwerty", "azerty", "iloveyou",
    "welcome", "willkommen", "letmein", "admin", "administrator", "darkroom", "monkey", "dragon",
    "football", "baseball", "sunshine", "princess", "trustno", "changeme", "secret", "master",
    "superman", "batman", "hello", "photos", "family", "familie", "default", "login", "abc",
)  # fmt: skip
_ROWS = ("0123456789", "9876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop")
_MOST_DECORATION = 6  # characters that make a known word no better


def check(password: str, username: str, shortest: int) -> None:
    """Raises `Invalid`, saying why, for a password that would be guessed soon."""
    if len(password) < shortest:
        raise Invalid(
            f"The password is too short: {shortest} characters are the least.",
            hint="Four words that do not belong together are good and easy to remember.",
        )
    if len(password) > LONGEST:
        raise Invalid(f"The password is too long: {LONGEST} characters are the most.")
    if _is_guessable(_plain(password), _plain(username)):
        raise Invalid(
            "This password is among the first that anybody would try.",
            hint="Four words that do not belong together are good and easy to remember.",
        )


def hashed(password: str) -> str:
    """The Argon2id hash of a password, with its salt and cost."""
    return _hasher(MEMORY_KIB, PASSES).hash(_plain(password))


def matches(known: str | None, password: str) -> bool:
    """Whether this is the password. `known` None (no such user, no password): False, as slowly."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    in_vain = _of_nobody(MEMORY_KIB, PASSES)
    try:
        is_right = _hasher(MEMORY_KIB, PASSES).verify(known or in_vain, _plain(password[:LONGEST]))
    except (Argon2Error, InvalidHashError):
        return False
    return is_right and known is not None


def is_outdated(known: str) -> bool:
    """Whether a hash was made with another cost than what is right today."""
    return _hasher(MEMORY_KIB, PASSES).check_needs_rehash(known)


def _plain(password: str) -> str:
    """The same text however a keyboard composes it."""
    return unicodedata.normalize("NFKC", password)


def _is_guessable(password: str, username: str) -> bool:
    bare = password.casefold()
    if len(set(bare)) < 4 or any(bare in row * 3 for row in _ROWS):
        return True
    known = (*_COMMON, username.casefold()) if username else _COMMON
    return any(word in bare and len(bare) - len(word) <= _MOST_DECORATION for word in known)


@functools.lru_cache(maxsize=4)
def _hasher(memory_kib: int, passes: int) -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)


@functools.lru_cache(maxsize=4)
def _of_nobody(memory_kib: int, passes: int) -> str:
    return _hasher(memory_kib, passes).hash("nobody has this password")
