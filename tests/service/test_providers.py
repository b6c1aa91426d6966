"""Signing in by a login provider: the way there and back over HTTP, and every lie it may tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from config import settings as config
from config.settings import Accounts, Settings
from pipeline.errors import NotFound, NotKnown, RemoteDown
from pipeline.service import accounts, providers, users
from pipeline.service.signing_in import Proven
from pipeline.state.users import User
from tests.kit import provider as kit
from tests.kit.accounts import HERE, House, open_house
from tests.kit.provider import CLIENT, SECRET, Provider

RETURN = "http://127.0.0.1:8420/api/v2/auth/providers/callback"
Claims = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    """A provider on loopback."""
    with kit.serve() as provider:
        yield provider


@pytest.fixture
def club(server: Provider) -> Provider:
    """The same, telling the truth about Ben."""
    server.claims = {"sub": "ben-4711", "preferred_username": "Ben Smith"}
    server.userinfo, server.document, server.forge = {}, {}, None
    server.codes.clear()
    server.refusals.clear()
    return server


def settings(club: Provider, **more: Any) -> Settings:
    """Settings with this provider as `club`."""
    one = config.Provider(
        issuer=club.address, client_id=CLIENT, client_secret=SecretStr(SECRET), **more
    )
    return Settings(accounts=Accounts(providers={"club": one}))


@pytest.fixture
async def house(tmp_path: Path, club: Provider) -> AsyncIterator[House]:
    """A home that makes accounts for whoever the club vouches for."""
    roles = {"staff": "editor", "board": "admin"}
    told = settings(club, registers=True, role_claim="groups", roles=roles)
    async with open_house(tmp_path / "home", told) as house:
        club.now = lambda: house.clock.now().timestamp()
        yield house


async def come(house: House, club: Provider) -> Proven:
    """Sign in all the way."""
    begun = await providers.begin(house.core, "club", RETURN, "/albums")
    back = club.sign_in(begun.address)
    assert back["state"] == begun.state
    finished = await providers.finish(
        house.core, begun.state, back["code"], HERE, issuer=back["iss"]
    )
    assert finished.back == "/albums"
    return finished.proven


async def account(house: House, proven: Proven) -> User:
    """The account somebody signed in to."""
    return await users.one(house.anna, house.core, proven.user_id)


async def test_somebody_new_gets_an_account_and_keeps_it(house: House, club: Provider) -> None:
    """Code and PKCE over real HTTP; the second time it is the same account."""
    first = await come(house, club)
    again = await come(house, club)
    assert first.user_id == again.user_id
    user = await account(house, first)
    assert (user.username, user.role, user.has_password) == ("ben-smith", "viewer", False)
    assert club.refusals == []


async def test_claims_count_at_every_sign_in(house: House, club: Provider) -> None:
    """Who joins or leaves a group there has another role here from the next sign-in on."""
    club.claims["groups"] = ["staff", "board", "choir"]
    assert (await come(house, club)).role == "admin"
    club.claims["groups"] = "staff"
    assert (await come(house, club)).role == "editor"
    del club.claims["groups"]
    club.userinfo = {"groups": ["board"]}
    assert (await come(house, club)).role == "admin"
    club.userinfo = {}
    assert (await come(house, club)).role == "viewer"


async def test_an_owner_is_linked_in_person_and_never_changed(house: House, club: Provider) -> None:
    """A signed-in owner links the provider; its claims take nothing from an owner."""
    begun = await providers.begin(house.core, "club", RETURN, link_to=house.anna)
    back = club.sign_in(begun.address)
    await providers.finish(house.core, begun.state, back["code"], HERE)
    proven = await come(house, club)
    assert (proven.user_id, proven.role) == (house.anna.user_id, "owner")
    (known,) = await accounts.identities_of(house.anna, house.core)
    assert known.issuer == club.address
    await accounts.forget_identity(house.anna, house.core, club.address)
    assert (await come(house, club)).user_id != house.anna.user_id


async def test_names_that_are_taken_get_a_number(house: House, club: Provider) -> None:
    """Two people of one name are two accounts; neither name nor mail opens somebody else's."""
    await house.invite("ben-smith")
    user = await account(house, await come(house, club))
    assert user.username == "ben-smith-2"


async def test_a_disabled_account_stays_shut(house: House, club: Provider) -> None:
    """Whom an administrator disabled, no provider lets in."""
    proven = await come(house, club)
    await users.change(house.anna, house.core, proven.user_id, {"is_active": False})
    with pytest.raises(NotKnown, match="disabled"):
        await come(house, club)


async def test_a_state_works_once_and_not_for_long(house: House, club: Provider) -> None:
    """What came back before, or too late, or was never begun, signs nobody in."""
    begun = await providers.begin(house.core, "club", RETURN)
    back = club.sign_in(begun.address)
    await providers.finish(house.core, begun.state, back["code"], HERE)
    late = await providers.begin(house.core, "club", RETURN)
    house.clock.jump(601)
    for state in (begun.state, late.state, "dl_" + "x" * 43):
        with pytest.raises(NotKnown, match="Begin again"):
            await providers.finish(house.core, state, back["code"], HERE)


async def test_a_code_of_another_sign_in_is_refused(house: House, club: Provider) -> None:
    """PKCE: a code that was stolen from somebody else's sign-in opens nothing here."""
    theirs = await providers.begin(house.core, "club", RETURN)
    mine = await providers.begin(house.core, "club", RETURN)
    stolen = club.sign_in(theirs.address)["code"]
    with pytest.raises(NotKnown, match="refused"):
        await providers.finish(house.core, mine.state, stolen, HERE)
    assert club.refusals == ["pkce"]


