"""The security headers of every answer (RELIABILITY: only our own scripts, no frames, no sniffing).

Media that people sent is served under a stricter policy, set by who serves it; what an answer has
already said is left as it is.
"""

from __future__ import annotations

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


def secure(response: ResponseTypes, request: Request) -> None:
    """Add what the answer does not say yet."""
    said = {name.lower() for name, _ in response.headers}
    wanted = _OVER_TLS if request.scheme == "https" else _ALWAYS
    for name, value in wanted:
        if name.lower() not in said:
            response.headers.add(name, value)
