"""Signing in by a login provider, as a browser does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from config import settings as config
from config.settings import Accounts, Settings
from tests.kit import provider as kit
from tests.kit.provider import CLIENT, SECRET, Provider
from tests.web.site import OURS, Site, open_site

CALLBACK = "/auth/providers/callback"


@pytest.fixture
def club() -> Iterator[Provider]:
    """A provider on loopback that vouches for Ben."""
    with kit.serve() as provider:
        provider.claims = {"sub": "ben-4711", "preferred_username": "ben"}
        yield provider


@pytest.fixture
async def site(tmp_path: Path, club: Provider) -> AsyncIterator[Site]:
    """A home that takes whom it vouches for."""
    one = config.Provider(
        issuer=club.address, client_id=CLIENT, client_secret=SecretStr(SECRET), registers=True
    )
    told = Settings(accounts=Accounts(providers={"club": one}))
    async with open_site(tmp_path / "home", told) as site:
        club.now = lambda: site.house.clock.now().timestamp()
        yield site


async def test_a_browser_goes_there_and_comes_back(site: Site, club: Provider) -> None:
    """From the button to the page that was wanted, with a session at the end."""
    async with site.client() as browser:
        (offer,) = (await browser.get("/auth/providers")).json()["items"]
        sent = await browser.get(site.address + offer["address"] + "?back=/albums")
        assert sent.status_code == 302
        back = club.sign_in(sent.headers["Location"])
        done = await browser.get(f"{CALLBACK}?{urlencode(back)}")
        assert (done.status_code, done.headers["Location"]) == (303, "/albums")
        assert "darkroom-state" not in browser.cookies
        assert (await browser.get("/account")).json()["username"] == "ben"
        assert (await browser.get(f"{CALLBACK}?{urlencode(back)}")).status_code == 401


async def test_a_sign_in_begun_elsewhere_is_refused(site: Site, club: Provider) -> None:
    """Nobody can be signed in to a stranger's account by a link: state and cookie must agree."""
    async with site.client() as stranger, site.client() as victim:
        sent = await stranger.get("/auth/providers/club")
        back = club.sign_in(sent.headers["Location"])
        answer = await victim.get(f"{CALLBACK}?{urlencode(back)}")
        assert answer.status_code == 401
        assert "darkroom" not in victim.cookies
        assert (await victim.get(f"{CALLBACK}?error=access_denied")).status_code == 401


async def test_a_signed_in_person_links_a_provider(site: Site, club: Provider) -> None:
    """From one's own account page; a page elsewhere cannot begin it."""
    async with site.browser() as browser:
        cross = {"Sec-Fetch-Site": "cross-site"}
        refused = await browser.get("/account/identities/club/link", headers=cross)
        assert refused.status_code == 403
        sent = await browser.get("/account/identities/club/link", headers=OURS)
        back = club.sign_in(sent.headers["Location"])
        assert (await browser.get(f"{CALLBACK}?{urlencode(back)}")).status_code == 303
        assert (await browser.get("/account")).json()["username"] == "anna"
        (known,) = (await browser.get("/account/identities")).json()["items"]
        assert known["subject"] == "ben-4711"
        body = {"issuer": club.address}
        gone = await browser.post("/account/identities/unlink", json=body)
        assert gone.status_code == 204
