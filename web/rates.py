"""How often one caller may ask: a bucket for each policy and caller (GCRA), in bounded memory.

The answer's headers follow draft-ietf-httpapi-ratelimit-headers-10. A restart forgives everybody:
what must survive one, failed logins, is throttled by the accounts themselves.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from web.problems import QUOTA, Problem

CALLERS = 10_000  # buckets kept; the one unused for longest goes first


@dataclass(frozen=True, slots=True)
class Policy:
    """`quota` requests in `window_s` seconds, evenly refilled; all at once if need be."""

    name: str
    quota: int
    window_s: int

    @property
    def header(self) -> str:
        """As `RateLimit-Policy` tells it."""
        return f'"{self.name}";q={self.quota};w={self.window_s}'


POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("default", 1_200, 60),
        Policy("media", 6_000, 60),  # a grid of thumbnails is one look
        Policy("upload", 6_000, 60),
        Policy("login", 30, 60),
        Policy("anonymous", 120, 60),
    )
}


class Rates:
    """The buckets. One for the whole program."""

    def __init__(self, policies: Mapping[str, Policy] = POLICIES) -> None:
        self._policies = policies
        self._free_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take(self, policy_name: str, caller: str, now: float) -> dict[str, str]:
        """Count one request at `now` (monotonic seconds); the headers that tell what is left.

        Raises a 429 `Problem` when nothing is.
        """
        policy = self._policies[policy_name]
        step = policy.window_s / policy.quota
        key = (policy_name, caller)
        free_at = max(self._free_at.pop(key, now), now) + step
        if free_at - now > policy.window_s:
            self._free_at[key] = free_at - step
            raise _exceeded(policy, math.ceil(free_at - now - policy.window_s))
        self._free_at[key] = free_at
        if len(self._free_at) > CALLERS:
            self._free_at.popitem(last=False)
        left = int((policy.window_s - (free_at - now)) / step)
        reset = math.ceil(free_at - now)
        return {
            "RateLimit-Policy": policy.header,
            "RateLimit": f'"{policy.name}";r={left};t={reset}',
        }


def _exceeded(policy: Policy, wait_s: int) -> Problem:
    return Problem(
        429,
        f"Too many requests: {policy.quota} in {policy.window_s} s are allowed."
        f" Try again in {wait_s} s.",
        "rate-limited",
        QUOTA,
        headers={
            "Retry-After": str(wait_s),
            "RateLimit-Policy": policy.header,
            "RateLimit": f'"{policy.name}";r=0;t={wait_s}',
        },
        more={"violated-policies": [policy.name]},
    )