async def test_another_issuer_cannot_answer(house: House, club: Provider) -> None:
    """RFC 9207: an answer that says it is of somebody else is refused before the code is sent."""
    begun = await providers.begin(house.core, "club", RETURN)
    back = club.sign_in(begun.address)
    with pytest.raises(NotKnown, match="Another login provider"):
        await providers.finish(
            house.core, begun.state, back["code"], HERE, issuer="https://evil.example"
        )
    assert back["code"] in club.codes


def _signed(change: Claims) -> Callable[[Provider, Claims], str]:
    return lambda club, claims: club.token({**claims, **change})


def _without(name: str) -> Callable[[Provider, Claims], str]:
    return lambda club, claims: club.token({k: v for k, v in claims.items() if k != name})


def _hs256(club: Provider, claims: Claims) -> str:
    public = str(club.jwks()["keys"][0]["x"])
    return jwt.encode(claims, public * 2, algorithm="HS256", headers={"kid": "k1"})


def _other_key(_: Provider, claims: Claims) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "k1"})


LIES: dict[str, Callable[[Provider, Claims], str]] = {
    "no algorithm": lambda _, claims: jwt.encode(claims, "", algorithm="none"),
    "a shared secret": _hs256,
    "another key": _other_key,
    "no token": lambda _, __: "",
    "no JSON": lambda _, __: "a.b.c",
    "changed": lambda club, claims: club.token(claims)[:-4] + "AAAA",
    "another issuer": _signed({"iss": "https://evil.example"}),
    "for another client": _signed({"aud": "somebody"}),
    "for two, made for the other": _signed({"aud": [CLIENT, "somebody"], "azp": "somebody"}),
    "for two, for whom": _signed({"aud": [CLIENT, "somebody"]}),
    "another nonce": _signed({"nonce": "another"}),
    "no nonce": _without("nonce"),
    "too old": lambda club, claims: club.token({**claims, "exp": claims["iat"] - 61}),
    "of tomorrow": lambda club, claims: club.token({**claims, "iat": claims["iat"] + 86400}),
    "times as text": _signed({"exp": "tomorrow"}),
    "no end": _without("exp"),
    "nobody": _signed({"sub": ""}),
    "no subject": _without("sub"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_is_not_proved_is_not_believed(house: House, club: Provider, lie: str) -> None:
    """T61: an identity token that is not signed, not for us, or not of this moment is refused."""
    club.forge = lambda claims: LIES[lie](club, claims)
    with pytest.raises(NotKnown):
        await come(house, club)
    assert len(await users.listing(house.anna, house.core)) == 1


async def test_a_description_of_another_issuer_is_refused(house: House, club: Provider) -> None:
    """Nobody is sent to addresses that another issuer, or one without TLS, published."""
    for document in ({"issuer": "https://evil.example"}, {"jwks_uri": "http://evil.example/"}):
        club.document = document
        with pytest.raises(NotKnown, match="could not be believed"):
            await providers.begin(house.core, "club", RETURN)


async def test_a_provider_that_is_down_says_so(tmp_path: Path) -> None:
    """What does not answer is told as that; the owner signs in with a password."""
    gone = Provider(ec.generate_private_key(ec.SECP256R1()), "http://127.0.0.1:9")
    async with open_house(tmp_path / "home", settings(gone)) as house:
        with pytest.raises(RemoteDown, match="password"):
            await providers.begin(house.core, "club", RETURN)
        with pytest.raises(NotFound):
            await providers.begin(house.core, "nothing", RETURN)
        await house.prove()


async def test_without_an_invitation_nobody_gets_in(tmp_path: Path, club: Provider) -> None:
    """A provider only opens accounts that are there, unless the settings say otherwise."""
    async with open_house(tmp_path / "home", settings(club)) as house:
        club.now = lambda: house.clock.now().timestamp()
        with pytest.raises(NotKnown, match="No account here"):
            await come(house, club)


@pytest.mark.parametrize(("verified", "opens"), [(True, True), (False, False), ("true", False)])
async def test_mail_opens_an_account_only_where_it_is_verified(
    tmp_path: Path, club: Provider, verified: object, opens: bool
) -> None:
    """`links_mail`: a verified address opens the account that has it; an owner's never."""
    async with open_house(tmp_path / "home", settings(club, links_mail=True)) as house:
        club.now = lambda: house.clock.now().timestamp()
        ben = await house.invite("ben")
        await users.change(house.anna, house.core, ben.user_id, {"email": "Ben@Example.org"})
        club.claims |= {"email": "ben@example.org", "email_verified": verified}
        if not opens:
            with pytest.raises(NotKnown):
                await come(house, club)
            return
        assert (await come(house, club)).user_id == ben.user_id
        club.claims |= {"sub": "somebody-else", "email": "anna@example.org"}
        await accounts.rename_me(
            house.anna, house.core, display_name=None, email="anna@example.org"
        )
        with pytest.raises(NotKnown):
            await come(house, club)


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil", "evil"])
async def test_nobody_is_sent_elsewhere_afterwards(house: House, club: Provider, back: str) -> None:
    """The page to return to is one of ours."""
    begun = await providers.begin(house.core, "club", RETURN, back)
    came = club.sign_in(begun.address)
    assert (await providers.finish(house.core, begun.state, came["code"], HERE)).back == "/"
