"""Signing in: the first administrator, throttling that slows, and what ends a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Accounts, Provider, Settings
from pipeline.access.door import Caller
from pipeline.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, RateLimited
from pipeline.service import (
    accounts,
    api_keys,
    audit,
    authenticating,
    backup,
    links,
    restoring,
    sessions,
    signing_in,
    users,
)
from pipeline.service.authenticating import Credentials
from pipeline.state import throttle
from pipeline.state.audit import Asked
from tests.kit.accounts import HERE, PASSWORD, House, cheap_passwords, open_house
from tests.kit.clock import FakeClock

DAY_S = 24 * 3600


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A home with its first administrator."""
    async with open_house(tmp_path / "home") as house:
        yield house


async def guess(house: House, caller: Caller, name: str = "anna") -> str:
    """What a wrong password is answered with: "wrong" or "slowed"."""
    try:
        await signing_in.with_password(house.core, name, "not the password", caller)
    except NotKnown:
        return "wrong"
    except RateLimited:
        return "slowed"
    return "in"


# --- links -------------------------------------------------------------------------------------


async def test_the_first_link_works_once(house: House) -> None:
    """T77: the one-time code makes the household's owner, and nobody a second time."""
    user = await accounts.me(house.anna, house.core)
    assert (user.username, user.role, user.has_password) == ("anna", "owner", True)
    assert user.id == house.core.owner_id
    assert await links.first_administrator(house.core) is None


async def test_a_link_is_good_for_a_while_only(house: House) -> None:
    """A link that was used, replaced, or lay about too long opens nothing."""
    invited = await users.invite(house.anna, house.core, "ben", "editor")
    newer = await users.link(house.anna, house.core, invited.user.id)
    with pytest.raises(NotFound):
        await links.look(house.core, invited.link.token)
    assert (await links.look(house.core, newer.token)).username == "ben"
    house.clock.jump(72 * 3600 + 1)
    with pytest.raises(NotFound, match="too old"):
        await links.redeem(house.core, newer.token, PASSWORD, HERE)


