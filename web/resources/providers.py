"""Signing in by a login provider: the way there and the way back."""

from __future__ import annotations

import hmac

from quart import Request, Response

from pipeline.access.rights import Right
from pipeline.core import Core
from pipeline.service import providers, sessions
from web.contract import Asked, Given, Resource
from web.cookies import session_cookie
from web.gate import caller_of, is_secure, recognised
from web.problems import Problem

RESOURCE = Resource("providers", "Signing in by a login provider (OpenID Connect).")
CALLBACK = "/auth/providers/callback"
_LIFETIME_S = 600
_LONGEST = 4096


class ProviderView(Given):
    """A provider as the sign-in page shows it."""

    name: str
    label: str
    address: str


class ProviderList(Given):
    """All of them."""

    items: list[ProviderView]


@RESOURCE.get("/auth/providers", right=None, gives=ProviderList)
async def listing(asked: Asked) -> ProviderList:
    """The providers one can sign in by."""
    found = providers.offered(asked.core)
    views = [
        ProviderView(name=one.name, label=one.label, address=f"/api/v2/auth/providers/{one.name}")
        for one in found
    ]
    return ProviderList(items=views)


@RESOURCE.get(
    "/auth/providers/<name>", right=None, is_raw=True, status=302, rate="login", errors=(502,)
)
async def begin(asked: Asked, name: str) -> Response:
    """Go and sign in there; `?back=/page` is where to return to."""
    back = asked.request.args.get("back", "/")
    begun = await providers.begin(asked.core, name, _return_address(asked), back)
    return _sent(asked, begun)


@RESOURCE.get(
    "/account/identities/<name>/link",
    right=Right.ACCOUNT_WRITE,
    is_raw=True,
    status=302,
    rate="login",
    errors=(502,),
)
async def link(asked: Asked, name: str) -> Response:
    """Go and sign in there, so that this provider opens one's account from now on."""
    if asked.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "Begin this on your account's own page.")
    begun = await providers.begin(
        asked.core, name, _return_address(asked), "/account", link_to=asked.actor
    )
    return _sent(asked, begun)


@RESOURCE.get(CALLBACK, right=None, is_raw=True, status=303, rate="login", errors=(404, 502))
async def callback(asked: Asked) -> Response:
    """Where the provider sends the browser back to: signs it in."""
    core, request = asked.core, asked.request
    told = {name: request.args.get(name, "")[:_LONGEST] for name in ("state", "code", "error")}
    kept = request.cookies.get(_cookie_name(core, request), "")
    if not told["state"] or not hmac.compare_digest(told["state"].encode(), kept.encode()):
        raise Problem(401, "This sign-in was not begun in this browser. Begin again.", "not-known")
    if told["error"] or not told["code"]:
        raise Problem(401, "The login provider did not let you in. Begin again.", "not-known")
    caller = caller_of(core, request)
    finished = await providers.finish(
        core, told["state"], told["code"], caller, issuer=request.args.get("iss")
    )
    before = await recognised(core, request)
    if before is not None:
        await sessions.sign_out(core, before, "replaced")
    started = await sessions.start(core, finished.proven, caller)
    response = Response(b"", 303, {"Location": finished.back, "Cache-Control": "no-store"})
    response.headers.add("Set-Cookie", session_cookie(core, request, started.token))
    response.headers.add("Set-Cookie", _state_cookie(core, request, "", 0))
    return response


def _sent(asked: Asked, begun: providers.Begun) -> Response:
    headers = {"Location": begun.address, "Cache-Control": "no-store"}
    response = Response(b"", 302, headers)
    cookie = _state_cookie(asked.core, asked.request, begun.state, _LIFETIME_S)
    response.headers.add("Set-Cookie", cookie)
    return response


def _return_address(asked: Asked) -> str:
    """As it is registered at the provider: on the public address, where one is set."""
    public = asked.core.settings.web.public_url.rstrip("/")
    scheme = "https" if is_secure(asked.core, asked.request) else "http"
    return f"{public or f'{scheme}://{asked.request.host}'}/api/v2{CALLBACK}"


def _cookie_name(core: Core, request: Request) -> str:
    return "__Host-darkroom-state" if is_secure(core, request) else "darkroom-state"


def _state_cookie(core: Core, request: Request, value: str, lifetime_s: int) -> str:
    secure = "; Secure" if is_secure(core, request) else ""
    name = _cookie_name(core, request)
    return f"{name}={value}; Path=/; Max-Age={lifetime_s}; HttpOnly; SameSite=Lax{secure}"
