"""The API's own description."""

from __future__ import annotations

import json

from quart import Response

from pipeline.access.rights import Right
from web import openapi
from web.contract import Asked, Resource

RESOURCE = Resource("description", "What this API is, for programs.")


@RESOURCE.get("/openapi.json", right=Right.ACCOUNT_READ, is_raw=True, rate="media")
async def document(asked: Asked) -> Response:
    """The OpenAPI 3.1 document."""
    body = json.dumps(openapi.document(asked.resources))
    return Response(
        body, 200, {"Cache-Control": "private, no-cache"}, content_type="application/json"
    )
