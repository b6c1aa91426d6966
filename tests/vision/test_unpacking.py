"""Archives that try to reach further than the one file that is wanted."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.errors import IntegrityBroken
from pipeline.vision import unpacking
from tests.kit.registry import npm_package, wheel

Pack = Callable[[Mapping[str, bytes]], bytes]


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder that nothing may leave."""
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


def _tar(entry: tarfile.TarInfo, content: bytes = b"") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        packed.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("pack", [lambda m: wheel("x", "1", m), npm_package])
@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil"])
def test_names_in_an_archive_move_nothing(pack: Pack, name: str, inside: Path) -> None:
    """A member is written where we say, whatever path it claims; its neighbours not at all."""
    (inside / "a").write_bytes(pack({name: b"evil", "good": b"good"}))
    unpacking.take_out(inside / "a", name, inside / "taken")
    assert (inside / "taken").read_bytes() == b"evil"
    assert sorted(p.name for p in inside.parent.rglob("*")) == ["a", "inside", "taken"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE]
)
def test_only_plain_files_come_out(kind: bytes, inside: Path) -> None:
    """A link to a file of ours, a folder or a device is not followed, read or made."""
    (inside / "secret").write_bytes(b"secret")
    entry = tarfile.TarInfo("net")
    entry.type, entry.linkname = kind, str(inside / "secret")
    (inside / "a").write_bytes(_tar(entry))
    with pytest.raises(IntegrityBroken, match="no readable file 'net'"):
        unpacking.take_out(inside / "a", "net", inside / "taken")


def test_a_link_inside_the_archive_is_not_followed(inside: Path) -> None:
    """A member that only points at another one is no file, even where the other is harmless."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        good, link = tarfile.TarInfo("good"), tarfile.TarInfo("net")
        good.size, link.type, link.linkname = 4, tarfile.SYMTYPE, "good"
        packed.addfile(good, io.BytesIO(b"good"))
        packed.addfile(link)
    (inside / "a").write_bytes(out.getvalue())
    with pytest.raises(IntegrityBroken):
        unpacking.take_out(inside / "a", "net", inside / "taken")


def test_a_huge_member_is_stopped(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are counted as they come, so that a small archive cannot fill the disk."""
    monkeypatch.setattr(unpacking, "MOST", 2 << 20)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("net", bytes(64 << 20))
    (inside / "a").write_bytes(out.getvalue())
    with pytest.raises(IntegrityBroken, match="larger than 2 MB"):
        unpacking.take_out(inside / "a", "net", inside / "taken")
    assert (inside / "taken").stat().st_size <= 2 << 20


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("pack", [lambda m: wheel("x", "1", m), npm_package])
def test_a_damaged_archive(pack: Pack, share: float, inside: Path) -> None:
    """An archive that was cut is said to be damaged."""
    content = pack({"net": bytes(range(256)) * 400})
    (inside / "a").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(IntegrityBroken):
        unpacking.take_out(inside / "a", "net", inside / "taken")
