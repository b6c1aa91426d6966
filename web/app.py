"""The Quart application: the API's resources, discovered, and everything that is not an API.

Requests for the API go straight to their endpoint; Quart's own dispatch (contexts, signals, Jinja)
is for pages. Every answer carries the security headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from quart import Quart, Request, Response
from quart import request as current_request
from quart.typing import ResponseTypes
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from pipeline.core import Core
from pipeline.registry import discover
from pipeline.state import readers
from web import headers, live, packing, shell
from web.contract import Gate, Resource, Route
from web.endpoint import Around, Endpoint, problem_response
from web.live import Live
from web.pacing import Pacing
from web.problems import Problem
from web.rates import Rates
from web.statics import PREFIX, statics

BODY_TIMEOUT_S = 60
LARGEST_BODY = 64 << 20  # no route takes more; most take far less


class App(Quart):
    """Quart, with the API in front of it."""

    def __init__(self, core: Core, gate: Gate, resources: Iterable[Resource]) -> None:
        super().__init__("web", static_folder=None)
        self.core = core
        self.gate = gate
        self.rates = Rates()
        self._pacing = Pacing()
        self.statics = statics()
        self.resources = tuple(resources)
        self.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
        self.config["BODY_TIMEOUT"] = BODY_TIMEOUT_S
        self.config["RESPONSE_TIMEOUT"] = (
            None  # a film may take its time; the server ends dead ones
        )
        self.live = Live(core, gate)
        around = Around(core, gate, self.rates, self.resources, self.live)
        self._api = _map(self.routes, lambda route: Endpoint(route, around))
        self._paths = self._api.bind("")
        shell.install(self)
        self.register_error_handler(HTTPException, _told)
        live.install(self, self.live)

    @property
    def routes(self) -> list[Route]:
        """Every route of every resource."""
        return [route for resource in self.resources for route in resource.routes]

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer in turn; see `pacing`."""
        await self._pacing.turn()
        await super().__call__(scope, receive, send)

    async def handle_request(self, request: Request) -> ResponseTypes:
        """Answer one request: by its endpoint, or by Quart where it is no API."""
        readers.begin()
        try:
            endpoint, parameters = self._paths.match(request.path, request.method)
        except NotFound:
            response = await self._elsewhere(request)
        except (MethodNotAllowed, RequestRedirect) as error:
            is_api = request.path.startswith("/api/")
            response = _refused(error, request) if is_api else await self._elsewhere(request)
        else:
            response = await endpoint.answer(request, parameters)
        packing.pack(response, request)
        headers.secure(response, request)
        return response

    async def _elsewhere(self, request: Request) -> ResponseTypes:
        if request.path.startswith(PREFIX):
            return self.statics.respond(request)
        if not request.path.startswith("/api/"):
            return await super().handle_request(request)
        told = Problem(404, "There is nothing at this address.")
        return problem_response(told, request, "")


def create_app(core: Core, gate: Gate) -> App:
    """The application over an open home, with every resource there is."""
    return App(core, gate, discover("web.resources", "RESOURCE"))


def _map(routes: Iterable[Route], endpoint: Any) -> Map:
    rules = [Rule(route.rule, methods=[route.method], endpoint=endpoint(route)) for route in routes]
    return Map(rules, strict_slashes=True, merge_slashes=False)


async def _told(error: HTTPException) -> Response:
    """Quart's own refusals, outside the API, as problem documents, too."""
    headers = {"Allow": ", ".join(sorted(_allowed(error)))} if _allowed(error) else {}
    problem = Problem(error.code or 500, headers=headers)
    return problem_response(problem, current_request, "")


def _allowed(error: HTTPException) -> set[str]:
    return set(getattr(error, "valid_methods", None) or ())


def _refused(error: HTTPException, request: Request) -> Response:
    if isinstance(error, RequestRedirect):
        return problem_response(Problem(404, "There is nothing at this address."), request, "")
    assert isinstance(error, MethodNotAllowed)
    allowed = ", ".join(sorted({*_allowed(error), "OPTIONS"}))
    if request.method == "OPTIONS":
        return Response(b"", 204, {"Allow": allowed})
    told = Problem(405, f"This address takes {allowed}.", headers={"Allow": allowed})
    return problem_response(told, request, "")
