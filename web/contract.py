"""How a resource of the API is declared, and what its handlers are given.

    RESOURCE = Resource("tags", "Words that people and models gave to files.")

    @RESOURCE.get("/tags", right=Right.FILES_READ, gives=TagList)
    async def listing(asked: Asked) -> TagList:
        '''Every tag in use.'''

A route's declaration is the truth: rights, limits, checks of bodies and the OpenAPI document all
come from it. Handlers take `asked`, the path's parameters by name, and `query` and `body` where the
route says what they are; their docstring is their documentation.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from pipeline.access.rights import Right
from pipeline.model import Actor

if TYPE_CHECKING:
    from quart import Request

    from pipeline.core import Core
    from pipeline.service.edge import Admission
    from web.live import Live

API = "/api/v2"
SMALL_BODY = 64 << 10
LARGE_BODY = 4 << 20  # ten thousand ids fit


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def _as_written(told: object) -> object:
    if not isinstance(told, str):
        return told
    if not _RFC_3339.fullmatch(told):
        raise ValueError("a date and time as RFC 3339 writes them, with offset")
    return datetime.fromisoformat(told.upper())


# A moment in a request; a bare number is none.
Moment = Annotated[AwareDatetime, BeforeValidator(_as_written)]


class Taken(BaseModel):
    """Base of what a request may say: an unknown field is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Gate(Protocol):
    """How a request becomes an actor."""

    async def actor_of(self, request: Request) -> Actor | None:
        """Who asks; None: nobody. Raises `NotKnown` for credentials that are no good."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asks, of which home, and the request itself for what is rarely needed."""

    actor: Actor
    core: Core
    request: Request
    resources: Sequence[Resource] = ()
    live: Live | None = None
    admission: Admission | None = None  # by a signed address; see `web.edge`

    @property
    def if_match(self) -> str | None:
        """The version that the caller has seen, from `If-Match`; None: any."""
        told = self.request.headers.get("If-Match")
        return None if told is None or told == "*" else told.strip('"').partition(".")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """A value with more to say than 200: a status, a version, headers."""

    body: object = None
    status: int | None = None  # None: the route's own
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that a route reads: what it is for, and its shape as JSON Schema."""

    description: str
    schema: Mapping[str, Any]
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path. `right` None: anybody may ask, also without an account."""

    method: str
    path: str  # below `API` unless it is absolute by `is_rooted`; Quart's `<name>` parameters
    handler: Handler
    right: Right | None
    gives: type[BaseModel] | None = None
    takes: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    body_limit: int = SMALL_BODY
    rate: str = "default"
    is_rooted: bool = False
    is_raw: bool = (
        False  # reads or answers something else than JSON: the handler makes the response
    )
    is_signed: bool = False  # a signed address may stand for credentials
    is_secret: bool = False  # answers what is shown once: never kept to be repeated
    is_conditional: bool = False  # changes something that has a version: wants `If-Match`
    is_form: bool = False  # sent by a page without scripts: no part of the API's description
    media_types: Sequence[str] = ("application/json",)  # of a raw answer
    takes_types: Sequence[str] = ()  # of the body of a raw request
    says: Mapping[str, Header] = field(default_factory=dict)  # headers of its own, by name
    errors: Sequence[int] = ()  # statuses beyond those every route may answer

    @property
    def rule(self) -> str:
        """The whole path."""
        return self.path if self.is_rooted else API + self.path

    @property
    def name(self) -> str:
        """The operation's name: stable, as clients generated from the OpenAPI document see it."""
        return f"{self.handler.__module__.rpartition('.')[2]}_{self.handler.__name__}"


class Resource:
    """A noun of the API and its routes, in the order in which they are declared."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description
        self.routes: list[Route] = []

    def get(self, path: str, *, right: Right | None, **more: Any) -> Callable[[H], H]:
        """Declare a route that only looks."""
        return self.route("GET", path, right=right, **more)

    def post(self, path: str, *, right: Right | None, **more: Any) -> Callable[[H], H]:
        """Declare a route that makes or starts something."""
        return self.route("POST", path, right=right, **more)

    def put(self, path: str, *, right: Right | None, **more: Any) -> Callable[[H], H]:
        """Declare a route that replaces something."""
        return self.route("PUT", path, right=right, **more)

    def patch(self, path: str, *, right: Right | None, **more: Any) -> Callable[[H], H]:
        """Declare a route that changes some fields."""
        return self.route("PATCH", path, right=right, **more)

    def delete(self, path: str, *, right: Right | None, **more: Any) -> Callable[[H], H]:
        """Declare a route that takes something away."""
        return self.route("DELETE", path, right=right, **{"status": 204, **more})

    def route(
        self, method: str, path: str, *, right: Right | None, **more: Any
    ) -> Callable[[H], H]:
        """Declare any route; `more` are fields of `Route`."""

        def declare(handler: H) -> H:
            self.routes.append(Route(method, path, handler, right, **more))
            return handler

        return declare
