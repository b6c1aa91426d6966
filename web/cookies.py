"""Cookies of sessions, and of links: never for scripts, never from another site."""

from __future__ import annotations

from quart import Request

from pipeline.access import opaque
from pipeline.core import Core
from web.gate import cookie_name, is_secure


def session_cookie(core: Core, request: Request, token: str) -> str:
    """The `Set-Cookie` header that signs a browser in."""
    lifetime = core.settings.accounts.session_days * 24 * 3600
    return _cookie(core, request, token, lifetime)


def cleared(core: Core, request: Request) -> str:
    """The `Set-Cookie` header that takes the session's cookie away."""
    return _cookie(core, request, "", 0)


def pass_of(request: Request, token: str) -> str:
    """The pass for this link that the browser shows; "" is none, and good for nothing."""
    return request.cookies.get(pass_name(token)) or ""


def pass_name(token: str) -> str:
    """A name for each link, so that several can be open in one browser."""
    return f"darkroom-link-{opaque.digest(token).hex()[:12]}"


def _cookie(core: Core, request: Request, value: str, lifetime_s: int) -> str:
    secure = "; Secure" if is_secure(core, request) else ""
    name = cookie_name(core, request)
    return f"{name}={value}; Path=/; Max-Age={lifetime_s}; HttpOnly; SameSite=Lax{secure}"
