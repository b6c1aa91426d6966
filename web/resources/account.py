"""One's own account: profile, password, second factor, other ways in."""

from __future__ import annotations

import io
from typing import Annotated

from pydantic import Field

from pipeline.access.rights import Right
from pipeline.service import accounts, second_factor
from pipeline.service.answers import User
from web.contract import Answer, Asked, Given, Resource, Taken
from web.gate import recognised
from web.resources.auth import NEVER_STORED, Code, Password

RESOURCE = Resource("account", "One's own account.")


class AccountView(Given):
    """Somebody's account, as they see it."""

    id: str
    username: str
    display_name: str | None
    email: str | None
    role: str
    created_at: str
    last_login: str | None
    has_password: bool
    has_second_factor: bool


class AccountChange(Taken):
    """What is to be shown, and where mail goes; null for none."""

    display_name: Annotated[str, Field(max_length=200)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None


class PasswordChange(Taken):
    """The present password and the next."""

    current: Password
    wanted: Password


class PasswordProof(Taken):
    """The present password, before what is not easily undone."""

    password: Password


class CodeProof(Taken):
    """A code of the app."""

    code: Code


class SecondFactorView(Given):
    """Whether a code is asked for, and how many recovery codes are left."""

    is_on: bool
    codes_left: int


class EnrolmentView(Given):
    """What an authenticator app wants to know: shown once. `qr` is the address drawn, as SVG."""

    secret: str
    address: str
    qr: str


class CodesView(Given):
    """Recovery codes: shown once, each works once."""

    codes: list[str]


class IdentityView(Given):
    """A login provider that opens the account."""

    issuer: str
    subject: str
    created_at: str
    used_at: str | None


class IdentityList(Given):
    """All of them."""

    items: list[IdentityView]


class Issuer(Taken):
    """Which provider."""

    issuer: Annotated[str, Field(min_length=1, max_length=500)]


@RESOURCE.get("/account", right=Right.ACCOUNT_READ, gives=AccountView)
async def show(asked: Asked) -> User:
    """The account of who asks."""
    return await accounts.me(asked.actor, asked.core)


@RESOURCE.patch(
    "/account", right=Right.ACCOUNT_WRITE, takes=AccountChange, gives=AccountView, errors=(409,)
)
async def change(asked: Asked, body: AccountChange) -> User:
    """Change the fields that are named."""
    now = await accounts.me(asked.actor, asked.core)
    told = body.model_fields_set
    return await accounts.rename_me(
        asked.actor,
        asked.core,
        display_name=body.display_name if "display_name" in told else now.display_name,
        email=body.email if "email" in told else now.email,
    )


@RESOURCE.post(
    "/account/password", right=Right.ACCOUNT_WRITE, takes=PasswordChange, status=204, rate="login"
)
async def password(asked: Asked, body: PasswordChange) -> Answer:
    """Another password. Every session but this one ends."""
    who = await recognised(asked.core, asked.request)
    await accounts.change_password(
        asked.actor,
        asked.core,
        body.current.get_secret_value(),
        body.wanted.get_secret_value(),
        keep=None if who is None else who.source_id,
    )
    return Answer()


@RESOURCE.get("/account/second-factor", right=Right.ACCOUNT_READ, gives=SecondFactorView)
async def second_factor_state(asked: Asked) -> SecondFactorView:
    """Whether a code is asked for at sign-in."""
    user = await accounts.me(asked.actor, asked.core)
    left = await second_factor.codes_left(asked.actor, asked.core)
    return SecondFactorView(is_on=user.has_second_factor, codes_left=left)


@RESOURCE.post(
    "/account/second-factor",
    right=Right.ACCOUNT_WRITE,
    takes=PasswordProof,
    gives=EnrolmentView,
    is_secret=True,
    rate="login",
)
async def begin_second_factor(asked: Asked, body: PasswordProof) -> Answer:
    """A secret for an authenticator app; it counts once a first code was confirmed."""
    secret = body.password.get_secret_value()
    enrolment = await second_factor.begin(asked.actor, asked.core, secret)
    drawn = _drawn(enrolment.address)
    told = EnrolmentView(secret=enrolment.secret, address=enrolment.address, qr=drawn)
    return Answer(told, headers=NEVER_STORED)


@RESOURCE.post(
    "/account/second-factor/confirm",
    right=Right.ACCOUNT_WRITE,
    takes=CodeProof,
    gives=CodesView,
    is_secret=True,
    rate="login",
    errors=(404,),
)
async def confirm_second_factor(asked: Asked, body: CodeProof) -> Answer:
    """Turn it on with a first code; the answer holds the recovery codes."""
    code = body.code.get_secret_value()
    codes = await second_factor.confirm(asked.actor, asked.core, code)
    return Answer(CodesView(codes=list(codes)), headers=NEVER_STORED)


@RESOURCE.post(
    "/account/second-factor/codes",
    right=Right.ACCOUNT_WRITE,
    takes=PasswordProof,
    gives=CodesView,
    is_secret=True,
    rate="login",
    errors=(404,),
)
async def renew_codes(asked: Asked, body: PasswordProof) -> Answer:
    """Other recovery codes; the older ones are worth nothing."""
    secret = body.password.get_secret_value()
    codes = await second_factor.new_codes(asked.actor, asked.core, secret)
    return Answer(CodesView(codes=list(codes)), headers=NEVER_STORED)


@RESOURCE.post(
    "/account/second-factor/off",
    right=Right.ACCOUNT_WRITE,
    takes=PasswordProof,
    status=204,
    rate="login",
    errors=(404,),
)
async def end_second_factor(asked: Asked, body: PasswordProof) -> Answer:
    """Ask for no code any more."""
    await second_factor.turn_off(asked.actor, asked.core, body.password.get_secret_value())
    return Answer()


@RESOURCE.get("/account/identities", right=Right.ACCOUNT_READ, gives=IdentityList)
async def identities(asked: Asked) -> IdentityList:
    """The login providers that open the account."""
    found = await accounts.identities_of(asked.actor, asked.core)
    return IdentityList(items=[IdentityView.model_validate(one) for one in found])


@RESOURCE.post("/account/identities/unlink", right=Right.ACCOUNT_WRITE, takes=Issuer, status=204)
async def unlink(asked: Asked, body: Issuer) -> Answer:
    """Let a provider open the account no more."""
    await accounts.forget_identity(asked.actor, asked.core, body.issuer)
    return Answer()


def _drawn(address: str) -> str:
    """A QR code of the address as an SVG document, dark on light whatever the page is."""
    import segno

    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, "svg", xmldecl=False, light="#fff")
    return drawn.getvalue().decode()
