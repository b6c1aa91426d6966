"""One file from an address, resumed where it was cut, and never more of it than was announced.

`https:` always; `http:` only for what is known by its hash, because then nobody on the way can
change it. What came so far stays in the target until it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from pipeline.errors import IntegrityBroken, Invalid, RemoteDown, TooLarge

MOST = 2 << 30  # bytes of a file whose size nobody told us
_PIECE = 1 << 20
_TRIES = 3
_PATIENCE_S = 30.0
_OWN_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES))
_AGENT = {"User-Agent": "darkroom"}


def download(address: str, target: Path, *, sha256: str = "", size: int = 0) -> str:
    """Fetch `address` into `target`, going on where an earlier try ended; the SHA-256 of it.

    Raises `RemoteDown` when it does not come or stops half-way, `IntegrityBroken` when it is not
    the file of `sha256`, `TooLarge` when it is longer than `size`, `Invalid` for other addresses.
    """
    _check(address, sha256)
    if not sha256:
        target.write_bytes(b"")  # nothing would tell that the rest belongs to this beginning
    was_begun = target.is_file() and target.stat().st_size > 0
    _get_patiently(address, target, size or MOST)
    try:
        return verified(target, sha256)
    except IntegrityBroken:
        target.write_bytes(b"")  # nothing of it is worth keeping
        if not was_begun:
            raise
    _get_patiently(address, target, size or MOST)  # the rest did not fit the beginning
    return verified(target, sha256)


def _get_patiently(address: str, target: Path, most: int) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            return _get(address, target, most)
        except urllib.error.HTTPError as error:
            raise _refused(address, error) from error
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in _OWN_DISK:
                raise
            if attempt == _TRIES:
                raise _down(address, error) from error


def verified(file: Path, sha256: str) -> str:
    """The hash of `file`. Raises `IntegrityBroken` unless it is `sha256`, where one is given."""
    with file.open("rb") as data:
        found = hashlib.file_digest(data, "sha256").hexdigest()
    if sha256 and found != sha256:
        raise IntegrityBroken(
            f"What came is not the file we know: its SHA-256 is {found}, not {sha256}.",
            path=file,
            hint="It is not used. Try again; if it stays so, the place it came from was changed.",
        )
    return found


def shown(address: str) -> str:
    """The address as it may be shown: without a name and password in it."""
    parts = urllib.parse.urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _check(address: str, sha256: str) -> None:
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{shown(address)} is no address of a file.", hint="Write https://...")
    if parts.username or parts.password:
        raise Invalid(
            f"There is a password in the address of {parts.hostname}.",
            hint="Download the file yourself and write its path.",
        )
    if parts.scheme == "http" and not sha256:
        raise Invalid(
            f"{shown(address)} is not encrypted: anybody on the way could change the file.",
            hint="Use https:// or add #sha256=... to the address.",
        )


def _get(address: str, target: Path, most: int) -> None:
    """One try: append what is missing."""
    have = target.stat().st_size if target.is_file() else 0
    wanted: Mapping[str, str] = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(address, headers={**_AGENT, **wanted})  # noqa: S310 - checked
    try:
        response = _opener().open(request, timeout=_PATIENCE_S)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there already; the hash tells
        raise
    with (
        response,
        target.open("ab" if response.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as out,
    ):
        _copy(response, out, most)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)


def _copy(response: http.client.HTTPResponse, out: IO[bytes], most: int) -> None:
    while piece := response.read(_PIECE):
        if out.tell() + len(piece) > most:
            raise TooLarge(f"What comes is longer than the {most:,} bytes announced.")
        out.write(piece)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_StayEncrypted)


class _StayEncrypted(urllib.request.HTTPRedirectHandler):
    """Follows a redirection unless it leads from https to anything else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """See `HTTPRedirectHandler`."""
        if req.type == "https" and not newurl.startswith("https://"):
            raise urllib.error.URLError("it leads to an address that is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refused(address: str, error: urllib.error.HTTPError) -> RemoteDown | Invalid:
    told = f"{shown(address)} answered {error.code} {error.reason}."
    if error.code >= 500 or error.code in (408, 425, 429):
        return RemoteDown(told, hint="Try again later.")
    return Invalid(told, hint="Check the address, or which registry is configured.")


def _down(address: str, error: Exception) -> RemoteDown:
    reason = getattr(error, "reason", None) or error
    return RemoteDown(
        f"{shown(address)} could not be fetched whole: {reason}.",
        hint="What came is kept; the same command goes on from there.",
    )
