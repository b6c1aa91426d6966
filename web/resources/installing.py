"""What a phone needs to install the dashboard as an app."""

from __future__ import annotations

import json

from quart import Response

from web.contract import Asked, Resource
from web.statics import statics
from web.texts import text

RESOURCE = Resource("installing", "The dashboard as an app on a phone.")


@RESOURCE.get(
    "/manifest.webmanifest",
    right=None,
    is_rooted=True,
    is_raw=True,
    rate="media",
    media_types=("application/manifest+json",),
)
async def manifest(asked: Asked) -> Response:
    """The web app manifest (W3C)."""
    told = {
        "name": text("app.name"),
        "short_name": text("app.name"),
        "id": "/",
        "start_url": "/",
        "display": "standalone",
        "background_color": "#141110",
        "theme_color": "#141110",
        "icons": [{"src": statics().url("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    headers = {"Cache-Control": "public, max-age=3600"}
    kind = "application/manifest+json"
    return Response(json.dumps(told), 200, headers, content_type=kind)
