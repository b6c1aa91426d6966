"""Access tokens: what is not ours, not whole, or not of this moment is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.access import signed
from pipeline.access.signed import Keyring
from pipeline.errors import NotKnown

NOW = datetime(2024, 5, 17, 12, tzinfo=UTC)
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
KEYS = Keyring("new", "2024-05-01T00:00:00.000Z", {"new": NEW, "old": OLD})
LIFETIME_S = 900
Claims = dict[str, Any]


def _token() -> str:
    return signed.sign(KEYS, "user", "session", NOW, LIFETIME_S)


def _claims() -> Claims:
    return dict(jwt.decode(_token(), options={"verify_signature": False}))


def _made(claims: Claims | None = None, secret: Any = NEW, **headers: Any) -> str:
    told: Claims = {"kid": "new", "typ": signed.TYPE, **headers}
    algorithm = told.pop("alg", "HS256")
    return jwt.encode(claims or _claims(), secret, algorithm=algorithm, headers=told)


def _by_hand(header: Claims, claims: Claims, signature: str = "") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (header, claims)
    ]
    return b".".join(parts).decode() + f".{signature}"


def test_a_token_says_whose_session_it_is() -> None:
    """What was signed is read back, also by the key before the newest."""
    claims = signed.read(KEYS, _token(), NOW)
    assert (claims.user_id, claims.session_id) == ("user", "session")
    assert signed.read(KEYS, _made(secret=OLD, kid="old"), NOW).user_id == "user"


def _rsa() -> str:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _made(secret=pem, alg="RS256")


HEADER = {"alg": "HS256", "kid": "new", "typ": signed.TYPE}
ATTACKS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no token": lambda: "a.b.c",
    "too long": lambda: "a" * 10_000,
    "alg none": lambda: _by_hand({**HEADER, "alg": "none"}, _claims()),
    "alg None in capitals": lambda: _by_hand({**HEADER, "alg": "NoNe"}, _claims()),
    "no signature": lambda: _by_hand(HEADER, _claims()),
    "HS512 with our key": lambda: _made(secret=NEW * 2, alg="HS512"),
    "RS256": _rsa,
    "another key": lambda: _made(secret=hashlib.sha256(b"guess").digest()),
    "the empty key": lambda: _made(secret=bytes(32)),
    "the other kid": lambda: _made(kid="old"),
    "an unknown kid": lambda: _made(kid="newer"),
    "a kid that is a path": lambda: _made(secret=b"\0" * 32, kid="../../dev/zero"),
    "a kid that is a query": lambda: _made(kid="x' UNION SELECT 'k"),
    "a kid that is no text": lambda: _by_hand({**HEADER, "kid": ["new"]}, _claims(), "AAAA"),
    "no kid": lambda: _by_hand({"alg": "HS256", "typ": signed.TYPE}, _claims(), "AAAA"),
    "a key of its own": lambda: _made(jwk={"kty": "oct", "k": "AAAA"}),
    "a key elsewhere": lambda: _made(jku="https://evil.example/keys"),
    "a certificate elsewhere": lambda: _made(x5u="https://evil.example/x"),
    "a critical header": lambda: _made(crit=["exp"]),
    "another purpose": lambda: _made(typ="JWT"),
    "another audience": lambda: _made({**_claims(), "aud": "elsewhere"}),
    "another issuer": lambda: _made({**_claims(), "iss": "elsewhere"}),
    "expired": lambda: _made({**_claims(), "exp": int(NOW.timestamp()) - 31}),
    "not yet": lambda: _made({**_claims(), "nbf": int(NOW.timestamp()) + 31}),
    "made tomorrow": lambda: _made({**_claims(), "iat": int(NOW.timestamp()) + 86_400}),
    "for ever": lambda: _made({**_claims(), "exp": "never"}),
    "until true": lambda: _made({**_claims(), "exp": True}),
    **{
        f"no {name}": lambda name=name: _made({k: v for k, v in _claims().items() if k != name})
        for name in ("iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp")
    },
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_ours_is_refused(attack: str) -> None:
    """T61: every way to make, change or reuse a token that is not one of ours, 100 % refused."""
    with pytest.raises(NotKnown):
        signed.read(KEYS, ATTACKS[attack](), NOW)


def test_the_clock_decides_with_little_leeway() -> None:
    """A token ends half a minute after its time and not later."""
    token, end = _token(), NOW + timedelta(seconds=LIFETIME_S)
    assert signed.read(KEYS, token, end + timedelta(seconds=29))
    with pytest.raises(NotKnown):
        signed.read(KEYS, token, end + timedelta(seconds=30))


TOKEN = _token()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABCabc019-_.="))
def test_no_changed_letter_is_overlooked(at: int, letter: str) -> None:
    """T61: a token with one letter changed, or cut there, is refused unless it says the same."""
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    for told in (changed, TOKEN[:at]):
        if _bytes(told) == _bytes(TOKEN):
            continue  # the last letter of base64 has bits that mean nothing
        with pytest.raises(NotKnown):
            signed.read(KEYS, told, NOW)


def _bytes(token: str) -> list[bytes] | None:
    try:
        return [
            base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
        ]
    except ValueError:
        return None
