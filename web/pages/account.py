"""One's own account: name, password, second factor, where one is signed in, keys for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.access.rights import ROLE_RIGHTS, Right
from pipeline.service import accounts, api_keys, providers, quotas, second_factor, sessions
from web.contract import Asked
from web.gate import recognised
from web.shell import Page
from web.texts import text

LIFETIMES = (30, 365)  # days that are offered for a key, beside "for ever"
# What programs call themselves, the first that fits: most say the names of others, too.
_BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari", "curl")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
_SHOWN = {"Edg": "Edge", "OPR": "Opera"}


async def _gather(asked: Asked) -> Mapping[str, Any]:
    actor, core = asked.actor, asked.core
    who = await recognised(core, asked.request)
    own = ROLE_RIGHTS[actor.role]
    open_ones = await sessions.listing(actor, core)
    return {
        "me": await accounts.me(actor, core),
        "shortest": core.settings.accounts.password_length,
        "codes_left": await second_factor.codes_left(actor, core),
        "sessions": open_ones,
        "devices": {one.id: _device(one.device) for one in open_ones},
        "current": None if who is None else who.source_id,
        "keys": await api_keys.listing(actor, core),
        "presets": [name for name, scopes in api_keys.PRESETS.items() if own.issuperset(scopes)],
        "scopes": sorted(own),
        "lifetimes": LIFETIMES,
        "identities": await accounts.identities_of(actor, core),
        "providers": providers.offered(core),
        "quota": await quotas.get(actor, core, actor.user_id),
    }


def _device(told: str) -> str:
    """`Firefox on Android`, of what a browser says about itself at length."""
    browser = next((name for name in _BROWSERS if name in told), None)
    system = next((name for name in _SYSTEMS if name in told), None)
    if browser is None or system is None:
        return told[:60] or text("account.program")
    return text("account.device", browser=_SHOWN.get(browser, browser), system=system)


PAGE = Page(
    name="account",
    path="/account",
    right=Right.ACCOUNT_READ,
    gather=_gather,
    template="account.html",
    scripts=("act.js", "second_factor.js"),
)
