"""Secrets that say nothing: 256 random bits behind a prefix that says what they are for.

Only their SHA-256 is stored. They need no slow hash: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import re
import secrets

SESSION = "ds_"  # a browser's cookie
REFRESH = "dr_"
KEY = "dk_"
LINK = "dl_"  # whatever works once
_LENGTH = 43  # of 32 bytes in base64url
_SHAPE = re.compile(r"d[srkl]_[A-Za-z0-9_-]{43}")


def make(prefix: str) -> str:
    """A new secret."""
    return prefix + secrets.token_urlsafe(32)


def has_shape(told: str, prefix: str) -> bool:
    """Whether `told` could be such a secret: what could not is not looked up."""
    return told.startswith(prefix) and _SHAPE.fullmatch(told) is not None


def digest(secret: str) -> bytes:
    """What is stored of a secret, and what it is found by."""
    return hashlib.sha256(secret.encode()).digest()


def hint(secret: str) -> str:
    """How a secret begins, for a person to know it by: a tenth of it, and worth nothing."""
    return secret[: len(KEY) + 4]
