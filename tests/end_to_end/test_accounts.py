"""Accounts through the real door: the link in the terminal, and secrets that are found nowhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.kit import cli

pytestmark = pytest.mark.timeout(120)

PASSWORD = "canary-4711 four wild geese"
GUESS = "canary-guess 4712"
SECRET = "canary-client-4713"
SETTINGS = '[accounts.providers.club]\nissuer = "https://id.invalid"\nclient_id = "dark"\n'
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/welcome#(dl_\S+)")
FORGED = "x\r\n2024-01-01 level='error' event='forged line'"


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Darkroom, served on a free port with everything logged."""
    told = {"DARKROOM_WEB__PORT": "0", **environment}
    with cli.start(home, "serve", "--verbose", **told) as process:
        try:
            yield process
        finally:
            process.terminate()


def link_in(process: subprocess.Popen[str]) -> tuple[str, str, str]:
    """The address, the token, and all that was said up to then."""
    assert process.stdout is not None
    said = ""
    while line := process.stdout.readline():
        said += line
        if found := LINK.search(line):
            return found[1], found[2], said
    raise AssertionError(f"no link was shown: {said}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose settings name a login provider; its secret lies in a file."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "darkroom.toml").write_text(SETTINGS)
    (tmp_path / "secret").write_text(SECRET)
    return home


def test_a_secret_is_found_nowhere(home: Path, tmp_path: Path) -> None:
    """T76, T77: first start, sign-in, keys: no secret in a log, an answer, the state or a name.

    The one-time link stands on standard output once, and opens the house once. What is typed as a
    name cannot forge a line of the log.
    """
    file = {"DARKROOM_ACCOUNTS__PROVIDERS__CLUB__CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    with serving(home, **file) as process:
        address, token, said = link_in(process)
        secrets, answers = _live(address, token)
        names = Path(f"/proc/{process.pid}/cmdline").read_text()
        names += Path(f"/proc/{process.pid}/environ").read_text()
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert (said + out).count(token) == 1
    assert token not in err
    for secret in (*secrets, PASSWORD, GUESS, SECRET):
        for where, text in (("log", err), ("terminal", said + out), ("process", names)):
            assert secret not in text, f"a secret is in the {where}"
    assert not [one for one in (PASSWORD, GUESS, SECRET) if one in answers]
    assert "\n2024-01-01" not in err
    stored = b"".join(path.read_bytes() for path in (home / "state").rglob("*") if path.is_file())
    assert not [one for one in (*secrets, token, PASSWORD, GUESS, SECRET) if one.encode() in stored]


def _live(address: str, token: str) -> tuple[list[str], str]:
    """Claim, sign in, fail, make a key; the secrets that were given, and all answers as text."""
    own = {"Sec-Fetch-Site": "same-origin", "User-Agent": "a browser"}
    with httpx.Client(base_url=f"{address}/api/v2", headers=own, timeout=30) as browser:
        claim = {"token": token, "password": PASSWORD, "username": "anna"}
        answers = [browser.post("/auth/link", json=claim)]
        assert answers[0].status_code == 201, answers[0].text
        answers.append(httpx.post(f"{address}/api/v2/auth/link", json=claim, headers=own))
        assert answers[-1].status_code == 404
        told = {"username": "anna", "password": PASSWORD}
        tokens = browser.post("/auth/token", json=told).json()
        key = browser.post("/api-keys", json={"name": "K", "scopes": ["files.read"]}).json()["key"]
        begun = browser.post("/account/second-factor", json={"password": PASSWORD}).json()
        for name in (FORGED, PASSWORD):
            wrong = {"username": name, "password": GUESS}
            answers.append(browser.post("/auth/token", json=wrong))
        answers.append(browser.get("/auth/providers"))
        answers.append(browser.get("/sessions"))
        answers.append(browser.get(f"{address}/healthz"))
        cookie = browser.cookies["darkroom"]
    given = [tokens["access_token"], tokens["refresh_token"], key, begun["secret"], cookie]
    return given, "".join(one.text for one in answers)
