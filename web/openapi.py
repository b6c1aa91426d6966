"""The API's description (OpenAPI 3.1), made from the routes themselves, so that it is true.

Every operation tells the right it needs, each status it may answer and the shape of each body.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.contract import Resource, Route
from web.endpoint import LIBRARY_HEADER, asks_a_library

VERSION = "2.0.0"
PROBLEM = "application/problem+json"
TAKEN = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_WORDS: Mapping[int, str] = {
    200: "Done.",
    201: "Made.",
    202: "Accepted: a job does it.",
    204: "Done; there is nothing to tell.",
    206: "A part, as asked by `Range`.",
    302: "Go on at `Location`.",
    303: "Go on at `Location`.",
    304: "Unchanged since the version in `If-None-Match`.",
    400: "The request cannot be read.",
    401: "Nobody knows who asks.",
    403: "The actor may not do this; `detail` names the right.",
    404: "There is no such thing, or it is not yours to see.",
    406: "Not in this form.",
    408: "The body came too slowly.",
    409: "Something else stands in the way.",
    410: "It was there, and is no more.",
    412: "It changed since the version in `If-Match`.",
    413: "The body is too large.",
    415: "The body must be JSON.",
    416: "There is no such part.",
    422: "The request can be read and makes no sense; `errors` point at the places.",
    428: "Send the version you have seen in `If-Match`.",
    429: "Too many requests; `Retry-After` says when.",
    500: "Darkroom's own fault.",
    502: "An outside service does not answer.",
    503: "Not now; `Retry-After` says when.",
    507: "A disk is full.",
}


def document(resources: Iterable[Resource], title: str = "Darkroom") -> dict[str, Any]:
    """The whole document."""
    resources = tuple(resources)
    routes = [
        (resource, route)
        for resource in resources
        for route in resource.routes
        if not route.is_form
    ]
    paths: dict[str, dict[str, Any]] = {}
    for resource, route in routes:
        path = _PARAMETER.sub(r"{\g<name>}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(resource, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": VERSION,
            "description": "All the dashboard can do. Errors are problem documents (RFC 9457).",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "tags": _tags(resource for resource, _ in routes),
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": _SECURITY,
            "headers": _TOLD,
        },
    }


def _tags(resources: Iterable[Resource]) -> list[dict[str, str]]:
    found = {one.name: one.description for one in resources}
    return [{"name": name, "description": told} for name, told in found.items()]


_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-darkroom"},
}
_TOLD = {
    name: {"description": description, "schema": schema, "required": is_sure}
    for name, description, schema, is_sure in (
        ("X-Request-Id", "Names this request in the log.", {"type": "string"}, True),
        ("RateLimit-Policy", "How often one may ask.", {"type": "string"}, True),
        ("RateLimit", "How often still, and until when.", {"type": "string"}, True),
        ("Location", "Where it is, or the job that does it.", {"type": "string"}, False),
        ("ETag", "The version of what is shown.", {"type": "string"}, True),
        ("WWW-Authenticate", "How to show who one is.", {"type": "string"}, True),
        ("Retry-After", "Seconds to wait.", {"type": "integer", "minimum": 1}, True),
    )
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "instance", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def _schemas(routes: Iterable[tuple[Resource, Route]]) -> dict[str, Any]:
    given = {(one.gives, "serialization") for _, one in routes if one.gives is not None}
    taken = {(one.takes, "validation") for _, one in routes if one.takes is not None}
    wanted = sorted(given | taken, key=lambda pair: pair[0].__name__)
    _, schemas = models_json_schema(wanted, ref_template=TAKEN)  # type: ignore[arg-type]  # the mode is a literal
    return {**schemas.get("$defs", {}), "Problem": _PROBLEM}


def _operation(resource: Resource, route: Route) -> dict[str, Any]:
    summary, _, description = inspect.getdoc(route.handler).partition("\n\n")  # type: ignore[union-attr]  # a test holds that every handler has one
    told: dict[str, Any] = {
        "operationId": route.name,
        "tags": [resource.name],
        "summary": " ".join(summary.split()),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": _responses(route),
        "security": [] if route.right is None else [{name: []} for name in _SECURITY],
    }
    if description:
        told["description"] = description
    if route.right is not None:
        told["x-right"] = str(route.right)
    if route.takes is not None:
        told["requestBody"] = {"required": True, "content": _json(route.takes)}
    elif route.takes_types:
        told["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(route.takes_types, _BYTES),
        }
    return told


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": match["name"],
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if match["kind"] == "int" else "string"},
        }
        for match in _PARAMETER.finditer(route.rule)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=TAKEN)
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _said(shape)}
        for name, shape in schema.get("properties", {}).items()
    ]


def _said(shape: dict[str, Any]) -> dict[str, Any]:
    """A shape as a query can say it: what is null is left out."""
    kinds = [one for one in shape.get("anyOf", ()) if one.get("type") != "null"]
    if not kinds:
        return shape
    rest = {name: told for name, told in shape.items() if name not in ("anyOf", "default")}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _headers(route: Route) -> list[dict[str, Any]]:
    told = []
    if route.is_conditional:
        told.append(_header("If-Match", "The version you have seen.", required=True))
    if route.method == "POST" and not route.is_raw and not route.is_secret:
        told.append(_header("Idempotency-Key", "Sent twice, it takes effect once."))
    if asks_a_library(route):
        told.append(_header(LIBRARY_HEADER, "Whose lent library is meant; without it one's own."))
    for name, one in route.says.items():
        told.append(_header(name, one.description, one.schema, required=one.is_required))
    return told


_BYTES: Mapping[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_WORD = {"type": "string", "minLength": 1, "maxLength": 200}


def _header(
    name: str, description: str, schema: Mapping[str, Any] = _WORD, *, required: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": dict(schema),
    }


def _responses(route: Route) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status in sorted({route.status, *_others(route)}):
        told[str(status)] = {"description": _WORDS[status], "headers": _told(route, status)}
        if content := _content(route, status):
            told[str(status)]["content"] = content
    return told


def _content(route: Route, status: int) -> dict[str, Any]:
    if status >= 400:
        return {PROBLEM: {"schema": {"$ref": TAKEN.format(model="Problem")}}}
    if status in (204, 302, 303, 304):
        return {}
    if route.gives is not None:
        return _json(route.gives)
    return {one: {} for one in route.media_types} if route.is_raw else {}


def _told(route: Route, status: int) -> dict[str, Any]:
    """The headers that an answer with this status may have."""
    names = ["X-Request-Id"]
    if status < 400:
        names += ["RateLimit", "RateLimit-Policy"]
    if status in (201, 202, 302, 303):
        names.append("Location")
    if status == 401:
        names.append("WWW-Authenticate")
    if status in (429, 503):
        names.append("Retry-After")
    if route.gives is not None and (status == 304 or (status == 200 and route.method == "GET")):
        names.append("ETag")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _others(route: Route) -> set[int]:
    """The statuses beside the one that is hoped for."""
    found = {401, 403, 406, 429, 500, 503, *route.errors}  # who shows bad credentials is told so
    if "<" in route.path or asks_a_library(route):
        found.add(404)
    if route.takes is not None or route.takes_types:
        found |= {400, 408, 413, 415}
    if route.takes is not None:
        found.add(422)
    if route.query is not None:
        found |= {400, 422}
    if route.is_conditional:
        found |= {412, 428}
    if route.method == "POST" and not route.is_raw:
        found |= {400, 409, 422}
    if route.method == "GET" and not route.is_raw:
        found.add(304)
    return found


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": TAKEN.format(model=model.__name__)}}}
