"""What surrounds every handler: who asks, may they, how often, is the request as declared.

The order is fixed and the same for all routes. Whatever goes wrong becomes a problem document here;
nothing else in `web` answers errors.
"""

from __future__ import annotations

import hashlib
import inspect
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError
from quart import Request, Response
from quart.wrappers.response import DataBody
from werkzeug.exceptions import HTTPException

from pipeline.access.reach import NEEDS
from pipeline.access.rights import Right, require
from pipeline.core import Core
from pipeline.errors import DarkroomError, NotKnown
from pipeline.model import Actor, Surface
from pipeline.service import once, sharing
from pipeline.service.once import Remembered
from web import edge, problems
from web.contract import Answer, Asked, Gate, Resource, Route
from web.gate import address_of
from web.live import Live
from web.problems import Problem
from web.rates import Rates

JSON = "application/json"
PRIVATE = {"Cache-Control": "private, no-cache"}
KEY_HEADER = "Idempotency-Key"
LIBRARY_HEADER = "X-Library"  # whose files are asked about, where that is not who asks
FILE_PATH = "/files/<file_id>"  # below it every route is about that one file
LONGEST_KEY = 200
NOBODY = Actor("", "nobody", Surface.WEB)
M = TypeVar("M", bound=BaseModel)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Around:
    """What all endpoints share."""

    core: Core
    gate: Gate
    rates: Rates
    resources: Sequence[Resource]
    live: Live


class Endpoint:
    """One route, ready to answer requests."""

    def __init__(self, route: Route, around: Around) -> None:
        self.route = route
        self._core = around.core
        self._gate = around.gate
        self._rates = around.rates
        self._resources = around.resources
        self._live = around.live
        self._gives = TypeAdapter(route.gives) if route.gives is not None else None
        self._is_keyed = route.method == "POST" and not route.is_raw and not route.is_secret
        assert inspect.iscoroutinefunction(route.handler), f"{route.name} must be async"

    async def answer(self, request: Request, parameters: Mapping[str, str]) -> Response:
        """The response, whatever happens."""
        request_id = secrets.token_hex(8)
        try:
            response = await self._respond(request, parameters)
        except Problem as problem:
            response = problem_response(problem, request, request_id)
        except DarkroomError as error:
            response = problem_response(problems.of(error), request, request_id)
        except HTTPException as error:  # Quart's own: a body over its limit, too slow, cut off
            response = problem_response(Problem(error.code or 500), request, request_id)
        except Exception:  # border: no failure of one request may end the server
            _log.exception("a request failed", route=self.route.name, request_id=request_id)
            told = "Something is wrong in Darkroom itself; nothing was lost."
            response = problem_response(Problem(500, told), request, request_id)
        response.headers["X-Request-Id"] = request_id
        return response

    async def _respond(self, request: Request, parameters: Mapping[str, str]) -> Response:
        route = self.route
        request.max_content_length = route.body_limit
        _refuse_large(request, route.body_limit)
        if route.is_signed and edge.is_signed(request):
            return await self._through_cache(request, parameters)
        actor = await self._gate.actor_of(request)
        caller = actor.user_id if actor else address_of(self._core, request)
        rate = self._rates.take(_policy(route, actor), caller, self._core.clock.monotonic())
        if route.right is not None:
            actor = _known(actor)
            require(actor, route.right)
            actor = await self._reaching(actor, route.right, request, parameters)
        asked = Asked(actor or NOBODY, self._core, request, self._resources, self._live)
        if route.is_raw:
            told = {} if route.query is None else {"query": _checked(route.query, request)}
            response: Response = await route.handler(asked, **parameters, **told)
        else:
            response = await self._json(asked, parameters)
        response.headers.update(rate)
        return response

    async def _through_cache(self, request: Request, parameters: Mapping[str, str]) -> Response:
        """An answer that caches may keep: by its address alone, and about nobody who asks."""
        now = self._core.clock.monotonic()
        self._rates.take(self.route.rate, address_of(self._core, request), now)
        admission = await edge.admitted(self._core, request, parameters["file_id"])
        asked = Asked(admission.actor, self._core, request, admission=admission)
        response: Response = await self.route.handler(asked, **parameters)
        return response

    async def _reaching(
        self, actor: Actor, right: Right, request: Request, parameters: Mapping[str, str]
    ) -> Actor:
        """The actor, looking where they ask to: at a file of others, or into a lent library."""
        if self.route.path.startswith(FILE_PATH):
            return await sharing.to_file(actor, self._core, parameters["file_id"], right)
        owner = request.headers.get(LIBRARY_HEADER)
        if owner is None or owner == actor.user_id or not asks_a_library(self.route):
            return actor
        return await sharing.into_library(actor, self._core, owner, right)

    async def _json(self, asked: Asked, parameters: Mapping[str, str]) -> Response:
        request, route = asked.request, self.route
        _refuse_other_types(request)
        if route.is_conditional and "If-Match" not in request.headers:
            raise Problem(428, "Say which version you have seen: send its ETag in If-Match.")
        told: dict[str, Any] = dict(parameters)
        if route.query is not None:
            told["query"] = _checked(route.query, request)
        raw = await _body(request) if route.takes is not None else b""
        if route.takes is not None:
            told["body"] = _parsed(route.takes, raw)
        key = request.headers.get(KEY_HEADER)
        if key is None or not self._is_keyed or asked.actor is NOBODY:
            return await self._finished(asked, await self._call(asked, told))
        act = self._remembered(asked, told)
        mark = _fingerprint(request, raw)
        answer = await once.once(asked.actor, self._core, _key(key), mark, act)
        return _response(answer.body, answer.status or 200, answer.headers)

    async def _call(self, asked: Asked, told: Mapping[str, Any]) -> Answer:
        value = await self.route.handler(asked, **told)
        answer = value if isinstance(value, Answer) else Answer(value)
        return replace(answer, status=answer.status or self.route.status)

    def _remembered(self, asked: Asked, told: Mapping[str, Any]) -> Any:
        async def act() -> Remembered:
            response = await self._finished(asked, await self._call(asked, told))
            body = await response.get_data(as_text=False)
            return Remembered("", response.status_code, dict(response.headers), body)

        return act

    async def _finished(self, asked: Asked, answer: Answer) -> Response:
        request = asked.request
        headers = {**PRIVATE, **answer.headers}
        if answer.body is None or self._gives is None:
            return _response(b"", answer.status or 204, headers)
        body = self._gives.dump_json(self._gives.validate_python(answer.body, from_attributes=True))
        if request.method in ("GET", "HEAD"):
            version = (answer.etag or _digest(body)) + edge.mark(asked)
            headers["ETag"] = etag = f'"{version}"'
            if etag in request.headers.get("If-None-Match", ""):
                return _response(b"", 304, headers)
            body = await edge.outward(asked, body)
        elif answer.etag is not None:
            headers["ETag"] = f'"{answer.etag}"'
        return _response(body, answer.status or 200, headers)


