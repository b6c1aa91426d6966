"""What somebody may be called: one spelling of each name, and nothing that is no plain word."""

from __future__ import annotations

import re
import unicodedata

from pipeline.errors import Invalid

_PLAIN = re.compile(r"[^\W_](?:[\w.-]{0,62}[\w])?")
_MAIL = re.compile(r"[^\s@<>\"',;:\\]{1,64}@[^\s@<>\"',;:\\]{1,189}")


def spelt(name: str) -> str:
    """The one spelling of a name, as it is stored and looked up; for anything that was typed."""
    return unicodedata.normalize("NFKC", name[:256]).strip().casefold()


def checked(name: str) -> str:
    """The spelling of a name that is to be given. Raises `Invalid`."""
    found = spelt(name)
    if not _PLAIN.fullmatch(found):
        raise Invalid(
            "This is no user name.",
            hint="1 to 64 letters and digits, with dots, dashes and underscores between them.",
        )
    return found


def mail(address: str | None) -> str | None:
    """The one spelling of an address of mail; None for none. Raises `Invalid`."""
    if not address:
        return None
    found = spelt(address)
    if not _MAIL.fullmatch(found):
        raise Invalid("This is no address of mail.")
    return found
