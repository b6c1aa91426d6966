"""The second factor: codes of six digits by time (RFC 6238), and what replaces a lost device."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime

STEP_S = 30
DRIFT = 1  # steps that a telephone's clock may be off
RECOVERY_CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that looks like another
_GROUPS, _GROUP = 4, 4  # 79 bits


def new_secret() -> str:
    """A secret for an authenticator app, in base32."""
    import pyotp

    return pyotp.random_base32()


def address(secret: str, username: str, issuer: str = "Darkroom") -> str:
    """The `otpauth:` address that apps read from a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is; None for a wrong one. A step may be used only once."""
    import pyotp

    told = code.replace(" ", "")
    if len(told) != 6 or not (told.isascii() and told.isdigit()):
        return None
    app = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_S
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(app.generate_otp(step), told):
            return step
    return None


def new_codes() -> tuple[str, ...]:
    """Recovery codes such as "k3m8-w2xn-9qfd-t7ya": shown once, each works once."""
    return tuple("-".join(_groups()) for _ in range(RECOVERY_CODES))


def code_digest(code: str) -> bytes:
    """What is stored of a recovery code, however it was typed."""
    plain = "".join(letter for letter in code.casefold() if letter.isalnum())
    return hashlib.sha256(plain.encode()).digest()


def _groups() -> Iterator[str]:
    for _ in range(_GROUPS):
        yield "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))
