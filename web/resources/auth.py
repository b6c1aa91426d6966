"""Signing in and out: tokens for programs, a cookie for browsers, links for new accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from pipeline.access.rights import ROLE_RIGHTS, Right
from pipeline.service import accounts, links, sessions, signing_in
from pipeline.service.signing_in import Challenge, Proven
from web.contract import Answer, Asked, Given, Resource, Taken
from web.cookies import cleared, session_cookie
from web.gate import caller_of, recognised, refuse_forged
from web.problems import Problem

RESOURCE = Resource("auth", "Signing in and out.")
NEVER_STORED = {"Cache-Control": "no-store"}

Name = Annotated[str, Field(min_length=1, max_length=256)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=4096)]
Code = Annotated[SecretStr, Field(min_length=6, max_length=32)]


class PasswordAsked(Taken):
    """A name (or address of mail) and a password; `code` where a second factor is on."""

    username: Name
    password: Password
    code: Code | None = None


class CodeAsked(Taken):
    """The ticket of a sign-in that wants a code, and the code: of an app, or a recovery code."""

    ticket: Secret
    code: Code


class RefreshAsked(Taken):
    """A refresh token, which is used up by this."""

    refresh_token: Secret


class LogoutAsked(Taken):
    """The refresh token of the session to end; without one the session of the request ends."""

    refresh_token: Secret | None = None


class LinkAsked(Taken):
    """The secret part of a link."""

    token: Secret


class LinkUsed(Taken):
    """A link, the password to set and, for the first administrator, a user name."""

    token: Secret
    password: Password
    username: Name | None = None


class TokenView(Given):
    """What a program signs its requests with, and renews itself with."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name (RFC 6750)
    expires_in: int
    refresh_token: str
    session_id: str


class LinkView(Given):
    """What a link is for: `first-administrator`, `invitation` or `password`."""

    purpose: str
    username: str
    expires_at: str


class Me(Given):
    """Who asks, by what, and what they may."""

    user_id: str
    username: str
    display_name: str | None
    role: str
    rights: list[str]
    source: str
    source_id: str
    has_second_factor: bool


# --- programs ----------------------------------------------------------------------------------


@RESOURCE.post("/auth/token", right=None, takes=PasswordAsked, gives=TokenView, rate="login")
async def token(asked: Asked, body: PasswordAsked) -> Answer:
    """Sign a program in with a password.

    Where a second factor is on and no code was sent, the answer is a problem `second-factor` with
    a `ticket` for `/auth/token/code`.
    """
    return await _tokens(asked, await _proven(asked, body))


@RESOURCE.post("/auth/token/code", right=None, takes=CodeAsked, gives=TokenView, rate="login")
async def token_code(asked: Asked, body: CodeAsked) -> Answer:
    """Go on with a code."""
    return await _tokens(asked, await _finished(asked, body))


@RESOURCE.post("/auth/refresh", right=None, takes=RefreshAsked, gives=TokenView, rate="login")
async def refresh(asked: Asked, body: RefreshAsked) -> Answer:
    """New tokens. A refresh token that is shown a second time ends its session."""
    secret = body.refresh_token.get_secret_value()
    given = await sessions.refresh(asked.core, secret, caller_of(asked.core, asked.request))
    return _token_answer(given)


@RESOURCE.post("/auth/logout", right=None, takes=LogoutAsked, status=204)
async def logout(asked: Asked, body: LogoutAsked) -> Answer:
    """End a session, by its refresh token or by the credentials of this request."""
    core, request = asked.core, asked.request
    if body.refresh_token is not None:
        secret = body.refresh_token.get_secret_value()
        await sessions.give_up(core, secret, caller_of(core, request))
        return Answer()
    who = await recognised(core, request)
    if who is not None:
        await sessions.sign_out(core, who)
    return Answer(headers={"Set-Cookie": cleared(core, request)})


# --- browsers ----------------------------------------------------------------------------------


@RESOURCE.post("/auth/session", right=None, takes=PasswordAsked, gives=Me, status=201, rate="login")
async def session(asked: Asked, body: PasswordAsked) -> Answer:
    """Sign a browser in with a password: the answer sets a cookie. As `/auth/token` otherwise."""
    refuse_forged(asked.core, asked.request)
    return await signed_in(asked, await _proven(asked, body))


@RESOURCE.post(
    "/auth/session/code", right=None, takes=CodeAsked, gives=Me, status=201, rate="login"
)
async def session_code(asked: Asked, body: CodeAsked) -> Answer:
    """Go on with a code."""
    refuse_forged(asked.core, asked.request)
    return await signed_in(asked, await _finished(asked, body))