async def test_of_two_who_use_a_link_at_once_one_gets_in(house: House) -> None:
    """A link works once also for two who are as fast as each other."""
    link = (await users.invite(house.anna, house.core, "ben", "viewer")).link
    tries = [links.redeem(house.core, link.token, f"{PASSWORD} {n}", HERE) for n in range(4)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["NotFound"] * 3 + ["Proven"]


async def test_a_link_bears_no_secret_where_it_is_stored(house: House) -> None:
    """T77: the state holds the hash of a link, a session, a key and a refresh token only."""
    link = await users.link(house.anna, house.core, (await house.invite("ben")).user_id)
    tokens = await house.program()
    told = [link.token, await house.browser(), tokens.refresh, tokens.access]
    dump = await house.core.db.read(lambda con: "\n".join(con.iterdump()))
    assert not [one for one in told if one in dump]
    assert PASSWORD not in dump
    assert not [one for one in told if one in repr((link, tokens))]


@pytest.mark.parametrize(
    "password",
    ["short", "password12", "anna2024!!", "aaaaaaaaaaaa", "0123456789", "qwertyuiop", "x" * 1025],
)
async def test_a_guessable_password_is_refused(house: House, password: str) -> None:
    """What anybody would try first, or what is too short or too long, is no password."""
    with pytest.raises(Invalid):
        await accounts.change_password(house.anna, house.core, PASSWORD, password)


# --- throttling --------------------------------------------------------------------------------


async def test_guesses_from_one_address_are_slowed(house: House) -> None:
    """T59: 1,000 guesses from one address: ten at once, then one a minute."""
    caller = Caller("198.51.100.9")
    answers = [await guess(house, caller, f"name{n}") for n in range(1_000)]
    assert answers == ["wrong"] * 10 + ["slowed"] * 990
    house.clock.jump(60)
    assert [await guess(house, caller) for _ in range(2)] == ["wrong", "slowed"]


async def test_guesses_from_everywhere_slow_but_do_not_lock_the_owner(house: House) -> None:
    """T59: 1,000 addresses guess: ten at once; the owner still comes in from where they were."""
    await house.browser()
    answers = [await guess(house, Caller(f"10.0.{n // 250}.{n % 250}")) for n in range(1_000)]
    assert answers.count("wrong") == 10
    assert (await house.prove()).user_id == house.anna.user_id
    with pytest.raises(RateLimited) as slowed:
        await signing_in.with_password(house.core, "anna", PASSWORD, Caller("203.0.113.5"))
    house.clock.jump(slowed.value.after_s)
    elsewhere = await signing_in.with_password(house.core, "anna", PASSWORD, Caller("203.0.113.5"))
    assert isinstance(elsewhere, signing_in.Proven)


async def test_throttling_survives_a_restart(tmp_path: Path) -> None:
    """T59: who was slowed before a restart is slowed after it."""
    clock = FakeClock()
    async with open_house(tmp_path / "home", clock=clock) as house:
        assert [await guess(house, Caller("10.9.9.9")) for _ in range(11)][-1] == "slowed"
    async with open_house(tmp_path / "home", clock=clock) as house:
        assert await guess(house, Caller("10.9.9.9"), "somebody") == "slowed"


async def test_an_ipv6_subscriber_is_one_caller(house: House) -> None:
    """T59: who owns 2^64 addresses gets the tries of one."""
    answers = [await guess(house, Caller(f"2001:db8::{n:x}"), f"name{n}") for n in range(12)]
    assert answers.count("wrong") == 10


async def test_right_passwords_cost_no_tries(house: House) -> None:
    """Signing in often is not guessing."""
    for _ in range(25):
        await house.prove()


async def test_the_throttle_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """T59: however many addresses come, so many buckets are kept, an attacked name among them."""
    monkeypatch.setattr(throttle, "MOST", 50)
    for n in range(80):
        await guess(house, Caller(f"10.1.0.{n}"), "anna" if n < 10 else f"name{n}")
    rows = await house.core.db.read(
        lambda con: [row[0] for row in con.execute("SELECT bucket FROM login_throttle")]
    )
    assert len(rows) <= 50
    assert throttle.bucket("name", "anna") in rows


async def test_a_clock_set_back_locks_nobody_out(house: House) -> None:
    """A wall clock that jumps back a year makes nobody wait longer than a full bucket does."""
    for _ in range(11):
        await guess(house, Caller("10.2.2.2"))
    house.clock.jump(-365 * DAY_S)
    house.clock.jump(120)
    assert await guess(house, Caller("10.2.2.2")) == "wrong"


async def test_unknown_names_cost_as_much(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """T60: a hash is computed whether the name exists, has a password, or does not."""
    seen: list[str | None] = []
    real = signing_in.passwords.matches

    def counting(known: str | None, password: str) -> bool:
        seen.append(known)
        return real(known, password)

    monkeypatch.setattr(signing_in.passwords, "matches", counting)
    await users.invite(house.anna, house.core, "ben", "viewer")
    for name in ("anna", "ben", "nobody"):
        assert await guess(house, HERE, name) == "wrong"
    assert [known is None for known in seen] == [False, True, True]


# --- what ends a session -----------------------------------------------------------------------


async def test_a_session_ends_when_idle_and_when_old(house: House) -> None:
    """T67: seven days without a look, or thirty in all."""
    idle, busy = await house.browser(), await house.browser()
    for days in (6, 2, 6, 6, 6):
        await house.clock.advance(days * DAY_S)
        assert (await house.cookie(busy)).actor.user_id == house.anna.user_id
        if days == 2:
            with pytest.raises(NotKnown):
                await house.cookie(idle)
    await house.clock.advance(4 * DAY_S)
    with pytest.raises(NotKnown):
        await house.cookie(busy)


async def test_signing_out_ends_a_session_at_once(house: House) -> None:
    """T67: remembered answers of a session that ended count no more."""
    token, other = await house.browser(), await house.browser()
    assert token != other
    who = await house.cookie(token)
    await sessions.sign_out(house.core, who)
    with pytest.raises(NotKnown):
        await house.cookie(token)
    await house.cookie(other)


async def test_another_password_ends_the_other_sessions(house: House) -> None:
    """T67: only the session that changed the password goes on; programs sign in again."""
    mine, other, program = await house.browser(), await house.browser(), await house.program()
    here = await house.cookie(mine)
    await house.cookie(other)
    await house.bearer(program.access)
    with pytest.raises(NotAllowed, match="present password"):
        await accounts.change_password(here.actor, house.core, "wrong one", "eight blue mills turn")
    await accounts.change_password(
        here.actor, house.core, PASSWORD, "eight blue mills turn", keep=here.source_id
    )
    await house.cookie(mine)
    for dead in (house.cookie(other), house.bearer(program.access)):
        with pytest.raises(NotKnown):
            await dead
    with pytest.raises(NotKnown):
        await sessions.refresh(house.core, program.refresh, HERE)
    assert await guess(house, HERE) == "wrong"


async def test_a_disabled_user_is_out_at_once(house: House) -> None:
    """T67: sessions and tokens of somebody disabled are dead in the same moment."""
    ben = await house.invite("ben")
    token, program = await house.browser("ben"), await house.program("ben")
    key = Credentials("key", (await api_keys.make(ben, house.core, "K", ["files.read"])).secret)
    await authenticating.recognise(house.core, key)
    await house.cookie(token)
    await users.change(house.anna, house.core, ben.user_id, {"is_active": False})
    out = authenticating.recognise(house.core, key)
    for dead in (house.cookie(token), house.bearer(program.access), house.prove("ben"), out):
        with pytest.raises(NotKnown):
            await dead
    await users.change(house.anna, house.core, ben.user_id, {"is_active": True})
    await authenticating.recognise(house.core, key)
    with pytest.raises(NotKnown):
        await house.cookie(token)
    await house.prove("ben")


async def test_a_role_that_changes_counts_at_once(house: House) -> None:
    """What somebody may do is never read from what they hold."""
    ben = await house.invite("ben", "editor")
    program = await house.program("ben")
    assert (await house.bearer(program.access)).actor.role == "editor"
    await users.change(house.anna, house.core, ben.user_id, {"role": "guest"})
    assert (await house.bearer(program.access)).actor.role == "guest"


async def test_sessions_are_listed_and_revoked(house: House) -> None:
    """A person sees where they are signed in and ends what they do not know; nobody else's."""
    ben = await house.invite("ben")
    token = await house.browser("ben")
    (listed,) = await sessions.listing(ben, house.core)
    assert (listed.address, listed.device) == (HERE.address, HERE.device)
    with pytest.raises(NotAllowed):
        await sessions.listing(ben, house.core, house.anna.user_id)
    stranger = replace(ben, user_id=(await house.invite("eve")).user_id)
    with pytest.raises(NotFound):
        await sessions.end(stranger, house.core, listed.id)
    await sessions.end(house.anna, house.core, listed.id, ben.user_id)
    with pytest.raises(NotKnown):
        await house.cookie(token)
    await users.change(house.anna, house.core, ben.user_id, {"role": "admin"})
    admin = replace(ben, role="admin")
    with pytest.raises(NotAllowed, match="above you"):
        await sessions.end_others(admin, house.core, user_id=house.anna.user_id)


# --- refresh tokens ----------------------------------------------------------------------------


async def test_a_refresh_token_works_once(house: House) -> None:
    """Each renewal gives a new one; the one before, shown again, ends the whole family."""
    first = await house.program()
    second = await sessions.refresh(house.core, first.refresh, HERE)
    assert (await house.bearer(second.access)).source_id == first.session_id
    with pytest.raises(NotKnown):
        await sessions.refresh(house.core, first.refresh, HERE)
    for dead in (house.bearer(second.access), house.bearer(first.access)):
        with pytest.raises(NotKnown):
            await dead
    with pytest.raises(NotKnown):
        await sessions.refresh(house.core, second.refresh, HERE)


async def test_a_refresh_token_ages(house: House) -> None:
    """After thirty days unused it is worth nothing."""
    tokens = await house.program()
    house.clock.jump(30 * DAY_S + 1)
    with pytest.raises(NotKnown):
        await sessions.refresh(house.core, tokens.refresh, HERE)


async def test_a_refresh_token_is_nothing_else(house: House) -> None:
    """T61: what is for one purpose is refused for every other."""
    tokens, cookie = await house.program(), await house.browser()
    for told in (tokens.refresh, cookie):
        with pytest.raises(NotKnown):
            await house.bearer(told)
    for told in (tokens.refresh, tokens.access):
        with pytest.raises(NotKnown):
            await house.cookie(told)
    with pytest.raises(NotKnown):
        await sessions.refresh(house.core, cookie, HERE)


# --- owners ------------------------------------------------------------------------------------


async def test_the_last_owner_is_never_locked_out(house: House) -> None:
    """Neither disabled nor made less nor removed, by nobody and not by themselves."""
    me = house.anna.user_id
    for fields in ({"is_active": False}, {"role": "admin"}):
        with pytest.raises(Conflict):
            await users.change(house.anna, house.core, me, fields)
    with pytest.raises(Conflict):
        await users.remove(house.anna, house.core, me)
    await house.invite("ben", "owner")
    await users.change(house.anna, house.core, me, {"is_active": False})


async def test_owners_may_always_use_a_password(tmp_path: Path) -> None:
    """With passwords switched off, a failing provider still leaves the owner a way in."""
    off = Settings(accounts=Accounts(passwords=False))
    async with open_house(tmp_path / "home", off) as house:
        await house.prove()
        await house.invite("ben", "admin")
        with pytest.raises(NotKnown):
            await house.prove("ben")


async def test_a_restored_home_asks_for_its_administrator_again(tmp_path: Path) -> None:
    """A home without any account of a person shows the link at each start until it is used."""
    from pipeline.clock import SystemClock
    from pipeline.core import open_core

    with cheap_passwords():
        async with open_core(tmp_path / "home", Settings(), SystemClock()) as core:
            one = await links.first_administrator(core)
            two = await links.first_administrator(core)
            assert one is not None
            assert two is not None
            with pytest.raises(NotFound):
                await links.redeem(core, one.token, PASSWORD, HERE, username="anna")
            with pytest.raises(Invalid):
                await links.redeem(core, two.token, PASSWORD, HERE)
            await links.redeem(core, two.token, PASSWORD, HERE, username="anna")
            assert await links.first_administrator(core) is None


async def test_a_restored_state_brings_no_session_back(tmp_path: Path) -> None:
    """What was ended or used after the snapshot does not work again in the older state."""
    path, clock = tmp_path / "home", FakeClock()
    async with open_house(path, clock=clock) as house:
        token, program = await house.browser(), await house.program()
        link = await users.link(house.anna, house.core, house.anna.user_id)
        await backup.take(house.anna, house.core)
    await restoring.restore(path, Settings(), clock)
    async with open_house(path, clock=clock) as house:
        for dead in (house.cookie(token), house.bearer(program.access)):
            with pytest.raises(NotKnown):
                await dead
        with pytest.raises(NotKnown):
            await sessions.refresh(house.core, program.refresh, HERE)
        with pytest.raises(NotFound):
            await links.look(house.core, link.token)
        await house.prove()
        (line,) = await audit.page(house.anna, house.core, Asked(action="state.restored"), limit=5)
        assert (line.surface, line.subject) == ("cli", "state")


async def test_nobody_takes_the_mail_that_opens_an_account(tmp_path: Path) -> None:
    """Where a provider opens accounts by mail, only an administrator notes whose is whose."""
    club = Provider(issuer="https://id.example", client_id="x", links_mail=True)
    told = Settings(accounts=Accounts(providers={"club": club}))
    async with open_house(tmp_path / "home", told) as house:
        ben = await house.invite("ben")
        with pytest.raises(NotAllowed, match="administrator"):
            await accounts.rename_me(ben, house.core, display_name=None, email="anna@example.org")
        await accounts.rename_me(ben, house.core, display_name="Ben", email=None)
        await accounts.rename_me(
            house.anna, house.core, display_name=None, email="anna@example.org"
        )
