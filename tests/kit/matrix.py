"""The access table as data: which role may ask which route, and of whose things (T64, T66).

Written down by hand, not taken from the routes: `tests/web/test_access_matrix.py` walks every route
of the API through every cell, and fails on a route without a row. To add a route, add its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.model import Json

NOBODY = "nobody"
ROLES = ("guest", "viewer", "editor", "admin", "owner")  # each may all that those before it may

SEEN = "seen"  # answered as one's own is
REFUSED = "refused"  # 403: there, and not to be touched
HIDDEN = "hidden"  # 404: as if it were not there


@dataclass(frozen=True, slots=True)
class Row:
    """One route.

    `lowest` is the lowest role that may ask; "nobody" needs no account. `thing` is the kind of
    thing that the path or the body names, made by `tests/kit/things.py`; without one only the roles
    are walked. `lent` is how a thing of somebody else answers that is lent to be looked at, and
    `foreign` how one does that is not. From the role `all_from` on foreign things are seen.
    """

    lowest: str
    thing: str = ""
    lent: str = HIDDEN
    foreign: str = HIDDEN
    all_from: str = ""
    body: Json = None  # "{file_id}" stands for the thing's own value of that name
    query: str = ""
    path: Mapping[str, str] = field(default_factory=dict)  # parameters that the thing does not give
    headers: Mapping[str, str] = field(default_factory=dict)


_FILES = {"ids": ["{file_id}"]}
_NAMED = {"files": ["{file_id}"]}
_LEND = {"resource_type": "file", "resource_id": "{file_id}", "user_id": "clara"}
_PIECE = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
_ABOUT_FILE = "resource_type=file&resource_id={file_id}"


ALBUMS: Mapping[str, Row] = {
    "GET /api/v2/albums": Row("guest"),
    "POST /api/v2/albums": Row("editor", body={"title": "New"}),
    "GET /api/v2/albums/deleted": Row("guest"),
    "GET /api/v2/albums/<album_id>": Row("guest", "album", SEEN),
    "PATCH /api/v2/albums/<album_id>": Row("editor", "album", REFUSED, body={"title": "Sea"}),
    "DELETE /api/v2/albums/<album_id>": Row("editor", "album", REFUSED),
    "POST /api/v2/albums/<album_id>/restore": Row("editor", "deleted album"),
    "GET /api/v2/albums/<album_id>/files": Row("guest", "album", SEEN),
    "POST /api/v2/albums/<album_id>/files": Row("editor", "album", REFUSED, body=_FILES),
    "POST /api/v2/albums/<album_id>/files/remove": Row("editor", "album", SEEN, body=_FILES),
    "PUT /api/v2/albums/<album_id>/files/<file_id>/favourite": Row("guest", "album", SEEN),
    "DELETE /api/v2/albums/<album_id>/files/<file_id>/favourite": Row("guest", "album", SEEN),
    "GET /api/v2/albums/<album_id>/activity": Row("guest", "album", SEEN),
    "GET /api/v2/albums/<album_id>/files/<file_id>/activity": Row("guest", "album", SEEN),
    "POST /api/v2/albums/<album_id>/comments": Row("guest", "album", SEEN, body={"text": "Oh!"}),
    "DELETE /api/v2/albums/<album_id>/comments/<comment_id>": Row("guest", "album", HIDDEN),
    "POST /api/v2/albums/<album_id>/seen": Row("guest", "album", SEEN, body={}),
}

SHARING: Mapping[str, Row] = {
    "GET /api/v2/teams": Row("guest"),
    "POST /api/v2/teams": Row("admin", body={"name": "New"}),
    "GET /api/v2/teams/<team_id>": Row("guest", "team", all_from="admin"),
    "PATCH /api/v2/teams/<team_id>": Row("admin", "team", all_from="admin", body={"name": "New"}),
    "DELETE /api/v2/teams/<team_id>": Row("admin", "team", all_from="admin"),
    "PUT /api/v2/teams/<team_id>/members/<user_id>": Row(
        "admin", "team", all_from="admin", path={"user_id": "clara"}
    ),
    "DELETE /api/v2/teams/<team_id>/members/<user_id>": Row(
        "guest", "membership", REFUSED, foreign=REFUSED, all_from="admin"
    ),
    "GET /api/v2/permissions": Row("guest"),
    "POST /api/v2/permissions": Row("editor", "file", REFUSED, body=_LEND),
    "GET /api/v2/permissions/libraries": Row("guest"),
    "GET /api/v2/permissions/receivers": Row("editor"),
    "GET /api/v2/permissions/why": Row("guest", "file", SEEN, query=_ABOUT_FILE),
    "GET /api/v2/permissions/audience": Row("editor", "file", REFUSED, query=_ABOUT_FILE),
    "GET /api/v2/permissions/<grant_id>": Row("guest", "grant"),
    "DELETE /api/v2/permissions/<grant_id>": Row("guest", "grant"),
    "GET /api/v2/shares": Row("editor"),
    "POST /api/v2/shares": Row("editor", "file", REFUSED, body={"file_ids": ["{file_id}"]}),
    "GET /api/v2/shares/<share_id>": Row("editor", "share"),
    "PATCH /api/v2/shares/<share_id>": Row("editor", "share", body={"title": "Ours"}),
    "POST /api/v2/shares/<share_id>/renew": Row("editor", "share"),
    "DELETE /api/v2/shares/<share_id>": Row("editor", "share"),
    "GET /s/<token>/look": Row(NOBODY),
    "POST /s/<token>": Row(NOBODY),
    "POST /s/<token>/open": Row(NOBODY),
    "GET /s/<token>/inside": Row(NOBODY),
    "GET /s/<token>/files": Row(NOBODY),
    "GET /s/<token>/files/<file_id>/content": Row(NOBODY),
    "GET /s/<token>/files/<file_id>/derivatives/<kind>": Row(NOBODY),
    "GET /api/v2/quotas": Row("admin"),
    "GET /api/v2/quotas/<user_id>": Row(
        "guest", "user", REFUSED, foreign=REFUSED, all_from="admin"
    ),
    "PUT /api/v2/quotas/<user_id>": Row("admin", body={}, path={"user_id": "dora"}),
    "DELETE /api/v2/quotas/<user_id>": Row("admin", path={"user_id": "dora"}),
    "GET /api/v2/audit": Row("admin"),
    "GET /api/v2/audit/verify": Row("admin"),
    "GET /api/v2/audit/export": Row("admin"),
}

ACCOUNTS: Mapping[str, Row] = {
    "POST /api/v2/auth/token": Row(NOBODY),
    "POST /api/v2/auth/token/code": Row(NOBODY),
    "POST /api/v2/auth/refresh": Row(NOBODY),
    "POST /api/v2/auth/logout": Row(NOBODY),
    "POST /api/v2/auth/session": Row(NOBODY),
    "POST /api/v2/auth/session/code": Row(NOBODY),
    "GET /api/v2/auth/session": Row("guest"),
    "DELETE /api/v2/auth/session": Row(NOBODY),
    "POST /api/v2/auth/link/look": Row(NOBODY),
    "POST /api/v2/auth/link": Row(NOBODY),
    "GET /api/v2/auth/providers": Row(NOBODY),
    "GET /api/v2/auth/providers/<name>": Row(NOBODY),
    "GET /api/v2/auth/providers/callback": Row(NOBODY),
    "POST /login": Row(NOBODY),
    "POST /logout": Row(NOBODY),
    "POST /welcome": Row(NOBODY),
    "GET /api/v2/account": Row("guest"),
    "PATCH /api/v2/account": Row("guest"),
    "POST /api/v2/account/password": Row("guest"),
    "GET /api/v2/account/second-factor": Row("guest"),
    "POST /api/v2/account/second-factor": Row("guest"),
    "POST /api/v2/account/second-factor/confirm": Row("guest"),
    "POST /api/v2/account/second-factor/codes": Row("guest"),
    "POST /api/v2/account/second-factor/off": Row("guest"),
    "GET /api/v2/account/identities": Row("guest"),
    "POST /api/v2/account/identities/unlink": Row("guest"),
    "GET /api/v2/account/identities/<name>/link": Row("guest"),
    "GET /api/v2/api-keys": Row("guest"),
    "POST /api/v2/api-keys": Row("guest"),
    "GET /api/v2/api-keys/presets": Row("guest"),
    "GET /api/v2/api-keys/<key_id>": Row("guest", "key", all_from="admin"),
    "DELETE /api/v2/api-keys/<key_id>": Row("guest", "key", all_from="admin"),
    "GET /api/v2/sessions": Row("guest"),
    "DELETE /api/v2/sessions/<session_id>": Row("guest", "session"),
    "DELETE /api/v2/sessions": Row("guest"),
    "GET /api/v2/users": Row("admin"),
    "POST /api/v2/users": Row("admin"),
    "GET /api/v2/users/<user_id>": Row("admin"),
    "PATCH /api/v2/users/<user_id>": Row("admin"),
    "DELETE /api/v2/users/<user_id>": Row("admin"),
    "POST /api/v2/users/<user_id>/link": Row("admin"),
    "DELETE /api/v2/users/<user_id>/second-factor": Row("admin"),
    "GET /api/v2/users/<user_id>/sessions": Row("admin"),
    "DELETE /api/v2/users/<user_id>/sessions": Row("admin"),
}

FILES: Mapping[str, Row] = {
    "GET /api/v2/files": Row("guest"),
    "GET /api/v2/files/<file_id>": Row("guest", "file", SEEN),
    "PATCH /api/v2/files/<file_id>": Row("editor", "file", REFUSED, body={"title": "Sea"}),
    "PUT /api/v2/files/<file_id>": Row("editor", "file", REFUSED),
    "DELETE /api/v2/files/<file_id>": Row("editor", "file", REFUSED),
    "GET /api/v2/files/<file_id>/content": Row("guest", "file", SEEN),
    "GET /api/v2/files/<file_id>/derivatives/<kind>": Row(
        "guest", "file", SEEN, path={"kind": "preview"}
    ),
    "GET /api/v2/files/<file_id>/faces": Row("viewer", "file", SEEN),
    "GET /api/v2/files/<file_id>/renditions": Row("guest", "file", SEEN),
    "GET /api/v2/files/<file_id>/motion": Row("guest", "live photo", SEEN),
    "GET /api/v2/files/<file_id>/scrubbed": Row("guest", "scrubbed file", SEEN),
    "GET /api/v2/places": Row("guest", query="q=vien"),
    "GET /api/v2/places/at": Row("guest", query="lat=48.2&lon=16.4"),
    "GET /api/v2/files/<file_id>/renditions/<rendition_id>": Row("guest", "rendition", SEEN),
    "GET /api/v2/renditions/savings": Row("guest"),
    "GET /api/v2/bundles/<bundle_id>": Row("guest", "bundle"),
    "POST /api/v2/bundles": Row("editor", "file", body=_NAMED),
    "POST /api/v2/bundles/<bundle_id>/split": Row("editor", "bundle", body=_NAMED),
    "GET /api/v2/months": Row("guest"),
    "GET /api/v2/months/<month>": Row("guest", path={"month": "2023-10"}),
    "GET /api/v2/tags": Row("guest"),
    "PATCH /api/v2/tags/<tag>": Row("editor"),
    "DELETE /api/v2/tags/<tag>": Row("editor"),
    "POST /api/v2/tags/export": Row("editor"),
    "GET /api/v2/trash": Row("guest"),
    "POST /api/v2/trash": Row("editor", "file", body=_NAMED),
    "POST /api/v2/trash/restore": Row("editor"),
    "GET /api/v2/trash/purge": Row("admin"),
    "POST /api/v2/trash/purge": Row("admin"),
    "POST /api/v2/batches": Row("editor"),
    "GET /api/v2/batches/<job_id>": Row("guest", "batch"),
    "GET /api/v2/batches/<job_id>/items": Row("guest", "batch"),
    "GET /api/v2/duplicates": Row("guest"),
    "GET /api/v2/duplicates/pairs": Row("guest"),
    "POST /api/v2/duplicates/pairs": Row("editor"),
    "POST /api/v2/duplicates/decisions": Row("editor"),
    "POST /api/v2/duplicates/rule": Row("editor"),
    "GET /api/v2/people": Row("viewer"),
    "GET /api/v2/people/questions": Row("viewer"),
    "POST /api/v2/people/answers": Row("editor"),
    "GET /api/v2/people/decisions": Row("viewer"),
    "POST /api/v2/people/decisions/<decision>/undo": Row("editor"),
    "GET /api/v2/people/recognition": Row("viewer"),
    "PUT /api/v2/people/recognition": Row("editor"),
    "GET /api/v2/people/<person>": Row("viewer", "person"),
    "PATCH /api/v2/people/<person>": Row("editor", "person", body={"is_hidden": True}),
    "POST /api/v2/people/<person>/merge": Row("editor", "person", body={"other": "{other}"}),
    "POST /api/v2/faces/move": Row("editor"),
    "POST /api/v2/faces/exclude": Row("editor"),
}

HOUSE: Mapping[str, Row] = {
    "GET /api/v2/openapi.json": Row("guest"),
    "GET /manifest.webmanifest": Row(NOBODY),
    "GET /api/v2/events": Row("viewer"),
    "POST /api/v2/live/tickets": Row("viewer"),
    "GET /api/v2/events/stream": Row("viewer"),
    "GET /api/v2/roots": Row("viewer"),
    "GET /api/v2/roots/<root_id>": Row("viewer"),
    "POST /api/v2/roots": Row("admin", body={"path": "/nowhere"}),
    "PATCH /api/v2/roots/<root_id>": Row("admin", body={"take": "copy"}),
    "DELETE /api/v2/roots/<root_id>": Row("admin"),
    "POST /api/v2/roots/<root_id>/look": Row("admin"),
    "POST /api/v2/roots/<root_id>/scan": Row("admin"),
    "POST /api/v2/roots/<root_id>/confirm": Row("admin"),
    "GET /api/v2/settings": Row("admin"),
    "GET /api/v2/settings/<name>": Row("admin"),
    "PUT /api/v2/settings/<name>": Row("admin"),
    "DELETE /api/v2/settings/<name>": Row("admin"),
}

WORK: Mapping[str, Row] = {
    "GET /api/v2/jobs": Row("viewer"),
    "POST /api/v2/jobs": Row("editor"),
    "GET /api/v2/jobs/<job_id>": Row("viewer", "job"),
    "GET /api/v2/jobs/<job_id>/progress": Row("viewer", "job"),
    "GET /api/v2/jobs/<job_id>/tasks": Row("viewer", "job"),
    "GET /api/v2/jobs/<job_id>/timeline": Row("viewer", "job"),
    "PATCH /api/v2/jobs/<job_id>": Row("editor", "job", body={"priority": "backfill"}),
    "POST /api/v2/jobs/<job_id>/pause": Row("editor", "job"),
    "POST /api/v2/jobs/<job_id>/resume": Row("editor", "job"),
    "POST /api/v2/jobs/<job_id>/cancel": Row("editor", "job"),
    "POST /api/v2/jobs/<job_id>/retry": Row("editor", "job"),
    "POST /api/v2/jobs/<job_id>/undo": Row("editor", "job"),
    "GET /api/v2/timeline": Row("viewer"),
    "GET /api/v2/files/<file_id>/timeline": Row("guest", "file", SEEN),
    "GET /api/v2/stats/series": Row("viewer"),
    "GET /api/v2/stats/stages": Row("viewer"),
    "GET /api/v2/stats/trends": Row("viewer"),
    "GET /api/v2/stats/storage": Row("viewer"),
    "GET /api/v2/status": Row("viewer"),
    "POST /api/v2/status/pause": Row("editor"),
    "POST /api/v2/status/resume": Row("editor"),
    "GET /api/processing/status": Row("viewer"),
    "GET /api/processing/progress/<job_id>": Row("viewer", "job"),
    "GET /api/v2/system": Row("viewer"),
    "POST /api/v2/system/check": Row("admin"),
    "GET /api/v2/backups": Row("admin"),
    "POST /api/v2/backups": Row("admin"),
    "GET /api/v2/backups/<name>": Row("admin"),
    "GET /metrics": Row("viewer"),
    "GET /healthz": Row(NOBODY),
    "GET /readyz": Row(NOBODY),
    "POST /api/v2/uploads": Row("editor"),
    "POST /api/v2/uploads/many": Row("editor"),
    "GET /api/v2/uploads": Row("editor"),
    "GET /api/v2/uploads/<upload_id>": Row("editor", "upload"),
    "PATCH /api/v2/uploads/<upload_id>": Row("editor", "upload", headers=_PIECE),
    "DELETE /api/v2/uploads/<upload_id>": Row("editor", "upload"),
}

OLD: Mapping[str, Row] = {  # version 1 knows nothing of lending
    "GET /api/v1/files": Row("guest"),
    "GET /api/v1/files/<file_id>": Row("guest", "file"),
    "DELETE /api/v1/files/<file_id>": Row("editor", "file"),
    "GET /api/v1/files/<file_id>/download": Row("guest", "file"),
    "GET /api/v1/jobs": Row("viewer"),
    "GET /api/v1/jobs/<job_id>": Row("viewer", "job"),
    "GET /api/v1/status": Row("viewer"),
}

TABLE: Mapping[str, Row] = {**ALBUMS, **SHARING, **ACCOUNTS, **FILES, **HOUSE, **WORK, **OLD}