@RESOURCE.get("/auth/session", right=Right.ACCOUNT_READ, gives=Me)
async def me(asked: Asked) -> Me:
    """Who asks, and what they may."""
    who = await recognised(asked.core, asked.request)
    source, source_id = ("", "") if who is None else (who.source, who.source_id)
    return await _me(asked, source, source_id)


@RESOURCE.delete("/auth/session", right=None)
async def end_session(asked: Asked) -> Answer:
    """Sign out: the session of this request ends and the cookie goes."""
    who = await recognised(asked.core, asked.request)
    if who is not None:
        await sessions.sign_out(asked.core, who)
    return Answer(headers={"Set-Cookie": cleared(asked.core, asked.request)})


# --- links -------------------------------------------------------------------------------------


@RESOURCE.post(
    "/auth/link/look", right=None, takes=LinkAsked, gives=LinkView, rate="login", errors=(404,)
)
async def look_at_link(asked: Asked, body: LinkAsked) -> LinkView:
    """What a link is for, before it is used."""
    opened = await links.look(asked.core, body.token.get_secret_value())
    return LinkView.model_validate(opened)


@RESOURCE.post(
    "/auth/link", right=None, takes=LinkUsed, gives=Me, status=201, rate="login", errors=(404,)
)
async def use_link(asked: Asked, body: LinkUsed) -> Answer:
    """Set a password by a link, which is used up, and sign this browser in."""
    refuse_forged(asked.core, asked.request)
    caller = caller_of(asked.core, asked.request)
    found = await links.redeem(
        asked.core,
        body.token.get_secret_value(),
        body.password.get_secret_value(),
        caller,
        username=body.username,
    )
    return await signed_in(asked, _unchallenged(found))


# --- how ---------------------------------------------------------------------------------------


async def signed_in(asked: Asked, proven: Proven) -> Answer:
    """A new session in a cookie; one that this browser had before ends."""
    core, request = asked.core, asked.request
    before = await recognised(core, request)
    if before is not None:
        await sessions.sign_out(core, before, "replaced")
    caller = caller_of(core, request)
    started = await sessions.start(core, proven, caller)
    as_them = Asked(proven.actor(caller), core, request)
    told = await _me(as_them, "session", started.session.id)
    cookie = session_cookie(core, request, started.token)
    return Answer(told, headers={**NEVER_STORED, "Set-Cookie": cookie})


async def _proven(asked: Asked, body: PasswordAsked) -> Proven:
    caller = caller_of(asked.core, asked.request)
    secret = body.password.get_secret_value()
    found = await signing_in.with_password(asked.core, body.username, secret, caller)
    if isinstance(found, Challenge) and body.code is not None:
        code = body.code.get_secret_value()
        return await signing_in.finish(asked.core, found.ticket, code, caller)
    return _unchallenged(found)


async def _finished(asked: Asked, body: CodeAsked) -> Proven:
    ticket, code = body.ticket.get_secret_value(), body.code.get_secret_value()
    return await signing_in.finish(asked.core, ticket, code, caller_of(asked.core, asked.request))


def _unchallenged(found: Proven | Challenge) -> Proven:
    if isinstance(found, Proven):
        return found
    raise Problem(
        401,
        "Send the code of your second factor, too, with this ticket.",
        "second-factor",
        headers={"WWW-Authenticate": "Bearer"},
        more={"ticket": found.ticket, "expires_at": found.expires_at},
    )


async def _tokens(asked: Asked, proven: Proven) -> Answer:
    caller = caller_of(asked.core, asked.request)
    return _token_answer(await sessions.start_tokens(asked.core, proven, caller))


def _token_answer(given: sessions.Tokens) -> Answer:
    told = TokenView(
        access_token=given.access,
        expires_in=given.expires_in,
        refresh_token=given.refresh,
        session_id=given.session_id,
    )
    return Answer(told, headers=NEVER_STORED)


async def _me(asked: Asked, source: str, source_id: str) -> Me:
    user = await accounts.me(asked.actor, asked.core)
    rights = ROLE_RIGHTS.get(user.role, frozenset())
    scopes = asked.actor.scopes
    return Me(
        user_id=user.id,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        rights=sorted(rights if scopes is None else rights & scopes),
        source=source,
        source_id=source_id,
        has_second_factor=user.has_second_factor,
    )
