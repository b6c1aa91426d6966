"""`darkroom users` and `darkroom keys`, as somebody at the terminal meets them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Settings
from pipeline.access.door import Caller
from pipeline.clock import SystemClock
from pipeline.core import open_core
from pipeline.errors import NotKnown
from pipeline.service import authenticating, links, signing_in
from pipeline.service.authenticating import Credentials
from tests.kit import cli
from tests.kit.accounts import PASSWORD, cheap_passwords

LINK = re.compile(r"http://127\.0\.0\.1:\d+/welcome#(dl_\S+)")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose first administrator used the link that the terminal showed."""
    home = tmp_path_factory.mktemp("accounts") / "home"
    shown = cli.darkroom(home, "users", "link")
    found = LINK.search(shown.out)
    assert found is not None, shown.said
    assert found[1] not in shown.err
    asyncio.run(_claim(home, found[1]))
    return home


async def _claim(home: Path, token: str) -> None:
    with cheap_passwords():
        async with open_core(home, Settings(), SystemClock()) as core:
            await links.redeem(core, token, PASSWORD, Caller(), username="anna")


def test_somebody_gets_an_account_and_loses_it(home: Path) -> None:
    """Add, list, disable; the last owner stays whatever is typed."""
    added = cli.darkroom(home, "users", "add", "Ben", "--role", "editor")
    assert LINK.search(added.out)
    listed = cli.darkroom(home, "users", "list", "--json").out.splitlines()
    rows = [json.loads(line) for line in listed]
    assert [(row["username"], row["role"]) for row in rows] == [
        ("anna", "owner"),
        ("ben", "editor"),
    ]
    assert "disabled" in cli.darkroom(home, "users", "disable", "ben").out
    last = cli.darkroom(home, "users", "disable", "anna")
    assert last.status == 2
    assert "last owner" in last.err


def test_a_forgotten_password_is_set_at_the_terminal(home: Path) -> None:
    """T77: it is read without being shown and is in nothing that is printed."""
    wanted = "nine green hills roll"
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "--home", home, "users", "password", "anna", "--stdin"],
        input=f"{wanted}\n",
        capture_output=True,
        check=False,
        text=True,
        timeout=50,
        cwd=Path(__file__).parents[2],
    )
    assert ran.returncode == 0, ran.stderr
    assert wanted not in ran.stdout + ran.stderr
    asyncio.run(_sign_in(home, wanted))


async def _sign_in(home: Path, password: str) -> None:
    async with open_core(home, Settings(), SystemClock()) as core:
        proven = await signing_in.with_password(core, "anna", password, Caller())
        assert isinstance(proven, signing_in.Proven)


def test_a_key_is_made_shown_once_and_revoked(home: Path) -> None:
    """The key alone is on standard output, works, and is known afterwards by its beginning only."""
    made = cli.darkroom(home, "keys", "make", "Frame", "--scope", "picture-frame", "--days", "30")
    secret = made.out.strip()
    asyncio.run(_use(home, secret))
    listed = cli.darkroom(home, "keys")
    assert secret not in listed.said
    assert secret[:7] in listed.out
    key_id = listed.out.split()[0]
    assert cli.darkroom(home, "keys", "revoke", key_id).status == 0
    with pytest.raises(NotKnown):
        asyncio.run(_use(home, secret))


async def _use(home: Path, secret: str) -> None:
    async with open_core(home, Settings(), SystemClock()) as core:
        actor = await authenticating.authenticate(core, Credentials("key", secret))
        assert actor.scopes == {"files.read", "albums.read"}
