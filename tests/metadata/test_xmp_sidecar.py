"""Sidecars that say what Darkroom knows, and keep what others said."""

from __future__ import annotations

import exiv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadMedia
from pipeline.metadata import rdf, xmp
from pipeline.metadata.facts import TakenFrom
from pipeline.metadata.findings import Findings
from pipeline.metadata.write.xmp_sidecar import Face, Said, rendered, upright

SAID = Said(
    tags=("beach", "R&D <x>"),
    people=('Anna "Ann" Ö',),
    faces=(Face('Anna "Ann" Ö', 0.5, 0.25, 0.1, 0.2),),
    rating=4,
    width=4000,
    height=3000,
)
FOREIGN = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:my="http://example.org/my/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:Rating="2" crs:Exposure2012="+0.35" my:own="kept &amp; well">
   <dc:subject><rdf:Bag><rdf:li>old</rdf:li></rdf:Bag></dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|beach</rdf:li><rdf:li>gone|old</rdf:li></rdf:Bag>
   </lr:hierarchicalSubject>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Title</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def test_a_new_sidecar_says_everything() -> None:
    """Tags, people, a face and stars are read back as they were written."""
    found = Findings()
    xmp.read(rendered(SAID), found, TakenFrom.SIDECAR)
    facts = found.facts()
    assert facts.keywords == SAID.tags
    assert facts.people == SAID.people
    assert facts.rating == 4
    assert [(r.name, r.kind, r.x, r.y, r.w, r.h) for r in facts.regions] == [
        ('Anna "Ann" Ö', "Face", 0.5, 0.25, 0.1, 0.2)
    ]


def test_another_program_reads_it() -> None:
    """exiv2, which many programs are built on, finds the same tags, people and region."""
    sidecar = exiv2.ImageFactory.open(rendered(SAID))
    sidecar.readMetadata()
    found = {datum.key(): str(datum.value()) for datum in sidecar.xmpData()}
    assert found["Xmp.dc.subject"] == "beach, R&D <x>"
    assert found["Xmp.iptcExt.PersonInImage"] == 'Anna "Ann" Ö'
    assert found["Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]/mwg-rs:Area/stArea:x"] == "0.5"
    assert found["Xmp.mwg-rs.Regions/mwg-rs:AppliedToDimensions/stDim:w"] == "4000"


def test_what_others_wrote_stays() -> None:
    """Only our own properties change; others' keep their prefix, text and order."""
    merged = rendered(SAID, FOREIGN)
    before, after = rdf.properties(FOREIGN), rdf.properties(merged)
    ours = {"dc:subject", "lr:hierarchicalSubject", "xmp:Rating"}
    kept = {name: value for name, value in before.items() if name not in ours}
    assert {name: after[name] for name in kept} == kept
    assert b'my:own="kept &amp; well"' in merged
    assert after["dc:subject"] == ["beach", "R&D <x>"]
    assert after["lr:hierarchicalSubject"] == ["Places|beach", "R&D <x>"]
    assert after["xmp:Rating"] == "4"


@pytest.mark.parametrize("base", [None, FOREIGN])
def test_a_second_time_changes_nothing(base: bytes | None) -> None:
    """The very same bytes come out, however often; and old words leave no trace."""
    once = rendered(SAID, base)
    assert rendered(SAID, once) is once
    other = rendered(Said(tags=("sea",)), once)
    assert b"beach" not in other.replace(b"Places|beach", b"")
    assert rendered(SAID, other).count(b"<rdf:Description") == once.count(b"<rdf:Description")


def test_nothing_to_say_takes_ours_away() -> None:
    """Where the last tag went, the sidecar says so, and still holds the others' words."""
    bare = rendered(Said(), rendered(SAID, FOREIGN))
    assert not {"dc:subject", "mwg-rs:Regions", "xmp:Rating"} & rdf.properties(bare).keys()
    assert rdf.properties(bare)["crs:Exposure2012"] == "+0.35"


@pytest.mark.parametrize("base", [b"<x/>", b"no xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", b""])
def test_what_is_no_sidecar_is_refused(base: bytes) -> None:
    """Nothing is written over what cannot be understood."""
    with pytest.raises(BadMedia):
        rendered(SAID, base)


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=2), st.sampled_from([None, FOREIGN]))
def test_any_words_can_be_written(tags: list[str], people: list[str], base: bytes | None) -> None:
    """Whatever characters a tag or name has, the packet is well-formed and stays as it is."""
    said = Said(tags=tuple(tags), people=tuple(people), faces=(Face("".join(people), 0, 0, 1, 1),))
    once = rendered(said, base)
    rdf.properties(once)
    assert rendered(said, once) == once


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0.1, 0.2)), (2, (0.9, 0.2)), (3, (0.9, 0.8)), (4, (0.1, 0.8)),
     (5, (0.2, 0.1)), (6, (0.2, 0.9)), (7, (0.8, 0.9)), (8, (0.8, 0.1))],
)  # fmt: skip
def test_faces_stand_on_the_stored_picture(orientation: int, corner: tuple[float, float]) -> None:
    """A point of the upright picture is found again in the stored one, however it was turned."""
    face = upright(0.05, 0.1, 0.1, 0.2, orientation)
    assert (face.x, face.y) == pytest.approx(corner)
    assert (face.w, face.h) == ((0.1, 0.2) if orientation < 5 else (0.2, 0.1))
