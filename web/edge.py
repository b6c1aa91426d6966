"""A cache before us (`web.cdn_url`): media addresses leave signed, and come back through it.

Pages and resources write the plain addresses of media, always. Where there is a cache, those with a
version are turned here, on their way out, into signed addresses below it: whichever page or answer
wrote them. A signed address opens the one thing it names, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from quart import Request

from pipeline.access.addresses import Signer
from pipeline.core import Core
from pipeline.errors import DarkroomError
from pipeline.service import edge, shares
from pipeline.service.edge import Admission
from web.contract import API, Asked
from web.cookies import pass_of

_PLAIN = re.compile(
    rb'(?<=")(?:/api/v2|/s/[A-Za-z0-9_-]+)/files/([0-9A-Za-z_-]{1,64})'
    rb'/(derivatives/[a-z-]{1,32}|content)\?v=([0-9a-f]{12})(?=")'
)
CROSS_ORIGIN = {"Cross-Origin-Resource-Policy": "cross-origin"}  # pages of ours may show it


def is_signed(request: Request) -> bool:
    """Whether an address brings its own proof; it counts in place of all credentials then."""
    return b"&sig=" in request.query_string


async def admitted(core: Core, request: Request, file_id: str) -> Admission:
    """Whom the signed address of a request lets in. Raises `NotFound`."""
    query = request.query_string.decode("ascii", "replace")
    return await edge.admit(core, request.path, query, file_id)


def cached(admission: Admission, now: float) -> Mapping[str, str]:
    """The headers by which caches may keep an answer, for as long as its address is good."""
    left = max(0, int(admission.until - now))
    told = f"public, max-age={left}"
    return {
        **CROSS_ORIGIN,
        "Cache-Control": f"{told}, immutable",
        "CDN-Cache-Control": told,  # RFC 9213
        "Surrogate-Control": f"max-age={left}",
    }


def mark(asked: Asked) -> str:
    """What versions of answers are marked with: addresses in them change with the window."""
    web = asked.core.settings.web
    if not web.cdn_url:
        return ""
    return f".{int(asked.core.clock.now().timestamp()) // (web.media_hours * 3600)}"


async def outward(asked: Asked, body: bytes, *, is_html: bool = False) -> bytes:
    """The answer as it leaves: with its media addresses signed, where there is a cache."""
    base = asked.core.settings.web.cdn_url.rstrip("/")
    if not base or _PLAIN.search(body) is None:
        return body
    try:
        signer = await _signer(asked)
    except DarkroomError:
        return body  # whoever may not look gets no address that lets them
    return _PLAIN.sub(lambda found: _signed(signer, base, found, is_html=is_html), body)


def _signed(signer: Signer, base: str, found: re.Match[bytes], *, is_html: bool) -> bytes:
    file_id, variant, version = (part.decode() for part in found.groups())
    address = base + signer.sign(f"{API}/files/{file_id}/{variant}", version)
    return (address.replace("&", "&amp;") if is_html else address).encode()


async def _signer(asked: Asked) -> Signer:
    path = asked.request.path.split("/")
    if path[1] != "s":
        return await edge.signer_for(asked.actor, asked.core)
    shown = pass_of(asked.request, path[2])
    inside = await shares.inside(asked.core, path[2], shown)
    return await edge.signer_for_link(asked.core, inside.share)
