"""Albums as they are answered: what is told of others' files is what a picture wall needs."""

from __future__ import annotations

from pathlib import PurePosixPath

from pipeline.service.answers import AlbumFile, FileRow
from web.contract import Given


class AlbumView(Given):
    """One album; `new_*` count what others did since the caller last looked."""

    id: str
    owner_id: str
    owner: str
    title: str
    description: str
    cover: str | None
    version: int
    created_at: str
    updated_at: str
    files: int
    new_files: int
    new_comments: int
    permission: str
    is_own: bool


class AlbumPage(Given):
    """A page of albums."""

    items: list[AlbumView]
    next: str | None


class DeletedAlbum(Given):
    """An album that can be brought back."""

    id: str
    title: str
    files: int
    created_at: str


class DeletedAlbums(Given):
    """Own albums that were deleted, the newest deleted first."""

    items: list[DeletedAlbum]


class AlbumFileView(Given):
    """A file in an album."""

    id: str
    owner_id: str
    added_by: str
    name: str
    category: str | None
    mime: str | None
    taken_at: str | None
    place: str | None
    title: str | None
    width: int | None
    height: int | None
    duration_s: float | None
    ratio: float  # width/height as it is shown
    key: str  # changes with the content and makes a thumbnail's address immutable
    favourites: int
    is_favourite: bool
    comments: int

    @classmethod
    def of(cls, one: AlbumFile) -> AlbumFileView:
        """What is told: no paths of somebody else's disk, only the file's own name."""
        row = one.row
        return cls(
            id=row.id,
            owner_id=row.owner_id,
            added_by=one.added_by,
            name=PurePosixPath(row.path or row.source_path).name,
            category=row.category,
            mime=row.mime,
            taken_at=row.taken_at,
            place=row.place,
            title=row.title,
            width=row.width,
            height=row.height,
            duration_s=row.duration_s,
            ratio=_ratio(row),
            key=(row.sha256 or "")[:12],
            favourites=one.favourites,
            is_favourite=one.is_favourite,
            comments=one.comments,
        )


class FilesPage(Given):
    """A page of files, the newest taken first."""

    items: list[AlbumFileView]
    next: str | None


class ActivityView(Given):
    """One thing that somebody did: `added` files, `commented`, or marked a `favourite`."""

    id: str
    user_id: str
    name: str
    kind: str
    file_id: str | None
    files: int
    text: str | None
    at: str
    is_new: bool


class Activities(Given):
    """What happened."""

    items: list[ActivityView]
    next: str | None


def _ratio(row: FileRow) -> float:
    if not row.width or not row.height:
        return 1.0
    turned = (row.orientation or 1) >= 5
    ratio = row.height / row.width if turned else row.width / row.height
    return min(4.0, max(0.3, ratio))
