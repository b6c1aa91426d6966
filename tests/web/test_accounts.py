"""Accounts over HTTP: cookies, tokens, keys, forged requests, and what each refusal says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from config.settings import Settings, Web
from pipeline.access import totp
from pipeline.service import users
from tests.kit.accounts import PASSWORD, House
from tests.web.site import API, OURS, Site, open_site
from web.live import NOT_KNOWN


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A served home."""
    async with open_site(tmp_path / "home") as site:
        yield site


# --- browsers ----------------------------------------------------------------------------------


async def test_a_browser_signs_in_and_out(site: Site) -> None:
    """T67: a cookie that no script reads, a new one at each sign-in, dead after signing out."""
    async with site.browser() as browser:
        cookie = browser.cookies["darkroom"]
        me = (await browser.get("/auth/session")).json()
        assert (me["username"], me["source"]) == ("anna", "session")
        again = await browser.post("/auth/session", json={"username": "anna", "password": PASSWORD})
        told = again.headers["Set-Cookie"]
        assert "HttpOnly" in told
        assert "SameSite=Lax" in told
        assert browser.cookies["darkroom"] != cookie
        async with site.client(Cookie=f"darkroom={cookie}") as old:
            assert (await old.get("/auth/session")).status_code == 401
        assert (await browser.delete("/auth/session")).status_code == 204
        assert (await browser.get("/auth/session")).status_code == 401


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    """T67: behind a trusted proxy with TLS the cookie is `__Host-` and secure."""
    behind = Settings(web=Web(trusted_proxies=("127.0.0.0/8",)))
    async with open_site(tmp_path / "home", behind) as site:
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        async with site.client(**proxied, **OURS) as browser:
            told = {"username": "anna", "password": PASSWORD}
            answer = await browser.post("/auth/session", json=told)
            cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Host-darkroom=ds_")
            assert "; Secure" in cookie
            assert "Path=/;" in cookie
            plain = {"Cookie": cookie.split(";")[0].removeprefix("__Host-"), **proxied}
        async with site.client(**plain) as other:
            assert (await other.get("/auth/session")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_page_elsewhere_cannot_use_the_cookie(site: Site, headers: dict[str, str]) -> None:
    """CSRF: with a cookie, what changes something must come from our own pages."""
    async with site.browser() as browser:
        cookie = {"Cookie": f"darkroom={browser.cookies['darkroom']}", **headers}
    bearer = {**cookie, "Authorization": f"Bearer {(await site.tokens())['access_token']}"}
    for sent in (cookie, bearer):
        async with site.client(**sent) as forged:
            answer = await forged.request("DELETE", "/sessions")
            assert answer.status_code == 403, answer.text
            assert (await forged.get("/account")).status_code == 200
    async with site.client(**headers) as other:
        told = {"username": "anna", "password": PASSWORD}
        assert (await other.post("/auth/session", json=told)).status_code == 403


async def test_our_own_pages_and_programs_are_not_refused(site: Site) -> None:
    """An older browser's `Origin` of our own counts; a program without a cookie needs neither."""
    async with site.browser() as browser:
        own = {"Cookie": f"darkroom={browser.cookies['darkroom']}", "Origin": site.address}
    async with site.client(**own) as older:
        assert (await older.request("DELETE", "/sessions")).status_code == 200
    tokens = await site.tokens()
    async with site.client(Authorization=f"Bearer {tokens['access_token']}") as program:
        assert (await program.request("DELETE", "/sessions")).status_code == 200


# --- programs ----------------------------------------------------------------------------------


async def test_a_program_signs_in_renews_and_leaves(site: Site) -> None:
    """Tokens are renewed once each; what was used before ends the session."""
    first = await site.tokens()
    async with site.client() as program:
        renewed = await program.post(
            "/auth/refresh", json={"refresh_token": first["refresh_token"]}
        )
        assert renewed.headers["Cache-Control"] == "no-store"
        second = renewed.json()
        reused = await program.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert reused.status_code == 401
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        dead = await program.get("/account", headers=bearer)
        assert dead.status_code == 401
        assert 'error="invalid_token"' in dead.headers["WWW-Authenticate"]
        third = await site.tokens()
        bearer = {"Authorization": f"Bearer {third['access_token']}"}
        assert (await program.get("/account", headers=bearer)).status_code == 200
        body = {"refresh_token": third["refresh_token"]}
        assert (await program.post("/auth/logout", json=body)).status_code == 204
        assert (await program.get("/account", headers=bearer)).status_code == 401


@pytest.mark.parametrize(
    "told",
    ["Bearer", "Bearer x", "Bearer " + "a" * 5000, "Bearer a.b.c", "bearer"],
)
async def test_bad_credentials_are_refused_even_beside_good_ones(site: Site, told: str) -> None:
    """A header that is no good is refused; the cookie beside it is not tried instead."""
    async with site.browser() as browser:
        answer = await browser.get("/account", headers={"Authorization": told})
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_proxy_may_ask_for_a_password_of_its_own(site: Site) -> None:
    """What a proxy before us checks (Basic) is nothing to us: the cookie counts, or nothing."""
    basic = {"Authorization": "Basic YW5uYTp4"}
    async with site.browser() as browser, site.client(**basic) as stranger:
        assert (await browser.get("/account", headers=basic)).status_code == 200
        assert (await stranger.get("/account")).status_code == 401


async def test_wrong_passwords_are_slowed_with_a_time_to_wait(site: Site) -> None:
    """T59: the eleventh guess is told when to come back; forging who forwarded it helps nobody."""
    async with site.client() as guesser:
        answers = [
            await guesser.post(
                "/auth/token",
                json={"username": "anna", "password": f"guess {n}"},
                headers={"X-Forwarded-For": f"10.0.0.{n}"},
            )
            for n in range(11)
        ]
    assert [one.status_code for one in answers] == [401] * 10 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "not locked" in answers[-1].json()["detail"]


async def test_a_forwarded_address_counts_behind_a_trusted_proxy(tmp_path: Path) -> None:
    """T59: behind our own proxy each caller has tries of their own; what they forged is skipped."""
    behind = Settings(web=Web(trusted_proxies=("127.0.0.1",)))
    async with open_site(tmp_path / "home", behind) as site, site.client() as guesser:

        async def guess(forwarded: str, name: str) -> int:
            told = {"username": name, "password": "a wrong guess"}
            headers = {"X-Forwarded-For": forwarded}
            return (await guesser.post("/auth/token", json=told, headers=headers)).status_code

        one = [await guess(f"1.2.3.{n}, 203.0.113.9", f"name{n}") for n in range(11)]
        assert one == [401] * 10 + [429]
        assert await guess("203.0.113.10", "somebody") == 401


# --- keys --------------------------------------------------------------------------------------


async def test_a_key_is_shown_once_and_narrows(site: Site) -> None:
    """A key does what its scopes say and no more; a refusal names the scope that is missing."""
    async with site.browser() as browser:
        made = await browser.post("/api-keys", json={"name": "Frame", "scopes": ["picture-frame"]})
        assert made.status_code == 201
        secret, details = made.json()["key"], made.json()["details"]
        assert secret.startswith(details["hint"])
        assert details["scopes"] == ["albums.read", "files.read"]
        assert secret not in (await browser.get("/api-keys")).text
        for headers in ({"X-API-Key": secret}, {"Authorization": f"Bearer {secret}"}):
            async with site.client(**headers) as frame:
                refused = await frame.get("/account")
                assert refused.status_code == 403
                assert "account.read" in refused.json()["detail"]
                assert (await frame.get("/files")).status_code == 200
        used = (await browser.get(details and f"/api-keys/{details['id']}")).json()
        assert used["used_from"] == "127.0.0.1"
        assert (await browser.delete(f"/api-keys/{details['id']}")).status_code == 204
        async with site.client(**{"X-API-Key": secret}) as frame:
            assert (await frame.get("/files")).status_code == 401


async def test_a_key_cannot_widen_itself(site: Site) -> None:
    """A key with the widest scopes still makes no key, no password, no administrator."""
    async with site.browser() as browser:
        scopes = (await browser.get("/api-keys/presets")).json()["scopes"]
        made = await browser.post("/api-keys", json={"name": "All", "scopes": scopes})
        key = {"X-API-Key": made.json()["key"]}
    async with site.client(**key) as program:
        tries = [
            ("/api-keys", {"name": "More", "scopes": ["files.read"]}),
            ("/users", {"username": "eve", "role": "admin"}),
            ("/account/password", {"current": PASSWORD, "wanted": "nine green hills roll"}),
            ("/account/second-factor", {"password": PASSWORD}),
            (f"/users/{site.house.anna.user_id}/link", None),
        ]
        for path, body in tries:
            answer = await program.post(path, json=body)
            assert answer.status_code == 403, (path, answer.text)


async def test_a_secret_is_never_kept_to_be_repeated(site: Site) -> None:
    """T76: an answer that is shown once is not stored under an Idempotency-Key."""
    async with site.browser() as browser:
        body = {"name": "Frame", "scopes": ["files.read"]}
        again = {"Idempotency-Key": '"same"'}
        keys = [
            (await browser.post("/api-keys", json=body, headers=again)).json()["key"]
            for _ in range(2)
        ]
    dump = await site.house.core.db.read(lambda con: "\n".join(con.iterdump()))
    assert not [key for key in keys if key in dump]


# --- second factor, links, users ---------------------------------------------------------------


async def test_a_second_factor_is_asked_for(site: Site) -> None:
    """With it on, a password alone opens nothing; a code works once, a recovery code too."""
    house = site.house
    async with site.browser() as browser:
        begun = await browser.post("/account/second-factor", json={"password": PASSWORD})
        secret = begun.json()["secret"]
        assert begun.json()["address"].startswith("otpauth://totp/Darkroom:anna")
        confirmed = await browser.post(
            "/account/second-factor/confirm", json={"code": code(secret, house)}
        )
        recovery = confirmed.json()["codes"][0]
    async with site.client(**OURS) as other:
        told = {"username": "anna", "password": PASSWORD}
        asked = await other.post("/auth/session", json=told)
        assert (asked.status_code, asked.json()["code"]) == (401, "second-factor")
        ticket = asked.json()["ticket"]
        used = {"ticket": ticket, "code": code(secret, house)}
        assert (await other.post("/auth/session/code", json=used)).status_code == 401
        house.clock.jump(30)
        used["code"] = code(secret, house)
        assert (await other.post("/auth/session/code", json=used)).status_code == 201
        assert (await other.post("/auth/session/code", json=used)).status_code == 401
        for status in (200, 401):
            answer = await other.post("/auth/token", json={**told, "code": recovery.upper()})
            assert answer.status_code == status


def code(secret: str, house: House) -> str:
    """The code that the app shows now."""
    import pyotp

    return str(pyotp.TOTP(secret).generate_otp(int(house.clock.now().timestamp()) // totp.STEP_S))


async def test_an_invited_user_sets_a_password_and_is_in(site: Site) -> None:
    """A link shows whom it is for, works once, and signs in."""
    async with site.browser() as browser:
        invited = await browser.post("/users", json={"username": "Ben", "role": "editor"})
        assert invited.status_code == 201
        link = invited.json()["link"]
        assert link["address"] == f"{site.address}/welcome#{link['token']}"
    async with site.client(**OURS) as ben:
        looked = await ben.post("/auth/link/look", json={"token": link["token"]})
        assert looked.json()["username"] == "ben"
        used = {"token": link["token"], "password": "nine green hills roll"}
        assert (await ben.post("/auth/link", json=used)).status_code == 201
        assert (await ben.get("/account")).json()["role"] == "editor"
        assert (await ben.get("/users")).status_code == 403
    async with site.client(**OURS) as eve:
        assert (await eve.post("/auth/link", json=used)).status_code == 404


async def test_users_are_changed_by_version(site: Site) -> None:
    """A change needs the version that was seen; the last owner stays; who is disabled is out."""
    ben = await site.house.invite("ben", "editor")
    async with site.browser() as browser, site.browser("ben") as theirs:
        path = f"/users/{ben.user_id}"
        seen = (await browser.get(path)).headers["ETag"]
        off = {"is_active": False}
        assert (await browser.patch(path, json=off)).status_code == 428
        stale = await browser.patch(path, json=off, headers={"If-Match": '"old"'})
        assert stale.status_code == 412
        assert (await theirs.get("/account")).status_code == 200
        done = await browser.patch(path, json=off, headers={"If-Match": seen})
        assert done.json()["is_active"] is False
        assert (await theirs.get("/account")).status_code == 401
        me = f"/users/{site.house.anna.user_id}"
        any_version = {"If-Match": "*"}
        last = await browser.patch(me, json=off, headers=any_version)
        assert (last.status_code, last.json()["code"]) == (409, "conflict")
        assert (await browser.get("/users?limit=1")).json()["next"] is not None
        assert (await browser.delete(path)).status_code == 204
        assert (await browser.get(path)).status_code == 404


async def test_an_admin_is_not_an_owner(site: Site) -> None:
    """Nobody gives a role above their own, nor changes or opens an account above them."""
    await site.house.invite("ben", "admin")
    owner = f"/users/{site.house.anna.user_id}"
    async with site.browser("ben") as ben:
        assert (
            await ben.post("/users", json={"username": "eve", "role": "owner"})
        ).status_code == 403
        assert (await ben.post(f"{owner}/link")).status_code == 403
        refused = await ben.patch(owner, json={"role": "guest"}, headers={"If-Match": "*"})
        assert refused.status_code == 403
        assert (await ben.delete(f"{owner}/second-factor")).status_code == 403
        made = await ben.post("/users", json={"username": "eve", "role": "viewer"})
        assert made.status_code == 201


async def test_sessions_are_listed_with_the_current_one(site: Site) -> None:
    """A person sees where they are signed in, which of it is here, and can end the rest."""
    async with site.browser() as browser, site.browser() as other:
        items = (await browser.get("/sessions")).json()["items"]
        assert [one["is_current"] for one in items].count(True) == 1
        (there,) = [one for one in items if not one["is_current"]]
        assert (await browser.delete(f"/sessions/{there['id']}")).status_code == 204
        assert (await other.get("/sessions")).status_code == 401
        assert (await browser.delete(f"/sessions/{there['id']}")).status_code == 404


async def test_passwords_are_in_no_answer(site: Site) -> None:
    """T76: what a person typed is not told back, whatever was wrong with the rest."""
    async with site.client(**OURS) as client:
        for body in (
            {"username": 5, "password": "canary-4711-secret"},
            {"username": "anna", "password": "canary-4711-secret", "more": 1},
            {"username": "anna", "password": "canary-4711-secret"},
        ):
            answer = await client.post("/auth/token", json=body)
            assert answer.status_code in (401, 422)
            assert "canary" not in answer.text


async def test_an_old_link_is_refused_the_same_way_as_an_unknown(site: Site) -> None:
    """Nobody learns whether a link ever was one."""
    ben = await site.house.invite("ben")
    link = await users.link(site.house.anna, site.house.core, ben.user_id)
    site.house.clock.jump(73 * 3600)
    async with site.client(**OURS) as client:
        old, unknown = [
            await client.post("/auth/link/look", json={"token": token})
            for token in (link.token, "dl_" + "x" * 43)
        ]
    assert old.json()["detail"] == unknown.json()["detail"]


async def test_an_account_is_its_owners_to_change(site: Site) -> None:
    """What is named changes, the rest stays; a password change keeps this browser alone."""
    async with site.browser() as browser, site.browser() as other:
        await browser.patch("/account", json={"display_name": "Anna S.", "email": "a@b.org"})
        await browser.patch("/account", json={"display_name": None})
        shown = (await browser.get("/account")).json()
        assert (shown["display_name"], shown["email"]) == (None, "a@b.org")
        assert (await browser.patch("/account", json={"role": "owner"})).status_code == 422
        assert (await browser.get("/account/second-factor")).json() == {
            "is_on": False,
            "codes_left": 0,
        }
        told = {"current": PASSWORD, "wanted": "nine green hills roll"}
        assert (await browser.post("/account/password", json=told)).status_code == 204
        assert (await browser.get("/account")).status_code == 200
        assert (await other.get("/account")).status_code == 401
        assert (await browser.post("/auth/logout", json={})).status_code == 204
        assert (await browser.get("/account")).status_code == 401


# --- sockets -----------------------------------------------------------------------------------


@asynccontextmanager
async def socket(site: Site, **headers: str) -> AsyncIterator[ClientConnection]:
    """An open WebSocket of the live side."""
    url = f"{site.address.replace('http', 'ws', 1)}{API}/live"
    async with connect(url, additional_headers=headers, proxy=None) as client:
        yield client


async def test_an_open_socket_ends_with_its_session(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T67: who is signed out elsewhere hears nothing more, within seconds, on a socket too."""
    monkeypatch.setattr("web.live.RECHECK_S", 0.0)
    monkeypatch.setattr("pipeline.service.news.IDLE_S", 0.1)
    async with site.browser() as browser:
        cookie = {"Cookie": f"darkroom={browser.cookies['darkroom']}", "Origin": site.address}
        async with socket(site, **cookie) as client:
            await browser.delete("/auth/session")
            with pytest.raises(ConnectionClosed) as ended:
                async with asyncio.timeout(20):  # the wait itself is `RECHECK_S`, of three seconds
                    while True:
                        await client.recv()
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == NOT_KNOWN


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_a_page_elsewhere_opens_no_socket(site: Site, origin: str) -> None:
    """T68: a socket with our cookie must come from our own pages."""
    async with site.browser() as browser:
        cookie = {"Cookie": f"darkroom={browser.cookies['darkroom']}"}
    headers = {**cookie, **({"Origin": origin} if origin else {})}
    async with socket(site, **headers) as client:
        with pytest.raises(ConnectionClosed) as refused:
            await client.recv()
    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == NOT_KNOWN
