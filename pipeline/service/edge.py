"""Caches before us: who a signed address lets in, and what such a cache must forget.

A signed address is no right. Whoever answers asks here whether its holder may still look, and notes
it first, so that a cache holds nothing that is not known here. `catch_up` reads the event log and
asks the same question again of all that may be held: what would be refused now is called back.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.access import addresses, reach
from pipeline.access.addresses import Holder, Shown, Signer
from pipeline.access.rights import Right, require
from pipeline.clock import new_id, timestamp
from pipeline.errors import Refused
from pipeline.events import Recorded
from pipeline.model import Actor, FileState, Surface
from pipeline.service import shares, signing
from pipeline.state import edge, events, files, receivers, users
from pipeline.state import shares as stored_shares
from pipeline.state.edge import Call, Held
from pipeline.state.files import FileRow
from pipeline.state.shares import Share

if TYPE_CHECKING:
    from pipeline.core import Core

__all__ = [
    "CALLED", "Admission", "Call", "admit", "catch_up", "due", "give_up", "signer_for",
    "signer_for_link", "took", "try_again", "try_all_again", "wait_s",
]  # fmt: skip

RECEIVER = "edge"
OF_ONE_FILE = frozenset({"file.trashed", "file.purged", "file.replaced", "file.altered"})
OF_MANY = frozenset(
    {
        "access.revoked",
        "album.deleted",
        "album.files-removed",
        "share.changed",
        "share.revoked",
        "state.restored",
        "team.deleted",
        "team.left",
        "user.changed",
        "user.removed",
    }
)
CALLED = OF_ONE_FILE | OF_MANY
IN_A_CALL = 50  # addresses: below 20 kB
AT_ONCE = 500  # looked at between two writes
ECHO = timedelta(seconds=30)  # an answer on its way at the first call has arrived by then
_STORED = (FileState.PLACED, FileState.DONE)


@dataclass(frozen=True, slots=True)
class Admission:
    """A signed address that is good: who looks, at what, until when; by which link, if by one."""

    actor: Actor
    row: FileRow
    until: int
    share: Share | None = None


# --- giving out --------------------------------------------------------------------------------


async def signer_for(actor: Actor, core: Core) -> Signer:
    """Signs addresses for a user."""
    return await _signer(core, Holder(actor.user_id), None)


async def signer_for_link(core: Core, share: Share) -> Signer:
    """Signs addresses for who went in by a link; they end with it, and with its terms."""
    return await _signer(core, _holder(share), share.expires_at)


async def _signer(core: Core, holder: Holder, ends: str | None) -> Signer:
    keys = await signing.keys(core)
    last = None if ends is None else datetime.fromisoformat(ends).timestamp()
    hours = core.settings.web.media_hours
    until = addresses.until(core.clock.now().timestamp(), hours, last)
    return addresses.signer(keys, holder, until)


def _holder(share: Share) -> Holder:
    return Holder(f"{share.id}~{share.version}", is_link=True)


# --- letting in --------------------------------------------------------------------------------


async def admit(core: Core, path: str, query: str, file_id: str) -> Admission:
    """Whom a signed address lets in. Raises `NotFound` for any that is no good, or not any more."""
    keys = await signing.keys(core)
    shown = addresses.read(keys, path, query, core.clock.now().timestamp())
    if core.settings.web.purge_url:  # before the answer is decided: nothing slips in between
        await core.db.write(edge.note, f"{path}?{query}", file_id, shown.until)
    return await core.db.read(_admitted, shown, file_id, timestamp(core.clock.now()))


def _admitted(con: sqlite3.Connection, shown: Shown, file_id: str, at: str) -> Admission:
    try:
        if shown.holder.is_link:
            admission = _by_link(con, shown, file_id, at)
        else:
            admission = _by_user(con, shown, file_id)
    except Refused as error:
        raise addresses.refusal() from error
    row = admission.row
    if row.state not in _STORED or not (row.sha256 or "").startswith(shown.version):
        raise addresses.refusal()
    return admission


def _by_user(con: sqlite3.Connection, shown: Shown, file_id: str) -> Admission:
    user = users.require(con, shown.holder.id)
    if not user.is_active:
        raise addresses.refusal()
    actor = Actor(user.id, user.role, Surface.WEB)
    require(actor, Right.FILES_READ)
    actor = reach.file(con, actor, file_id, Right.FILES_READ)
    row = files.get(con, actor.library_id, file_id)
    if row is None:
        raise addresses.refusal()
    return Admission(actor, row, shown.until)


def _by_link(con: sqlite3.Connection, shown: Shown, file_id: str, at: str) -> Admission:
    share = stored_shares.good(con, shown.holder.id.partition("~")[0], at)
    if _holder(share) != shown.holder:
        raise addresses.refusal()
    row = stored_shares.one(con, share, file_id)
    return Admission(shares.visitor(share), row, shown.until, share)


# --- calling back ------------------------------------------------------------------------------


async def catch_up(core: Core) -> None:
    """Read on in the event log; what a cache may hold and must not any more is called back."""
    now = core.clock.now()
    position = await core.db.write(receivers.join, RECEIVER, timestamp(now))
    await core.db.write(edge.sweep, int(now.timestamp()))
    while fresh := await core.db.read(events.read_after, position):
        lost = await _lost(core, fresh)
        position = fresh[-1].seq
        await core.db.write(_settle, core, lost, position)


async def _lost(core: Core, fresh: Sequence[Recorded]) -> list[Held]:
    """What would be refused now, of all that these events may concern."""
    at = timestamp(core.clock.now())
    if not any(event.name in OF_MANY for event in fresh):
        concerned = {event.subject for event in fresh if event.name in OF_ONE_FILE}
        return await core.db.read(_lost_files, concerned, at) if concerned else []
    lost: list[Held] = []
    address = ""
    while page := await core.db.read(edge.after, address, AT_ONCE):
        lost += await core.db.read(_refused, page, at)
        address = page[-1].address
    return lost


def _lost_files(con: sqlite3.Connection, file_ids: set[str], at: str) -> list[Held]:
    return _refused(con, edge.of_files(con, file_ids), at)


def _refused(con: sqlite3.Connection, held: Sequence[Held], at: str) -> list[Held]:
    return [one for one in held if not _is_good(con, one, at)]


def _is_good(con: sqlite3.Connection, one: Held, at: str) -> bool:
    query = one.address.partition("?")[2]
    try:
        _admitted(con, addresses.said(query), one.file_id, at)
    except Refused:
        return False
    return True


def _settle(con: sqlite3.Connection, core: Core, lost: Sequence[Held], position: int) -> None:
    """The calls and the place in the log are one: neither is there without the other."""
    now = core.clock.now()
    edge.drop(con, [one.address for one in lost])
    for call in _calls(core, lost):
        edge.call(con, call, timestamp(now))
    receivers.advance(con, RECEIVER, position, timestamp(now))


def _calls(core: Core, lost: Sequence[Held]) -> Iterator[Call]:
    now = core.clock.now()
    by_owner: dict[str, list[Held]] = {}
    for one in lost:
        by_owner.setdefault(one.owner_id, []).append(one)
    for owner_id, held in by_owner.items():
        for start in range(0, len(held), IN_A_CALL):
            group = held[start : start + IN_A_CALL]
            until = max(one.until for one in group)
            told = tuple(one.address for one in group)
            yield Call(new_id(now), owner_id, told, False, until, timestamp(now))


# --- calls, for who makes them -----------------------------------------------------------------


async def due(core: Core) -> Call | None:
    """The call that has been due for longest."""
    return await core.db.read(edge.due, timestamp(core.clock.now()))


async def wait_s(core: Core) -> float:
    """Seconds until the next call is due; infinity: there is none."""
    moment = await core.db.read(edge.next_due)
    if moment is None:
        return math.inf
    left = datetime.fromisoformat(moment) - core.clock.now()
    return max(0.0, left.total_seconds())


async def took(core: Core, call: Call) -> None:
    """The other side took it; the first time it is said once more a little later."""
    now = core.clock.now()

    def write(con: sqlite3.Connection) -> None:
        edge.taken(con, call.id)
        if not call.is_echo:
            echo = replace(call, id=new_id(now), is_echo=True, created_at=timestamp(now))
            edge.call(con, echo, timestamp(now + ECHO))

    await core.db.write(write)


async def try_again(core: Core, call: Call, after_s: float, why: str) -> None:
    """Nobody took it: again in so many seconds."""
    at = timestamp(core.clock.now() + timedelta(seconds=after_s))
    await core.db.write(edge.again, call.id, at, why)


async def give_up(core: Core, call: Call, why: str) -> None:
    """Nobody will take it; a person is told."""
    await core.db.write(edge.park, call.id, timestamp(core.clock.now()), why)


async def try_all_again(core: Core) -> None:
    """What was given up is tried again from now on."""
    await core.db.write(edge.unpark, timestamp(core.clock.now()))
