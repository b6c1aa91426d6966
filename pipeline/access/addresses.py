"""Signed addresses: one variant of one file, in one version, for one holder, until a moment.

    /api/v2/files/ID/derivatives/preview?v=KEY&for=u.ANNA&until=1790000000&sig=KID.MAC

HMAC-SHA256 over everything before `sig`, by a key that is made of the newest signing key and good
for nothing else. `until` is rounded, so that the same address is given out for hours and caches
hit. The signature says that we gave the address out; whether its holder may still look is asked
anew by who answers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from pipeline.access.signed import Keyring
from pipeline.errors import NotFound

VERSION_LENGTH = 12  # hex digits of the content's SHA-256
_PURPOSE = b"darkroom media addresses 1"
_QUERY = re.compile(
    r"v=(?P<version>[0-9a-f]{12})&for=(?P<holder>[ul]\.[A-Za-z0-9_~-]{1,80})"
    r"&until=(?P<until>[1-9][0-9]{9})&sig=(?P<kid>[0-9a-f]{16})\.(?P<mac>[A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom an address is: a user, or whoever has a link."""

    id: str
    is_link: bool = False

    @property
    def word(self) -> str:
        """As it stands in the address."""
        return f"{'l' if self.is_link else 'u'}.{self.id}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a signed address says that was found to be ours and in time."""

    holder: Holder
    version: str
    until: int  # Unix seconds


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one holder until one moment: a page of addresses costs one look at the keys."""

    holder: Holder
    until: int
    kid: str
    key: bytes = field(repr=False)

    def sign(self, path: str, version: str) -> str:
        """The path with a query that proves itself."""
        plain = f"{path}?v={version}&for={self.holder.word}&until={self.until}"
        return f"{plain}&sig={self.kid}.{_mac(self.key, plain)}"


def signer(keys: Keyring, holder: Holder, until: int) -> Signer:
    """One that signs with the newest key."""
    return Signer(holder, until, keys.newest, _key(keys.secrets[keys.newest]))


def until(now: float, hours: int, ends: float | None = None) -> int:
    """When an address given out at `now` ends: good for `hours` at least and twice that at most,
    the same for all that are given out in one window; never later than `ends`.
    """
    window = hours * 3600
    rounded = (int(now) // window + 2) * window
    return rounded if ends is None else min(rounded, int(ends))


def read(keys: Keyring, path: str, query: str, now: float) -> Shown:
    """What an address says. Raises `NotFound` for one that is not ours, was changed, or is over."""
    found = _QUERY.fullmatch(query)
    secret = keys.secrets.get(found["kid"]) if found else None
    if found is None or secret is None:
        raise refusal()
    plain = f"{path}?{query.partition('&sig=')[0]}"
    if not hmac.compare_digest(_mac(_key(secret), plain), found["mac"]):
        raise refusal()
    shown = said(query)
    if now >= shown.until:
        raise refusal()
    return shown


def said(query: str) -> Shown:
    """What an address says, without asking who wrote it. Raises `NotFound` for another query."""
    found = _QUERY.fullmatch(query)
    if found is None:
        raise refusal()
    kind, _, holder_id = found["holder"].partition(".")
    return Shown(Holder(holder_id, kind == "l"), found["version"], int(found["until"]))


def refusal() -> NotFound:
    """The one answer to every address that is no good."""
    return NotFound(
        "There is nothing at this address, or not any more.", hint="Load the page again."
    )


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE, "sha256")


def _mac(key: bytes, plain: str) -> str:
    digest = hmac.digest(key, plain.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
