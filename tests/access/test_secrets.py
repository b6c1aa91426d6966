"""Passwords, second factors, sealed secrets and names: the parts without a state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from pipeline.access import in_person, opaque, passwords, totp, usernames
from pipeline.access.vault import Vault, new_key
from pipeline.errors import IntegrityBroken, Invalid, NotAllowed
from pipeline.model import Actor, Surface
from tests.kit.accounts import cheap_passwords


@pytest.fixture(autouse=True)
def _cheap() -> Iterator[None]:
    with cheap_passwords():
        yield


def test_a_password_matches_however_it_is_composed() -> None:
    """An accent typed as one letter or as two is the same password; another one is not."""
    known = passwords.hashed("grüne Wiesen am Bach")
    assert known.startswith("$argon2id$")
    assert passwords.matches(known, "gru\u0308ne Wiesen am Bach")
    assert not passwords.matches(known, "grune Wiesen am Bach")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("not a hash", "x")


def test_a_hash_of_another_cost_is_made_anew() -> None:
    """What was hashed more cheaply than is right today is noticed."""
    known = passwords.hashed("seven wild geese fly")
    assert not passwords.is_outdated(known)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "MEMORY_KIB", 16)
        assert passwords.is_outdated(known)


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("seven wild geese fly", True), ("correct horse battery staple", True),
        ("Tr0ub4dor&3 is short", True), ("darkroom123", False), ("Password!2024", False),
        ("anna.smith1", False), ("abcdefghijkl", False), ("1212121212", False),
        ("qwertzuiop", False), ("x" * 1025, False), ("ninechars", False),
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_no_password(password: str, is_good: bool) -> None:
    """Short, common, a row of keys, or one's own name with a decoration."""
    if is_good:
        passwords.check(password, "anna.smith", 10)
        return
    with pytest.raises(Invalid):
        passwords.check(password, "anna.smith", 10)


def test_codes_are_those_of_the_apps() -> None:
    """RFC 6238: the code of now, of just before and of just after; no other, and none else's."""
    secret, now = totp.new_secret(), datetime(2024, 5, 17, 12, tzinfo=UTC)
    app = pyotp.TOTP(secret)
    step = int(now.timestamp()) // 30
    for shift, is_good in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        code = app.at(now + timedelta(seconds=shift))
        found = totp.step_of(secret, f"{code[:3]} {code[3:]}", now)
        assert found == (step + shift // 30 if is_good else None)
    for told in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦"):
        assert totp.step_of(secret, told, now) is None


def test_recovery_codes_are_told_apart_and_forgiving() -> None:
    """Ten different ones, however they are typed."""
    codes = totp.new_codes()
    assert len({totp.code_digest(code) for code in codes}) == 10
    assert totp.code_digest(codes[0].upper().replace("-", " ")) == totp.code_digest(codes[0])


def test_what_is_sealed_opens_with_its_key_for_its_use_only() -> None:
    """T77: another key, another use, a changed byte, a cut: nothing comes out."""
    vault = Vault(new_key())
    sealed = vault.seal(b"secret", "totp:anna")
    assert vault.open(sealed, "totp:anna") == b"secret"
    assert vault.seal(b"secret", "totp:anna") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, told, use in (
        (Vault(new_key()), sealed, "totp:anna"), (vault, sealed, "totp:ben"),
        (vault, changed, "totp:anna"), (vault, sealed[:8], "totp:anna"), (vault, b"", "totp:anna"),
    ):  # fmt: skip
        with pytest.raises(IntegrityBroken):
            key.open(told, use)
    assert repr(vault) == "Vault()"


def test_opaque_secrets_have_256_bits_and_a_purpose() -> None:
    """Each says what it is for, none is like another, and its hint gives nothing away."""
    made = {opaque.make(opaque.KEY) for _ in range(100)}
    assert len(made) == 100
    one = made.pop()
    assert len(one) == 3 + 43
    assert opaque.has_shape(one, opaque.KEY)
    assert not opaque.has_shape(one, opaque.SESSION)
    assert not opaque.has_shape(one + "\n", opaque.KEY)
    assert len(opaque.hint(one)) == 7


@pytest.mark.parametrize(
    ("told", "spelt"),
    [("Anna", "anna"), ("ＡＮＮＡ", "anna"), ("  Björn ", "björn"), ("a.b-c_d", "a.b-c_d"),
     ("..", None), ("a/b", None), ("", None), ("a b", None), ("anna@home", None), ("x" * 65, None),
     ("anna\n", "anna"), ("an\0na", None), ("-anna", None), ("con\u202etxt", None)],
)  # fmt: skip
def test_names_have_one_spelling(told: str, spelt: str | None) -> None:
    """Two people cannot be told apart by capitals, and no name is a path."""
    if spelt is None:
        with pytest.raises(Invalid):
            usernames.checked(told)
    else:
        assert usernames.checked(told) == spelt


def test_a_key_is_never_a_person() -> None:
    """A key of an owner rules nobody above an editor, and makes no credentials."""
    owner = Actor("u", "owner", Surface.WEB)
    key = Actor("u", "owner", Surface.WEB, scopes=frozenset({"users.write"}))
    assert in_person.may_rule(owner, "owner")
    assert in_person.may_rule(key, "editor")
    assert not in_person.may_rule(key, "admin")
    assert not in_person.may_rule(Actor("u", "visitor", Surface.WEB), "guest")
    with pytest.raises(NotAllowed):
        in_person.require_in_person(key)
