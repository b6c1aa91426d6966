"""Names that are not a person's files: half-written, thrown away, made by machines, or our own.

Ignored is never silently lost: every rule has a reason, and a scan counts what it passed over by
reason. Purely by name; a half-written file is taken when it gets its real name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MARKER = ".darkroom-root"
STAGING = ".staging"

HALF_WRITTEN = "still being copied or downloaded"
THROWN_AWAY = "in another program's trash"
MACHINE_MADE = "made by a computer, camera or network disk, not by a person"
OUR_OWN = "Darkroom's own"
HIDDEN = "hidden"

_Rule = tuple[str, str]  # reason, regular expression for the whole name

_FILES: Sequence[_Rule] = (
    (OUR_OWN, r"\.darkroom.*"),
    (HALF_WRITTEN, r"\.syncthing\..*\.tmp|~syncthing~.*\.tmp"),
    (HALF_WRITTEN, r".*\.(?:crdownload|part|partial|download|opdownload|!ut|!qb|aria2)"),
    (HALF_WRITTEN, r"unconfirmed \d+\.crdownload|.*\.(?:tmp|temp|filepart|uploading)"),
    (
        HALF_WRITTEN,
        r"\..*\.icloud|\..+\.[a-z0-9]{6}|\.pending-.*|\.goutputstream-.*|\.nfs[0-9a-f]+",
    ),
    (HALF_WRITTEN, r"~\$.*|\.~lock\..*#|.*\.(?:swp|lock)"),
    (THROWN_AWAY, r"\.trashed-.*|\.trash-.*"),
    (MACHINE_MADE, r"\.ds_store|\._.*|\.apdisk|\.volumeicon\.icns|\.localized|icon\r"),
    (MACHINE_MADE, r"thumbs\.db(?::.*)?|ehthumbs.*\.db|desktop\.ini|autorun\.inf"),
    (MACHINE_MADE, r"synofile_thumb_.*|.*@synoeastream|.*@synoresource|\.thumbdata.*"),
    (
        MACHINE_MADE,
        r"\.nomedia|\.picasa\.ini|picasa\.ini|zbthumbnail\.info|\.directory|\.fuse_hidden.*",
    ),
    (MACHINE_MADE, r"(?:autprint|mdbk|camera|wmpinfo)\.(?:mrk|xml|ind|inp|int|ptr)|.*\.ctg"),
    (HIDDEN, r"\..*"),
)
_FOLDERS: Sequence[_Rule] = (
    (OUR_OWN, r"\.darkroom.*|\.staging"),
    (
        THROWN_AWAY,
        r"#recycle|\$recycle\.bin|recycler|recycled|\.trash(?:es|-\d+)?|\.recycle|@recycle",
    ),
    (THROWN_AWAY, r"lost\+found|\.stversions|\.trashed-.*"),
    (HALF_WRITTEN, r".*\.(?:crdownload|part|download)|\.rsync-partial|\.~tmp~"),
    (
        MACHINE_MADE,
        r"@eadir|@tmp|@sharebin|\.@__thumb|\.thumbnails?|\.thumb|\.stfolder.*|\.spotlight-v100",
    ),
    (
        MACHINE_MADE,
        r"\.fseventsd|\.temporaryitems|\.documentrevisions-v100|system volume information",
    ),
    (MACHINE_MADE, r"__macosx|\.sync|\.dropbox\.cache|\.picasaoriginals|\.snapshots?|~snapshot"),
    (HIDDEN, r"\..*"),
)


def _compiled(rules: Sequence[_Rule]) -> tuple[re.Pattern[str], dict[str, str]]:
    """One expression for all rules: a scan asks it once per name."""
    reasons = {f"r{n}": reason for n, (reason, _) in enumerate(rules)}
    text = "|".join(f"(?P<r{n}>{expression})" for n, (_, expression) in enumerate(rules))
    return re.compile(text, re.IGNORECASE | re.DOTALL), reasons


_FILE_RULES, _FILE_REASONS = _compiled(_FILES)
_FOLDER_RULES, _FOLDER_REASONS = _compiled(_FOLDERS)


def why_file(name: str) -> str | None:
    """The reason a file of this name is passed over, or None if it is a person's."""
    match = _FILE_RULES.fullmatch(name)
    return _FILE_REASONS[match.lastgroup or ""] if match else None


def why_folder(name: str) -> str | None:
    """The reason a folder of this name is not entered, or None if it is."""
    match = _FOLDER_RULES.fullmatch(name)
    return _FOLDER_REASONS[match.lastgroup or ""] if match else None
