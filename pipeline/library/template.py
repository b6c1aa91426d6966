"""Naming templates: `{taken:%Y}/{taken:%Y-%m}/{name}`, checked once and rendered without surprises.

A template can name only the fields below, in the formats below: there are no attributes, indexes,
conversions or code in it. Pure; month and day names are English on every machine.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import Invalid
from pipeline.library.component import safe

DEFAULT = "{taken:%Y}/{taken:%Y-%m}/{name}"
UNDATED = "undated"
LIMIT = 500  # characters; nobody writes more by hand
FIELDS = (
    "taken", "name", "stem", "ext", "category", "camera", "make", "model", "place", "city",
    "country", "owner", "year",
)  # fmt: skip
_FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_DIRECTIVE = re.compile(r"%(.?)")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PLAIN_DIRECTIVES = "YmdHMSyj"
_DIRECTIVES = _PLAIN_DIRECTIVES + "BbAaV"


@dataclass(frozen=True, slots=True)
class Field:
    """A placeholder; `spec` is the date format of `taken`."""

    name: str
    spec: str = ""


_Part = str | Field
Component = tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template: the folders, and the last component, which names the file."""

    text: str
    folders: tuple[Component, ...]
    file: Component


Values = Mapping[str, str | None]


def parse(text: str) -> Template:
    """Check a template. Raises Invalid with what is wrong and what was likely meant."""
    if not text.strip() or len(text) > LIMIT:
        raise Invalid(f"A naming template has 1 to {LIMIT} characters.", hint=f"Try {DEFAULT}")
    components = [_component(part) for part in _split(text)]
    return Template(text, tuple(components[:-1]), components[-1])


def folders(template: Template, values: Values, taken: datetime | None) -> tuple[str, ...]:
    """The folders for these values. What is not known leaves its folder out; without a date the
    dated folders become one, called "undated"."""
    found: list[str] = []
    for component in template.folders:
        text = _render(component, values, taken)
        if text and (text != UNDATED or UNDATED not in found):
            found.append(safe(text))
    return tuple(found)


def file_stem(template: Template, values: Values, taken: datetime | None) -> str:
    """The name of the file without its extension, not yet made safe; `{ext}` at the end is one."""
    parts = template.file
    if parts and parts[-1] == Field("ext"):
        parts = tuple(p.rstrip(".") if isinstance(p, str) else p for p in parts[:-1])
    return _render(parts, values, taken) or values["stem"] or ""


def _split(text: str) -> list[str]:
    """Components between slashes; a slash inside braces belongs to the placeholder."""
    parts = re.split(r"/(?![^{}]*\})", text)
    if any(part.strip() in ("", ".", "..") for part in parts):
        raise Invalid(
            "A naming template is a path inside the library: no leading, trailing or double "
            'slash, no "." and no "..".',
            hint=f"Try {DEFAULT}",
        )
    return parts


def _component(text: str) -> Component:
    parts: list[_Part] = []
    at = 0
    for match in _FIELD.finditer(text):
        parts.append(_literal(text[at : match.start()]))
        parts.append(_field(match[1], match[2] or ""))
        at = match.end()
    parts.append(_literal(text[at:]))
    return tuple(part for part in parts if part != "")


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise Invalid(
            "A naming template has single braces around a field, such as {taken:%Y}.",
            hint=f"Fields: {', '.join(FIELDS)}.",
        )
    if "\\" in text or any(ord(character) < 32 for character in text):
        raise Invalid('Folders in a naming template are separated by "/".')
    return text


def _field(name: str, spec: str) -> Field:
    if name not in FIELDS:
        raise Invalid(f'A naming template has no field "{name[:40]}".', hint=_suggestion(name))
    if name != "taken":
        if spec:
            raise Invalid(f'The field "{name}" takes no format.', hint=f"Write {{{name}}}.")
        return Field(name)
    for match in _DIRECTIVE.finditer(spec):
        if match[1] not in _DIRECTIVES or not match[1]:
            raise Invalid(
                f'"{match[0]}" is no part of a date.',
                hint=f"There are {' '.join('%' + letter for letter in _DIRECTIVES)}.",
            )
    if "/" in spec:
        raise Invalid("A date in a naming template does not hold a slash.", hint=f"Try {DEFAULT}")
    return Field(name, spec or "%Y-%m-%d")


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name[:40].lower(), FIELDS, n=1)
    return f"Did you mean {{{close[0]}}}?" if close else f"Fields: {', '.join(FIELDS)}."


def _render(component: Component, values: Values, taken: datetime | None) -> str:
    """The text; where a field is not known, the separators around it go as well."""
    texts = [part if isinstance(part, str) else _value(part, values, taken) for part in component]
    text = "".join(texts)
    if all(texts):
        return text
    return text.strip(" _-,") if any(character.isalnum() for character in text) else ""


def _value(field: Field, values: Values, taken: datetime | None) -> str:
    if field.name == "taken":
        return _date(field.spec, taken) if taken else UNDATED
    if field.name == "year":
        return f"{taken.year:04d}" if taken else UNDATED
    return (values.get(field.name) or "").replace("/", "_")


def _date(spec: str, taken: datetime) -> str:
    return _DIRECTIVE.sub(lambda match: _directive(match[1], taken), spec)


def _directive(letter: str, taken: datetime) -> str:
    match letter:
        case "Y":
            return f"{taken.year:04d}"  # strftime does not pad years before 1000
        case "B":
            return _MONTHS[taken.month - 1]
        case "b":
            return _MONTHS[taken.month - 1][:3]
        case "A":
            return _DAYS[taken.weekday()]
        case "a":
            return _DAYS[taken.weekday()][:3]
        case "V":
            return f"{taken.isocalendar().week:02d}"
        case _:
            return taken.strftime(f"%{letter}")
