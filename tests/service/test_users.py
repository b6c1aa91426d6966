"""Accounts, keys and second factors as their owners and administrators keep them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest

from pipeline.access import passwords
from pipeline.access.door import HASHING_WAITING, Door
from pipeline.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, RateLimited
from pipeline.service import accounts, api_keys, links, second_factor, signing_in, users
from pipeline.service.signing_in import Challenge, Proven
from pipeline.state import audit
from tests.kit.accounts import HERE, PASSWORD, House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A home with its first administrator."""
    async with open_house(tmp_path / "home") as house:
        yield house


async def test_names_and_mails_belong_to_one(house: House) -> None:
    """A name or mail that is taken, however it is written, is refused; mail signs in as well."""
    core = house.core
    ben = await house.invite("ben")
    await users.change(house.anna, core, ben.user_id, {"email": "Ben@Example.org"})
    with pytest.raises(Conflict, match="user name"):
        await users.invite(house.anna, core, "BEN", "viewer")
    with pytest.raises(Conflict, match="mail"):
        await users.invite(house.anna, core, "eve", "viewer", email="ben@example.ORG")
    with pytest.raises(Conflict, match="user name"):
        await users.change(house.anna, core, house.anna.user_id, {"username": "ben"})
    assert (await house.prove("BEN@example.org")).user_id == ben.user_id
    assert (await users.find(house.anna, core, "Ben")).id == ben.user_id
    assert (await users.find(house.anna, core, ben.user_id)).username == "ben"
    with pytest.raises(NotFound):
        await users.find(house.anna, core, "nobody")


@pytest.mark.parametrize(
    "fields", [{"role": "king"}, {"password_hash": "x"}, {"username": "a/b"}, {"email": "nowhere"}]
)
async def test_what_makes_no_sense_changes_nothing(house: House, fields: dict[str, str]) -> None:
    """T65: an unknown field or role, a name that is a path, mail that is none: refused."""
    before = await users.one(house.anna, house.core, house.anna.user_id)
    with pytest.raises(Invalid):
        await users.change(house.anna, house.core, before.id, fields)
    assert await users.one(house.anna, house.core, before.id) == before


async def test_every_change_of_an_account_stands_in_the_log(house: House) -> None:
    """Who made whom what, with before and after, and no secret among it."""
    ben = await house.invite("ben", "viewer")
    await users.change(house.anna, house.core, ben.user_id, {"role": "admin"})
    await users.remove(house.anna, house.core, ben.user_id)
    lines = await house.core.db.read(lambda con: audit.page(con, limit=100))
    told = {(line.action, line.subject) for line in lines}
    names = ("user.added", "password.changed", "user.changed", "user.removed")
    assert {(name, ben.user_id) for name in names} <= told
    (change,) = [line for line in lines if line.action == "user.changed" and line.before]
    assert (change.before, change.after) == ('{"role":"viewer"}', '{"role":"admin"}')
    assert (await house.core.db.read(audit.verify)).fault is None


async def test_who_owns_something_is_disabled_and_not_removed(house: House) -> None:
    """Removing never takes anything along: not the household, and nobody who has files."""
    ben = await house.invite("ben", "owner")
    with pytest.raises(Conflict, match="household"):
        await users.remove(replace(ben, role="owner"), house.core, house.anna.user_id)
    await house.core.db.write(
        lambda con: (
            con.execute(
                "INSERT INTO bundles (id, owner_id, created_at) VALUES ('b', ?, '')", (ben.user_id,)
            )
            and None
        )
    )
    with pytest.raises(Conflict, match="Disable"):
        await users.remove(house.anna, house.core, ben.user_id)
    with pytest.raises(Conflict, match="stays an owner"):
        await users.change(ben, house.core, house.anna.user_id, {"role": "admin"})


def _own_something(con: sqlite3.Connection, user_id: str) -> None:
    con.execute("INSERT INTO bundles (id, owner_id, created_at) VALUES ('b', ?, '')", (user_id,))


