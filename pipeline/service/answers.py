"""What services are asked with and answer with: the values of rooms below that surfaces name.

Surfaces import services only (held by the import linter). Where a service answers with a row or a
plan of a room below as it is, its type is found here.
"""

from __future__ import annotations

from pipeline.library.duplicates import Review
from pipeline.library.renaming import Kept, Renamed
from pipeline.library.trash import PurgePlan
from pipeline.state.albums import Album, AlbumFile, Place, Words
from pipeline.state.api_keys import ApiKey
from pipeline.state.audit import Asked as LinesAsked
from pipeline.state.audit import Line
from pipeline.state.duplicates import Member
from pipeline.state.faces import Face
from pipeline.state.files import FileRow
from pipeline.state.grants import Grant, Thing, To
from pipeline.state.jobs import Job
from pipeline.state.people import Doubt, Person, Portrait
from pipeline.state.progress import Progress
from pipeline.state.quotas import Limits, Quota
from pipeline.state.renditions import Rendition
from pipeline.state.shares import Share
from pipeline.state.spans import Span, StageSpan
from pipeline.state.tags import Origin
from pipeline.state.teams import Team
from pipeline.state.uploads import Upload
from pipeline.state.users import User
from pipeline.work.meter import Durations, Meter, duration_of

__all__ = [
    "Album",
    "AlbumFile",
    "ApiKey",
    "Doubt",
    "Durations",
    "Face",
    "FileRow",
    "Grant",
    "Job",
    "Kept",
    "Limits",
    "Line",
    "LinesAsked",
    "Member",
    "Meter",
    "Origin",
    "Person",
    "Place",
    "Portrait",
    "Progress",
    "PurgePlan",
    "Quota",
    "Renamed",
    "Rendition",
    "Review",
    "Share",
    "Span",
    "StageSpan",
    "Team",
    "Thing",
    "To",
    "Upload",
    "User",
    "Words",
    "duration_of",
]
