"""Names of edited copies: which original a name says it was made from. Pure."""

from __future__ import annotations

import re

_SUFFIXES = (
    "edited|edit|bearbeitet|modifié|modifie|editado|editada|ha editado|modificato|bewerkt|"
    "redigeret|redigerad|redigert|muokattu|edytowane|upraveno|düzenlendi|изменено|змінено|編集済み|已修改|已編輯|"
    "수정됨|effects"
)
# "IMG_1-edited", and with the number of a double behind it: "IMG_1-edited(1)".
_SUFFIXED = re.compile(rf"(?P<stem>.+?)[-_ ](?:{_SUFFIXES})(?P<double>\(\d+\))?", re.IGNORECASE)
# Google on a Pixel: "PXL_1~2" is the second version of "PXL_1".
_VERSION = re.compile(r"(?P<stem>.+)~\d{1,2}")
# Apple: IMG_E1234 is the edited IMG_1234; IMG_O1234 its adjustments seen from the original.
_APPLE = re.compile(r"(?P<stem>img_)[eo](?P<number>\d{4}.*)", re.IGNORECASE)


def original_stem(stem: str) -> str | None:
    """The stem of the original that `stem` (a name without extension) is an edit of, or None."""
    if suffixed := _SUFFIXED.fullmatch(stem):
        return suffixed["stem"] + (suffixed["double"] or "")
    if version := _VERSION.fullmatch(stem):
        return version["stem"]
    apple = _APPLE.fullmatch(stem)
    return apple["stem"] + apple["number"] if apple else None
