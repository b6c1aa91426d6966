"""The one query language of command line, scripts, API and chat: text to query and back.

    anna beach 2023            every word, wherever people look; dates as they are written
    person:anna -tag:meme      a field, a minus; "quoted words" stand next to each other
    (rome OR paris) type:video before:2020 rating:>=4 is:damaged

`read` takes any text: it answers a query, or raises `Invalid` that says where and what was likely
meant. `written` gives text that reads as an equal query.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.errors import Invalid, TooLarge
from pipeline.finding import moments, values, words
from pipeline.finding.query import (
    ALL,
    AllOf,
    AnyOf,
    During,
    Field,
    InState,
    Marked,
    Near,
    Not,
    OfType,
    Rated,
    Term,
    Text,
    all_of,
    any_of,
    inverted,
)
from pipeline.finding.scanner import Kind, Token, scan

LONGEST = 2_000  # characters of a query
MOST_TERMS = 32
DEEPEST = 16
_FIELDS: dict[str, Field] = {field.value: field for field in Field} | {
    "who": Field.PERSON, "people": Field.PERSON, "tags": Field.TAG, "where": Field.PLACE,
    "city": Field.PLACE, "country": Field.PLACE, "ocr": Field.TEXT, "file": Field.NAME,
    "folder": Field.IN,
}  # fmt: skip
_Reading = Callable[[str, date], Term | None]
_VALUES: dict[str, tuple[_Reading, str]] = {
    "type": (values.of_type, "photo, video, audio or document"),
    "is": (values.of_is, "damaged, duplicate, missing, trashed, rejected or located"),
    "rating": (values.of_rating, "4, >=4 or 2..5"),
    "near": (values.of_near, "latitude,longitude,10km"),
    "date": (values.of_date, '2023, 2023-07, 2021..2023 or "july 2023"'),
    "before": (values.of_before, "2023, 2023-07 or 2023-07-14"),
    "after": (values.of_after, "2023, 2023-07 or 2023-07-14"),
    "since": (values.of_since, "2023, 2023-07 or 2023-07-14"),
    "until": (values.of_until, "2023, 2023-07 or 2023-07-14"),
}
_SAME = {"kind": "type", "taken": "date", "on": "date", "stars": "rating", "state": "is"}
_SIMPLE = re.compile(r"[^\W_][\w.-]*")


def read(text: str, today: date) -> Term:
    """The query that `text` means on this day.

    Raises `Invalid` for what makes no sense, `TooLarge` for what nobody types.
    """
    if len(text) > LONGEST:
        raise TooLarge(f"A search may have {LONGEST} characters.", hint="Use fewer words.")
    tokens = [token for token in scan(text) if not _says_nothing(token)]
    if sum(token.kind in (Kind.WORD, Kind.QUOTED) for token in tokens) > MOST_TERMS:
        raise TooLarge(f"A search may have {MOST_TERMS} words.", hint="Use fewer.")
    if not tokens:
        if text.strip():
            raise Invalid(f"There are no letters in {text.strip()!r} to look for.")
        return ALL
    parser = _Parser(tokens, len(text), today)
    query = parser.any_of(0)
    if parser.left:
        raise parser.unexpected()
    return query


def value(field: str, text: str, today: date) -> Term:
    """What `text` means behind `field:`. Raises `Invalid`."""
    return _in_field(Token(Kind.QUOTED, text, 0, field), today)


def joined(arguments: Sequence[str]) -> str:
    """The arguments of a command line as one text: what the shell unquoted is quoted again."""
    return " ".join(map(_requoted, arguments)) if len(arguments) > 1 else "".join(arguments)


def written(query: Term) -> str:
    """Text that `read` understands as an equal query, on any day."""
    match query:
        case AnyOf(terms):
            return " OR ".join(map(written, terms))
        case AllOf(terms):
            return " ".join(
                _grouped(term) if isinstance(term, AnyOf) else written(term) for term in terms
            )
        case Not(AnyOf() | AllOf() as inner):
            return f"-{_grouped(inner)}"
        case Not(inner):
            return f"-{written(inner)}"
        case Text():
            return _written_text(query)
        case During() | Rated() | OfType() | InState() | Marked() | Near():
            return values.written(query)


@dataclass(slots=True)
class _Parser:
    """Reads tokens from left to right; what binds tighter is read deeper down."""

    tokens: Sequence[Token]
    end: int
    today: date
    at: int = 0

    @property
    def left(self) -> bool:
        return self.at < len(self.tokens)

    def any_of(self, depth: int) -> Term:
        if depth > DEEPEST:
            raise TooLarge("The brackets of this search are too deep.", hint="Use fewer.")
        terms = [self.all_of(depth)]
        while self.takes(Kind.OR):
            terms.append(self.all_of(depth))
        return any_of(*terms)

    def all_of(self, depth: int) -> Term:
        terms = [self.one(depth)]
        while self.takes(Kind.AND) or (self.left and self.next not in (Kind.OR, Kind.CLOSE)):
            terms.append(self.one(depth))
        return all_of(*terms)

    def one(self, depth: int, *, is_negative: bool = False) -> Term:
        if not self.left:
            raise self.unexpected()
        if self.takes(Kind.NOT):
            if depth > DEEPEST:
                raise TooLarge("There are too many minus signs.", hint="Use one.")
            return inverted(self.one(depth + 1, is_negative=True))
        if self.takes(Kind.OPEN):
            inner = self.any_of(depth + 1)
            if not self.takes(Kind.CLOSE):
                raise _invalid("A bracket is not closed.", self.end, 'Add ")" at the end.')
            return inner
        if self.next not in (Kind.WORD, Kind.QUOTED):
            raise self.unexpected()
        if self.tokens[self.at].field is not None:
            return _in_field(self._take(), self.today)
        return self._moment() or self._word(is_negative=is_negative)

    @property
    def next(self) -> Kind:
        return self.tokens[self.at].kind

    def takes(self, kind: Kind) -> bool:
        is_it = self.left and self.next is kind
        self.at += is_it
        return is_it

    def unexpected(self) -> Invalid:
        if not self.left:
            before = self.tokens[self.at - 1].text if self.at else ""
            return _invalid(f"Something is missing behind {before!r}.", self.end, "Add a word.")
        token = self.tokens[self.at]
        hint = f'To look for it as a word, put it in quotes: "{token.text}".'
        return _invalid(f"{token.text!r} cannot stand here.", token.at, hint)

    def _take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _moment(self) -> Term | None:
        """The longest run of plain words from here that names a time."""
        run: list[str] = []
        for token in self.tokens[self.at : self.at + moments.LONGEST]:
            if token.kind is not Kind.WORD or token.field is not None or token.is_prefix:
                break
            run.append(token.text)
        for length in range(len(run), 0, -1):
            found = moments.span(run[:length], self.today)
            if found is not None:
                self.at += length
                return found
        return None

    def _word(self, *, is_negative: bool) -> Term:
        token = self._take()
        is_begun = token.kind is Kind.WORD and not self.left and not is_negative
        return Text(token.text, None, token.is_prefix or is_begun)


def _says_nothing(token: Token) -> bool:
    """A bare comma or dash among words divides nothing and asks for nothing."""
    is_text = token.kind in (Kind.WORD, Kind.QUOTED) and token.field is None
    return is_text and not words.folded(token.text)


def _in_field(token: Token, today: date) -> Term:
    assert token.field is not None
    name = token.field.casefold()
    name = _SAME.get(name, name)
    if name in _FIELDS:
        if not words.folded(token.text):
            raise _invalid(f"{token.field}: names nothing to look for.", token.at, "Add a word.")
        return Text(token.text, _FIELDS[name], token.is_prefix)
    if name not in _VALUES:
        raise _unknown_field(token)
    reading, examples = _VALUES[name]
    found = reading(token.text, today)
    if found is None:
        message = f"{token.text!r} makes no sense behind {token.field}:."
        raise _invalid(message, token.at, f"Write {token.field}: and {examples}.")
    return found


def _unknown_field(token: Token) -> Invalid:
    known = [*_FIELDS, *_VALUES, *_SAME]
    meant = difflib.get_close_matches((token.field or "").casefold(), known, 1, 0.6)
    quoted = f'put it in quotes: "{token.field}:{token.text}"'
    hint = f"Did you mean {meant[0]}:?" if meant else f"To look for it as a word, {quoted}."
    return _invalid(f"There is no field {token.field}:.", token.at, hint)


def _invalid(message: str, at: int, hint: str) -> Invalid:
    return Invalid(f"{message} (at character {at + 1})", hint=hint)


def _requoted(argument: str) -> str:
    field, colon, value = argument.partition(":")
    is_torn = colon and field.lstrip("-").isalpha() and " " in value and '"' not in value
    return f'{field}:"{value}"' if is_torn else argument


def _grouped(term: Term) -> str:
    return f"({written(term)})"


def _written_text(term: Text) -> str:
    star = "*" if term.is_prefix else ""
    is_simple = _SIMPLE.fullmatch(term.text) and (term.field or _stands_alone(term))
    quoted = term.text if is_simple else _quoted(term.text)
    return f"{term.field}:{quoted}{star}" if term.field else f"{quoted}{star}"


def _stands_alone(term: Text) -> bool:
    return term.is_prefix and term.text not in ("OR", "AND", "NOT")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
