"""Links as a use case: made by who may share, opened by strangers, and giving nothing away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.access import opaque, passwords
from pipeline.access.reach import Permission
from pipeline.errors import Invalid, NotAllowed, NotFound, NotKnown, RateLimited, Stale
from pipeline.service import albums, shares, sharing
from pipeline.service.shares import Made, Visit, Wanted
from pipeline.state.albums import Words
from pipeline.state.grants import Thing, To
from tests.service.village import Village


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost little here."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "PASSES", 1)


async def _link(village: Village, **terms: object) -> Made:
    wanted = Wanted(**terms)  # type: ignore[arg-type]  # a test says what it likes
    return await shares.of_files(village.anna, village.core, village.files, wanted)


async def _enter(village: Village, made: Made, password: str | None = None) -> Visit:
    return await shares.enter(village.core, made.token, password)


async def test_a_stranger_sees_what_the_link_shows(village: Village) -> None:
    """Looking counts nothing; going in counts one view and shows the files."""
    made = await _link(village)
    look = await shares.look(village.core, made.token)
    assert (look.needs_password, look.expires_at) == (False, None)
    visit = await _enter(village, made)
    assert visit.share.views == 1
    page = await shares.page(village.core, made.token, visit.token)
    assert {row.id for row in page.rows} == set(village.files)
    inside = await shares.inside(village.core, made.token, visit.token)
    assert (inside.files, inside.left_out, inside.share.views) == (3, 0, 1)


@pytest.mark.parametrize("token", ["", "x", "dl_", "dl_" + "A" * 43, "dk_" + "A" * 43, "../s", "é"])
async def test_a_guessed_link_is_not_good(village: Village, token: str) -> None:
    """Whatever is wrong with a link, the answer is the same."""
    for call in (
        shares.look(village.core, token),
        shares.enter(village.core, token),
        shares.inside(village.core, token, "dl_" + "A" * 43),
        shares.page(village.core, token, ""),
        shares.download(village.core, token, "x", village.files[0]),
    ):
        with pytest.raises(NotFound, match="not good"):
            await call


async def test_without_a_pass_nothing_is_shown(village: Village) -> None:
    """A link alone shows nothing: who is in has a pass for this link."""
    made, other = await _link(village), await _link(village)
    visit = await _enter(village, other)
    for call in (
        shares.page(village.core, made.token, visit.token),
        shares.derivative(village.core, made.token, visit.token, village.files[0], "preview"),
        shares.download(village.core, made.token, opaque.make(opaque.LINK), village.files[0]),
    ):
        with pytest.raises(NotFound, match="not good"):
            await call


async def test_a_password_lets_in_and_guessing_is_slowed(village: Village) -> None:
    """T59 for links: ten tries, then one a minute, and the right one is refused meanwhile too."""
    made = await _link(village, password="four words on paper")
    assert (await shares.look(village.core, made.token)).needs_password
    with pytest.raises(NotKnown):
        await _enter(village, made)
    await _enter(village, made, "four words on paper")
    for _ in range(10):
        with pytest.raises(NotKnown, match="not the password"):
            await _enter(village, made, "guess")
    with pytest.raises(RateLimited):
        await _enter(village, made, "four words on paper")
    assert (await shares.get(village.anna, village.core, made.share.id)).views == 1


async def test_a_limited_link_counts_down(village: Village) -> None:
    """Two views are two; who is in stays in."""
    made = await _link(village, view_limit=2)
    first, _ = await _enter(village, made), await _enter(village, made)
    with pytest.raises(NotFound):
        await _enter(village, made)
    page = await shares.page(village.core, made.token, first.token)
    assert len(page.rows) == 3


async def test_terms_change_under_their_version(village: Village) -> None:
    """A password may stay while the rest changes; a stale change is refused."""
    made = await _link(village, password="four words")
    core, anna, share = village.core, village.anna, made.share.id
    with pytest.raises(Stale):
        await shares.change(anna, core, share, Wanted(), 7)
    changed = await shares.change(anna, core, share, Wanted("Ours", keeps_password=True), 1)
    assert (changed.title, changed.has_password, changed.version) == ("Ours", True, 2)
    changed = await shares.change(anna, core, share, Wanted("Ours"), 2)
    assert not changed.has_password


async def test_revoked_and_renewed_links_lead_nowhere(village: Village) -> None:
    """The old address is dead at once; the new one works."""
    made = await _link(village)
    visit = await _enter(village, made)
    renewed = await shares.renew(village.anna, village.core, made.share.id)
    with pytest.raises(NotFound):
        await shares.page(village.core, made.token, visit.token)
    await _enter(village, renewed)
    await shares.revoke(village.anna, village.core, made.share.id)
    with pytest.raises(NotFound):
        await shares.look(village.core, renewed.token)
    (left,) = await shares.listing(village.anna, village.core)
    assert left.revoked_at is not None


async def test_only_what_may_be_shared_gets_a_link(village: Village) -> None:
    """T64: foreign files and albums are not there; lent ones need to be lent to share on."""
    core, ben = village.core, village.ben
    with pytest.raises(NotFound):
        await shares.of_files(ben, core, [*village.bens, village.files[0]], Wanted())
    album = (await albums.make(village.anna, core, Words("Summer"))).album.id
    with pytest.raises(NotFound):
        await shares.of_album(ben, core, album, Wanted())
    await sharing.lend(village.anna, core, Thing("album", album), To("ben"), Permission.EDIT)
    with pytest.raises(NotAllowed):
        await shares.of_album(ben, core, album, Wanted())
    thing = Thing("library", village.anna.user_id)
    await sharing.lend(village.anna, core, thing, To("ben"), Permission.MANAGE)
    with pytest.raises(Invalid, match="one library"):
        await shares.of_files(ben, core, [*village.bens, village.files[0]], Wanted())
    made = await shares.of_album(ben, core, album, Wanted())
    assert made.share.owner_id == village.anna.user_id


async def test_links_of_others_cannot_be_touched(village: Village) -> None:
    """T64: a foreign link is not there, whatever is asked."""
    made = await _link(village)
    core, ben, share = village.core, village.ben, made.share.id
    for call in (
        shares.get(ben, core, share),
        shares.change(ben, core, share, Wanted()),
        shares.renew(ben, core, share),
        shares.revoke(ben, core, share),
    ):
        with pytest.raises(NotFound, match="no such link"):
            await call
    assert await shares.listing(ben, core) == []


@pytest.mark.parametrize(
    "terms",
    [{"view_limit": 0}, {"password": "abc"}, {"download": "all"}, {"title": "x" * 201}],
)
async def test_terms_that_make_no_sense_are_refused(
    village: Village, terms: dict[str, object]
) -> None:
    """Nothing is made of them."""
    with pytest.raises(Invalid):
        await _link(village, **terms)
    past = village.core.clock.now() - timedelta(seconds=1)
    with pytest.raises(Invalid):
        await _link(village, expires_at=past)
    with pytest.raises(Invalid):
        await shares.of_files(village.anna, village.core, [], Wanted())
    assert await shares.listing(village.anna, village.core) == []


async def test_files_are_given_away_as_the_terms_say(village: Village) -> None:
    """Not at all, or as they are; under a name that says nothing unless details are shown."""
    row = village.files[0]
    made = await _link(village, download="none")
    visit = await _enter(village, made)
    with pytest.raises(NotAllowed):
        await shares.download(village.core, made.token, visit.token, row)
    made = await _link(village, download="original")
    visit = await _enter(village, made)
    media = await shares.download(village.core, made.token, visit.token, row)
    assert media.name == f"photo-{row[-8:]}.jpg"
    made = await _link(village, download="original", shows_details=True)
    visit = await _enter(village, made)
    media = await shares.download(village.core, made.token, visit.token, row)
    assert media.name.startswith("IMG_")


async def test_what_opens_a_link_is_never_printed(village: Village) -> None:
    """Tokens and passwords stay out of logs that print values."""
    made = await _link(village, password="four words")
    visit = await _enter(village, made, "four words")
    assert made.token not in repr(made)
    assert visit.token not in repr(visit)
    assert "four words" not in repr(Wanted(password="four words"))
