"""Signing in by a login provider (OpenID Connect), and what its claims mean here.

Claims count anew at each sign-in: who lost a role there loses it here. Owners are never changed by
a provider, and a provider that is down locks no owner out: passwords always work for them.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.access import oidc, opaque, provider_http, usernames
from pipeline.access.door import Caller
from pipeline.access.in_person import RANKS, require_in_person
from pipeline.access.oidc import Endpoints, Question
from pipeline.clock import new_id, timestamp
from pipeline.errors import Invalid, NotFound, NotKnown, RateLimited
from pipeline.events import IdentityLinked
from pipeline.model import Actor, Json, JsonObject, Surface
from pipeline.service import users as accounts
from pipeline.service.signing_in import Proven
from pipeline.state import audit, identities, one_time, users
from pipeline.state.audit import By
from pipeline.state.one_time import OneTime
from pipeline.state.users import OWNER, Newcomer, User

if TYPE_CHECKING:
    from config.settings import Provider
    from pipeline.core import Core

PURPOSE = "provider"
TIME = timedelta(minutes=10)  # for signing in there
MOST_BEGUN = 1_000  # sign-ins under way: anybody can begin one


@dataclass(frozen=True, slots=True)
class Offered:
    """A provider as the sign-in page shows it."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what its cookie must bring back."""

    address: str
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """Who signed in, and the page they wanted."""

    proven: Proven
    back: str


def offered(core: Core) -> list[Offered]:
    """The providers of the settings."""
    found = core.settings.accounts.providers
    return [Offered(name, one.label or name) for name, one in found.items()]


async def begin(
    core: Core, name: str, redirect_uri: str, back: str = "/", link_to: Actor | None = None
) -> Begun:
    """Begin to sign in; with `link_to` let the provider open that account from now on.

    Raises `NotFound` for an unknown provider, `RemoteDown`, `RateLimited`.
    """
    if link_to is not None:
        require_in_person(link_to)
    provider = _provider(core, name)
    where = await _endpoints(provider)
    asked, state, now = oidc.question(redirect_uri), opaque.make(opaque.LINK), core.clock.now()
    data = {
        "provider": name,
        "nonce": asked.nonce,
        "verifier": asked.verifier,
        "redirect_uri": redirect_uri,
        "back": back if _is_own_page(back) else "/",
    }
    user_id = None if link_to is None else link_to.user_id
    told = OneTime(PURPOSE, timestamp(now + TIME), user_id, data)

    def remember(con: sqlite3.Connection) -> None:
        if one_time.count(con, PURPOSE) >= MOST_BEGUN:
            raise RateLimited("Too many people sign in at this moment.", after_s=60)
        one_time.add(con, opaque.digest(state), told, timestamp(now))

    await core.db.write(remember)
    return Begun(oidc.address(where, provider.client_id, provider.scopes, state, asked), state)


async def finish(
    core: Core, state: str, code: str, caller: Caller, *, issuer: str | None = None
) -> Finished:
    """Who came back with this code. `state` is what the browser's cookie and the answer both say.

    `issuer` is the answer's own word for who gave it. Raises `NotKnown` for everything that is not
    proved, and for somebody who has no account here.
    """
    now = timestamp(core.clock.now())
    told = await core.db.write(one_time.take, opaque.digest(state), PURPOSE, now)
    if told is None:
        raise NotKnown("This sign-in took too long, or was finished before.", hint="Begin again.")
    provider = _provider(core, told.data["provider"])
    if issuer is not None and issuer != provider.issuer:
        raise NotKnown("Another login provider answered than was asked.", hint="Begin again.")
    asked = Question(told.data["nonce"], told.data["verifier"], told.data["redirect_uri"])
    claims = await _claims(core, provider, code, asked)
    user = await core.db.write(_user, core, provider, claims, caller, told.user_id)
    core.door.forget()
    return Finished(Proven(user.id, user.role, "provider"), told.data["back"])


# --- asking the provider -----------------------------------------------------------------------


def _provider(core: Core, name: str) -> Provider:
    found = core.settings.accounts.providers.get(name)
    if found is None:
        raise NotFound("There is no such login provider.")
    return found


async def _endpoints(provider: Provider) -> Endpoints:
    document = await asyncio.to_thread(
        provider_http.get, provider.issuer.rstrip("/") + oidc.WELL_KNOWN
    )
    return oidc.endpoints(document, provider.issuer)


