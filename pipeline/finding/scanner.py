"""A typed query as tokens with their places. Any text has tokens; only an open quote is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import Invalid

_FIELD = re.compile(r"([^\W\d_]+):")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(\*?)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    OPEN = "("
    CLOSE = ")"
    OR = "OR"
    AND = "AND"
    NOT = "NOT"


_JOINTS = {"OR": Kind.OR, "|": Kind.OR, "AND": Kind.AND, "&": Kind.AND, "NOT": Kind.NOT}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query; `at` counts characters from 0. Only texts have a field or a star."""

    kind: Kind
    text: str
    at: int
    field: str | None = None
    is_prefix: bool = False


def scan(text: str) -> Iterator[Token]:
    """The tokens of `text`. Raises `Invalid` for a quote that is not closed, or an empty field."""
    at = depth = 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
            continue
        token, at = _token(text, at, depth)
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        yield token


def _token(text: str, at: int, depth: int) -> tuple[Token, int]:
    if text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace():
        return Token(Kind.NOT, "-", at), at + 1
    if text[at] == "(":
        return Token(Kind.OPEN, "(", at), at + 1
    if text[at] == ")" and depth:
        return Token(Kind.CLOSE, ")", at), at + 1
    field = _FIELD.match(text, at)
    value_at = field.end() if field else at
    name = field[1] if field else None
    if value_at == len(text) or text[value_at].isspace():
        raise Invalid(
            f"{name}: names nothing to look for. (at character {at + 1})",
            hint=f"Write the word right behind the colon: {name}:word.",
        )
    if text[value_at] == '"':
        return _quoted(text, at, value_at, name)
    end = _end_of_word(text, value_at, depth)
    word = text[value_at:end]
    if name is None and word in _JOINTS:
        return Token(_JOINTS[word], word, at), end
    is_prefix = len(word) > 1 and word.endswith("*")
    return Token(Kind.WORD, word.removesuffix("*") if is_prefix else word, at, name, is_prefix), end


def _quoted(text: str, at: int, value_at: int, name: str | None) -> tuple[Token, int]:
    found = _QUOTED.match(text, value_at)
    if found is None:
        raise Invalid(
            f"A quote is not closed. (at character {value_at + 1})", hint="Add another quote."
        )
    inner = _ESCAPED.sub(r"\1", found[1])
    return Token(Kind.QUOTED, inner, at, name, bool(found[2])), found.end()


def _end_of_word(text: str, at: int, depth: int) -> int:
    """Where a word ends: at a space, or at a bracket that closes one opened outside of it."""
    inner = 0
    for end in range(at, len(text)):
        character = text[end]
        if character.isspace():
            return end
        inner += character == "("
        if character == ")":
            if not inner and depth:
                return end
            inner = max(inner - 1, 0)
    return len(text)
