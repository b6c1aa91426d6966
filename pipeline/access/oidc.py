"""Signing in by another provider: OpenID Connect with the authorization code and PKCE.

What a provider says is believed only as far as it is proved: documents name the issuer we asked,
identity tokens are signed by its published keys with an algorithm of ours, are for us, in time, and
answer the very question that was asked (`nonce`). OpenID Connect Core 1.0, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.errors import NotKnown
from pipeline.model import Json, JsonObject

WELL_KNOWN = "/.well-known/openid-configuration"
LEEWAY_S = 60
LONGEST_TOKEN = 64 << 10
# By kind of key: what a provider's key may sign with. Never what needs a shared secret, or nothing.
_ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked for what."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """What one sign-in asks, to hold the answer against."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str


def endpoints(document: JsonObject, issuer: str) -> Endpoints:
    """What the provider's document says. Raises `NotKnown` when it is another issuer's, or cut."""
    told = document.get("issuer")
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    found = [document.get(name) for name in wanted]
    if told != issuer or not all(isinstance(one, str) and is_safe(one) for one in found):
        raise _unproved("its description is not that of the issuer in the settings")
    userinfo = document.get("userinfo_endpoint")
    is_usable = isinstance(userinfo, str) and is_safe(userinfo)
    authorization, token, keys = map(str, found)
    return Endpoints(issuer, authorization, token, keys, userinfo if is_usable else None)


def is_safe(address: str) -> bool:
    """Whether secrets may go there: over TLS, or not out of this machine."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")


def question(redirect_uri: str) -> Question:
    """A new one."""
    return Question(secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect_uri)


def address(
    where: Endpoints, client_id: str, scopes: Sequence[str], state: str, asked: Question
) -> str:
    """Where the browser is sent to sign in."""
    challenge = hashlib.sha256(asked.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": asked.redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "nonce": asked.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in where.authorization else "?"
    return f"{where.authorization}{joint}{urllib.parse.urlencode(query)}"


def exchange(code: str, client_id: str, asked: Question) -> dict[str, str]:
    """The form that turns a code into tokens."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect_uri,
        "client_id": client_id,
        "code_verifier": asked.verifier,
    }


def proved(
    token: object,
    keys: JsonObject,
    where: Endpoints,
    client_id: str,
    asked: Question,
    now: datetime,
) -> dict[str, Json]:
    """What an identity token says. Raises `NotKnown` unless all of it is proved."""
    import jwt

    if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
        raise _unproved("it sent no identity token")
    for key, algorithms in _candidates(token, keys):
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=list(algorithms),
                audience=client_id,
                issuer=where.issuer,
                options={
                    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                    "verify_exp": False,  # by our own clock, below
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            continue
        _check(claims, client_id, asked, now)
        return dict(claims)
    raise _unproved("its identity token is not signed as it should be")


def _candidates(token: str, keys: JsonObject) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The provider's keys that may have signed the token, and what each may sign with."""
    import jwt

    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        return
    listed = keys.get("keys")
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        algorithms = _ALGORITHMS.get(str(one.get("kty")), ())
        if not algorithms or (kid is not None and one.get("kid") not in (None, kid)):
            continue
        try:
            key = jwt.PyJWK.from_dict(one).key
        except jwt.PyJWTError:
            continue
        named = one.get("alg")
        yield key, algorithms if named is None else tuple({named} & set(algorithms))


def _check(claims: Mapping[str, Any], client_id: str, asked: Question, now: datetime) -> None:
    at = now.timestamp()
    times = [claims["iat"], claims["exp"], claims.get("nbf", 0)]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in times):
        raise _unproved("its identity token does not say when it was made")
    issued, ends, begins = times
    if not (max(issued, begins) <= at + LEEWAY_S and at < ends + LEEWAY_S):
        raise _unproved("its identity token is not of this moment: is a clock wrong?")
    nonce = claims["nonce"]
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise _unproved("its identity token answers another question")
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_shared else client_id) != client_id:
        raise _unproved("its identity token was made for somebody else")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise _unproved("it does not say who signed in")


def _unproved(why: str) -> NotKnown:
    return NotKnown(
        f"The login provider could not be believed: {why}.",
        hint="Nothing was changed; tell who runs this Darkroom.",
    )