def problem_response(problem: Problem, request: Request, request_id: str) -> Response:
    """The response that tells a problem."""
    body = problem.document(request_id, request.path)
    headers = {"Content-Type": problems.MEDIA_TYPE, "Cache-Control": "no-store", **problem.headers}
    return _response(body, problem.status, headers)


def _response(body: bytes, status: int, headers: Mapping[str, str]) -> Response:
    response = Response(None, status, content_type=JSON if body else None)
    response.response = DataBody(body)
    response.headers["Content-Length"] = str(len(body))
    response.headers.update(headers)
    return response


def _policy(route: Route, actor: Actor | None) -> str:
    if route.rate != "default":
        return route.rate
    return "default" if actor is not None else "anonymous"


def _known(actor: Actor | None) -> Actor:
    if actor is None:
        raise NotKnown("Sign in first.", hint="Send a bearer token, an API key or a session.")
    return actor


def _refuse_large(request: Request, limit: int) -> None:
    told = request.content_length
    if told is not None and told > limit:
        raise Problem(413, f"A body of at most {limit} bytes is taken here.", "too-large")


def _refuse_other_types(request: Request) -> None:
    accepted = request.headers.get("Accept")
    if accepted is None or "*/*" in accepted or JSON in accepted or "application/*" in accepted:
        return
    raise Problem(406, f"This is answered as {JSON} only.")


async def _body(request: Request) -> bytes:
    if request.mimetype != JSON:
        raise Problem(415, f"Send the body as {JSON}.")
    return cast("bytes", await request.get_data(cache=True, as_text=False))


def _parsed(model: type[M], raw: bytes) -> M:
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        if any(one["type"] == "json_invalid" for one in found):
            raise Problem(400, "The body is no JSON.", "bad-json") from error
        raise problems.invalid(found, "body") from error


def _checked(model: type[M], request: Request) -> M:
    told: dict[str, Any] = {}
    for name in request.args:
        values = request.args.getlist(name)
        told[name] = values if len(values) > 1 else values[0]
    try:
        return model.model_validate(told)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise problems.invalid(found, "query") from error


def _key(told: str) -> str:
    """A quoted string of RFC 9651, or a bare word."""
    key = told.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem(400, f"{KEY_HEADER} must be 1 to {LONGEST_KEY} printable characters.")
    return key


def asks_a_library(route: Route) -> bool:
    """Whether `X-Library` can say whose library a route is about: what is done there is lent."""
    return route.right in NEEDS and not route.path.startswith(FILE_PATH)


def _fingerprint(request: Request, raw: bytes) -> str:
    library = request.headers.get(LIBRARY_HEADER, "")
    said = b"\0".join((request.method.encode(), request.full_path.encode(), library.encode(), raw))
    return hashlib.sha256(said).hexdigest()


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()
