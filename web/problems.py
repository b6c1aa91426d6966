"""Errors as problem documents (RFC 9457): what happened, and never how the inside looks.

The status follows from the branch of the error tree; `type` is a page of the documentation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pipeline import errors

MEDIA_TYPE = "application/problem+json"
QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_STATUS: Mapping[type[errors.DarkroomError], int] = {
    errors.NotKnown: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Stale: 412,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.StorageFull: 507,
    errors.RemoteDown: 502,
    errors.RateLimited: 429,
    errors.TryLater: 503,
    errors.BadMedia: 422,
    errors.Refused: 422,
    errors.DarkroomError: 500,
}


@dataclass(eq=False)
class Problem(Exception):
    """One problem document, raised or answered."""

    status: int
    detail: str = ""
    code: str = ""
    type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def document(self, request_id: str, instance: str) -> bytes:
        """The document's bytes."""
        code = self.code or HTTPStatus(self.status).phrase.lower().replace(" ", "-")
        told = {
            "type": self.type or f"/docs/problems#{code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": code,
            "instance": instance,
            "request_id": request_id,
        }
        if self.detail:
            told["detail"] = self.detail
        return json.dumps(told | dict(self.more)).encode()


def of(error: errors.DarkroomError) -> Problem:
    """The problem that stands for one of our errors. `path` is told to nobody over HTTP."""
    status = next(number for kind, number in _STATUS.items() if isinstance(error, kind))
    if status >= 500 and isinstance(error, errors.Broken):
        return Problem(500, "Something is wrong in Darkroom itself; nothing was lost.", error.code)
    detail = f"{error.message} {error.hint}".strip()
    return Problem(status, detail, error.code, headers=_headers(error))


def invalid(found: Sequence[Mapping[str, Any]], where: str) -> Problem:
    """The problem for a body or query that pydantic refused."""
    told = [
        {"pointer": "/" + "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in found
    ]
    return Problem(422, f"The {where} is not as it should be.", "invalid", more={"errors": told})


def _headers(error: errors.DarkroomError) -> dict[str, str]:
    if isinstance(error, errors.TryLater):
        return {"Retry-After": str(max(1, round(error.after_s)))}
    if isinstance(error, errors.NotKnown):
        return {"WWW-Authenticate": error.challenge}
    return {}
