"""Asking a login provider: small JSON answers, over TLS, without redirects, within ten seconds.

Blocking: for threads. The addresses are the administrator's settings and what the provider itself
published under them; none comes from a visitor.
"""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import IO

from pipeline.access.oidc import is_safe
from pipeline.errors import NotKnown, RemoteDown
from pipeline.model import Json

PATIENCE_S = 10.0
MOST_BYTES = 256 << 10


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing: a secret goes only where it was meant to."""


def get(address: str, bearer: str | None = None) -> dict[str, Json]:
    """The JSON object at an address. Raises `RemoteDown`, `NotKnown` for anything else there."""
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    return _asked(_request(address, None, headers))


def post(
    address: str, form: Mapping[str, str], client_id: str, client_secret: str
) -> dict[str, Json]:
    """The answer to a form, as this client (RFC 6749, 2.3.1); a public one has no secret."""
    headers = {}
    if client_secret:
        pair = ":".join(map(urllib.parse.quote_plus, (client_id, client_secret)))
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return _asked(_request(address, urllib.parse.urlencode(form).encode(), headers))


def _request(
    address: str, body: bytes | None, headers: Mapping[str, str]
) -> urllib.request.Request:
    if not is_safe(address):
        raise NotKnown(
            "The login provider's address is not safe.", hint="It must begin with https://."
        )
    told = {"User-Agent": "darkroom", "Accept": "application/json", **headers}
    return urllib.request.Request(address, body, told)  # noqa: S310 - the scheme was checked above


def _asked(request: urllib.request.Request) -> dict[str, Json]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(request, timeout=PATIENCE_S) as answer:
            raw = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code >= 500:
            raise _down() from error
        raise NotKnown(
            f"The login provider refused (HTTP {error.code}).",
            hint="Begin again; if it stays so, its settings here do not fit.",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _down() from error
    return _object(raw)


def _object(raw: bytes) -> dict[str, Json]:
    try:
        found = json.loads(raw) if len(raw) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotKnown("The login provider's answer cannot be read.", hint="Begin again.")
    return found


def _down() -> RemoteDown:
    return RemoteDown(
        "The login provider does not answer.", hint="Owners can sign in with their password."
    )
