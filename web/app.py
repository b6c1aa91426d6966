"""The Quart application: the API's resources, discovered, and everything that is not an API.

Requests for the API go straight to their endpoint; Quart's own dispatch (contexts, signals, Jinja)
is for pages. Every answer carries the security headers.
"""

from __future__ import annotations

from collections.abc import Iterable

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from quart import Quart, Request, Response
from quart import request as current_request
from quart.typing import ResponseTypes
from werkzeug.exceptions import HTTPException, NotFound
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
        self._endpoints: dict[str, dict[str, Endpoint]] = {}  # by rule, and method
        for route in self.routes:
            self._endpoints.setdefault(route.rule, {})[route.method] = Endpoint(route, around)
        rules = [Rule(rule, endpoint=rule) for rule in self._endpoints]
        self._paths = Map(rules, strict_slashes=True, merge_slashes=False).bind("")
        shell.install(self)
        self._pages = self.url_map.bind("")
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
            rule, parameters = self._paths.match(request.path, "GET")
        except (NotFound, RequestRedirect):
            response = await self._elsewhere(request)
        else:
            methods = self._endpoints[rule]
            endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
            if endpoint is None:
                response = await self._otherwise(request, methods)
            else:
                response = await endpoint.answer(request, parameters)
        packing.pack(response, request)
        headers.secure(response, request, self.core.settings.web.cdn_url.rstrip("/"))
        return response

    async def _otherwise(self, request: Request, methods: Iterable[str]) -> ResponseTypes:
        """A method that no endpoint at this address takes: a page may, where forms are sent."""
        shown = set() if _is_api(request) else set(self._pages.allowed_methods(request.path))
        if request.method in shown - {"OPTIONS"}:
            return await super().handle_request(request)
        taken = {*methods, *shown, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        allowed = ", ".join(sorted(taken))
        if request.method == "OPTIONS":
            return Response(b"", 204, {"Allow": allowed})
        told = Problem(405, f"This address takes {allowed}.", headers={"Allow": allowed})
        return problem_response(told, request, "")

    async def _elsewhere(self, request: Request) -> ResponseTypes:
        if request.path.startswith(PREFIX):
            return self.statics.respond(request)
        if not _is_api(request):
            return await super().handle_request(request)
        told = Problem(404, "There is nothing at this address.")
        return problem_response(told, request, "")


def create_app(core: Core, gate: Gate) -> App:
    """The application over an open home, with every resource there is."""
    return App(core, gate, discover("web.resources", "RESOURCE"))


def _is_api(request: Request) -> bool:
    return request.path.startswith("/api/")


async def _told(error: HTTPException) -> Response:
    """Quart's own refusals, outside the API, as problem documents, too."""
    allowed = getattr(error, "valid_methods", None) or ()
    headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
    problem = Problem(error.code or 500, headers=headers)
    return problem_response(problem, current_request, "")
