"""The security headers of every answer (RELIABILITY: only our own scripts, no frames, no sniffing).

Media that people sent is served under a stricter policy, set by who serves it; what an answer has
already said is left as it is.
"""

from __future__ import annotations

from functools import cache

from quart import Request
from quart.typing import ResponseTypes

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self';"
    " object-src 'none';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
MEDIA_POLICY = "sandbox; default-src 'none'"
_ALWAYS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()"),
)
_OVER_TLS = (*_ALWAYS, ("Strict-Transport-Security", "max-age=31536000"))


def secure(response: ResponseTypes, request: Request, media_from: str = "") -> None:
    """Add what the answer does not say yet. `media_from`: another place of pictures and films."""
    said = {name.lower() for name, _ in response.headers}
    for name, value in _wanted(request.scheme == "https", media_from):
        if name.lower() not in said:
            response.headers.add(name, value)


@cache
def _wanted(is_tls: bool, media_from: str) -> tuple[tuple[str, str], ...]:
    plain = dict(_OVER_TLS if is_tls else _ALWAYS)
    if media_from:
        policy = plain["Content-Security-Policy"]
        for media in ("img-src 'self' blob:", "media-src 'self' blob:"):
            policy = policy.replace(media, f"{media} {media_from}")
        plain["Content-Security-Policy"] = policy
    return tuple(plain.items())