async def test_a_second_factor_is_renewed_and_turned_off(house: House) -> None:
    """New recovery codes make the old ones worthless; turning off needs the password."""
    core, anna = house.core, house.anna
    with pytest.raises(NotFound):
        await second_factor.confirm(anna, core, "000000")
    enrolment = await second_factor.begin(anna, core, PASSWORD)
    with pytest.raises(Invalid):
        await second_factor.confirm(anna, core, "000000")
    app = pyotp.TOTP(enrolment.secret)
    old = await second_factor.confirm(anna, core, app.at(house.clock.now()))
    with pytest.raises(Conflict):
        await second_factor.begin(anna, core, PASSWORD)
    new = await second_factor.new_codes(anna, core, PASSWORD)
    for codes, is_good in ((old, False), (new, True)):
        asked = await signing_in.with_password(core, "anna", PASSWORD, HERE)
        assert isinstance(asked, Challenge)
        if is_good:
            assert (await signing_in.finish(core, asked.ticket, codes[0], HERE)).second_factor
        else:
            with pytest.raises(NotKnown):
                await signing_in.finish(core, asked.ticket, codes[0], HERE)
    with pytest.raises(NotAllowed):
        await second_factor.turn_off(anna, core, "not the password")
    await second_factor.turn_off(anna, core, PASSWORD)
    with pytest.raises(NotFound):
        await second_factor.turn_off(anna, core, PASSWORD)
    with pytest.raises(NotFound):
        await second_factor.new_codes(anna, core, PASSWORD)
    assert isinstance(await signing_in.with_password(core, "anna", PASSWORD, HERE), Proven)


async def test_a_ticket_is_short_lived(house: House) -> None:
    """Five minutes after the password the code comes too late."""
    enrolment = await second_factor.begin(house.anna, house.core, PASSWORD)
    app = pyotp.TOTP(enrolment.secret)
    await second_factor.confirm(house.anna, house.core, app.at(house.clock.now()))
    asked = await signing_in.with_password(house.core, "anna", PASSWORD, HERE)
    assert isinstance(asked, Challenge)
    house.clock.jump(301)
    with pytest.raises(NotKnown, match="too long"):
        await signing_in.finish(house.core, asked.ticket, app.at(house.clock.now()), HERE)


async def test_a_hash_of_yesterday_is_made_anew_at_sign_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the cost of a hash is raised, passwords follow as people sign in."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 16)
    await house.prove()
    (stored,) = await house.core.db.read(
        lambda con: con.execute("SELECT password_hash FROM users").fetchone()
    )
    assert "m=16," in stored
    await house.prove()


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", ["files.read"], None), ("x\n", [], None), ("a\0", ["files.read"], None),
     ("K", ["everything"], None), ("K", ["files.read"], 0), ("K", ["files.read"], 4000)],
)  # fmt: skip
async def test_a_key_that_makes_no_sense_is_refused(
    house: House, name: str, scopes: list[str], days: int | None
) -> None:
    """No name, no or unknown scopes, no time, or too much of it."""
    with pytest.raises(Invalid):
        await api_keys.make(house.anna, house.core, name, scopes, days=days)


async def test_keys_are_ones_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sees or revokes another's key but an administrator; there is a bound to them."""
    ben, eve = await house.invite("ben", "editor"), await house.invite("eve", "editor")
    made = await api_keys.make(ben, house.core, "Frame", ["files.read"])
    with pytest.raises(NotFound):
        await api_keys.revoke(eve, house.core, made.key.id)
    with pytest.raises(NotAllowed):
        await api_keys.listing(eve, house.core, everybody=True)
    assert await api_keys.listing(eve, house.core) == []
    (seen,) = await api_keys.listing(house.anna, house.core, everybody=True)
    assert seen.id == made.key.id
    await api_keys.revoke(house.anna, house.core, made.key.id)
    monkeypatch.setattr(api_keys, "MOST", 0)
    with pytest.raises(Conflict):
        await api_keys.make(ben, house.core, "Frame", ["files.read"])


async def test_an_account_without_a_password_keeps_its_way_in(house: House) -> None:
    """Nobody takes away the only thing that opens their account."""
    invited = await users.invite(house.anna, house.core, "ben", "viewer")
    ben = replace(house.anna, user_id=invited.user.id, role="viewer")
    with pytest.raises(NotAllowed, match="Nothing else"):
        await accounts.forget_identity(ben, house.core, "https://id.example")
    await accounts.require_password(ben, house.core, "")


async def test_hashing_waits_in_a_short_line() -> None:
    """However many sign in at once, few hash and few wait; the others are told to come back."""
    door, go_on = Door(), threading.Event()
    waiting = [asyncio.create_task(door.hashing(go_on.wait)) for _ in range(HASHING_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await door.hashing(go_on.wait)
    go_on.set()
    await asyncio.gather(*waiting)
    assert await door.hashing(lambda: 7) == 7


def test_where_the_dashboard_is(house: House) -> None:
    """Links lead to the public address, else to where the program listens."""
    web = house.core.settings.web
    for told, address in (
        ({}, "http://127.0.0.1:8420"), ({"host": "0.0.0.0", "port": 99}, "http://localhost:99"),
        ({"host": "::1"}, "http://[::1]:8420"), ({"public_url": "https://x.org"}, "https://x.org"),
    ):  # fmt: skip
        settings = house.core.settings.model_copy(update={"web": web.model_copy(update=told)})
        assert links.dashboard(replace(house.core, settings=settings)) == address