async def _claims(core: Core, provider: Provider, code: str, asked: Question) -> dict[str, Json]:
    """What the identity token says, and for the rest what the provider knows of its subject."""
    where = await _endpoints(provider)
    secret = provider.client_secret.get_secret_value()
    form = oidc.exchange(code, provider.client_id, asked)
    tokens = await asyncio.to_thread(
        provider_http.post, where.token, form, provider.client_id, secret
    )
    keys = await asyncio.to_thread(provider_http.get, where.keys)
    now = core.clock.now()
    claims = oidc.proved(tokens.get("id_token"), keys, where, provider.client_id, asked, now)
    access = tokens.get("access_token")
    if where.userinfo is None or not isinstance(access, str):
        return claims
    more = await asyncio.to_thread(provider_http.get, where.userinfo, access)
    return {**more, **claims} if more.get("sub") == claims["sub"] else claims


# --- what it means here ------------------------------------------------------------------------


def _user(
    con: sqlite3.Connection,
    core: Core,
    provider: Provider,
    claims: JsonObject,
    caller: Caller,
    link_to: str | None,
) -> User:
    """The account these claims open, as it should be. Raises `NotKnown`."""
    now = core.clock.now()
    at, subject = timestamp(now), str(claims["sub"])
    known = identities.find(con, provider.issuer, subject)
    if known is None:
        user = _linked(con, provider, claims, link_to) or _registered(
            con, new_id(now), provider, claims, at
        )
        by = By(Actor(user.id, user.role, caller.surface), at)
        identities.link(con, provider.issuer, subject, user.id, at)
        audit.tell(con, by, IdentityLinked(user.id, provider.issuer))
    else:
        user = users.require(con, known)
        if link_to is not None and link_to != known:
            raise NotKnown("This identity belongs to another user here.")
    if not user.is_active:
        raise NotKnown("This account is disabled.", hint="Ask an administrator of this Darkroom.")
    identities.note_use(con, provider.issuer, subject, at)
    return _in_role(con, provider, claims, user, By(Actor(user.id, user.role, caller.surface), at))


def _linked(
    con: sqlite3.Connection, provider: Provider, claims: JsonObject, link_to: str | None
) -> User | None:
    """The account that is to be linked: the one signed in, or the one with the same mail."""
    if link_to is not None:
        return users.require(con, link_to)
    mail = _mail(claims)
    if not provider.links_mail or mail is None:
        return None
    found = users.find(con, mail)
    if found is not None and found.role == OWNER:
        return None  # an owner links a provider in person
    return found


def _registered(
    con: sqlite3.Connection, user_id: str, provider: Provider, claims: JsonObject, at: str
) -> User:
    if not provider.registers:
        raise NotKnown(
            "No account here belongs to this identity.",
            hint="Ask an administrator to invite you; then link it in your account.",
        )
    mail = _mail(claims)
    name = claims.get("name")
    newcomer = Newcomer(
        id=user_id,
        username=_free_name(con, provider, claims),
        role=_role(provider, claims),
        display_name=name[:200] if isinstance(name, str) and name else None,
        email=None if mail is None or users.find(con, mail) else mail,
    )
    accounts.add(con, By(Actor(user_id, newcomer.role, Surface.WEB), at), newcomer)
    return users.require(con, user_id)


def _in_role(
    con: sqlite3.Connection, provider: Provider, claims: JsonObject, user: User, by: By
) -> User:
    if not provider.role_claim or user.role == OWNER:
        return user
    role = _role(provider, claims)
    return user if role == user.role else accounts.apply(con, by, user, {"role": role})


def _role(provider: Provider, claims: JsonObject) -> str:
    """The highest role that the claim gives; where it gives none, the provider's own."""
    told = claims.get(provider.role_claim) if provider.role_claim else None
    words = told if isinstance(told, list) else [told]
    given = [provider.roles[one] for one in words if isinstance(one, str) and one in provider.roles]
    return max(given, key=RANKS.index, default=provider.role)


def _free_name(con: sqlite3.Connection, provider: Provider, claims: JsonObject) -> str:
    """A user name that nobody has, as near as may be to what the provider calls somebody."""
    base = _plain_name(claims, provider.username_claim)
    names = (base, *(f"{base}-{number}" for number in range(2, 1000)))
    return next(name for name in names if users.find(con, name) is None)


def _plain_name(claims: Mapping[str, Json], claim: str) -> str:
    for told in (claims.get(claim), claims.get("email"), claims.get("name")):
        if isinstance(told, str):
            plain = "-".join(usernames.spelt(told.partition("@")[0]).split())[:50]
            try:
                return usernames.checked(plain)
            except Invalid:
                continue
    return "guest"


def _mail(claims: JsonObject) -> str | None:
    """The address of mail, where the provider has verified it."""
    told = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(told, str):
        return None
    try:
        return usernames.mail(told)
    except Invalid:
        return None


def _is_own_page(back: str) -> bool:
    """A path on this Darkroom, and no way to another site."""
    return back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
