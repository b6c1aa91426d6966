"""Every setting with its explanation, where its value comes from, and what waits for a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from pipeline.access.rights import Right
from pipeline.service import configuring
from pipeline.service.configuring import Setting
from web.contract import Asked
from web.shell import Page


async def _gather(asked: Asked) -> Mapping[str, Any]:
    found = await configuring.listing(asked.actor, asked.core)
    sections = groupby(found, key=lambda one: one.name.partition(".")[0])
    return {"sections": {name: [_shown(one) for one in of] for name, of in sections}}


def _shown(one: Setting) -> Mapping[str, Any]:
    """How a value is edited: chosen, typed as a number or a text, or only looked at."""
    value = one.pending if one.is_pending else one.value
    kind = "looked-at"
    if not (one.is_fixed or one.is_secret):
        kind = next((name for of, name in _KINDS if isinstance(value, of)), kind)
    text = value if isinstance(value, str) else json.dumps(value)
    return {"setting": one, "kind": kind, "text": "" if one.is_secret else text}


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "switch"),
    (int, "number"),
    (float, "number"),
    (str, "text"),
)
PAGE = Page(
    name="settings",
    path="/settings",
    right=Right.SETTINGS_READ,
    gather=_gather,
    template="settings.html",
    order=11,
    icon="settings",
    scripts=("act.js",),
)
