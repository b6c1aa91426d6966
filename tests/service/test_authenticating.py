"""Recognising credentials: fast, remembered for seconds, forgotten at once, keys that change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from statistics import median

import pyotp
import pytest

from pipeline.access import opaque, passwords
from pipeline.access.door import MOST, Recognised
from pipeline.access.signed import kid_of
from pipeline.errors import NotAllowed, NotKnown, RateLimited
from pipeline.model import Actor, Surface
from pipeline.service import (
    api_keys,
    authenticating,
    links,
    second_factor,
    sessions,
    signing,
    signing_in,
    users,
)
from pipeline.service.authenticating import Credentials
from pipeline.service.signing_in import Challenge
from pipeline.state import standing
from tests.kit.accounts import HERE, PASSWORD, House, open_house
from tests.kit.clock import FakeClock


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A home with its first administrator."""
    async with open_house(tmp_path / "home") as house:
        yield house


async def test_each_kind_of_credential_is_an_actor(house: House) -> None:
    """Cookie, access token and key: the same person, the key narrowed to its scopes."""
    made = await api_keys.make(house.anna, house.core, "Frame", ["picture-frame"])
    tokens = await house.program()
    shown = [
        Credentials("cookie", await house.browser()),
        Credentials("bearer", tokens.access),
        Credentials("key", made.secret),
        Credentials("bearer", made.secret),
    ]
    found = [await authenticating.recognise(house.core, one) for one in shown]
    assert {one.actor.user_id for one in found} == {house.anna.user_id}
    assert [one.source for one in found] == ["session", "tokens", "key", "key"]
    assert found[2].actor.scopes == {"files.read", "albums.read"}
    assert found[0].actor.scopes is None
    assert tokens.access not in repr(shown)


@pytest.mark.parametrize(
    "told",
    [
        ("cookie", ""), ("cookie", "x"), ("cookie", "ds_" + "A" * 43), ("key", "dk_" + "A" * 43),
        ("key", ""), ("bearer", "dk_" + "A" * 43), ("bearer", ""), ("bearer", "é" * 50),
        ("cookie", "ds_' OR 1=1 --"), ("bearer", "\0"),
    ],
)  # fmt: skip
async def test_what_is_none_is_refused(house: House, told: tuple[str, str]) -> None:
    """T61: unknown, cut, and strange credentials are all the same answer."""
    await house.browser()
    kind, secret = told
    with pytest.raises(NotKnown):
        await authenticating.recognise(house.core, Credentials(kind, secret))  # type: ignore[arg-type]  # parametrised


async def test_a_warm_answer_costs_less_than_100_microseconds(house: House) -> None:
    """Recognising somebody again costs no look into the state."""
    tokens = await house.program()
    for shown in (
        Credentials("cookie", await house.browser()),
        Credentials("bearer", tokens.access),
        Credentials(
            "key", (await api_keys.make(house.anna, house.core, "K", ["files.read"])).secret
        ),
    ):
        await authenticating.recognise(house.core, shown)
        costs = []
        for _ in range(20):
            began = time.process_time_ns()
            for _ in range(50):
                await authenticating.authenticate(house.core, shown)
            costs.append((time.process_time_ns() - began) / 50 / 1000)
        assert median(costs) < 100, f"{shown.kind}: {median(costs):.0f} us"


async def test_what_was_looked_up_while_it_ended_is_not_remembered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T67: an answer read just before a session ended cannot come back after it."""
    token = await house.browser()
    looked, go_on = asyncio.Event(), asyncio.Event()
    real = authenticating._touch

    async def held(*args: object) -> None:
        looked.set()
        await go_on.wait()
        await real(*args)  # type: ignore[arg-type]  # the same arguments, passed on

    monkeypatch.setattr(authenticating, "_touch", held)
    asking = asyncio.create_task(house.cookie(token))
    await looked.wait()
    (one,) = await sessions.listing(house.anna, house.core)
    await sessions.end(house.anna, house.core, one.id)
    go_on.set()
    await asking
    with pytest.raises(NotKnown):
        await house.cookie(token)


async def test_what_is_remembered_has_a_bound(house: House) -> None:
    """However many credentials come, so many answers are kept."""
    found = Recognised(Actor("u", "viewer", Surface.WEB), "key", "k")
    for number in range(MOST + 100):
        house.core.door.remember(opaque.digest(str(number)), found, 1e9, house.core.door.turn)
    assert house.core.door.recall(opaque.digest("0"), 0) is None
    assert house.core.door.recall(opaque.digest(str(MOST + 99)), 0) == found


async def test_a_change_made_elsewhere_counts_after_seconds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer is remembered for three seconds and then looked up anew."""
    token = await house.browser()
    looks = []
    real = standing.by_cookie
    monkeypatch.setattr(
        authenticating.standing,
        "by_cookie",
        lambda *args, **more: looks.append(1) or real(*args, **more),
    )
    for seconds in (0.0, 1.0, 1.9, 0.2):
        await house.clock.advance(seconds)
        await house.cookie(token)
    assert len(looks) == 2


async def test_a_key_expires_and_its_use_is_noted(house: House) -> None:
    """When and from where a key was last used is known; after its end it opens nothing."""
    made = await api_keys.make(house.anna, house.core, "Frame", ["files.read"], days=1)
    shown = Credentials("key", made.secret)
    await authenticating.recognise(house.core, shown, HERE)
    (known,) = await api_keys.listing(house.anna, house.core)
    assert (known.used_from, known.used_at is not None) == (HERE.address, True)
    await house.clock.advance(24 * 3600 - 1)
    await authenticating.recognise(house.core, shown)
    await house.clock.advance(1)
    with pytest.raises(NotKnown):
        await authenticating.recognise(house.core, shown)


