"""Sealing what the database must hold and nobody else may read: AES-256-GCM under one key file.

The key lies beside the database, never in it: a copy of the database alone opens nothing. What was
sealed for one use does not open for another.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from pipeline.errors import IntegrityBroken

KEY_BYTES = 32
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Vault:
    """The key; it is in no text that anybody prints."""

    key: bytes = field(repr=False)

    def seal(self, plain: bytes, use: str) -> bytes:
        """`plain`, to be stored; `use` says what it is and whose."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, plain, use.encode())

    def open(self, sealed: bytes, use: str) -> bytes:
        """What was sealed for `use`. Raises `IntegrityBroken` under another key or use."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], use.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityBroken(
                "A sealed secret cannot be opened: the key file does not fit the database.",
                hint="Restore state/vault.key of the same backup as the database.",
            ) from error


def new_key() -> bytes:
    """A key for a new home."""
    return secrets.token_bytes(KEY_BYTES)
