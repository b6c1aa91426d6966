"""The few forms that browsers send as such, so that signing in works without scripts.

Each answers with the way to the next page, and does nothing that the API could not do.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from quart import Response

from pipeline.errors import DarkroomError
from pipeline.service import links, sessions, signing_in
from pipeline.service.signing_in import Challenge, Proven
from web.contract import Asked, Resource
from web.cookies import cleared, session_cookie
from web.gate import caller_of, recognised, refuse_forged

RESOURCE = Resource("forms", "What browsers send without scripts.")
_FORM = ("text/html",)


@RESOURCE.post(
    "/login",
    right=None,
    is_rooted=True,
    is_raw=True,
    is_form=True,
    rate="login",
    status=303,
    media_types=_FORM,
)
async def sign_in(asked: Asked) -> Response:
    """Sign a browser in and go on to where it wanted to go."""
    refuse_forged(asked.core, asked.request)
    form = await asked.request.form
    following = _ours(form.get("next", "/"))
    caller = caller_of(asked.core, asked.request)
    try:
        found = await signing_in.with_password(
            asked.core, form.get("username", ""), form.get("password", ""), caller
        )
        if isinstance(found, Challenge):
            found = await signing_in.finish(asked.core, found.ticket, form.get("code", ""), caller)
    except DarkroomError:
        return _onward(f"/login?failed&next={quote(following)}")
    return await _signed_in(asked, found, following)


@RESOURCE.post(
    "/logout", right=None, is_rooted=True, is_raw=True, is_form=True, status=303, media_types=_FORM
)
async def sign_out(asked: Asked) -> Response:
    """End the session of this browser."""
    who = await recognised(asked.core, asked.request)
    if who is not None:
        await sessions.sign_out(asked.core, who)
    return _onward("/login", cleared(asked.core, asked.request))


@RESOURCE.post(
    "/welcome",
    right=None,
    is_rooted=True,
    is_raw=True,
    is_form=True,
    rate="login",
    status=303,
    media_types=_FORM,
)
async def use_link(asked: Asked) -> Response:
    """Set a password by a link, which is used up, and sign this browser in."""
    refuse_forged(asked.core, asked.request)
    form = await asked.request.form
    caller = caller_of(asked.core, asked.request)
    try:
        found = await links.redeem(
            asked.core,
            form.get("token", ""),
            form.get("password", ""),
            caller,
            username=form.get("username") or None,
        )
    except DarkroomError as error:
        return _onward(f"/welcome?problem={quote(str(error))}")
    if isinstance(found, Challenge):  # the password is set; the code is asked for at the door
        return _onward("/login")
    return await _signed_in(asked, found, "/")


async def _signed_in(asked: Asked, proven: Proven, following: str) -> Response:
    caller = caller_of(asked.core, asked.request)
    started = await sessions.start(asked.core, proven, caller)
    return _onward(following, session_cookie(asked.core, asked.request, started.token))


def _onward(where: str, cookie: str | None = None) -> Response:
    headers = {"Location": where, "Cache-Control": "no-store"}
    if cookie is not None:
        headers["Set-Cookie"] = cookie
    return Response(b"", 303, headers)


def _ours(where: str) -> str:
    """A path of ours; what leads elsewhere leads to the library instead."""
    parts = urlsplit(where)
    is_ours = not parts.scheme and not parts.netloc and where.startswith("/")
    return where if is_ours and not where.startswith(("//", "/\\")) else "/"