async def test_nobody_gives_away_what_they_may_not_do(house: House) -> None:
    """A key's scopes are among its owner's rights; with the role they shrink."""
    ben = await house.invite("ben", "editor")
    with pytest.raises(NotAllowed):
        await api_keys.make(ben, house.core, "All", ["users.write"])
    made = await api_keys.make(ben, house.core, "Up", ["files.add"])
    await users.change(house.anna, house.core, ben.user_id, {"role": "guest"})
    actor = await authenticating.authenticate(house.core, Credentials("key", made.secret))
    assert actor.role == "guest"


async def test_signing_keys_change_and_survive_a_restart(tmp_path: Path) -> None:
    """The key before the newest still proves, an older one not; a restart keeps both."""
    clock = FakeClock()
    async with open_house(tmp_path / "home", clock=clock) as house:
        first = await house.program()
        await signing.change_key(house.anna, house.core)
        second = await house.program()
        await house.bearer(first.access)
    async with open_house(tmp_path / "home", clock=clock) as house:
        for token in (first.access, second.access):
            await house.bearer(token)
        assert oct((tmp_path / "home/state/vault.key").stat().st_mode)[-3:] == "600"
        clock.jump(-3600)  # a clock set back makes no old key the newest
        await signing.change_key(house.anna, house.core)
        clock.jump(3600)
        with pytest.raises(NotKnown):
            await house.bearer(first.access)
        await house.bearer(second.access)


async def test_signing_keys_change_by_themselves(house: House) -> None:
    """After a month a new key signs."""
    first = await house.program()
    house.clock.jump(timedelta(days=31).total_seconds())
    second = await house.program()
    assert kid_of(first.access) != kid_of(second.access)


async def test_without_its_key_file_a_database_proves_nothing(tmp_path: Path) -> None:
    """T77: a copied database alone signs no token and shows no code; people sign in anew."""
    clock = FakeClock()
    async with open_house(tmp_path / "home", clock=clock) as house:
        token, program = await house.browser(), await house.program()
    (tmp_path / "home/state/vault.key").unlink()
    async with open_house(tmp_path / "home", clock=clock) as house:
        with pytest.raises(NotKnown):
            await house.bearer(program.access)
        await house.cookie(token)
        await house.bearer((await house.program()).access)


async def test_without_the_key_file_recovery_codes_still_open(tmp_path: Path) -> None:
    """Who lost the key file, not the printed codes, is let in and can begin anew."""
    clock = FakeClock()
    async with open_house(tmp_path / "home", clock=clock) as house:
        enrolment = await second_factor.begin(house.anna, house.core, PASSWORD)
        app = pyotp.TOTP(enrolment.secret)
        codes = await second_factor.confirm(house.anna, house.core, app.at(clock.now()))
    (tmp_path / "home/state/vault.key").unlink()
    async with open_house(tmp_path / "home", clock=clock) as house:
        asked = await signing_in.with_password(house.core, "anna", PASSWORD, HERE)
        assert isinstance(asked, Challenge)
        clock.jump(30)
        with pytest.raises(NotKnown):
            await signing_in.finish(house.core, asked.ticket, app.at(clock.now()), HERE)
        proven = await signing_in.finish(house.core, asked.ticket, codes[0], HERE)
        assert proven.second_factor
        assert await second_factor.codes_left(house.anna, house.core) == 9
        await second_factor.turn_off(house.anna, house.core, PASSWORD)


async def test_an_open_key_file_is_mended(tmp_path: Path) -> None:
    """T77: a key file that others could read is its owner's alone after the next start."""
    clock = FakeClock()
    async with open_house(tmp_path / "home", clock=clock) as house:
        await house.program()
    path = tmp_path / "home/state/vault.key"
    path.chmod(0o644)
    async with open_house(tmp_path / "home", clock=clock) as house:
        await house.program()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_second_factor_protects_links_and_guessing(house: House) -> None:
    """A forgotten password's link does not go round it, and codes are guessed as slowly."""
    enrolment = await second_factor.begin(house.anna, house.core, PASSWORD)
    app = pyotp.TOTP(enrolment.secret)
    await second_factor.confirm(house.anna, house.core, app.at(house.clock.now()))
    link = await users.link(house.anna, house.core, house.anna.user_id)
    found = await links.redeem(house.core, link.token, "nine green hills roll", HERE)
    assert isinstance(found, Challenge)
    answers = []
    for _ in range(12):
        try:
            await signing_in.finish(house.core, found.ticket, "000000", HERE)
        except NotKnown:
            answers.append("wrong")
        except RateLimited:
            answers.append("slowed")
    assert answers == ["wrong"] * 10 + ["slowed"] * 2
    await second_factor.reset(house.anna, house.core, house.anna.user_id)
    await house.prove(password="nine green hills roll")


@pytest.mark.long
def test_unknown_names_take_as_long() -> None:
    """T60: 200 tries each with a known and an unknown name differ by less than 5 ms."""
    known = passwords.hashed(PASSWORD)
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(200):
        for is_known in (True, False):
            began = time.thread_time()
            passwords.matches(known if is_known else None, "a wrong guess")
            times[is_known].append(time.thread_time() - began)
    assert abs(median(times[True]) - median(times[False])) < 0.005
