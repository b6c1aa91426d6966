"""Access tokens: JSON Web Tokens that we alone sign and read.

The algorithm is fixed, never taken from a token; keys are known by `kid`, which is looked up among
ours and means nothing else; a header that says more than it must is refused. A token only says
which session it belongs to: what its user may is read from the state each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.errors import NotKnown

ALGORITHM = "HS256"
TYPE = "at+jwt"  # RFC 9068: a token for another purpose is none of these
ISSUER = "darkroom"
AUDIENCE = "darkroom-api"
LEEWAY_S = 30
_HEADER = {"alg", "kid", "typ"}
_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]
LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys by `kid`; `newest` is the one to sign with."""

    newest: str
    made_at: str
    secrets: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says that was found to be ours and in time."""

    user_id: str
    session_id: str
    expires_at: int  # Unix seconds


def new_secret() -> bytes:
    """A key to sign with."""
    return secrets.token_bytes(32)


def sign(keys: Keyring, user_id: str, session_id: str, now: datetime, lifetime_s: int) -> str:
    """A token that says: this is `user_id` in `session_id`, for so many seconds."""
    import jwt

    at = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "sid": session_id,
        "jti": secrets.token_urlsafe(12),
        "iat": at,
        "nbf": at,
        "exp": at + lifetime_s,
    }
    headers = {"kid": keys.newest, "typ": TYPE}
    return jwt.encode(claims, keys.secrets[keys.newest], algorithm=ALGORITHM, headers=headers)


def kid_of(token: str) -> str | None:
    """The key a token names, as far as its header is one of ours; nothing is proved by it."""
    import jwt

    if len(token) > LONGEST:
        return None
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        return None
    if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        return None
    return str(header["kid"])


def read(keys: Keyring, token: str, now: datetime) -> Claims:
    """What a token of ours says. Raises `NotKnown` for any other, and outside its time."""
    import jwt

    secret = keys.secrets.get(kid_of(token) or "")
    if secret is None:
        raise refusal()
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": _CLAIMS,
                "verify_exp": False,  # by our own clock, below
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError as error:
        raise refusal() from error
    if not _is_in_time(claims, now):
        raise refusal()
    return Claims(str(claims["sub"]), str(claims["sid"]), claims["exp"])


def refusal() -> NotKnown:
    """The one answer to every token that is no good."""
    return NotKnown(
        "This access token is not valid, or not any more.",
        hint="Get a new one with the refresh token, or sign in again.",
        challenge='Bearer realm="darkroom", error="invalid_token"',
    )


def _is_in_time(claims: Mapping[str, Any], now: datetime) -> bool:
    at = now.timestamp()
    times = [claims[name] for name in ("iat", "nbf", "exp")]
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in times):
        return False
    issued, begins, ends = times
    return bool(max(issued, begins) <= at + LEEWAY_S and at < ends + LEEWAY_S)
