"""T58: what a link gives away tells no place, no serial number and no owner, unless allowed."""

from __future__ import annotations

import asyncio
import functools
import random
import string
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from config.settings import load
from pipeline.clock import SystemClock
from pipeline.core import Core, Mode, open_core
from pipeline.intake import kind
from pipeline.metadata.scrub.plan import plan, proof
from pipeline.metadata.scrub.wishes import Wishes
from pipeline.metadata.write.patch import apply
from pipeline.model import Actor, Surface
from pipeline.service import finding, scrubbed, shares
from pipeline.service.shares import Wanted
from tests.kit import cli, exiftool, told
from tests.kit.atlas import lend_places
from tests.kit.served import serving
from tests.web.conftest import OpenGate
from web.app import create_app

pytestmark = pytest.mark.timeout(180)
SECRETS = (
    *(told.OWNER, told.SERIAL, told.LENS_SERIAL, "UNIQUE-IMAGE-ID-1", "unique-0123456789"),
    *("Ann Artist", "Paris", "Champ de Mars", "France", "48,51.5024N", "Eiffel", "Aunt-May"),
)
KINDS = ("jpeg", "heic")
BLIND = "[vision]\n" + "".join(  # what is in the pictures does not matter here
    f"{stage} = false\n" for stage in ("faces", "objects", "features", "scene", "quality", "kind")
)
PATIENCE = 120  # asks, with half a second between them


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a picture of each of some kinds, saying all that its format can say."""
    folder = tmp_path_factory.mktemp("links")
    (folder / "phone").mkdir()
    for name in KINDS:
        (folder / "phone" / f"At-Aunt-May.{name}").write_bytes(told.photo(name))
    lend_places(tmp_path_factory, folder / "home")
    (folder / "home" / "darkroom.toml").write_text(BLIND)
    cli.process(folder / "home", folder / "phone", patience_s=120)
    return folder / "home"


@dataclass(frozen=True, slots=True)
class Door:
    """A running Darkroom, and how a stranger reaches it."""

    core: Core
    actor: Actor
    address: str

    async def link(self, **terms: object) -> str:
        """The address of a new link to everything there is."""
        query = finding.query_of(self.core, "")
        ids = await finding.ids(self.actor, self.core, query)
        wanted = Wanted(**terms)  # type: ignore[arg-type]  # a test says what it likes
        made = await shares.of_files(self.actor, self.core, ids, wanted)
        return self.address + made.path


@asynccontextmanager
async def _open(home: Path) -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        opened = open_core(home, load(home), SystemClock(), Mode.WORK)
        core = await stack.enter_async_context(opened)
        actor = core.household(Surface.WEB)
        app = create_app(core, OpenGate(actor))
        address = await stack.enter_async_context(serving(app, "127.0.0.1", 0))
        yield Door(core, actor, address)


async def _given(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """The answer, once the copy for it is made."""
    for _ in range(PATIENCE):
        answer = await client.get(url)
        if answer.status_code != 503:
            return answer
        assert answer.headers["Retry-After"]
        await asyncio.sleep(0.5)
    raise AssertionError(f"no copy was made for {url}")


def _leaks(answer: httpx.Response) -> list[str]:
    said = answer.content + repr(answer.headers).encode()
    return [secret for secret in SECRETS if secret.encode() in said]


async def test_a_link_gives_no_secret_away(home: Path, tmp_path: Path) -> None:
    """The list, thumbnails, previews and files of a link; exiftool finds nothing either."""
    async with _open(home) as door, httpx.AsyncClient(timeout=30) as stranger:
        link = await door.link()
        assert (await stranger.post(f"{link}/open", json={})).status_code == 200
        listed = await stranger.get(f"{link}/files")
        files = [one["id"] for one in listed.json()["items"]]
        assert len(files) == len(KINDS)
        answers = [listed]
        for number, file_id in enumerate(files):
            for derived in ("thumbnail", "preview"):
                url = f"{link}/files/{file_id}/derivatives/{derived}"
                answers.append(await stranger.get(url))
            given = await _given(stranger, f"{link}/files/{file_id}/content")
            (tmp_path / str(number)).write_bytes(given.content)
            answers.append(given)
        assert {answer.status_code for answer in answers} == {200}
        assert [leak for answer in answers for leak in _leaks(answer)] == []
    found = exiftool.told(*sorted(tmp_path.iterdir()))
    assert [exiftool.private(tags) for tags in found] == [[]] * len(KINDS)


async def test_what_is_allowed_is_given_as_it_is(home: Path) -> None:
    """A link that gives originals away with details does: the test above can fail."""
    async with _open(home) as door, httpx.AsyncClient(timeout=30) as stranger:
        link = await door.link(download="original", shows_details=True)
        await stranger.post(f"{link}/open", json={})
        listed = (await stranger.get(f"{link}/files")).json()["items"]
        assert all("Aunt-May" in one["details"]["name"] for one in listed)
        given = await stranger.get(f"{link}/files/{listed[0]['id']}/content")
        assert len(_leaks(given)) > 5


@pytest.mark.parametrize("seed", range(4))
def test_none_of_a_thousand_leaks(seed: int) -> None:
    """T58: 1,000 pictures, each with secrets of its own; not one is in what a link gives away."""
    chance = random.Random(seed)
    wishes = Wishes.from_params(scrubbed.WISH)
    leaks = 0
    for number in range(250):
        data, secrets = _secretive(_photo(("jpeg", "png", "webp")[number % 3]), chance)
        assert all(secret in data for secret in secrets)
        fmt = kind.sniff(data)
        assert fmt is not None
        planned = plan(data, fmt, wishes)
        made = apply(data, planned.patches)
        proof(made, fmt, wishes, planned)
        leaks += any(secret in made for secret in secrets)
    assert leaks == 0


_photo = functools.cache(told.photo)


def _secretive(data: bytes, chance: random.Random) -> tuple[bytes, list[bytes]]:
    """The picture with other words, as long, in the place of those that must not be told."""
    secrets: list[bytes] = []
    for known in (told.OWNER, told.SERIAL, told.LENS_SERIAL, "Ann Artist", "48,51.5024N"):
        other = "".join(chance.choices(string.ascii_letters + string.digits, k=len(known)))
        data = data.replace(known.encode(), other.encode())
        if other.encode() in data:
            secrets.append(other.encode())
    position = told.degrees(told.LAT)
    other_position = told.degrees(chance.uniform(1, 89))
    assert position in data
    return data.replace(position, other_position), [*secrets, other_position]
