"""How a request becomes an actor: who asks, from where, and whether a page elsewhere made them ask.

An `Authorization` or `X-API-Key` header counts before a cookie; one that is no good is refused, and
nothing else is tried. Whoever sends a cookie must come from our own pages: a browser sends it
whoever made the link. Headers of a proxy are believed from `web.trusted_proxies` alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from quart import Request, Websocket
from werkzeug.datastructures import Headers

from pipeline.access.door import Caller, Recognised
from pipeline.core import Core
from pipeline.errors import NotAllowed, NotKnown
from pipeline.model import Actor
from pipeline.service import authenticating
from pipeline.service.authenticating import Credentials

SECURE_COOKIE = "__Host-darkroom"  # browsers take it over TLS only, for this host alone
PLAIN_COOKIE = "darkroom"  # inside the house, where there is no TLS
_LOOKS_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_SECRET = 4096

Asking = Request | Websocket


@dataclass(frozen=True, slots=True)
class AccountGate:
    """The gate of an open home; see `web.contract.Gate`."""

    core: Core

    async def actor_of(self, request: Asking) -> Actor | None:
        """Who asks; None: nobody. Raises `NotKnown` and, for forged requests, `NotAllowed`."""
        found = await recognised(self.core, request)
        return None if found is None else found.actor


async def recognised(core: Core, request: Asking) -> Recognised | None:
    """Who asks and by what session or key; cheap to ask again, and true at every moment."""
    shown = credentials_of(core, request)
    if cookie_of(core, request) is not None:
        refuse_forged(core, request)
    if shown is None:
        return None
    try:
        return await authenticating.recognise(core, shown, caller_of(core, request))
    except NotKnown:
        if shown.kind == "cookie":  # an old cookie is no mistake: the page asks to sign in
            return None
        raise


# --- what a request says -----------------------------------------------------------------------


def credentials_of(core: Core, request: Asking) -> Credentials | None:
    """What is shown; None: nothing. Raises `NotKnown` for a bearer without a token."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":  # any other is meant for the proxy before us
        if not secret or len(secret) > _LONGEST_SECRET:
            raise NotKnown("Send the credentials as: Authorization: Bearer TOKEN.")
        return Credentials("bearer", secret.strip())
    key = request.headers.get("X-API-Key")
    if key is not None:
        return Credentials("key", key[:_LONGEST_SECRET])
    cookie = cookie_of(core, request)
    return None if cookie is None else Credentials("cookie", cookie)


def cookie_of(core: Core, request: Asking) -> str | None:
    """The session's cookie. Over TLS only the one counts that nobody else can have set."""
    told = request.cookies.get(cookie_name(core, request))
    return told[:_LONGEST_SECRET] if told else None


def cookie_name(core: Core, request: Asking) -> str:
    """How the session's cookie is called on this connection."""
    return SECURE_COOKIE if is_secure(core, request) else PLAIN_COOKIE


def caller_of(core: Core, request: Asking) -> Caller:
    """Where a request comes from."""
    return Caller(address_of(core, request), request.headers.get("User-Agent", "")[:200])


def address_of(core: Core, request: Asking) -> str:
    """The address of who asks: behind trusted proxies the last one that none of them is."""
    nearest = request.remote_addr or ""
    if not _is_trusted(nearest, core.settings.web.trusted_proxies):
        return nearest
    hops = [hop.strip() for line in _all(request.headers, "X-Forwarded-For") for hop in line]
    for hop in reversed(hops):
        if not _is_trusted(hop, core.settings.web.trusted_proxies):
            return hop if _is_address(hop) else nearest
    return hops[0] if hops else nearest


def is_secure(core: Core, request: Asking) -> bool:
    """Whether the browser's own connection is encrypted."""
    if request.scheme in ("https", "wss"):
        return True
    if not _is_trusted(request.remote_addr or "", core.settings.web.trusted_proxies):
        return False
    return request.headers.get("X-Forwarded-Proto", "").split(",")[-1].strip() == "https"


# --- forged requests ---------------------------------------------------------------------------


def refuse_forged(core: Core, request: Asking) -> None:
    """Raises `NotAllowed` for what a page elsewhere makes a browser ask (CSRF).

    Looking is free; a socket and whatever changes something must come from our own pages.
    """
    if isinstance(request, Request) and request.method in _LOOKS_ONLY:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:  # an older browser
        site = "same-origin" if _is_own_origin(core, request) else "unknown"
    if site not in ("same-origin", "none"):
        raise NotAllowed(
            "This request does not come from a page of this Darkroom.",
            hint="Programs send a bearer token or an API key, and no cookie.",
        )


def _is_own_origin(core: Core, request: Asking) -> bool:
    origin = request.headers.get("Origin", "")
    public = core.settings.web.public_url.rstrip("/")
    scheme = "https" if is_secure(core, request) else "http"
    return bool(origin) and origin in (f"{scheme}://{request.host}", public)


# --- proxies -----------------------------------------------------------------------------------


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    if not trusted or not _is_address(address):
        return False
    found = ipaddress.ip_address(address)
    return any(found in ipaddress.ip_network(one, strict=False) for one in trusted)


def _is_address(told: str) -> bool:
    try:
        ipaddress.ip_address(told)
    except ValueError:
        return False
    return True


def _all(headers: Headers, name: str) -> list[list[str]]:
    return [line.split(",") for line in headers.getlist(name)]
