"""A login provider of our own on loopback: OpenID Connect over real HTTP, and the ways it can lie.

It checks what a real one checks (client, address of return, PKCE, a code once) and answers 400
otherwise. `claims` are what it says of whoever signs in; `forge` may change a whole identity token.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import secrets
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT, SECRET = "darkroom-here", "between & us"
Claims = dict[str, Any]


@dataclass
class Provider:
    """What the provider knows and does."""

    key: ec.EllipticCurvePrivateKey
    address: str = ""
    claims: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    forge: Callable[[Claims], str] | None = None
    document: Claims = field(default_factory=dict)
    now: Callable[[], float] = lambda: 0.0
    refusals: list[str] = field(default_factory=list)

    def sign_in(self, address: str) -> dict[str, str]:
        """What a browser brings back from `address`: the query of the way home."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.address}

    def token(self, claims: Claims) -> str:
        """An identity token, signed."""
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "k1"})

    def jwks(self) -> Claims:
        """The published keys."""
        numbers = self.key.public_key().public_numbers()
        point = {name: _b64(getattr(numbers, name).to_bytes(32, "big")) for name in ("x", "y")}
        return {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", **point}]}

    def described(self) -> Claims:
        """The document of discovery."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "userinfo_endpoint": f"{self.address}/userinfo",
            **self.document,
        }

    def exchange(self, form: dict[str, str], authorization: str) -> Claims | None:
        """Tokens for a code; None where a real provider refuses."""
        pair = ":".join(map(urllib.parse.quote_plus, (CLIENT, SECRET)))
        asked = self.codes.pop(form.get("code", ""), None)
        checks = {
            "client": authorization == f"Basic {base64.b64encode(pair.encode()).decode()}",
            "code": asked is not None,
            "return": asked is not None and form.get("redirect_uri") == asked["redirect_uri"],
            "pkce": asked is not None
            and _b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            == asked["code_challenge"],
        }
        self.refusals += [name for name, holds in checks.items() if not holds]
        if asked is None or not all(checks.values()):
            return None
        at = int(self.now())
        told = {"iss": self.address, "aud": CLIENT, "iat": at, "exp": at + 300}
        claims = {**told, "nonce": asked["nonce"], **self.claims}
        forge = self.forge or self.token
        return {"id_token": forge(claims), "access_token": "for userinfo", "token_type": "Bearer"}


@contextmanager
def serve() -> Iterator[Provider]:
    """A provider that answers until the block ends."""
    provider = Provider(ec.generate_private_key(ec.SECP256R1()))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {
                "/.well-known/openid-configuration": provider.described(),
                "/keys": provider.jwks(),
                "/userinfo": {"sub": provider.claims.get("sub"), **provider.userinfo},
            }
            self._answer(pages.get(self.path))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
            self._answer(provider.exchange(form, self.headers.get("Authorization", "")))

        def _answer(self, found: Claims | None) -> None:
            body = json.dumps(found or {"error": "invalid_grant"}).encode()
            self.send_response(200 if found else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
