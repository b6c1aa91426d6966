"""Asking a login provider: only what is small, JSON, safe, and where it was meant to be."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from pipeline.access import provider_http
from pipeline.access.oidc import is_safe
from pipeline.errors import NotKnown, RemoteDown

PAGES: dict[str, tuple[int, bytes]] = {
    "/good": (200, b'{"a": 1}'),
    "/list": (200, b"[1]"),
    "/cut": (200, b'{"a": '),
    "/deep": (200, b"[" * 100_000),
    "/large": (200, b'{"a": "' + b"x" * provider_http.MOST_BYTES + b'"}'),
    "/elsewhere": (302, b""),
    "/refused": (403, b"no"),
    "/broken": (503, b"later"),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server with these pages; what was asked for elsewhere is in `seen`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = PAGES[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "/good")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_small_object_is_taken(address: str) -> None:
    """What it is for."""
    assert provider_http.get(f"{address}/good") == {"a": 1}


@pytest.mark.parametrize("page", ["/list", "/cut", "/deep", "/large", "/elsewhere", "/refused"])
def test_everything_else_is_refused(address: str, page: str) -> None:
    """T70: no list, nothing cut, deep or large, and no redirect is followed, be it to ourselves."""
    with pytest.raises(NotKnown):
        provider_http.get(f"{address}{page}")


def test_what_is_down_is_told_so(address: str) -> None:
    """A provider's own trouble is not the visitor's."""
    for where in (f"{address}/broken", "http://127.0.0.1:9/"):
        with pytest.raises(RemoteDown):
            provider_http.get(where)


@pytest.mark.parametrize(
    ("told", "is_good"),
    [("https://id.example/x", True), ("http://localhost:1/x", True), ("http://[::1]/x", True),
     ("http://id.example/x", False), ("file:///etc/passwd", False), ("ftp://id.example", False),
     ("https://", False), ("", False), ("http://localhost.evil.example/", False)],
)  # fmt: skip
def test_secrets_go_over_tls_or_nowhere(told: str, is_good: bool) -> None:
    """A secret leaves this machine over TLS only, and no file is an address."""
    assert is_safe(told) is is_good
    if not is_good:
        with pytest.raises(NotKnown):
            provider_http.get(told)
